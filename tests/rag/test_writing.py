"""The chain at work, where all else has failed: who rests is tried, and what is known is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from rag.chatbot import Chatbot
from rag.errors import BackendError, BackendRefused, BackendStalled, Fault
from rag.evals.benchmarks.chat_server import Serving, serving
from rag.evals.benchmarks.misbehaving import MISBEHAVIOURS, answers
from rag.llm.backend import Backend
from rag.llm.rests import Rests
from rag.llm.scripted import ScriptedBackend
from rag.settings import Settings
from rag.types import Answer, Event, Reasoning, Switched
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import backend_at

QUESTION = "Who called Sora a Newton moment?"
BY_NAME = {one.name: one for one in MISBEHAVIOURS}


def asked_with_rest(
    retriever: PlainRetriever, first: str, resting: int = 1
) -> tuple[Answer | BackendError, list[Serving]]:
    """A chain of a server that fails and good ones that rest, though they are well."""

    async def ask() -> tuple[Answer | BackendError, list[Serving]]:
        async with AsyncExitStack() as stack:
            ways = [BY_NAME[first].serve, *[answers()] * resting]
            served = [await stack.enter_async_context(serving(way)) for way in ways]
            chain = [backend_at(one.url, f"b{n}") for n, one in enumerate(served)]
            rests = Rests()
            for wait, backend in enumerate(chain[1:], start=1):
                busy = BackendRefused("Too many.", fault=Fault.RATE, wait=60.0 * wait)
                rests.rest(backend, busy)
            try:
                return await Chatbot(retriever, chain, Settings(), rests).aask(QUESTION), served
            except BackendError as error:
                return error, served

    return asyncio.run(ask())


def test_where_all_that_do_not_rest_have_failed_the_one_that_rests_least_is_tried(
    retriever: PlainRetriever,
) -> None:
    answer, served = asked_with_rest(retriever, "key 401", resting=2)
    assert isinstance(answer, Answer)
    assert answer.backend == "b1/m"
    assert [len(one.requests) for one in served] == [1, 1, 0]
    made = [(one.backend, one.outcome) for one in answer.attempts]
    assert made == [
        ("b1/m", "skipped"),
        ("b2/m", "skipped"),
        ("b0/m", "failed"),
        ("b1/m", "answered"),
    ]


def test_what_two_models_withheld_is_taken_to_no_third_that_rests(
    retriever: PlainRetriever,
) -> None:
    withheld = BackendRefused("No.", fault=Fault.CONTENT)

    async def ask() -> int:
        async with serving(answers()) as served:
            third = backend_at(served.url)
            rests = Rests()
            rests.rest(third, BackendRefused("Too many.", fault=Fault.RATE))
            chain: list[Backend] = [ScriptedBackend([withheld]), ScriptedBackend([withheld]), third]
            with pytest.raises(BackendRefused, match="None of 2"):
                await Chatbot(retriever, chain, Settings(), rests).aask(QUESTION)
            return len(served.requests)

    assert asyncio.run(ask()) == 0


def test_the_failure_of_all_tells_what_was_tried_and_what_there_was(
    retriever: PlainRetriever,
) -> None:
    chain = [
        ScriptedBackend([BackendRefused("It said no.")], name="one"),
        ScriptedBackend(["Sora was ", BackendStalled("It stopped.")], name="two"),
    ]
    with pytest.raises(BackendStalled, match=r"1\. It said no\. 2\. It stopped\.") as caught:
        Chatbot(retriever, chain, Settings()).ask(QUESTION)
    assert [(one.backend, one.outcome) for one in caught.value.attempts] == [
        ("one", "failed"),
        ("two", "failed"),
    ]
    assert caught.value.discarded == "Sora was "


def test_the_thoughts_of_two_models_are_told_apart(retriever: PlainRetriever) -> None:
    first = ScriptedBackend(
        [Reasoning("Hm. "), Reasoning("So. "), BackendStalled("It stopped.")], name="first"
    )
    second = ScriptedBackend([Reasoning("Well. "), "It was Yin Ye. [1]"], name="second")
    events: list[Event] = list(Chatbot(retriever, [first, second], Settings()).stream(QUESTION))
    thoughts = [one for one in events if isinstance(one, Reasoning)]
    assert [(one.text, one.begins) for one in thoughts] == [
        ("Hm. ", True),
        ("So. ", False),
        ("Well. ", True),
    ]
    assert not any(isinstance(one, Switched) for one in events)
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.reasoning == "Well. "
