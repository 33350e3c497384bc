"""``local``, the default: servers on this machine that answer are used, others told nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rag.chatbot import Chatbot
from rag.evals.benchmarks.chat_server import Serve, Serving, replies
from rag.evals.benchmarks.misbehaving import answers
from rag.llm.providers import providers
from rag.llm.rests import Rests
from rag.settings import AnswerSettings, Settings
from rag.types import Answer, Hit
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import KEY, QUESTION, WHOLE, running


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def bot_of(
    hits: list[Hit], nobody: str, *servers: Serving, chain: str = "local, extractive", **fields: Any
) -> Chatbot:
    """A chatbot with the default chain or another, whose only local servers are these."""
    own: dict[str, Mapping[str, Any]] = {
        one.name: {"base_url": nobody} for one in providers(Settings()) if one.local
    }
    own |= {
        f"mine{number}": {"base_url": one.url, "needs_key": False, "local": True, **fields}
        for number, one in enumerate(servers)
    }
    settings = Settings(answer=AnswerSettings(backend=chain), providers=own)
    return Chatbot(PlainRetriever(hits), settings=settings, rests=Rests())


def listing(*models: str, **fields: Any) -> Serve:
    return replies("200 OK", {"data": [{"id": model, **fields} for model in models]})


def asked_of(server: Serving) -> list[str]:
    return [request.head.split(" HTTP")[0] for request in server.requests]


def made(answer: Answer) -> list[tuple[str, str]]:
    return [(one.backend, one.outcome) for one in answer.attempts]


def test_a_server_on_this_machine_is_found_and_used(hits: list[Hit], nobody: str) -> None:
    with running(answers(), models=listing("nomic-embed-text", "qwen3")) as (server,):
        answer = bot_of(hits, nobody, server).ask(QUESTION)
        heard = asked_of(server)
        body = server.requests[-1].body
    assert (answer.text, answer.backend) == (WHOLE, "mine0/qwen3")
    assert set(heard[:-1]) == {"GET /v1/models"}
    assert heard[-1] == "POST /v1/chat/completions"
    assert body["model"] == "qwen3"


def test_what_it_reads_decides_how_much_it_is_sent(hits: list[Hit], nobody: str) -> None:
    passages = []
    for window in range(500, 5000, 150):
        with running(answers(), models=listing("qwen3", max_model_len=window)) as (server,):
            answer = bot_of(hits, nobody, server).ask(QUESTION)
        passages.append(answer.attempts[-1].passages if answer.backend != "extractive" else 0)
    # Where not even one fits, it is not asked.
    assert passages == sorted(passages)
    assert set(passages) == {0, 1, 2}


def test_where_nobody_listens_it_is_quoted(hits: list[Hit], nobody: str) -> None:
    answer = bot_of(hits, nobody).ask(QUESTION)
    assert made(answer) == [("extractive", "answered")]


NO_LLM = {
    "a web page": replies("200 OK", "<html>Printer</html>", kind="text/html"),
    "nothing there": replies("404 Not Found", "no"),
    "a password": replies("401 Unauthorized", {"error": "Log in"}),
    "elsewhere": replies("302 Found", "", "Location: http://127.0.0.1:9/\r\n"),
    "other JSON": replies("200 OK", {"data": {"id": 7}}),
    "a list of something": replies("200 OK", [1, "x", None]),
    "no models": listing(),
    "models that do not chat": listing("nomic-embed-text", "bge-reranker-v2"),
    "not HTTP": replies("hello", ""),
    # Its maker's cloud would get the passages, and nobody has named it.
    "models of a cloud": listing("gpt-oss:120b-cloud", "glm-4.6:cloud"),
    "models from elsewhere": listing("x", remote_host="https://example.com"),
    # A gateway says whom it passes on to what it is sent.
    "models of a company": listing("gpt-5.6-terra", owned_by="openai"),
    "models of nobody known": listing("x", owned_by="someone"),
    "an owner that is no name": listing("x", owned_by=[7]),
}


@pytest.mark.parametrize("models", NO_LLM.values(), ids=NO_LLM.keys())
def test_what_is_no_server_of_a_model_hears_nothing(
    models: Serve, hits: list[Hit], nobody: str
) -> None:
    with running(answers(), models=models) as (server,):
        bot = bot_of(hits, nobody, server)
        for history in ((), [("What is Sora?", "A model. [1]")]):
            assert bot.ask(QUESTION, history).backend == "extractive"
        assert set(asked_of(server)) == {"GET /v1/models"}
        assert not [request for request in server.requests if request.body]


def test_a_model_of_a_cloud_is_passed_over(hits: list[Hit], nobody: str) -> None:
    with running(answers(), models=listing("gpt-oss:120b-cloud", "qwen3:8b")) as (server,):
        assert bot_of(hits, nobody, server).ask(QUESTION).backend == "mine0/qwen3:8b"


@pytest.mark.parametrize(
    "owner", ["vllm", "sglang", "llamacpp", "library", "organization_owner", "me", "", None]
)
def test_the_models_of_servers_that_run_them_are_used(
    owner: str | None, hits: list[Hit], nobody: str
) -> None:
    models = listing("qwen3", owned_by=owner)
    with running(answers(), models=models) as (server,):
        assert bot_of(hits, nobody, server).ask(QUESTION).backend == "mine0/qwen3"


def test_a_server_that_is_named_may_have_models_of_anybody(hits: list[Hit], nobody: str) -> None:
    with running(answers(), models=listing("x", owned_by="someone")) as (server,):
        bot = bot_of(hits, nobody, server, chain="mine0, extractive")
        assert bot.ask(QUESTION).backend == "mine0/x"


def test_a_key_is_for_those_that_are_named(
    hits: list[Hit], nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    for chain, told in [("local, extractive", False), ("mine0, extractive", True)]:
        with running(answers(), models=listing("qwen3")) as (server,):
            bot = bot_of(hits, nobody, server, chain=chain, key_variables=("MY_KEY",))
            assert bot.ask(QUESTION).backend == "mine0/qwen3"
            assert {KEY in request.head for request in server.requests} == {told}


def test_a_server_that_is_named_is_not_asked_again_as_a_local_one(
    hits: list[Hit], nobody: str
) -> None:
    fails = replies("400 No", {"error": {"message": "No."}})
    with running(fails, models=listing("qwen3")) as (server,):
        # The same server under two names as well.
        bot = bot_of(hits, nobody, server, server, chain="mine0, local, extractive")
        answer = bot.ask(QUESTION)
        posts = [one for one in asked_of(server) if one.startswith("POST")]
    assert made(answer) == [("mine0/qwen3", "failed"), ("extractive", "answered")]
    assert len(posts) == 1


def test_one_server_under_two_names_is_asked_once(hits: list[Hit], nobody: str) -> None:
    fails = replies("400 No", {"error": {"message": "No."}})
    with running(fails, models=listing("qwen3")) as (server,):
        answer = bot_of(hits, nobody, server, server).ask(QUESTION)
    assert made(answer) == [("mine1/qwen3", "failed"), ("extractive", "answered")]


def test_what_hangs_is_not_asked_with_every_question(hits: list[Hit], nobody: str) -> None:
    async def hangs(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        await asyncio.Event().wait()

    with running(answers(), models=hangs) as (server,):
        bot = bot_of(hits, nobody, server)
        for _ in range(3):
            assert made(bot.ask(QUESTION)) == [("extractive", "answered")]
        assert asked_of(server) == ["GET /v1/models"]


def test_a_server_that_is_not_marked_as_local_is_not_asked(hits: list[Hit], nobody: str) -> None:
    with running(answers(), models=listing("qwen3")) as (server,):
        assert bot_of(hits, nobody, server, local=False).ask(QUESTION).backend == "extractive"
        assert server.requests == []


def test_one_that_fails_gives_the_next_that_listens(hits: list[Hit], nobody: str) -> None:
    busy = replies("503 Busy", {"error": {"message": "loading model"}})
    with (
        running(busy, models=listing("a")) as (first,),
        running(answers(), models=listing("b")) as (second,),
    ):
        bot = bot_of(hits, nobody, first, second)
        answer, again = bot.ask(QUESTION), bot.ask(QUESTION)
        posts = [one for one in asked_of(first) if one.startswith("POST")]
    assert made(answer) == [("mine0/a", "failed"), ("mine0/a", "failed"), ("mine1/b", "answered")]
    assert made(again) == [("mine0/a", "skipped"), ("mine1/b", "answered")]
    assert len(posts) == 2


def test_one_that_goes_away_leaves_an_answer(hits: list[Hit], nobody: str) -> None:
    with running(answers(), models=listing("qwen3")) as (server,):
        bot = bot_of(hits, nobody, server)
        assert bot.ask(QUESTION).backend == "mine0/qwen3"
    # It is still taken to be there.
    answer = bot.ask(QUESTION)
    assert answer.backend == "extractive"
    assert made(answer)[0] == ("mine0/qwen3", "failed")
