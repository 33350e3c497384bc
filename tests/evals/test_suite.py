"""Suites are data: what they hold, and what is said when they are malformed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.evals.suite import load_suite
from rag.index.load import load


def test_every_expected_quote_of_the_seeds_stands_in_its_document(seeds: Path) -> None:
    suite = load_suite("seeds")
    texts = {path.name: load(path).documents[0].text for path in sorted(seeds.glob("*.txt"))}
    for case in suite.cases:
        for expected in case.expected:
            assert expected.quote in texts[expected.document], case.id


def test_the_seeds_suite_asks_enough_in_both_languages() -> None:
    cases = load_suite("seeds").cases
    assert len({case.id for case in cases}) == len(cases)
    assert len({case.question for case in cases}) == len(cases)
    same = [case for case in cases if "same-language" in case.tags]
    assert len(same) >= 40
    assert {case.language for case in same} == {"en", "vi"}
    assert any(not case.answerable for case in cases)


def _suite(folder: Path, line: str) -> str:
    (folder / "documents").mkdir()
    (folder / "suite.toml").write_text(
        'name = "x"\ntitle = "X"\ndocuments = "documents"\ncases = "cases.jsonl"\n', "utf-8"
    )
    good = {"id": "1", "question": "?", "language": "en", "expected": [], "tags": []}
    (folder / "cases.jsonl").write_text(json.dumps(good) + "\n\n" + line + "\n", "utf-8")
    return str(folder)


@pytest.mark.parametrize("line", ["not json", '{"id": "2"}', "[]", '{"id": 3, "expected": 4}'])
def test_a_malformed_case_is_named_by_file_and_line(tmp_path: Path, line: str) -> None:
    name = _suite(tmp_path, line)
    with pytest.raises(SettingsError, match=r"cases\.jsonl:3: this is not a case"):
        load_suite(name, tmp_path / "documents")


def test_an_unknown_suite_is_a_plain_error_that_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"no suite 'nonsense'.*seeds"):
        load_suite("nonsense")


def test_documents_that_are_not_there_are_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="are not in"):
        load_suite("seeds", tmp_path / "nowhere")
