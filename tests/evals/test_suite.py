"""Suites are data: what they hold, and what is said when they are malformed."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from rag.errors import EvaluationError
from rag.evals.metrics.answers import contained
from rag.evals.reading import load_suite
from rag.evals.suite import Expected, Suite
from rag.index.load import load
from rag.text import fold, sentences

from .conftest import GOOD, write_suite


def test_every_expected_quote_of_the_seeds_stands_in_its_document(
    seeds: Path, seeds_suite: Suite
) -> None:
    texts = {path.name: load(path).documents[0].text for path in sorted(seeds.glob("*.txt"))}
    languages = {path.name: load(path).documents[0].language for path in seeds.glob("*.txt")}
    for case in seeds_suite.cases:
        for expected in case.expected:
            assert expected.quote, case.id
            assert expected.quote in texts[expected.document], case.id
    assert seeds_suite.languages == {
        name: language for name, language in languages.items() if language != seeds_suite.language
    }


def test_no_question_of_the_seeds_says_its_own_answer(seeds_suite: Suite) -> None:
    for case in seeds_suite.cases:
        if case.answers:
            assert contained(case.question, case.answers, case.language) < 1, case.id


def test_what_the_seeds_expect_says_what_they_accept(seeds: Path, seeds_suite: Suite) -> None:
    documents = {path.name: load(path).documents[0] for path in sorted(seeds.glob("*.txt"))}

    def around(expected: Expected) -> str:
        """The sentences that hold what is expected."""
        document = documents[expected.document]
        first = document.text.index(expected.quote)
        last = first + len(expected.quote)
        spans = sentences(document.text, document.language)
        return " ".join(document.text[a:b] for a, b in spans if a < last and b > first)

    for case in seeds_suite.cases:
        if not case.answers or {documents[e.document].language for e in case.expected} != {
            case.language
        }:
            continue
        parts = [[around(one) for one in part] for part in case.parts.values()]
        said = [contained(" ".join(c), case.answers, case.language) for c in product(*parts)]
        assert max(said) == 1, case.id
        if len(parts) == len(case.answers) == 1:
            assert min(said) == 1, case.id


def test_the_seeds_suite_asks_what_people_ask(seeds_suite: Suite) -> None:
    cases = seeds_suite.cases
    assert len(cases) >= 120
    assert len({case.question for case in cases}) == len(cases)
    counts = Counter(tag for case in cases for tag in case.tags)
    pairs = Counter(seeds_suite.pair(case) for case in cases)
    assert min(pairs["en→en"], pairs["vi→vi"]) >= 30
    assert min(pairs["en→vi"], pairs["vi→en"]) >= 12
    for tag in ("without-diacritics", "follow-up", "list", "comparison", "false-premise"):
        assert counts[tag] >= 5, tag
    for tag in ("contradiction", "figure", "name", "date"):
        assert counts[tag] >= 4, tag
    none = [case for case in cases if not case.answerable]
    assert len(none) >= 30
    assert 2 * sum("near-miss" in case.tags for case in none) >= len(none)


def test_the_splits_of_the_seeds_share_no_question_and_each_has_every_kind(
    seeds_suite: Suite,
) -> None:
    dev, test = seeds_suite.only("dev"), seeds_suite.only("test")
    assert len(dev.cases) + len(test.cases) == len(seeds_suite.cases)
    assert not {fold(c.question) for c in dev.cases} & {fold(c.question) for c in test.cases}
    assert {dev.pair(case) for case in dev.cases} <= {test.pair(case) for case in test.cases}
    assert all(case.tags for case in seeds_suite.cases)
    tags = [{tag for case in split.cases for tag in case.tags} for split in (test, dev)]
    assert tags[0] <= tags[1]


def test_a_question_without_diacritics_has_none(seeds_suite: Suite) -> None:
    for case in seeds_suite.cases:
        if "without-diacritics" in case.tags:
            assert case.question.isascii(), case.id


def test_alternatives_share_a_part_and_parts_are_told_apart(tmp_path: Path) -> None:
    row = {
        "id": "1",
        "question": "Who and when?",
        "language": "en",
        "expected": [
            {"document": "a.txt", "quote": "Ann"},
            {"document": "b.txt", "quote": "Anna"},
            {"document": "a.txt", "quote": "in May", "part": 1, "grade": 2},
        ],
        "answers": ["Ann", ["May", "5th month"]],
        "history": [{"question": "Hello?", "answer": "Yes."}],
        "tags": ["list"],
    }
    (case,) = load_suite(write_suite(tmp_path / "s", [row])).cases
    assert {part: [e.document for e in found] for part, found in case.parts.items()} == {
        0: ["a.txt", "b.txt"],
        1: ["a.txt"],
    }
    assert case.answers == (("Ann",), ("May", "5th month"))
    assert case.history[0].question == "Hello?"
    assert case.expected[2].grade == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"id": "2", "question": "\\ud800?", "language": "en"}', "half a character"),
        ('{"id": "2"}', "'question' is missing"),
        ("[]", "not a case"),
        ('{"id": 3, "question": "?", "language": "en", "unanswerable": true}', "not a text"),
        ('{"id": "2", "question": " ", "language": "en"}', "empty"),
        ('{"id": "2", "question": "?", "language": "en"}', "or is unanswerable"),
        (
            '{"id": "2", "question": "?", "language": "en", "unanswerable": true,'
            ' "expected": [{"document": "a"}]}',
            "or is unanswerable",
        ),
        ('{"id": "2", "question": "?", "language": "en", "expectd": []}', "expectd"),
        ('{"id": "1", "question": "?", "language": "en", "unanswerable": true}', "already"),
        (
            '{"id": "2", "question": "?", "language": "en", "expected": [{"quote": "a"}]}',
            "document",
        ),
    ],
)
def test_a_malformed_case_is_named_by_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    folder = write_suite(tmp_path / "s", [GOOD, "", line])
    with pytest.raises(EvaluationError, match=r"cases\.jsonl:3: ") as caught:
        load_suite(folder)
    assert reason in str(caught.value)


def test_drafts_are_left_out_and_counted(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path / "s", [GOOD, {"draft": True, "id": "2"}]))
    assert (len(suite.cases), suite.drafts) == (1, 1)


def test_a_case_has_another_digest_when_it_asks_something_else(tmp_path: Path) -> None:
    one = load_suite(write_suite(tmp_path / "a", [GOOD]))
    tagged = load_suite(write_suite(tmp_path / "b", [{**GOOD, "tags": ["new"]}]))
    other = load_suite(write_suite(tmp_path / "c", [{**GOOD, "question": "Which?"}]))
    assert one.cases[0].digest == tagged.cases[0].digest != other.cases[0].digest
    assert one.digest != other.digest


def test_an_unknown_suite_is_a_plain_error_that_names_the_known_ones() -> None:
    with pytest.raises(EvaluationError, match=r"no suite 'nonsense'.*seeds"):
        load_suite("nonsense")


@pytest.mark.parametrize(
    "manifest",
    ["name", "[cases]\n", 'cases = "cases.jsonl"\n', 'name = "x"\ncases = "cases.jsonl"\n'],
)
def test_a_malformed_manifest_is_a_plain_error(tmp_path: Path, manifest: str) -> None:
    with pytest.raises(EvaluationError):
        load_suite(write_suite(tmp_path / "s", [GOOD], manifest))


def test_documents_that_are_not_there_are_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="are not there"):
        load_suite("seeds", (tmp_path / "nowhere",))


def test_an_unknown_split_names_the_known_ones(seeds_suite: Suite) -> None:
    with pytest.raises(EvaluationError, match="dev, test"):
        seeds_suite.only("train")
