"""Thumbs from the chat window become cases of a suite."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag import evals
from rag.chatbot import Chatbot
from rag.errors import EvaluationError
from rag.evals.reading import load_suite
from rag.evals.runner import indexed
from rag.evals.thumbs import export_feedback
from rag.feedback import FILE_NAME, keep_feedback, read_feedback
from rag.index.index import Index
from rag.settings import Settings
from rag.types import Turn

from .conftest import GOOD


@pytest.fixture
def voted(tmp_path: Path, seeds_index: Index) -> Path:
    """A folder with a thumb up for an answer and an abstention, one down, one taken back."""
    bot = Chatbot(seeds_index)
    answered, refused = bot.ask("Who is Winston Ma?"), bot.ask("What is the capital of France?")
    assert answered.citations
    assert refused.abstained
    history = [Turn("Who is Yin Ye?", "The CEO of BGI.")]
    keep_feedback(tmp_path, "1", False, answered, history)
    keep_feedback(tmp_path, "1", True, answered, history)
    keep_feedback(tmp_path, "2", True, refused, ())
    keep_feedback(tmp_path, "3", False, answered, ())
    keep_feedback(tmp_path, "4", True, answered, ())
    keep_feedback(tmp_path, "4", None, answered, ())
    return tmp_path


def test_the_last_thumb_of_an_answer_counts(voted: Path) -> None:
    assert [(one.id, one.good) for one in read_feedback(voted)] == [
        ("1", True),
        ("2", True),
        ("3", False),
    ]


def test_a_greeting_and_a_list_become_no_cases(tmp_path: Path, seeds_index: Index) -> None:
    bot = Chatbot(seeds_index)
    for asked in ("hello", "Which documents are there?", "Who is Winston Ma?"):
        keep_feedback(tmp_path, asked, True, bot.ask(asked), ())
    assert export_feedback(tmp_path, tmp_path / "suite") == (1, 0)
    (line,) = (tmp_path / "suite" / "cases.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["question"] == "Who is Winston Ma?"


def test_thumbs_become_cases_and_drafts_of_a_suite_that_runs(
    voted: Path, tmp_path: Path, seeds_index: Index, settings: Settings
) -> None:
    folder = tmp_path / "suite"
    assert export_feedback(voted, folder) == (2, 1)
    manifest = (folder / "suite.toml").read_text("utf-8")
    assert 'index = ".."' in manifest
    real = json.dumps(str(seeds_index.folder))
    (folder / "suite.toml").write_text(manifest.replace('".."', real), "utf-8")
    suite = load_suite(folder)
    assert suite.drafts == 1
    good, none = suite.cases
    assert good.history == (Turn("Who is Yin Ye?", "The CEO of BGI."),)
    assert "Winston Ma" in good.expected[0].quote
    assert not none.answerable
    index = indexed(suite, tmp_path / "unused", settings)
    found = {one.name: one.mean for one in evals.run(suite, Chatbot(index)).summaries()}
    assert (found["evidence_quoted"], found["false_answers"]) == (1.0, 0.0)


def test_new_thumbs_are_added_and_edited_cases_stay(
    voted: Path, tmp_path: Path, seeds_index: Index
) -> None:
    folder = tmp_path / "suite"
    export_feedback(voted, folder)
    path = folder / "cases.jsonl"
    path.write_text(path.read_text("utf-8").replace("Who is Winston Ma?", "Edited?"), "utf-8")
    keep_feedback(voted, "5", True, Chatbot(seeds_index).ask("What does API stand for?"), ())
    assert export_feedback(voted, folder) == (1, 0)
    asked = [json.loads(line)["question"] for line in path.read_text("utf-8").splitlines()]
    assert asked.count("Edited?") == 2
    assert asked[-1] == "What does API stand for?"


def test_a_suite_and_its_index_can_be_moved_together(voted: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "index").mkdir(parents=True)
    (voted / FILE_NAME).rename(home / "index" / FILE_NAME)
    (tmp_path / "link").symlink_to(home / "suites", target_is_directory=True)
    (home / "suites").mkdir()
    export_feedback(home / "index", tmp_path / "link" / "mine")
    moved = home.rename(tmp_path / "moved")
    index = load_suite(moved / "suites" / "mine").index
    assert index is not None
    assert index.samefile(moved / "index")


def test_a_file_of_cases_whose_last_line_was_left_open_is_not_spoiled(
    voted: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    path = folder / "cases.jsonl"
    path.write_text(json.dumps(GOOD), "utf-8")
    assert export_feedback(voted, folder) == (2, 1)
    first, *others = path.read_text("utf-8").splitlines()
    assert (json.loads(first), len(others)) == (GOOD, 3)
    assert export_feedback(voted, folder) == (0, 0)
    assert path.read_text("utf-8").splitlines() == [first, *others]


@pytest.mark.parametrize("line", ["[]", "5", '{"id": 5}', "{}"])
def test_a_line_that_is_no_case_is_named_and_nothing_is_added(
    voted: Path, tmp_path: Path, line: str
) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    path = folder / "cases.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(EvaluationError, match=r"cases\.jsonl:1: "):
        export_feedback(voted, folder)
    assert path.read_text("utf-8") == line


def test_a_thumb_after_a_crash_at_any_byte_of_the_one_before_is_kept(
    voted: Path, seeds_index: Index
) -> None:
    path = voted / FILE_NAME
    answer = Chatbot(seeds_index).ask("Ai gọi Sora là khoảnh khắc Newton?")
    whole = path.read_bytes()
    keep_feedback(voted, "8", True, answer, ())
    added = path.read_bytes()[len(whole) :]
    letters = [at for at, byte in enumerate(added) if 0x80 <= byte < 0xC0]
    for cut in (1, letters[0], letters[-1], len(added) - 1):
        path.write_bytes(whole + added[:cut])
        assert [one.id for one in read_feedback(voted)] == ["1", "2", "3"]
        keep_feedback(voted, "9", True, answer, ())
        assert [one.id for one in read_feedback(voted)] == ["1", "2", "3", "9"]
        assert path.read_bytes() == whole + added.replace(b'"8"', b'"9"', 1)


def test_thumbs_given_at_once_are_all_kept(voted: Path, seeds_index: Index) -> None:
    answer = Chatbot(seeds_index).ask("Who is Winston Ma?")
    names = [f"at once {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: keep_feedback(voted, name, True, answer, ()), names))
    assert {one.id for one in read_feedback(voted)} == {"1", "2", "3", *names}


def test_damage_inside_a_letter_is_said(voted: Path) -> None:
    path = voted / FILE_NAME
    path.write_bytes(path.read_bytes() + b'{"id": "\xe1\xba"}\n')
    with pytest.raises(EvaluationError, match=r"feedback\.jsonl:7: this is damaged"):
        read_feedback(voted)


def test_half_a_line_after_a_crash_is_no_thumb_and_damage_is_said(voted: Path) -> None:
    path = voted / FILE_NAME
    whole = path.read_text("utf-8")
    path.write_text(whole + '{"id": "9", "good', "utf-8")
    assert len(read_feedback(voted)) == 3
    path.write_text(whole + '{"id": "9"}\n', "utf-8")
    with pytest.raises(EvaluationError, match=r"feedback\.jsonl:7"):
        read_feedback(voted)


def test_without_thumbs_there_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no feedback"):
        export_feedback(tmp_path, tmp_path / "suite")
