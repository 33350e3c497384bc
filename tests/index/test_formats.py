"""Every format as the programs that write it leave it, and damaged on purpose."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from rag.errors import DocumentError
from rag.index.load import READERS, Loaded, load
from rag.text import normalize
from rag.types import Document

from .conftest import make_pdf

PARAGRAPH = "Sông Hồng dài 1149 km. It rises in Yunnan and ends in the Gulf of Tonkin."


def one(name: str, content: bytes) -> Document:
    (document,) = load(Path("/papers", name), content).documents
    return document


def docx() -> bytes:
    import docx as library

    document = library.Document()
    document.core_properties.title = "Rivers of Asia"
    document.add_heading("The Red River", level=1)
    document.add_paragraph(PARAGRAPH)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["City", "People", "Hà Nội", "8 million"], strict=True):
        cell.text = text
    document.add_paragraph("After the table.")
    return saved(document.save)


def pptx() -> bytes:
    import pptx as library

    presentation = library.Presentation()
    for text in ("First slide", "Trang thứ hai"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = text
        slide.placeholders[1].text = PARAGRAPH
        slide.notes_slide.notes_text_frame.text = f"Say it slowly: {text}."
    return saved(presentation.save)


def xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Rivers"
    book.active.append(["River", "Length", "Measured"])
    book.active.append(["Sông Hồng", 1149.0, dt.datetime(2024, 7, 3)])
    book.create_sheet("Cities").append(["Hà Nội", 8.5])
    return saved(book.save)


def epub() -> bytes:
    package = """<package xmlns="http://www.idpf.org/2007/opf"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>A book</dc:title>
        <dc:date>2019-05</dc:date></metadata>
        <manifest><item id="b" href="b%20two.xhtml"/><item id="a" href="a.xhtml"/></manifest>
        <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    container = """<container><rootfiles><rootfile full-path="in/book.opf"/></rootfiles>
        </container>"""
    return zipped(
        {
            "META-INF/container.xml": container.encode(),
            "in/book.opf": package.encode(),
            "in/a.xhtml": b"<html><body><h1>One</h1><p>First <i>chapter</i>.</p></body></html>",
            "in/b two.xhtml": f"<html><body><p>{PARAGRAPH}</p></body></html>".encode(),
        }
    )


def eml() -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Lan <lan@example.org>", "Minh <minh@example.org>"
    message["Subject"], message["Date"] = "Báo cáo sông Hồng", "Wed, 03 Jul 2024 14:24:00 +0700"
    message.set_content("See the attachment.")
    message.add_alternative("<p>See the <b>attachment</b>.</p>", subtype="html")
    message.add_attachment(PARAGRAPH.encode(), "text", "plain", filename="sông.txt")
    message.add_attachment(b"\x89PNG", "image", "png", filename="map.png")
    return message.as_bytes()


