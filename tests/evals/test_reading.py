"""What is read of a suite's files is what they say: a slip in them is named, nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.errors import EvaluationError
from rag.evals.reading import load_suite

from .conftest import GOOD, write_suite

CASE = {
    "id": "2",
    "question": "Who?",
    "language": "en",
    "expected": [{"document": "a.txt", "quote": "Ann"}],
}
EXCHANGE = {"question": "Hello?", "answer": "Yes."}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expected": [{"document": "a.txt", "quot": "Ann"}]}, "quot,"),
        ({"expected": [{"document": "a.txt", "quote": ""}]}, "'quote' is empty"),
        ({"expected": [{"document": "a.txt", "part": 1.7}]}, "'part'"),
        ({"expected": [{"document": "a.txt", "part": -1}]}, "'part'"),
        ({"expected": [{"document": "a.txt", "part": True}]}, "'part'"),
        ({"expected": [{"document": "a.txt", "part": "1"}]}, "'part'"),
        ({"expected": [{"document": "a.txt", "grade": 0}]}, "'grade'"),
        ({"expected": {"document": "a.txt"}}, "'expected' is not a list"),
        ({"expected": ["a.txt"]}, "not an object"),
        ({"history": [{**EXCHANGE, "time": "now"}]}, "time,"),
        ({"history": [{"question": "Hello?"}]}, "'answer' is missing"),
        ({"answers": "Ann"}, "'answers' is not a list"),
        ({"answers": [[]]}, "no wording"),
        ({"answers": [""]}, "'answers' is empty"),
        ({"answers": [["Ann", 5]]}, "not a text"),
        ({"answers": [{"Ann": 1}]}, "not a text"),
        ({"tags": "list"}, "'tags' is not a list"),
        ({"tags": [" "]}, "'tags' is empty"),
        ({"unanswerable": "false"}, "'unanswerable' is neither"),
        ({"draft": "false"}, "'draft' is neither"),
        ({"id": ""}, "'id' is empty"),
        ({"language": None}, "'language' is not a text"),
    ],
)
def test_a_field_of_another_kind_is_named_by_file_and_line(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    folder = write_suite(tmp_path / "s", [GOOD, {**CASE, **change}])
    with pytest.raises(EvaluationError, match=r"cases\.jsonl:2: ") as caught:
        load_suite(folder)
    assert reason in str(caught.value)


def test_what_is_left_empty_is_as_if_left_out(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"expected": [], "answers": [], "history": [], "tags": []}
    folder = write_suite(tmp_path / "s", [{**GOOD, **empty}, CASE])
    plain = write_suite(tmp_path / "plain", [GOOD, CASE])
    assert load_suite(folder).cases == load_suite(plain).cases


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('tilte = "X"', "tilte,"),
        ('title = ""', "'title' is empty"),
        ("language = 5", "'language' is not a text"),
        ('languages = "en"', "'languages' is not a table"),
        ('languages = {"a.txt" = 5}', "'a.txt' is not a text"),
        ("index = 5", "'index' is not a text"),
        ("licence = false", "'licence' is not a text"),
    ],
)
def test_a_slip_in_the_manifest_is_named(tmp_path: Path, line: str, reason: str) -> None:
    manifest = f'name = "x"\ndocuments = "papers"\ncases = "cases.jsonl"\n{line}\n'
    with pytest.raises(EvaluationError, match=r"suite\.toml is not the manifest") as caught:
        load_suite(write_suite(tmp_path / "s", [GOOD], manifest))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("documents", "cases"),
    [("5", '"cases.jsonl"'), ("[5]", '"cases.jsonl"'), ('"papers"', "5"), ('"papers"', "{a = 5}")],
)
def test_a_manifest_names_files_by_texts(tmp_path: Path, documents: str, cases: str) -> None:
    manifest = f'name = "x"\ndocuments = {documents}\ncases = {cases}\n'
    with pytest.raises(EvaluationError, match="not the manifest"):
        load_suite(write_suite(tmp_path / "s", [GOOD], manifest))


def test_a_language_that_nobody_has_said_is_not_guessed(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path / "s", [CASE]))
    assert (suite.language, suite.pair(suite.cases[0])) == ("", "en→?")
    manifest = 'name = "x"\ndocuments = "papers"\ncases = "cases.jsonl"\nlanguage = "vi"\n'
    said = load_suite(write_suite(tmp_path / "said", [CASE], manifest))
    assert said.pair(said.cases[0]) == "en→vi"
