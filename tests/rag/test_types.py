"""The types turn into JSON and back into plain values."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import rag
from rag.serialization import to_dict, to_json
from rag.types import (
    Answer,
    Attempt,
    Citation,
    Delta,
    Document,
    Done,
    Failure,
    Hit,
    IngestReport,
    Passage,
    Progress,
    Retrieved,
    Sentence,
    Support,
    Switched,
    Turn,
    Usage,
)

TEXT = "Trang một. Trang hai."
DOCUMENT = Document("file:///a/b%20c.pdf", "Tiêu đề", "vi", TEXT, dt.date(2023, 11, 5), (0, 11), 7)
PASSAGE = Passage(7, 11, 21, TEXT[11:21], page=2, id=3)
HIT = Hit(DOCUMENT, PASSAGE, 0.9, 0.8, 0.7)
CITATION = Citation(1, DOCUMENT, PASSAGE, 11, 21, TEXT[11:21], Support.PARTLY)
SENTENCE = Sentence("Trang hai. [1]", 0, 14, (CITATION,), Support.PARTLY)
ATTEMPT = Attempt("openai/m", "failed", 1.5, "No.")
ANSWER = Answer(
    question="Hỏi?",
    text="Trang hai. [1]",
    language="vi",
    backend="extractive",
    sentences=(SENTENCE,),
    citations=(CITATION,),
    hits=(HIT,),
    attempts=(ATTEMPT,),
    usage=Usage(10, 20, 0.001),
)
REPORT = IngestReport(added=("file:///a",), failed=(Failure("file:///b", "It is empty."),))
EVERY = [
    *(DOCUMENT, PASSAGE, HIT, CITATION, SENTENCE, ATTEMPT, ANSWER, REPORT, Usage()),
    *(Progress("embed", 1, 2), Retrieved((HIT,)), Delta("é"), Switched("a", "b", "c", "d")),
    *(Done(ANSWER), Turn("q", "a"), Failure("u", "r")),
]


@pytest.mark.parametrize("value", EVERY, ids=lambda value: type(value).__name__)
def test_every_type_comes_back_from_json_as_it_went(value: object) -> None:
    for full_text in (False, True):
        plain = to_dict(value, full_text=full_text)
        assert json.loads(to_json(value, full_text=full_text)) == plain
        assert json.loads(to_json([value], indent=2, full_text=full_text)) == [plain]


def test_documents_do_not_repeat_their_text() -> None:
    written = to_json(ANSWER)
    assert TEXT not in written
    assert CITATION.quote in written
    assert to_dict(DOCUMENT).keys() == {"uri", "title", "language", "published", "id"}
    assert to_dict(ANSWER, full_text=True)["hits"][0]["document"]["text"] == TEXT


def test_json_keeps_letters_readable_and_dates_and_verdicts_plain() -> None:
    plain = json.loads(to_json(ANSWER))
    cited = plain["sentences"][0]["citations"][0]
    assert "Hỏi?" in to_json(ANSWER)
    assert cited["document"]["published"] == "2023-11-05"
    assert cited["support"] == "partly supported"
    assert cited["page"] == 2


def test_a_mapping_with_keys_of_any_kind_turns_into_json() -> None:
    assert json.loads(to_json({1: DOCUMENT, "x": (dt.date(2024, 1, 2), None)})) == {
        "1": to_dict(DOCUMENT),
        "x": ["2024-01-02", None],
    }


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (10, 1), (11, 2), (20, 2)])
def test_a_page_is_the_last_that_begins_before_the_offset(offset: int, page: int) -> None:
    assert DOCUMENT.page_at(offset) == page


def test_a_document_without_pages_has_no_page() -> None:
    assert Document("file:///a.txt", "a", "en", "text").page_at(2) is None


def test_a_name_is_the_last_part_of_the_uri() -> None:
    assert DOCUMENT.name == "b c.pdf"


def test_everything_the_package_names_is_there() -> None:
    for name in rag.__all__:
        assert getattr(rag, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rag.nonsense


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Acme – Annual report", "Acme – Annual report"),
        ("b c.pdf", "b c"),
        ("Node.js", "Node.js"),
        ("word " * 100, ("word " * 32).strip()),
        ("x" * 400, "x" * 160),
        ("", ""),
    ],
)
def test_a_title_is_read_as_far_as_titles_go(title: str, short: str) -> None:
    assert Document("file:///a/b%20c.pdf", title, "en", "Text.").short_title == short
