"""What a question means in its conversation."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import answer_language, standalone
from rag.index.index import Index
from rag.text import fold
from rag.types import Turn

FOLLOW_UPS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "follow_ups.toml").read_text("utf-8")
)["follow_up"]
SORA = Turn("Who called Sora a Newton moment?", "Yin Ye [1].")
WORDS = ["he", "it", "Google", "nó", "ông ấy", "họ", "còn", "thì sao", "why", "there", "that"]
SIGNS = ["OpenAI", "2024", "in", "ở đó", "?", ".", "\n", "AI", "the company", "Ông", "'", " and "]
PIECES = st.lists(st.sampled_from([*WORDS, *SIGNS]), max_size=12).map(" ".join)
TEXTS = st.one_of(PIECES, st.text(max_size=60))


def _said(case: dict[str, Any]) -> list[Turn]:
    return [Turn(*turn) for turn in case["said"]]


def _spaced(text: str) -> str:
    return " ".join(["", *re.findall(r"[^\W_]+", fold(text)), ""])


@pytest.mark.parametrize("case", FOLLOW_UPS, ids=lambda case: case["asked"])
def test_a_follow_up_becomes_a_question_that_stands_alone(case: dict[str, Any]) -> None:
    asked = standalone(case["asked"], _said(case))
    assert [one for one in case.get("holds", []) if _spaced(one) not in _spaced(asked)] == [], asked
    assert [one for one in case.get("lacks", []) if _spaced(one) in _spaced(asked)] == [], asked
    assert asked == case["asked"] or not case.get("alone")


def test_a_follow_up_finds_its_passage(seeds_index: Index) -> None:
    cases = [case for case in FOLLOW_UPS if "passage" in case]
    missed = [
        case["asked"]
        for case in cases
        if not any(
            case["passage"] in hit.passage.text
            for hit in seeds_index.search(standalone(case["asked"], _said(case)), 5)
        )
    ]
    assert len(cases) >= 40
    assert missed == []


@pytest.mark.parametrize("history", [[SORA], [Turn("Ai là CEO của Acme?", "Ông John Smith [1].")]])
def test_no_question_of_the_suite_is_taken_for_a_follow_up(history: list[Turn]) -> None:
    suite = Path(__file__).parents[2] / "evals" / "suites" / "seeds" / "dev.jsonl"
    cases = [json.loads(line) for line in suite.read_text("utf-8").splitlines()]
    whole = [case["question"] for case in cases if not case.get("history")]
    assert len(whole) > 100
    assert [one for one in whole if standalone(one, history) != one] == []


def test_follow_ups_reach_back_to_the_question_they_all_lean_on() -> None:
    history = [SORA, Turn("Why?", "..."), Turn("And then?", "...")]
    asked = standalone("How many?", history)
    assert asked.startswith(SORA.question)
    assert asked.endswith("How many?")


def test_a_long_conversation_of_follow_ups_neither_grows_nor_loses_its_topic() -> None:
    asked = standalone("Why?", [SORA, *[Turn("Why not in the other one?", "...")] * 2000])
    assert asked.startswith(SORA.question)
    assert len(asked) < 3 * len(SORA.question) + 60


def test_a_name_is_looked_for_in_earlier_exchanges_too() -> None:
    history = [Turn("Who is Winston Ma?", "A professor."), Turn("What is Sora?", "A model.")]
    assert standalone("Where does he teach?", history) == "Where does Winston Ma teach?"


@given(TEXTS)
def test_without_history_a_question_stays_as_it_is(question: str) -> None:
    assert standalone(question, []) == question


@given(TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_any_conversation_gives_a_question(question: str, history: list[tuple[str, str]]) -> None:
    asked = standalone(question, [Turn(*turn) for turn in history])
    assert asked.strip() or not question.strip()
    assert "[1]" not in asked or "[1]" in f"{question}{history}"


@pytest.mark.parametrize(
    ("question", "before", "wanted", "language"),
    [
        ("Who is Winston Ma?", "", "", "en"),
        ("Winston Ma là ai?", "", "", "vi"),
        ("Google?", "OpenAI rời Trung Quốc khi nào?", "", "vi"),
        ("Google?", "When did OpenAI leave China?", "", "en"),
        ("Còn Google thì sao?", "When did OpenAI leave China?", "", "vi"),
        ("Google?", "", "", "en"),
        ("Who is Winston Ma?", "", "vi", "vi"),
        ("Winston Ma là ai?", "Winston Ma là ai?", "fr", "fr"),
    ],
)
def test_the_answer_is_in_the_language_asked_in_or_set(
    question: str, before: str, wanted: str, language: str
) -> None:
    history = [Turn(before, "...")] if before else []
    assert answer_language(question, history, wanted) == language
