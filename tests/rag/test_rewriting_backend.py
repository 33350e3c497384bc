"""Follow-ups rewritten by a server: what is searched, and what follows from its failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from rag.chatbot import Chatbot
from rag.conversation import standalone
from rag.evals.benchmarks.chat_server import Serve, Serving, chunk, event, head, sends
from rag.evals.benchmarks.misbehaving import MISBEHAVIOURS, answers
from rag.llm.extractive import ExtractiveBackend
from rag.llm.openai import OpenAIBackend
from rag.llm.rests import Rests
from rag.settings import Settings
from rag.types import Done, Event, Hit, Retrieved, Turn, Usage
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import SHORT, WHOLE, backend_at, in_turn, running

FAILS = {one.name: one for one in MISBEHAVIOURS}
FOLLOW_UP = "Why did he call it that?"
HISTORY = [("Who called Sora a Newton moment?", "Yin Ye called Sora a Newton moment. [1]")]
HEURISTIC = standalone(FOLLOW_UP, [Turn(*turn) for turn in HISTORY])
REWRITTEN = "Why did Yin Ye call Sora a Newton moment?"
TRANSLATED = "Vì sao Yin Ye gọi Sora là khoảnh khắc Newton?"
USAGE = {"prompt_tokens": 30, "completion_tokens": 6}


def says(*lines: str) -> Serve:
    """A server that writes these lines, and counts its tokens."""
    counted = event({"id": "1", "choices": [], "usage": USAGE})
    return sends([head(), chunk("\n".join(lines)), chunk(reason="stop"), counted])


@dataclass
class Bilingual(PlainRetriever):
    """A retriever of passages in two languages."""

    def languages(self) -> frozenset[str]:
        return frozenset({"en", "vi"})


def asked(
    chain: Sequence[OpenAIBackend],
    retriever: PlainRetriever,
    rests: Rests | None = None,
    question: str = FOLLOW_UP,
    history: Sequence[tuple[str, str]] = HISTORY,
) -> tuple[Retrieved, Done]:
    """The first and the last event of a follow-up."""
    settings = Settings()
    quoting = ExtractiveBackend(settings.answer)
    bot = Chatbot(retriever, [*chain, quoting], settings, rests or Rests())
    events: list[Event] = list(bot.stream(question, history))
    assert isinstance(events[0], Retrieved)
    assert isinstance(events[-1], Done)
    return events[0], events[-1]


def outcomes(done: Done) -> list[tuple[str, str]]:
    return [(one.backend, one.outcome) for one in done.answer.attempts]


def prompts(server: Serving) -> list[str]:
    return [str(request.body["messages"]) for request in server.requests]


def test_a_follow_up_is_rewritten_and_what_is_searched_is_shown(
    retriever: PlainRetriever,
) -> None:
    assert REWRITTEN != HEURISTIC
    with running(in_turn(says(f"question: {REWRITTEN}"), answers())) as (server,):
        found, done = asked([backend_at(server.url)], retriever)
        rewriting, answering = prompts(server)
    assert found.searched == done.answer.searched == (REWRITTEN,)
    assert [question for question, _ in retriever.asked] == [REWRITTEN]
    assert done.answer.text == WHOLE
    assert done.answer.question == FOLLOW_UP
    assert outcomes(done) == [("first/m", "rewritten"), ("first/m", "answered")]
    assert done.answer.usage == Usage(30, 6) + Usage(70, 9)
    # To rewrite a question no passage is needed.
    assert "head of BGI" not in rewriting
    assert FOLLOW_UP in rewriting
    assert "head of BGI" in answering


def test_a_question_is_also_searched_in_the_other_language(hits: list[Hit]) -> None:
    retriever = Bilingual(hits)
    with running(in_turn(says(f"question: {REWRITTEN}", f"vi: {TRANSLATED}"), answers())) as (
        server,
    ):
        found, done = asked([backend_at(server.url)], retriever)
    assert found.searched == done.answer.searched == (REWRITTEN, TRANSLATED)
    assert sorted(question for question, _ in retriever.asked) == sorted([REWRITTEN, TRANSLATED])


def test_what_can_be_searched_as_it_is_is_not_rewritten(retriever: PlainRetriever) -> None:
    with running(answers()) as (server,):
        found, done = asked([backend_at(server.url)], retriever, history=())
    assert found.searched == (FOLLOW_UP,)
    assert outcomes(done) == [("first/m", "answered")]


@pytest.mark.parametrize(
    "said",
    ["I cannot do that.", "NOT_IN_DOCUMENTS", "question: Who is Elon Musk?", "?", "question:"],
)
def test_what_is_no_rewriting_is_not_searched(said: str, retriever: PlainRetriever) -> None:
    with running(in_turn(says(said), answers())) as (server,):
        found, done = asked([backend_at(server.url)], retriever)
    assert found.searched == (HEURISTIC,)
    assert (done.answer.text, done.answer.backend) == (WHOLE, "first/m")


@pytest.mark.parametrize("name", ["overload 503", "region 403", "cut within a token", "HTML 200"])
def test_its_failure_leaves_the_heuristic_and_an_answer(
    name: str, retriever: PlainRetriever
) -> None:
    how = FAILS[name]
    with running(how.serve) as (server,):
        found, done = asked([backend_at(server.url)], retriever)
        # It rests then, also from the answer.
        assert len(server.requests) == how.calls
    assert found.searched == (HEURISTIC,)
    assert done.answer.backend == "extractive"
    assert outcomes(done) == [
        *[("first/m", "failed")] * how.calls,
        ("first/m", "skipped"),
        ("extractive", "answered"),
    ]


def test_one_that_falls_silent_leaves_an_answer(retriever: PlainRetriever) -> None:
    with running(FAILS["no head"].serve) as (server,):
        found, done = asked([backend_at(server.url, patience=SHORT)], retriever)
        assert len(server.requests) == 1
    assert found.searched == (HEURISTIC,)
    assert done.answer.backend == "extractive"


def test_the_next_backend_rewrites_where_the_first_fails(retriever: PlainRetriever) -> None:
    rewrites = in_turn(says(f"question: {REWRITTEN}"), answers())
    with running(FAILS["balance 402"].serve, rewrites) as (bad, good):
        chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
        found, done = asked(chain, retriever)
        assert (len(bad.requests), len(good.requests)) == (1, 2)
    assert found.searched == (REWRITTEN,)
    assert done.answer.text == WHOLE
    assert outcomes(done) == [
        ("bad/m", "failed"),
        ("good/m", "rewritten"),
        ("bad/m", "skipped"),
        ("good/m", "answered"),
    ]


def test_a_failure_to_answer_keeps_it_from_rewriting_as_well(retriever: PlainRetriever) -> None:
    rests = Rests()
    with running(FAILS["region 403"].serve) as (server,):
        chain = [backend_at(server.url)]
        asked(chain, retriever, rests, history=())
        for _ in range(3):
            found, done = asked(chain, retriever, rests)
            assert found.searched == (HEURISTIC,)
            assert done.answer.backend == "extractive"
        assert len(server.requests) == 1
