"""The OpenAI-compatible backend against a real server on this machine."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from rag.errors import (
    BackendGarbled,
    BackendRefused,
    BackendSetup,
    BackendStalled,
    BackendUnreachable,
)
from rag.llm.backend import Finished, Request
from rag.llm.openai import OpenAIBackend
from rag.settings import OpenAISettings
from rag.types import Usage
from tests.rag.conftest import lexical_evidence
from tests.rag.sse_server import Heard, Serve, chunk, event, head, replying, serving

REQUEST = Request("Why?", "en", (), ({"role": "user", "content": "Vì sao?"},), lexical_evidence)
KEY = "sk-secret-123"


def asked(serve: Serve, **settings: Any) -> tuple[str, Finished, Heard]:
    """One question to a server: the text, how it finished, and what the server heard."""

    async def ask() -> tuple[str, Finished, Heard]:
        async with serving(serve) as (url, heard):
            backend = OpenAIBackend(OpenAISettings(base_url=url, **settings), "test-model")
            parts = [part async for part in backend.stream(REQUEST)]
        *pieces, finished = parts
        assert isinstance(finished, Finished)
        return "".join(str(piece) for piece in pieces), finished, heard

    return asyncio.run(ask())


ANSWER = [head(), chunk("Yin Ye "), chunk("gọi. [1]"), chunk(reason="stop")]
TOKENS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
USAGE = event({"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": TOKENS})


def test_an_answer_comes_in_pieces_with_its_usage() -> None:
    text, finished, heard = asked(replying(*ANSWER, USAGE, event("[DONE]")))
    assert text == "Yin Ye gọi. [1]"
    assert finished == Finished("stop", Usage(7, 3))
    assert heard.head.startswith("POST /v1/chat/completions ")
    assert heard.body["model"] == "test-model"
    assert heard.body["messages"] == list(REQUEST.messages)
    assert heard.body["stream"] is True
    assert heard.connections == 1


def test_an_answer_without_usage_and_end_sign_is_an_answer() -> None:
    text, finished, _ = asked(replying(*ANSWER))
    assert (text, finished.usage) == ("Yin Ye gọi. [1]", Usage())


def test_an_answer_that_broke_off_at_its_length_is_not_shown_as_whole() -> None:
    with pytest.raises(BackendGarbled, match="reached the most it may write and broke off"):
        asked(replying(head(), chunk("Yin"), chunk(reason="length")))


def test_the_key_is_sent_and_nothing_that_belongs_to_another_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER_KEY", f" {KEY}\n")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "not-for-you")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    _, _, heard = asked(replying(*ANSWER), key_variable="OTHER_KEY")
    assert f"authorization: bearer {KEY}" in heard.head.lower()
    assert "not-for-you" not in heard.head
    assert "openai-organization" not in heard.head.lower()
    assert "openai-project" not in heard.head.lower()


def test_a_server_on_this_machine_needs_no_key() -> None:
    assert asked(replying(*ANSWER))[0] == "Yin Ye gọi. [1]"


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "a\tb", "khóa", "a\x7fb", "a\u200bb"])
def test_a_missing_or_malformed_key_stops_before_any_connection(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", key)

    async def ask() -> int:
        async with serving(replying(*ANSWER)) as (url, heard):
            # The same machine, under a name that is not known to be it.
            remote = url.replace("127.0.0.1", "127.0.0.1.")
            settings = OpenAISettings(base_url=remote, key_variable="OTHER_KEY")
            with pytest.raises(BackendSetup, match="OTHER_KEY"):
                await anext(OpenAIBackend(settings, "m").stream(REQUEST))
            return heard.connections

    assert asyncio.run(ask()) == 0


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:99999"),
        *(
            "http://127.0.0.1:x/v1",
            "http://127.0.0.1:0/v1",
            "http://a\x01/v1",
        ),
    ],
)
def test_an_address_that_is_none_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(BackendSetup, match=r"openai\.base_url"):
        asyncio.run(anext(OpenAIBackend(OpenAISettings(base_url=url), "m").stream(REQUEST)))


def test_where_no_server_listens_none_is_reached() -> None:
    async def ask() -> None:
        async with serving(replying()) as (url, _):
            pass
        await anext(OpenAIBackend(OpenAISettings(base_url=url), "m").stream(REQUEST))

    with pytest.raises(
        BackendUnreachable, match=r"No server answers at http://127\.0\.0\.1"
    ) as caught:
        asyncio.run(ask())
    assert caught.value.retry


@pytest.mark.parametrize(
    ("status", "body", "said", "retry"),
    [
        ("401 Unauthorized", '{"error": {"message": "Wrong key."}}', "Wrong key.", False),
        (
            "403 Forbidden",
            '{"error": {"message": "Country not\\nsupported"}}',
            "Country not supp",
            False,
        ),
        ("404 Not Found", '{"error": {"message": "No such model"}}', "No such model", False),
        ("429 Too Many Requests", '{"error": {"message": "Out of credit"}}', "Out of credit", True),
        ("500 Internal Server Error", "<html>broken</html>", "HTTP 500", True),
        ("503 Service Unavailable", "", "HTTP 503", True),
        ("400 Bad Request", '{"error": "flat text"}', "flat text", False),
        ("400 Bad Request", "[]", "HTTP 400", False),
        ("400 Bad Request", '{"error": {"message": "\\n"}}', "HTTP 400", False),
    ],
)
def test_a_refusal_says_what_the_server_said(
    status: str, body: str, said: str, retry: bool
) -> None:
    with pytest.raises(BackendRefused) as caught:
        asked(replying(head(status, "application/json"), body.encode()))
    assert said in str(caught.value)
    assert status[:3] in str(caught.value)
    assert caught.value.retry is retry
    assert "\n" not in str(caught.value)


def test_a_key_that_a_server_repeats_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}}).encode()
    with pytest.raises(BackendRefused, match="Incorrect") as caught:
        asked(replying(head("401 Unauthorized", "application/json"), body))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("before", [[], [chunk("Half an ")]])
@pytest.mark.parametrize(
    "error", [{"message": "The engine overheated."}, {"message": ""}, "just text", {"code": 1}]
)
def test_an_error_within_the_stream_is_a_refusal(before: list[bytes], error: Any) -> None:
    with pytest.raises(BackendRefused):
        asked(replying(head(), *before, event({"error": error})))


@pytest.mark.parametrize(
    "parts",
    [
        [head(kind="text/html"), b"<html><body>Log in to this network</body></html>"],
        [head(kind="application/json"), b'{"choices": [{"message": {"content": "Hi"}}]}'],
        [head()],
        [head(), event("[DONE]")],
        [head(), chunk("Half an")],
        [head(), chunk("Half an"), event("[DONE]")],
        [head(), chunk(reason="stop"), event("[DONE]")],
        [head(), chunk(" \n"), chunk(reason="stop")],
        [head(), chunk("x"), chunk(reason="tool_calls")],
        [head(), chunk("Half an"), event("{not json")],
        [head(), b"data: \xff\xfe\n\n"],
        [head(), event("null"), chunk(reason="stop")],
        [head(), event("[]")],
        [head(), event("7")],
        [head(), event('"text"')],
        [head(), event({})],
        [head(), event({"choices": None})],
        [head(), event({"choices": [None]})],
        [head(), event({"choices": [{"delta": {"content": ["list"]}}]})],
        [head(), event({"choices": [{"delta": "text"}]})],
        [b"not HTTP at all\r\n\r\n"],
    ],
)
def test_what_is_not_a_finished_answer_is_no_answer(parts: list[bytes]) -> None:
    with pytest.raises((BackendGarbled, BackendUnreachable)):
        asked(replying(*parts))


def test_a_stream_that_is_cut_in_the_middle_is_garbled() -> None:
    whole = b"".join(ANSWER[1:3])
    chunked = head().replace(b"Connection: close", b"Transfer-Encoding: chunked")
    part = f"{len(whole):x}\r\n".encode() + whole + b"\r\n"
    with pytest.raises(BackendGarbled, match="middle"):
        asked(replying(chunked, part))


def test_an_answer_that_a_filter_withheld_is_a_refusal() -> None:
    with pytest.raises(BackendRefused, match="content filter"):
        asked(replying(head(), chunk("Half an"), chunk(reason="content_filter")))


@pytest.mark.parametrize("before", [[], [head()], [head(), chunk("Half an ")]])
def test_a_server_that_falls_silent_has_stalled(before: list[bytes]) -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.writelines(before)
        await asyncio.Event().wait()

    with pytest.raises(BackendStalled, match=r"nothing for 0\.1 seconds") as caught:
        asked(serve, first_token_seconds=0.1, next_token_seconds=0.1)
    assert caught.value.retry


@pytest.mark.parametrize("nothing", [b": keep-alive\n\n", chunk()])
def test_what_only_keeps_a_connection_alive_is_no_progress(nothing: bytes) -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.writelines([head(), chunk("Half an ")])
        while True:
            writer.write(nothing)
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(BackendStalled):
        asked(serve, first_token_seconds=60, next_token_seconds=0.2)


def test_closing_early_closes_the_connection() -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.writelines([head(), chunk("Half an "), chunk("answer")])
        await asyncio.Event().wait()

    async def leave() -> Heard:
        async with serving(serve) as (url, heard):
            backend = OpenAIBackend(OpenAISettings(base_url=url), "m")
            async with aclosing(backend.stream(REQUEST)) as parts:
                assert await anext(parts) == "Half an "
                assert not heard.left
        return heard

    assert asyncio.run(leave()).left


def test_a_malformed_stream_leaves_nothing_behind_that_complains_later() -> None:
    complaints: list[dict[str, Any]] = []

    async def ask() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        async with serving(replying(head(), event({"choices": "abc"}))) as (url, _):
            backend = OpenAIBackend(OpenAISettings(base_url=url), "m")
            with pytest.raises(BackendGarbled):
                async for _ in backend.stream(REQUEST):
                    pass

    asyncio.run(ask())
    assert complaints == []
