"""Word documents with what python-docx passes over."""

from __future__ import annotations

import io
import zipfile

from .test_formats import one, saved, zipped

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(body: str) -> bytes:
    """A Word document with some elements as its body, and a header and a footer."""
    import docx as library
    from docx.oxml import parse_xml

    document = library.Document()
    for number, element in enumerate(parse_xml(f"<w:body {W}>{body}</w:body>")):
        document.element.body.insert(number, element)
    section = document.sections[0]
    section.header.paragraphs[0].text = "Bản nháp"
    section.footer.paragraphs[0].text = "Confidential"
    return saved(document.save)


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def test_a_word_document_reads_as_with_its_changes_accepted() -> None:
    body = f"""
        <w:p>{run("Kept, ")}<w:ins w:id="1" w:author="a">{run("inserted, ")}</w:ins><w:del
        w:id="2" w:author="a"><w:r><w:delText>deleted, </w:delText></w:r></w:del><w:moveFrom
        w:id="3" w:author="a">{run("moved away, ")}</w:moveFrom><w:moveTo w:id="4"
        w:author="a">{run("moved here, ")}</w:moveTo><w:sdt><w:sdtContent>{run("chosen, ")}
        </w:sdtContent></w:sdt><w:hyperlink>{run("linked.")}</w:hyperlink></w:p>
        <w:sdt><w:sdtContent><w:p>{run("A paragraph in a control.")}</w:p></w:sdtContent></w:sdt>
        <w:ins w:id="5" w:author="a"><w:p>{run("One")}<w:r><w:tab/><w:br/></w:r>{run("two")}</w:p>
        </w:ins>"""
    assert one("a.docx", word(body)).text.split("\n\n") == [
        "Kept, inserted, moved here, chosen, linked.",
        "A paragraph in a control.",
        "One\t\ntwo",
        "Bản nháp",
        "Confidential",
    ]


def test_a_text_box_is_read_once() -> None:
    box = f"<w:txbxContent><w:p>{run('In a box.')}</w:p></w:txbxContent>"
    body = f"""<w:p>{run("Beside a box.")}<w:r><mc:AlternateContent
        xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>
        {box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"""
    assert one("a.docx", word(body)).text.startswith("Beside a box.\nIn a box.\n\nBản nháp")


def test_a_table_of_word_keeps_its_columns_and_says_what_spans_rows_in_each() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p>{run(text)}</w:p></w:tc>"

    rows = [
        cell("Country") + cell("River") + cell("Length"),
        cell("Việt Nam", '<w:vMerge w:val="restart"/>') + cell("Lô") + cell("274 km"),
        cell("", "<w:vMerge/>") + cell("Unknown", '<w:gridSpan w:val="2"/>'),
    ]
    last = f"<w:sdt><w:sdtContent><w:tr>{cell('Lào')}<w:ins>{cell('Mekong')}</w:ins></w:tr>"
    table = "".join(f"<w:tr>{row}</w:tr>" for row in rows) + last + "</w:sdtContent></w:sdt>"
    assert one("a.docx", word(f"<w:tbl>{table}</w:tbl>")).text.split("\n\n")[:3] == [
        "Country: Việt Nam; River: Lô; Length: 274 km",
        "Country: Việt Nam; River: Unknown",
        "Country: Lào; River: Mekong",
    ]


def test_the_notes_of_a_word_document_are_read() -> None:
    notes = f'<w:footnotes {W}><w:footnote w:id="1"><w:p>{run("A note.")}</w:p></w:footnote>'
    with zipfile.ZipFile(io.BytesIO(word(f"<w:p>{run('The text.')}</w:p>"))) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="n1" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    name = "word/_rels/document.xml.rels"
    files[name] = files[name].replace(b"</Relationships>", relation.encode())
    files["word/footnotes.xml"] = f"{notes}</w:footnotes>".encode()
    text = one("a.docx", zipped(files)).text
    assert text.startswith("The text.\n\n")
    assert "A note." in text
