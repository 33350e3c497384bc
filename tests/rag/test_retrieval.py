"""Which question an index is really asked."""

from __future__ import annotations

import pytest

from rag.retrieval import standalone
from rag.types import Turn

SORA = Turn("Who called Sora a Newton moment?", "Yin Ye [1].")
GIÁ = Turn("OpenAI được định giá bao nhiêu?", "80 tỉ USD [1].")


@pytest.mark.parametrize(
    "question", ["Why?", "What did he say?", "When was that?", "And in China?", "Is it new?"]
)
def test_a_question_that_points_back_brings_the_one_before_it(question: str) -> None:
    assert standalone(question, [GIÁ, SORA]) == f"{SORA.question} {question}"


@pytest.mark.parametrize(
    "question", ["Vì sao?", "Còn Google thì sao?", "ong ay noi gi?", "Khi đó?"]
)
def test_a_vietnamese_question_points_back_with_or_without_diacritics(question: str) -> None:
    assert standalone(question, [SORA, GIÁ]) == f"{GIÁ.question} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "Which Chinese companies offer free tokens to former users?",
        "Robot hình người của Unitree biểu diễn ở sự kiện nào?",
        "How many free tokens does SenseTime give to users who switch to it?",
    ],
)
def test_a_question_that_stands_alone_stays_alone(question: str) -> None:
    assert standalone(question, [SORA]) == question


def test_without_history_a_question_stays_as_it_is() -> None:
    assert standalone("Why?", []) == "Why?"


def test_follow_ups_reach_back_to_the_question_they_all_lean_on() -> None:
    history = [GIÁ, SORA, Turn("Why?", "..."), Turn("And then?", "...")]
    assert standalone("Why?", history) == f"{SORA.question} Why? And then? Why?"


def test_a_long_conversation_of_follow_ups_is_no_trouble() -> None:
    asked = standalone("Why?", [SORA, *[Turn("Why?", "...")] * 5000])
    assert asked.startswith(SORA.question)


@pytest.mark.parametrize(
    "question", ["And who is Winston Ma?", "Sora là gì?", "Why did OpenAI block China?"]
)
def test_a_question_that_is_whole_stands_alone(question: str) -> None:
    history = [Turn("How many free tokens does SenseTime give away?", "50 million.")]
    assert standalone(question, history) == question
