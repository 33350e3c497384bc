"""What fits into a model's window goes into the prompt, passages before the conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendRefused, Fault
from rag.fencing import spoken
from rag.index.index import Index
from rag.llm.backend import Request
from rag.llm.budget import answer_room, fewer, packed, prompted
from rag.llm.tokens import counter
from rag.messages import Message, answer_messages
from rag.types import Turn
from tests.conftest import ROOT
from tests.rag.conftest import hit_of, lexical_evidence

COUNT = counter("")
TEXTS = st.text(st.sampled_from("a ế字\n<"), max_size=300)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    texts = draw(st.lists(TEXTS, min_size=1, max_size=8))
    hits = tuple(hit_of(text, "vi", number) for number, text in enumerate(texts, start=1))
    history = tuple(draw(st.lists(st.builds(Turn, TEXTS, TEXTS), max_size=6)))
    question = draw(TEXTS) or "?"
    messages = answer_messages(question, "vi", hits, history)
    return Request("standalone", "vi", hits, messages, lexical_evidence, question, history)


def contents(request: Request) -> tuple[int, list[str]]:
    """How many passages a prompt holds, and which questions of the conversation."""
    *before, last = request.messages
    return last["content"].count("</passage>"), [
        m["content"] for m in before if m["role"] == "user"
    ]


def pack(request: Request, window: int, answer_tokens: int = 512) -> Request | None:
    try:
        return packed(request, window, answer_tokens, COUNT)
    except BackendRefused:
        return None


WINDOWS = st.integers(1, 12_000)


@given(requests(), WINDOWS, st.integers(1, 4000))
def test_a_prompt_never_exceeds_its_window(request: Request, window: int, answer: int) -> None:
    smaller = pack(request, window, answer)
    if smaller:
        assert COUNT(smaller.messages) + answer_room(window, answer) <= window
    else:
        one = answer_messages(request.latest, "vi", request.hits[:1])
        assert COUNT(one) + answer_room(window, answer) > window


@given(requests(), WINDOWS)
def test_passages_are_the_first_and_turns_the_last(request: Request, window: int) -> None:
    smaller = pack(request, window)
    if smaller:
        passages, asked = contents(smaller)
        assert passages == prompted(smaller) >= 1
        assert smaller.hits == request.hits
        newest = request.history[len(request.history) - len(asked) :]
        assert asked == [spoken(turn.question) for turn in newest]
        first = request.hits[:passages]
        assert smaller.messages == answer_messages(request.latest, "vi", first, newest)


@given(requests(), WINDOWS, st.integers(0, 4000))
def test_a_larger_window_never_holds_less(request: Request, window: int, more: int) -> None:
    small, large = pack(request, window), pack(request, window + more)
    if small:
        assert large
        (few, turns), (many, more_turns) = contents(small), contents(large)
        assert (many, len(more_turns)) >= (few, len(turns))


@given(requests())
def test_in_a_window_that_is_large_enough_everything_is(request: Request) -> None:
    assert packed(request, COUNT(request.messages) + 512, 512, COUNT) == request


@given(requests(), WINDOWS)
def test_no_passage_more_would_have_fitted(request: Request, window: int) -> None:
    smaller = pack(request, window)
    if smaller and prompted(smaller) < len(request.hits):
        more = answer_messages(request.latest, "vi", request.hits[: prompted(smaller) + 1])
        assert COUNT(more) + answer_room(window, 512) > window


def exactly(texts: Sequence[str], turns: Sequence[str] = ()) -> Request:
    hits = tuple(hit_of(text, "en", number) for number, text in enumerate(texts, start=1))
    history = tuple(Turn(turn, turn) for turn in turns)
    messages = answer_messages("Why?", "en", hits, history)
    return Request("Why?", "en", hits, messages, lexical_evidence, "Why?", history)


def test_passages_go_before_the_conversation_and_new_turns_before_old() -> None:
    request = exactly(["a" * 100] * 6, ["old" * 50, "new"])
    everything = COUNT(request.messages)
    assert contents(packed(request, everything + 8, 8, COUNT)) == (6, ["old" * 50, "new"])
    assert contents(packed(request, everything + 7, 8, COUNT)) == (6, ["new"])
    without = COUNT(answer_messages("Why?", "en", request.hits))
    assert contents(packed(request, without + 8, 8, COUNT)) == (6, [])
    smaller = packed(request, without + 7, 8, COUNT)
    assert prompted(smaller) == 5


def test_a_prompt_without_passages_is_only_measured() -> None:
    judged: tuple[Message, ...] = ({"role": "user", "content": "a" * 100},)
    request = Request("?", "en", (), judged, lexical_evidence)
    fits = COUNT(judged)
    assert packed(request, fits + 8, 8, COUNT) == request
    with pytest.raises(BackendRefused, match=f"{fits + 7} tokens") as caught:
        packed(request, fits + 7, 8, COUNT)
    assert caught.value.fault is Fault.CONTEXT
    assert fewer(request, 0) is None


def test_the_answer_takes_at_most_a_quarter_of_a_window() -> None:
    assert answer_room(4096, 800) == 800
    assert answer_room(2048, 800) == 512
    assert answer_room(1, 800) == 1


def test_a_prompt_that_is_too_long_all_the_same_loses_the_conversation_then_half() -> None:
    smaller: Request | None = exactly(["a"] * 6, ["before"])
    seen = []
    while smaller:
        seen.append(contents(smaller))
        assert prompted(smaller) == seen[-1][0]
        smaller = fewer(smaller, prompted(smaller))
    assert seen == [(6, ["before"]), (6, []), (3, []), (1, [])]


def test_half_is_half_of_what_was_sent() -> None:
    request = exactly(["a"] * 20, ["before"])
    smaller = fewer(request, 4)
    assert smaller
    assert contents(smaller) == (2, [])
    assert fewer(request, 1) is None
    # Not even one passage fitted, so that nothing was sent.
    assert fewer(request, 0) is None


@given(requests(), WINDOWS)
def test_what_was_left_out_stays_out(request: Request, window: int) -> None:
    smaller = fewer(request, len(request.hits))
    if smaller:
        again = pack(smaller, window)
        assert again is None or contents(again) <= contents(smaller)
        assert packed(smaller, 1_000_000, 512, COUNT) == smaller
        assert COUNT(smaller.messages) < COUNT(request.messages)


def test_the_prompt_asks_what_was_asked_last() -> None:
    request = replace(exactly(["a" * 900] * 2), question="Who? Why?")
    smaller = packed(request, COUNT(request.messages), 8, COUNT)
    assert smaller.messages[-1]["content"].endswith("\n\nQuestion: Why?")


@pytest.mark.parametrize(("window", "least"), [(4096, 1), (8192, 3), (16_384, 6)])
def test_without_a_vocabulary_a_window_holds_what_the_readme_says(
    seeds_index: Index, window: int, least: int
) -> None:
    suite = (ROOT / "evals/suites/seeds/dev.jsonl").read_text("utf-8").splitlines()
    for case in map(json.loads, suite[::10]):
        question = case["question"]
        hits = tuple(seeds_index.search(question, 6))
        messages = answer_messages(question, "vi", hits)
        request = Request(question, "vi", hits, messages, lexical_evidence, question)
        assert prompted(packed(request, window, 2048, COUNT)) >= min(least, len(hits))
