"""Files in files: archives and letters, and what they may hold."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from rag.index.load import load

from .test_formats import PARAGRAPH, eml, zipped


def test_a_letter_has_its_date_and_its_attachments_are_documents() -> None:
    loaded = load(Path("/papers/a.eml"), eml())
    letter, attachment = loaded.documents
    assert (letter.title, letter.published) == ("Báo cáo sông Hồng", dt.date(2024, 7, 3))
    assert letter.text.endswith("See the attachment.")
    assert "From: Lan <lan@example.org>" in letter.text
    assert attachment.text == PARAGRAPH
    assert attachment.uri == "file:///papers/a.eml#s%C3%B4ng.txt"
    assert attachment.name == "sông.txt"
    assert loaded.skipped == ["file:///papers/a.eml#map.png"]


def test_parts_of_the_same_name_are_told_apart() -> None:
    letter = EmailMessage()
    letter["Subject"] = "Two notes"
    letter.set_content("See both.")
    for text in ("First.", "Second.", "Third."):
        letter.add_attachment(text.encode(), "text", "plain", filename="note.txt")
    letter.add_attachment(b"Named so.", "text", "plain", filename="note (2).txt")
    _, *notes = load(Path("/papers/a.eml"), letter.as_bytes()).documents
    assert [(note.name, note.text) for note in notes] == [
        ("note.txt", "First."),
        ("note (2).txt", "Second."),
        ("note (3).txt", "Third."),
        ("note (2) (2).txt", "Named so."),
    ]
    names = ["../in/a.txt", "in/a.txt", "b.zip/c.txt", "b.zip"]
    contents = [b"Up.", b"Down.", b"Beside.", zipped({"c.txt": b"Inside."})]
    loaded = load(Path("/papers/a.zip"), zipped(dict(zip(names, contents, strict=True))))
    assert {document.uri.rpartition("#")[2]: document.text for document in loaded.documents} == {
        "in/a.txt": "Up.",
        "in/a%20%282%29.txt": "Down.",
        "b.zip/c.txt": "Beside.",
        "b.zip/c%20%282%29.txt": "Inside.",
    }


def test_a_forwarded_letter_is_a_document_with_its_own_attachments() -> None:
    inner = EmailMessage()
    inner["Subject"], inner["Date"] = "Báo cáo", "Wed, 03 Jul 2024 14:24:00 +0700"
    inner.set_content("The inner text.")
    inner.add_attachment(PARAGRAPH.encode(), "text", "plain", filename="a.txt")
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("The outer text.")
    outer.add_attachment(inner)
    outer.add_attachment(inner, filename="Report")
    documents = load(Path("/papers/a.eml"), outer.as_bytes()).documents
    assert [document.uri.rpartition("#")[2] for document in documents] == [
        "file:///papers/a.eml",
        "forwarded.eml",
        "forwarded.eml/a.txt",
        "Report.eml",
        "Report.eml/a.txt",
    ]
    assert [document.title for document in documents[1::2]] == ["Báo cáo", "Báo cáo"]
    assert documents[1].published == dt.date(2024, 7, 3)


def test_texts_beside_the_text_of_a_letter_are_read_and_its_other_forms_are_not() -> None:
    letter = EmailMessage()
    letter["Subject"] = "As some programs write it"
    letter.set_content("Plain.")
    letter.add_alternative("<p>Formatted.</p>", subtype="html")
    html: Any = letter.get_payload(1)
    html.add_related(b"\x89PNG", "image", "png", cid="<1>", filename="logo.png")
    letter.make_mixed()
    for text in ("Below the picture.", "  \n"):
        further = EmailMessage()
        further.set_content(text)
        letter.attach(further)
    loaded = load(Path("/papers/a.eml"), letter.as_bytes())
    assert [document.text.strip() for document in loaded.documents] == [
        "Subject: As some programs write it\n\nPlain.",
        "Below the picture.",
    ]
    assert loaded.skipped == ["file:///papers/a.eml#logo.png"]
    assert loaded.failed == []


def test_what_lies_in_an_archive_is_read_and_a_bad_file_stops_no_other() -> None:
    inner = zipped({"deep.txt": b"Deep text.", "more.zip": zipped({"x.txt": b"Too deep."})})
    files = {
        "../../etc/a.txt": b"A text.",
        "bad.pdf": b"%PDF-1.4 nothing",
        "empty.txt": b"",
        "picture.png": b"\x89PNG",
        ".hidden.txt": b"hidden",
        "__MACOSX/a.txt": b"resource",
        "inner.zip": inner,
    }
    loaded = load(Path("/papers/a.zip"), zipped(files))
    assert [document.uri for document in loaded.documents] == [
        "file:///papers/a.zip#etc/a.txt",
        "file:///papers/a.zip#inner.zip/deep.txt",
    ]
    reasons = [failure.reason for failure in loaded.failed]
    assert [uri.rpartition("#")[2] for uri in (failure.uri for failure in loaded.failed)] == [
        "bad.pdf",
        "empty.txt",
        "inner.zip/more.zip/x.txt",
    ]
    assert "not a readable PDF" in reasons[0]
    assert "empty" in reasons[1]
    assert "too deep" in reasons[2]
    assert loaded.skipped == ["file:///papers/a.zip#picture.png"]


def test_archives_in_an_archive_share_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = zipped({"a.txt": b"0" * 3000})
    bomb = zipped({f"{number}.zip": inner for number in range(5)} | {"b.txt": b"Last."})
    monkeypatch.setattr("rag.index.formats.archive.MAX_UNPACKED", 9000)
    loaded = load(Path("/papers/a.zip"), bomb)
    assert [document.uri.rpartition("#")[2] for document in loaded.documents] == [
        "0.zip/a.txt",
        "1.zip/a.txt",
        "b.txt",
    ]
    assert len(loaded.failed) == 3
    assert "2.zip together with what was unpacked before it unpacks" in loaded.failed[0].reason
    monkeypatch.setattr("rag.index.formats.archive.MAX_MEMBERS", 7)
    (failure, *_) = load(Path("/papers/a.zip"), bomb).failed
    assert "1.zip together with what was unpacked before it holds more than 7" in failure.reason
