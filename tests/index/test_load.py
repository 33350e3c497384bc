from __future__ import annotations

import datetime as dt
import hashlib
import io
import unicodedata
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.index.formats.text import decode
from rag.index.load import load

from .conftest import make_pdf

VIETNAMESE = (
    "Trong bối cảnh cạnh tranh khốc liệt về trí tuệ nhân tạo, nhiều lãnh đạo ngành công nghệ "
    "tỏ ra phấn khích lẫn lo ngại. Ông ấy gọi đó là một khoảnh khắc đáng nhớ."
)
# "Trí tuệ nhân tạo là một lĩnh vực" as a Vietnamese Windows wrote it: tones are bytes of
# their own behind the vowel.
WINDOWS_1258 = (
    b"Tri\xec tu\xea\xf2 nh\xe2n ta\xf2o la\xcc m\xf4\xf2t li\xdenh v\xfd\xf2c. "
    b"Nhi\xea\xccu ng\xfd\xf5\xcci \xf0ang noi\xec v\xea\xcc ti\xea\xccng Vi\xea\xf2t va\xcc "
    b"nh\xfd\xdeng chi\xeac m\xe1y t\xednh cu\xde ki\xde."
)


def noise(length: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(length)


def document_of(content: bytes, name: str = "a.txt") -> str:
    return load(Path("/papers", name), content).documents[0].text


def reason(content: bytes, name: str = "a.txt") -> str:
    with pytest.raises(DocumentError) as caught:
        load(Path("/papers", name), content)
    assert name in caught.value.message
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_unicode_encoding_reads_the_same(encoding: str) -> None:
    assert document_of(VIETNAMESE.encode(encoding)) == VIETNAMESE


def test_big_endian_with_a_byte_order_mark_reads_the_same() -> None:
    assert document_of(b"\xfe\xff" + VIETNAMESE.encode("utf-16-be")) == VIETNAMESE


def test_old_vietnamese_windows_files_are_recognised_and_composed() -> None:
    text = document_of(WINDOWS_1258)
    assert text.startswith("Trí tuệ nhân tạo là một lĩnh vực. Nhiều người đang")
    assert unicodedata.is_normalized("NFC", text)


def test_decomposed_text_becomes_composed() -> None:
    decomposed = unicodedata.normalize("NFD", VIETNAMESE)
    assert decomposed != VIETNAMESE
    assert document_of(decomposed.encode()) == VIETNAMESE


def test_all_line_ends_become_one() -> None:
    assert document_of(b"one\r\ntwo\rthree\n") == "one\ntwo\nthree\n"


def test_a_stray_nul_late_in_a_text_is_dropped() -> None:
    assert "\x00" not in document_of(b"word " * 20_000 + b"\x00 end")


@pytest.mark.parametrize("content", [b"", b"  \n\t \r\n"])
def test_a_file_without_text_is_called_empty(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(DocumentError, match=r"a\.txt is empty"):
        load(file)


def test_white_space_of_other_encodings_is_no_text() -> None:
    assert "holds no text" in reason(" \n\u3000 ".encode("utf-16"))


@pytest.mark.parametrize(
    "content",
    [
        noise(5000),
        bytes(byte or 1 for byte in noise(5000)),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + noise(200),
        b"\xff\xfe" + b"\x01\x00\x02\x00" * 200,
        b"\x01\x02\x03\x04" * 100,
    ],
    ids=["random", "random without NUL", "PNG", "binary with a mark", "control characters"],
)
def test_binary_files_named_txt_are_refused(content: bytes) -> None:
    assert "binary file" in reason(content)


def test_a_damaged_utf_16_file_is_refused() -> None:
    assert "damaged" in reason(b"\xff\xfe" + "\U0001f600".encode("utf-16-le")[:2])


def test_a_file_the_system_cannot_read_says_why(tmp_path: Path) -> None:
    file = tmp_path / "memory.txt"
    file.symlink_to("/proc/self/mem")  # reading its first page fails for everybody
    with pytest.raises(DocumentError, match=r"memory\.txt cannot be read: \w+"):
        load(file)


def test_a_relative_path_is_read_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("A text.", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load(Path("a.txt")).documents[0].uri == (tmp_path / "a.txt").as_uri()


def test_a_link_to_nothing_says_why(tmp_path: Path) -> None:
    file = tmp_path / "lost.txt"
    file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DocumentError, match="no such file"):
        load(file)


def test_other_types_are_refused_with_those_that_work() -> None:
    message = reason(b"GIF89a", "a.gif")
    assert ".gif" in message
    assert ".pdf" in message
    assert "without a suffix" in reason(b"text", "README")


def test_markdown_takes_its_first_heading_as_title() -> None:
    found = load(
        Path("/papers/a.MD"), "## Sub\n\n#  Tiêu   đề \n\nText.\n\n# Other".encode()
    ).documents[0]
    assert found.title == "Tiêu đề"
    assert found.text.startswith("## Sub")


def test_front_matter_gives_title_and_date_and_stays_in_the_text() -> None:
    front = """---
# written by a program
tags: [rivers]
layout: post
author: Lan
categories:
  - title: not this
title: "Sông Hồng: một dòng sông"
date: '2024-07-03 14:24:00 +0700'
---

# Another heading

Text."""
    for content in (front, front.replace("\n", "\r\n"), "\ufeff" + front):
        found = load(Path("/papers/a.md"), content.encode()).documents[0]
        assert found.title == "Sông Hồng: một dòng sông"
        assert found.published == dt.date(2024, 7, 3)
        assert found.text == front
    rule = "---\n\n# A heading\n\ntitle: no\n"
    assert load(Path("/papers/a.md"), rule.encode()).documents[0].title == "A heading"


def test_the_date_a_pdf_or_office_file_was_made_is_not_taken_for_its_publication() -> None:
    import docx

    made = io.BytesIO()
    docx.Document().save(made)
    document = docx.Document()
    assert document.core_properties.created  # of the template
    document.add_paragraph("Text.")
    document.save(made)
    assert load(Path("/papers/a.docx"), made.getvalue()).documents[0].published is None


def test_without_a_title_the_composed_file_name_is_the_title() -> None:
    name = unicodedata.normalize("NFD", "Báo cáo #1 50%.txt")
    assert load(Path("/papers", name), b"text").documents[0].title == "Báo cáo #1 50%.txt"


def test_a_file_name_that_is_no_text_still_gives_a_title() -> None:
    title = load(Path("/papers/caf\udce9.txt"), b"text").documents[0].title
    assert title.encode().decode() == "caf\ufffd.txt"


HTML = """<html lang="vi"><head><title>Tin công nghệ</title>
<meta property="article:published_time" content="2024-02-22T10:00:00+07:00"></head><body>
<nav><a href="/">Trang chủ</a> <a href="/login">Đăng nhập</a></nav>
<article><h1>Tin công nghệ</h1><p>{text}</p><p>{text}</p></article>
<script>var hidden = 1;</script><footer>Bản quyền thuộc về báo</footer></body></html>"""


def test_html_keeps_the_article_its_title_and_its_date() -> None:
    content = HTML.format(text=VIETNAMESE).encode()
    found = load(Path("/papers/a.html"), content).documents[0]
    assert VIETNAMESE in found.text
    assert "hidden" not in found.text
    assert "Đăng nhập" not in found.text
    assert found.title == "Tin công nghệ"
    assert found.published == dt.date(2024, 2, 22)
    assert found.language == "vi"


@pytest.mark.parametrize("content", [b"<html></html>", b"<div>" * 20_000, b"<p> </p>"])
def test_html_without_text_is_refused(content: bytes) -> None:
    assert "holds no text" in reason(content, "a.htm")


def test_a_short_page_without_an_article_keeps_its_text() -> None:
    assert "Xin chào" in document_of("<html><body><b>Xin chào</b></body></html>".encode(), "a.html")


def test_pdf_pages_know_their_numbers() -> None:
    found = load(
        Path("/papers/a.pdf"), make_pdf("First page.", "", "Third page.", title=b"(T)")
    ).documents[0]
    assert found.text == "First page.\n\n\n\nThird page."
    assert found.title == "T"
    assert found.pages == (0, 13, 15)
    assert found.page_at(found.text.index("First")) == 1
    assert found.page_at(found.text.index("Third")) == 3


def test_a_word_broken_at_the_end_of_a_pdf_line_is_whole() -> None:
    assert document_of(make_pdf("This is an exam-\nple of it."), "a.pdf") == (
        "This is an example of it."
    )


def test_a_pdf_is_known_by_its_content() -> None:
    assert document_of(make_pdf("Hello"), "renamed.txt") == "Hello"


def test_a_malformed_pdf_title_does_not_matter() -> None:
    found = load(Path("/papers/a.pdf"), make_pdf("Hello", title=b"<FEFFD800>")).documents[0]
    assert found.title == "a.pdf"


def test_a_locked_pdf_says_so() -> None:
    keys = b"/O <%s> /U <%s>" % (b"41" * 32, b"42" * 32)
    locked = b"/Encrypt << /Filter /Standard /V 1 /R 2 %s /P -4 >> /ID [<00> <00>]" % keys
    assert "password" in reason(make_pdf("Hello", trailer=locked), "locked.pdf")


@pytest.mark.parametrize("content", [b"%PDF-1.4 nothing", make_pdf("Hello")[:150], b"no pdf"])
def test_a_damaged_pdf_says_so(content: bytes) -> None:
    assert "not a readable PDF" in reason(content, "a.pdf")


def test_the_seeds_are_composed_dated_and_in_their_language(seeds: Path) -> None:
    found = [load(path).documents[0] for path in sorted(seeds.glob("*.txt"))]
    assert [one.language for one in found] == ["vi", "en", "en", "vi", "vi"]
    assert [one.published for one in found] == [
        None,
        None,
        dt.date(2024, 7, 3),
        dt.date(2026, 2, 12),
        None,
    ]
    assert all(unicodedata.is_normalized("NFC", one.text) for one in found)


def test_a_declared_charset_in_html_is_not_needed_for_utf_8() -> None:
    assert decode("<p>Tiếng Việt</p>".encode(), "a.html") == "<p>Tiếng Việt</p>"
