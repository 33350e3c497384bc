"""Every way to fail, at the first and the second backend, in pieces and whole: an answer comes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from rag.chatbot import Chatbot
from rag.errors import Fault
from rag.evals.benchmarks.chat_server import Serving, serving
from rag.evals.benchmarks.misbehaving import BEGUN, MISBEHAVIOURS, Misbehaviour, answers
from rag.llm.extractive import ExtractiveBackend
from rag.llm.rests import Rests
from rag.settings import AnswerSettings, Settings
from rag.types import Answer, Delta, Done, Event, Hit, Switched
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import LONG, QUESTION, SHORT, backend_at

BUSY = next(one for one in MISBEHAVIOURS if one.name == "overload 503")


def test_there_are_enough_ways_to_fail() -> None:
    assert len(MISBEHAVIOURS) >= 40
    assert len({one.name for one in MISBEHAVIOURS}) == len(MISBEHAVIOURS)
    # What a loopback server cannot do wrong has tests of its own: a missing key.
    assert {one.fault for one in MISBEHAVIOURS} == set(Fault)


async def _asked(
    hits: list[Hit], misbehaviours: list[Misbehaviour], *, in_pieces: bool
) -> tuple[list[Event], list[Serving]]:
    """What a chain of failing backends, a good one and the quoting one says, and what they heard."""
    async with AsyncExitStack() as stack:
        served = [
            await stack.enter_async_context(serving(one.serve, listens=one.listens))
            for one in misbehaviours
        ]
        good = await stack.enter_async_context(serving(answers()))
        urls = [
            one.url.replace("http:", "https:") if how.secure else one.url
            for one, how in zip(served, misbehaviours, strict=True)
        ]
        chain = [
            backend_at(
                url, f"bad{number}", in_pieces=in_pieces, patience=SHORT if how.timed else LONG
            )
            for number, (url, how) in enumerate(zip(urls, misbehaviours, strict=True), start=1)
        ]
        chain.append(backend_at(good.url, "good", in_pieces=in_pieces))
        settings = Settings(answer=AnswerSettings())
        bot = Chatbot(
            PlainRetriever(hits),
            [*chain, ExtractiveBackend(settings.answer)],
            settings,
            Rests(),
        )
        return [event async for event in bot.astream(QUESTION)], [*served, good]


@pytest.mark.parametrize("in_pieces", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("position", ["first", "second"])
@pytest.mark.parametrize("how", MISBEHAVIOURS, ids=lambda how: how.name)
def test_a_question_ends_in_a_whole_answer(
    how: Misbehaviour, position: str, in_pieces: bool, hits: list[Hit]
) -> None:
    failing = [how] if position == "first" else [BUSY, how]
    events, served = asyncio.run(_asked(hits, failing, in_pieces=in_pieces))

    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    assert answer.text == "Yin Ye called Sora a Newton moment. [1]"
    assert not answer.abstained
    _citations_hold(answer)

    expected = [
        (f"bad{number}/m", "failed", fault.value)
        for number, one in enumerate(failing, start=1)
        for fault in one.faults(in_pieces=in_pieces)
    ]
    made = [(one.backend, one.outcome, one.fault) for one in answer.attempts]
    assert made == [*expected, ("good/m", "answered", "")]
    for one, server in zip(failing, served, strict=False):
        heard = 0 if one.secure or not one.listens else one.asked(in_pieces=in_pieces)
        assert len(server.requests) == heard

    # What a person sees: nothing of a failure before the first word, all of one after it.
    switches = [event for event in events if isinstance(event, Switched)]
    assert len(switches) == how.shown(in_pieces=in_pieces)
    begun = "".join(BEGUN) if switches else ""
    assert "".join(one.text for one in events if isinstance(one, Delta)) == begun + answer.text
    for switch in switches:
        assert (switch.failed, switch.backend) == (f"bad{len(failing)}/m", "good/m")
        assert switch.discarded == begun
        assert how.fault.value in [one.fault for one in answer.attempts]
        assert switch.reason


def _citations_hold(answer: Answer) -> None:
    assert answer.citations
    for citation in answer.citations:
        assert citation.document.text[citation.start : citation.end] == citation.quote
        assert answer.hits[citation.marker - 1].passage == citation.passage