def saved(save: Callable[[Any], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@cache
def samples() -> dict[str, bytes]:
    """A real file of every type that can be read."""
    page = f"<html><body><article><h1>River</h1><p>{PARAGRAPH}</p></article></body></html>"
    records = [{"title": "One", "text": PARAGRAPH}, {"title": "Two", "length": 1149}]
    made = {
        ".txt": PARAGRAPH.encode(),
        ".md": f"# River\n\n{PARAGRAPH}".encode(),
        ".html": page.encode(),
        ".pdf": make_pdf("First page.", "Second page."),
        ".docx": docx(),
        ".pptx": pptx(),
        ".xlsx": xlsx(),
        ".epub": epub(),
        ".csv": "River;Length\nSông Hồng;1149\nMekong;4350\n".encode(),
        ".tsv": "River\tLength\nSông Hồng\t1149\n".encode(),
        ".json": json.dumps({"title": "River", "date": "2024-07-03", "text": PARAGRAPH}).encode(),
        ".jsonl": "\n".join(json.dumps(record) for record in records).encode(),
        ".eml": eml(),
        ".zip": zipped({"in/a.txt": PARAGRAPH.encode(), "b.csv": b"a,b\n1,2\n"}),
    }
    made |= {".text": made[".txt"], ".markdown": made[".md"], ".htm": made[".html"]}
    assert made.keys() == READERS.keys()
    return made


@pytest.mark.parametrize("suffix", READERS)
def test_every_type_gives_composed_text_with_pages_in_order(suffix: str) -> None:
    loaded = load(Path("/papers", "sample" + suffix), samples()[suffix])
    assert loaded.documents
    for document in loaded.documents:
        assert document.text == normalize(document.text)
        assert document.text.strip()
        assert list(document.pages) == sorted(document.pages)
        assert all(start <= len(document.text) for start in document.pages)


def test_a_word_document_keeps_the_order_of_text_and_tables() -> None:
    document = one("a.docx", docx())
    assert document.title == "Rivers of Asia"
    assert document.text.split("\n\n") == [
        "# The Red River",
        PARAGRAPH,
        "City: Hà Nội; People: 8 million",
        "After the table.",
    ]


def test_slides_are_pages_with_their_notes() -> None:
    document = one("a.pptx", pptx())
    assert document.title == "a.pptx"  # "PowerPoint Presentation" says nothing
    assert document.page_at(document.text.index("Trang thứ hai")) == 2
    assert "Say it slowly: First slide." in document.text


def test_sheets_are_pages_and_a_row_can_be_understood_alone() -> None:
    document = one("a.xlsx", xlsx())
    assert "River: Sông Hồng; Length: 1149; Measured: 2024-07-03" in document.text
    assert document.page_at(document.text.index("Hà Nội; 8.5")) == 2


def test_columns_may_be_called_by_years_and_a_table_may_have_a_title() -> None:
    years = "Country,2021,2022\nVietnam,100,110\nLaos,90,95\n"
    assert one("a.csv", years.encode()).text.split("\n\n") == [
        "Country: Vietnam; 2021: 100; 2022: 110",
        "Country: Laos; 2021: 90; 2022: 95",
    ]
    titled = "Salaries of 2025,,\nName,Position,Salary\nBob,Doctor,5100\n"
    assert one("a.csv", titled.encode()).text.split("\n\n") == [
        "Salaries of 2025",
        "Name: Bob; Position: Doctor; Salary: 5100",
    ]
    assert one("a.csv", b"Anna,2001\nBen,34\n").text == "Anna; 2001\n\nBen; 34"
    spans = "Anna,2011,2015\nBob,2012,2016\n"
    assert one("a.csv", spans.encode()).text.startswith("Anna; 2011; 2015")


def test_a_cell_in_the_last_corner_of_a_sheet_costs_no_more_than_any_other() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active["XFD1048576"] = PARAGRAPH
    content = saved(book.save)
    assert len(content) < 5000
    assert one("a.xlsx", content).text == f"# Sheet\n\n{PARAGRAPH}"


def test_a_sheet_of_far_too_many_cells_is_read_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in range(1, 20):
        book.active.cell(row, 16_384, f"Row {row}")
    book.create_sheet("Second").append(["Never reached"])
    monkeypatch.setattr("rag.index.formats.tables._MOST_CELLS", 10 * 16_384)
    loaded = load(Path("/papers/a.xlsx"), saved(book.save))
    assert loaded.documents[0].text.split("\n\n")[1:] == [f"Row {row}" for row in range(1, 10)]
    assert "Only its first 163,840 cells were read" in loaded.incomplete[0].reason


def test_columns_without_values_at_the_end_of_a_sheet_do_not_matter() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (
        ["River", "Length", None],
        ["Mekong", 4350, " "],
        [None, None, None],
        ["Lô", 274],
    ):
        book.active.append(cells)
    rows = one("a.xlsx", saved(book.save)).text.split("\n\n")[1:]
    assert rows == ["River: Mekong; Length: 4350", "River: Lô; Length: 274"]


def test_a_book_is_read_in_its_order() -> None:
    document = one("a.epub", epub())
    assert (document.title, document.published) == ("A book", dt.date(2019, 5, 1))
    assert document.text == f"# One\n\nFirst chapter.\n\n{PARAGRAPH}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_with_any_delimiter_are_read(delimiter: str) -> None:
    rows = [["River", "Note"], ["Mekong", '"long' + delimiter + ' wide"'], ["Lô", "short"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert one("a.csv", text.encode()).text.split("\n\n") == [
        f"River: Mekong; Note: long{delimiter.replace(chr(9), '')} wide",
        "River: Lô; Note: short",
    ]


def test_a_table_without_a_header_keeps_its_first_row() -> None:
    assert one("a.csv", b"1,Mekong\n2,Lo\n").text == "1; Mekong\n\n2; Lo"


def test_json_becomes_readable_lines() -> None:
    value = {"name": "Mekong", "at": {"km": [1, 2], "who": [{"id": 7}]}, "body": PARAGRAPH}
    document = one("a.json", json.dumps(value).encode())
    assert document.text == f"name: Mekong\nat km: 1, 2\nat who 1 id: 7\n\n{PARAGRAPH}"
    assert document.title == "Mekong"
    dated = one("a.json", json.dumps({"datePublished": "2024-07-03T10:00:00Z", "a": 1}).encode())
    assert dated.published == dt.date(2024, 7, 3)


def test_a_bad_line_of_records_is_reported_and_stops_no_other() -> None:
    loaded = load(Path("/papers/a.jsonl"), b'{"a": 1}\nnonsense\n{"a": 2}')
    assert loaded.documents[0].text == "a: 1\n\na: 2"
    assert "line 2" in loaded.incomplete[0].reason


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.formats.archive.MAX_UNPACKED", 100)
    for name in ("a.zip", "a.docx", "a.xlsx", "a.pptx", "a.epub"):
        bomb = samples()["." + name[2:]] if name != "a.zip" else zipped({"a.txt": b"0" * 1001})
        with pytest.raises(DocumentError, match="unpacks to more"):
            load(Path("/papers", name), bomb)


def test_entities_of_a_book_name_no_files_and_do_not_grow(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret", "utf-8")
    package = f"""<!DOCTYPE p [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>
        <package><metadata><title>&x;</title></metadata><manifest><item id="a" href="a.xhtml"/>
        </manifest><spine><itemref idref="a"/></spine></package>"""
    with zipfile.ZipFile(io.BytesIO(epub())) as book:
        files = {name: book.read(name) for name in book.namelist()}
    files |= {"in/book.opf": package.encode()}
    document = one("a.epub", zipped(files))
    assert "secret" not in document.title + document.text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.doc", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "old format of Office"),
        ("a.docx", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "password"),
        ("a.docx", b"plain text", "damaged"),
        ("a.zip", b"PK\x03\x04", "damaged"),
        ("a.zip", zipped({"a.png": b"x"}), "no files that can be read"),
        ("a.json", b"[" * 200_000, "damaged"),
        ("a.json", b"nonsense", "not JSON"),
        ("a.jsonl", b"nonsense", "not JSON"),
        ("a.csv", b"\x00\x01\x02", "binary"),
        ("a.epub", zipped({"META-INF/container.xml": b"<c/>"}), "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        load(Path("/papers", name), content)


def test_a_document_is_known_by_its_content() -> None:
    assert "River: Sông Hồng" in one("a.docx", xlsx()).text
    assert "# The Red River" in one("a.zip", docx()).text


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_never_more_than_a_plain_error(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(samples())))
    content = bytearray(samples()[suffix])
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    try:
        loaded = load(Path("/papers", "a" + suffix), bytes(content[:cut]))
    except DocumentError as error:
        assert str(error)  # noqa: PT017 - a plain sentence is all that may come
    else:
        assert isinstance(loaded, Loaded)


def scanned(*texts: str) -> bytes:
    """A PDF of pictures of text."""
    pages = []
    for text in texts:
        page = Image.new("RGB", (1240, 600), "white")
        font = ImageFont.load_default(size=48)
        ImageDraw.Draw(page).text((60, 200), text, fill="black", font=font)
        pages.append(page)
    return saved(lambda to: pages[0].save(to, "PDF", save_all=True, append_images=pages[1:]))


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract is not installed")
def test_scanned_pages_are_read_where_tesseract_is_installed() -> None:
    loaded = load(Path("/papers/scan.pdf"), scanned("The glacier melted", "Rivers rose in May"))
    (document,) = loaded.documents
    assert "glacier melted" in document.text
    assert document.page_at(document.text.index("Rivers rose")) == 2
    assert loaded.incomplete == []


def test_scanned_pages_are_reported_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(DocumentError, match=r"Page 1 holds no text\. Install tesseract"):
        load(Path("/papers/scan.pdf"), scanned("The glacier melted"))
    half = saved(lambda to: to.write(joined(make_pdf("A page with text."), scanned("No text"))))
    loaded = load(Path("/papers/half.pdf"), half)
    assert loaded.documents[0].text.startswith("A page with text.")
    assert "Page 2 holds no text" in loaded.incomplete[0].reason


def joined(*parts: bytes) -> bytes:
    import pypdfium2

    whole = pypdfium2.PdfDocument.new()
    for part in parts:
        whole.import_pages(pypdfium2.PdfDocument(part))
    return saved(whole.save)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "July 3, 2024\n\n  • views:84\n\nThe arrogance of AI\n\n" + PARAGRAPH,
            "The arrogance of AI",
        ),
        ("One line of text that is all there is of it", ""),
        ("A sentence comes first.\n\n" + PARAGRAPH, ""),
        ("50470 Federal Territory of Kuala Lumpur\n\n" + PARAGRAPH, ""),
        ("Two words\n\n" + PARAGRAPH, ""),
        ("A heading over nothing\n\nshort", ""),
    ],
)
def test_a_title_is_taken_only_where_it_is_one(text: str, title: str) -> None:
    assert one("a.txt", text.encode()).title == (title or "a.txt")
