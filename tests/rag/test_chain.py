"""What a chain sends to servers and makes of what they say: reasoning, tokens, fields, passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rag.chatbot import Chatbot
from rag.errors import Fault
from rag.evals.benchmarks.chat_server import Serve, chunk, event, head, replies, sends, whole
from rag.evals.benchmarks.misbehaving import ANSWER, MISBEHAVIOURS, answers
from rag.llm.extractive import ExtractiveBackend
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Dialect, Price
from rag.llm.rests import Rests
from rag.settings import Settings
from rag.types import Delta, Done, Hit, Reasoning, Usage
from tests.rag.conftest import ENGLISH, VIETNAMESE, PlainRetriever
from tests.rag.servers import QUESTION, WHOLE, backend_at, in_turn, running

FAILS = {one.name: one.serve for one in MISBEHAVIOURS}
END = [chunk(reason="stop"), event("[DONE]")]
both_ways = pytest.mark.parametrize("in_pieces", [True, False], ids=["stream", "whole"])


def bot_of(chain: Sequence[OpenAIBackend], hits: list[Hit], rests: Rests | None = None) -> Chatbot:
    settings = Settings()
    quoting = ExtractiveBackend(settings.answer)
    return Chatbot(PlainRetriever(hits), [*chain, quoting], settings, rests or Rests())


def thinking(pieces: Sequence[bytes], at_once: bytes) -> Serve:
    return sends([head(), *pieces, *END], [head(kind="application/json"), at_once])


def told(*texts: str) -> list[bytes]:
    return [chunk(text) for text in texts]


THOUGHTS = {
    "a field": thinking(
        [chunk(reasoning_content="Hm, "), chunk(reasoning_content="Newton."), *told(*ANSWER)],
        whole(WHOLE, reasoning_content="Hm, Newton."),
    ),
    "another field": thinking(
        [chunk(reasoning="Hm, Newton."), *told(*ANSWER)], whole(WHOLE, reasoning="Hm, Newton.")
    ),
    "a block": thinking(
        told("<think>Hm, Newton.</think>", *ANSWER), whole(f"<think>Hm, Newton.</think>{WHOLE}")
    ),
    "a block, cut anywhere": thinking(
        told("<", "thi", "nk", ">Hm, New", "ton.</th", "ink>", *ANSWER),
        whole(f"<THINK>Hm, Newton.</THINK>{WHOLE}"),
    ),
    "the end of a block alone": thinking(
        told("Hm, ", "Newton.", "</thi", "nk>", *ANSWER), whole(f"Hm, Newton.</think>{WHOLE}")
    ),
}


@both_ways
@pytest.mark.parametrize("serve", THOUGHTS.values(), ids=THOUGHTS.keys())
def test_what_a_model_says_to_itself_is_no_part_of_its_answer(
    serve: Serve, in_pieces: bool, hits: list[Hit]
) -> None:
    with running(serve) as (server,):
        events = list(bot_of([backend_at(server.url, in_pieces=in_pieces)], hits).stream(QUESTION))
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    assert (answer.text, answer.backend) == (WHOLE, "first/m")
    assert answer.reasoning == "Hm, Newton."
    shown = ""
    for one in events:
        if isinstance(one, Reasoning) and one.retracts:
            shown = ""
        shown += one.text if isinstance(one, Delta) else ""
    assert shown == WHOLE


def test_what_a_failed_backend_said_to_itself_is_not_the_answers(hits: list[Hit]) -> None:
    fails = sends([head(), chunk(reasoning_content="Hm."), chunk("Sora"), event("{")])
    with running(fails, THOUGHTS["a field"]) as (bad, good):
        chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
        answer = bot_of(chain, hits).ask(QUESTION)
    assert (answer.text, answer.reasoning) == (WHOLE, "Hm, Newton.")


def test_to_stop_in_the_middle_closes_the_connection(hits: list[Hit]) -> None:
    with running(FAILS["stalled after tokens"], answers()) as (server, other):
        chain = [backend_at(server.url), backend_at(other.url, "other")]
        events = bot_of(chain, hits).stream(QUESTION)
        for one in events:
            if isinstance(one, Delta):
                events.close()
        # The server ends only when its client has left.
    assert server.left == 1
    assert other.requests == []


def counted(read: int, wrote: int, **more: Any) -> bytes:
    usage = {"prompt_tokens": read, "completion_tokens": wrote, **more}
    return event({"id": "1", "choices": [], "usage": usage})


def test_the_tokens_of_all_attempts_count(hits: list[Hit]) -> None:
    cut = sends(
        [head(), chunk("Sora was"), chunk(reason="length"), counted(100, 10), event("[DONE]")]
    )
    own = sends([head(), *told(*ANSWER), *END[:1], counted(200, 20, cost=0.5), event("[DONE]")])
    priced = {"prices": {"m": Price(1.0, 2.0)}}
    with running(FAILS["overload 503"], cut, own) as (busy, first, second):
        chain = [
            backend_at(busy.url, "busy", provider=priced),
            backend_at(first.url, "first", provider=priced),
            backend_at(second.url, "second", provider=priced),
        ]
        answer = bot_of(chain, hits).ask(QUESTION)
    nothing, of_first = Usage(), Usage(100, 10, (100 * 1.0 + 10 * 2.0) / 1e6)
    # What a server says that it costs goes before a list of prices.
    of_second = Usage(200, 20, 0.5)
    assert [one.usage for one in answer.attempts] == [nothing, nothing, of_first, of_second]
    assert answer.usage == of_first + of_second


@both_ways
def test_too_long_a_prompt_is_sent_again_with_fewer_passages(
    in_pieces: bool, hits: list[Hit]
) -> None:
    rests = Rests()
    with running(in_turn(FAILS["context 400"], answers())) as (server,):
        backend = backend_at(server.url, in_pieces=in_pieces)
        answer = bot_of([backend], hits, rests).ask(QUESTION)
        prompts = [str(request.body["messages"]) for request in server.requests]
    assert answer.text == WHOLE
    made = [(one.backend, one.outcome, one.passages) for one in answer.attempts]
    assert made == [("first/m", "failed", 2), ("first/m", "answered", 1)]
    assert ["head of BGI" in prompt for prompt in prompts] == [True, True]
    assert ["khoảnh khắc Newton" in prompt for prompt in prompts] == [True, False]
    assert rests.resting(backend) is None


def test_the_conversation_goes_before_the_passages(hits: list[Hit]) -> None:
    history = [("What is Sora?", "A model of OpenAI. [1]")]
    # The question is rewritten first; what comes back is no question.
    with running(in_turn(answers(), FAILS["context 400"], answers())) as (server,):
        answer = bot_of([backend_at(server.url)], hits).ask(QUESTION, history)
        _, long, short = [str(request.body["messages"]) for request in server.requests]
    assert [one.passages for one in answer.attempts[1:]] == [2, 2]
    assert "What is Sora?" in long
    assert "What is Sora?" not in short
    assert "khoảnh khắc Newton" in short


@both_ways
def test_a_field_that_is_not_taken_is_never_sent_again(in_pieces: bool, hits: list[Hit]) -> None:
    with running(in_turn(FAILS["parameter 400"], answers())) as (server,):
        bot = bot_of([backend_at(server.url, in_pieces=in_pieces)], hits)
        first, second = bot.ask(QUESTION), bot.ask(QUESTION)
        sent = ["temperature" in request.body for request in server.requests]
        kept = ["max_tokens" in request.body for request in server.requests]
    assert (first.text, second.text) == (WHOLE, WHOLE)
    assert [one.fault for one in first.attempts] == [Fault.PARAMETER.value, ""]
    assert [one.fault for one in second.attempts] == [""]
    assert (sent, kept) == ([True, False, False], [True, True, True])


def test_each_field_of_a_dialect_arrives(hits: list[Hit]) -> None:
    plain = Dialect()
    other = Dialect(
        length_field="max_completion_tokens",
        temperature=False,
        stream_usage=False,
        body={"thinking": {"type": "disabled"}, "enable_thinking": False},
    )
    bodies = []
    for dialect in (plain, other, Dialect(length_field="")):
        with running(answers()) as (server,):
            bot_of([backend_at(server.url, provider={"dialect": dialect})], hits).ask(QUESTION)
            body = dict(server.requests[0].body)
        assert (body.pop("model"), body.pop("stream")) == ("m", True)
        assert len(body.pop("messages")) == 2
        bodies.append(body)
    usage, temperature = {"include_usage": True}, Settings().answer.temperature
    tokens = Settings().answer.answer_tokens
    assert bodies == [
        {"max_tokens": tokens, "temperature": temperature, "stream_options": usage},
        {
            "max_completion_tokens": tokens,
            "thinking": {"type": "disabled"},
            "enable_thinking": False,
        },
        {"temperature": temperature, "stream_options": usage},
    ]


def test_a_dialect_without_pieces_asks_for_the_whole(hits: list[Hit]) -> None:
    with running(answers()) as (server,):
        answer = bot_of([backend_at(server.url, in_pieces=False)], hits).ask(QUESTION)
        body = server.requests[0].body
    assert answer.text == WHOLE
    assert body["stream"] is False
    assert "stream_options" not in body


def test_an_endless_answer_is_ended(hits: list[Hit]) -> None:
    endless = sends([head(), *[chunk("Sora " * 10_000)] * 9, *END])
    with running(endless, answers()) as (bad, good):
        chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
        answer = bot_of(chain, hits).ask(QUESTION)
    assert (answer.text, answer.backend) == (WHOLE, "good/m")


def test_a_third_is_not_asked_what_two_have_withheld(hits: list[Hit]) -> None:
    withheld, filtered = FAILS["content 400"], FAILS["content filter in the middle"]
    with running(withheld, FAILS["overload 503"], filtered, answers()) as servers:
        chain = [backend_at(one.url, f"b{number}") for number, one in enumerate(servers)]
        rests = Rests()
        answer = bot_of(chain, hits, rests).ask(QUESTION)
        assert [len(one.requests) for one in servers] == [1, 2, 1, 0]
        assert answer.backend == "extractive"
        # It was the passages: they are not left alone for that.
        assert [bool(rests.resting(one)) for one in chain] == [False, True, False, False]


def test_a_prompt_that_is_refused_is_not_sent_again_at_once(hits: list[Hit]) -> None:
    with running(replies("400 No", {"error": {"message": "No."}})) as (server,):
        bot = bot_of([backend_at(server.url)], hits)
        assert [bot.ask(QUESTION).backend for _ in range(2)] == ["extractive"] * 2
        assert len(server.requests) == 1
        prompt = str(server.requests[0].body["messages"])
    assert ENGLISH[:20] not in prompt  # only the passage, which begins behind that
    assert VIETNAMESE[:20] in prompt
