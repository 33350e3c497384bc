"""What a model says to itself is told apart from its answer, wherever the pieces are cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.llm.thinking import ThinkingSplitter
from rag.types import Reasoning

TAG = re.compile(r"</?think(ing)?>", re.IGNORECASE | re.ASCII)
SNIPPETS = ["<think>", "</think>", "<thinking>", "</thinking>", "<THINK>", "</Think>", "<thin", "<"]
TEXTS = st.lists(
    st.sampled_from([*SNIPPETS, "</", ">", "k>", "thin\u212a>", " a < b ", "ế", "\n\n", "[1]"])
    | st.text(max_size=4)
).map("".join)


def split(pieces: Iterable[str]) -> list[str | Reasoning]:
    splitter = ThinkingSplitter()
    parts = [part for piece in pieces for part in splitter.feed(piece)]
    return parts + splitter.end()


def gathered(parts: Sequence[str | Reasoning]) -> tuple[str, str]:
    """The answer and the reasoning, as whoever shows them puts them together."""
    answer = reasoning = ""
    for part in parts:
        if isinstance(part, str):
            answer += part
        elif part.retracts:
            reasoning, answer = reasoning + answer + part.text, ""
        else:
            reasoning += part.text
    return answer, reasoning


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)))))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("Yin Ye [1].", "Yin Ye [1].", ""),
        ("<think>Who?</think>\n\nYin Ye.", "\n\nYin Ye.", "Who?"),
        ("<thinking>Who?</thinking>Yin Ye.", "Yin Ye.", "Who?"),
        ("<THINK>Who?</Think>Yin Ye.", "Yin Ye.", "Who?"),
        ("<think></think>Yin Ye.", "Yin Ye.", ""),
        ("Yin <think>a</think>Ye<think>b</think>.", "Yin Ye.", "ab"),
        ("<think>It goes on and", "", "It goes on and"),
        ("It must be Yin Ye.</think>Yin Ye.", "Yin Ye.", "It must be Yin Ye."),
        ("</think>Yin Ye.", "Yin Ye.", ""),
        ("<think>a<think>b</think>c</think>d", "d", "abc"),
        ("a < b, <think and <thin\u212a> are no tags", None, ""),
        ("5 <", "5 <", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_answer_and_reasoning_are_separate(
    text: str, answer: str | None, reasoning: str, size: int
) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert gathered(split(pieces)) == (text if answer is None else answer, reasoning)


def test_an_answer_that_turns_out_to_be_reasoning_is_taken_back() -> None:
    splitter = ThinkingSplitter()
    assert splitter.feed("Who? ") == ["Who? "]
    assert splitter.feed("Yin Ye.</thi") == ["Yin Ye."]
    assert splitter.feed("nk>It") == [Reasoning("", retracts=True), "It"]


def test_what_is_in_hand_is_never_shown_as_answer_before_it_is_taken_back() -> None:
    assert ThinkingSplitter().feed("Who?</think>Yin") == [Reasoning("Who?"), "Yin"]


def test_nothing_but_the_beginning_of_a_tag_is_held_back() -> None:
    splitter = ThinkingSplitter()
    assert splitter.feed("a <") == ["a "]
    assert splitter.feed("b <th") == ["<b "]
    assert splitter.feed("ing") == ["<thing"]


@given(cut_texts())
def test_where_a_text_is_cut_makes_no_difference(text: tuple[str, list[str]]) -> None:
    whole, pieces = text
    assert gathered(split(pieces)) == gathered(split([whole]))


@given(cut_texts())
def test_no_tag_is_shown_and_nothing_else_is_lost(text: tuple[str, list[str]]) -> None:
    whole, pieces = text
    parts = split(pieces)
    answer, reasoning = gathered(parts)
    assert sorted(answer + reasoning) == sorted(TAG.sub("", whole))
    assert all(part if isinstance(part, str) else part.text or part.retracts for part in parts)
    if not TAG.search(whole):
        assert (answer, reasoning) == (whole, "")


@given(TEXTS)
@example("<thin\N{KELVIN SIGN}>")
def test_all_that_cannot_begin_a_tag_is_given_out_at_once(text: str) -> None:
    splitter = ThinkingSplitter()
    now, later = gathered(splitter.feed(text)), gathered(splitter.end())
    held = "".join(later)
    assert any(tag.startswith(held.lower()) and tag != held.lower() for tag in SNIPPETS[:4])
    assert len("".join(now)) + len(held) == len(TAG.sub("", text))
