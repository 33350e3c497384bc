"""The client of servers that speak the OpenAI chat protocol, against real ones on this machine."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import aclosing
from typing import Any

import pytest
import trustme

from rag.errors import (
    BackendError,
    BackendGarbled,
    BackendRefused,
    BackendSetup,
    BackendStalled,
    BackendUnreachable,
    Fault,
)
from rag.evals.benchmarks.chat_server import (
    Serve,
    Serving,
    chunk,
    event,
    head,
    replies,
    sends,
    serving,
    whole,
)
from rag.llm.backend import Finished, Part, Request
from rag.llm.openai import OpenAIBackend
from rag.types import Usage
from tests.rag.conftest import lexical_evidence
from tests.rag.servers import backend_at

REQUEST = Request("Why?", "en", (), ({"role": "user", "content": "Vì sao?"},), lexical_evidence)

ANSWER = [head(), chunk("Yin Ye "), chunk("gọi. [1]"), chunk(reason="stop")]
TOKENS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
USAGE = event({"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": TOKENS})


async def parts_of(backend: OpenAIBackend) -> list[Part]:
    return [part async for part in backend.stream(REQUEST)]


def asked(serve: Serve, **backend: Any) -> tuple[str, Finished, Serving]:
    """One question to a server: the text, how it finished, and what the server heard."""

    async def ask() -> tuple[list[Part], Serving]:
        # So that a client that waits for ever fails.
        async with asyncio.timeout(100), serving(serve) as told:
            return await parts_of(backend_at(told.url, **backend)), told

    (*pieces, finished), told = asyncio.run(ask())
    assert isinstance(finished, Finished)
    return "".join(str(piece) for piece in pieces), finished, told


def test_an_answer_comes_in_pieces_with_its_usage() -> None:
    text, finished, told = asked(sends([*ANSWER, USAGE, event("[DONE]")]), model="test-model")
    assert text == "Yin Ye gọi. [1]"
    assert finished == Finished("stop", Usage(7, 3))
    (request,) = told.requests
    assert request.head.startswith("POST /v1/chat/completions ")
    assert request.body["model"] == "test-model"
    assert request.body["messages"] == list(REQUEST.messages)
    assert request.body["stream"] is True


def test_an_answer_without_usage_and_end_sign_is_an_answer() -> None:
    text, finished, _ = asked(sends(ANSWER))
    assert (text, finished.usage) == ("Yin Ye gọi. [1]", Usage())


def test_an_answer_asked_for_whole_comes_whole() -> None:
    told = {**json.loads(whole("Yin Ye gọi. [1]")), "usage": TOKENS}
    text, finished, server = asked(replies("200 OK", told), in_pieces=False)
    assert (text, finished) == ("Yin Ye gọi. [1]", Finished("stop", Usage(7, 3)))
    assert server.requests[0].body["stream"] is False


def test_a_whole_answer_to_a_request_for_pieces_is_an_answer() -> None:
    text, _, told = asked(replies("200 OK", json.loads(whole("Yin Ye."))))
    assert text == "Yin Ye."
    assert told.requests[0].body["stream"] is True


def test_an_answer_that_broke_off_at_its_length_is_not_shown_as_whole() -> None:
    with pytest.raises(BackendGarbled, match="reached the most it may write and broke off"):
        asked(sends([head(), chunk("Yin"), chunk(reason="length")]))


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:x/v1"]
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(BackendSetup, match=r"providers\.first\.base_url"):
        asyncio.run(parts_of(backend_at(url)))


def test_where_no_server_listens_none_is_reached() -> None:
    async def ask() -> None:
        async with serving(sends([]), listens=False) as told:
            await parts_of(backend_at(told.url))

    with pytest.raises(BackendUnreachable, match=r"No server answers at http://127\.0") as caught:
        asyncio.run(ask())
    assert caught.value.retry


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_what_is_meant_for_this_machine_goes_to_no_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def ask() -> tuple[Serving, Serving]:
        async with serving(sends(ANSWER)) as proxy, serving(sends(ANSWER)) as told:
            monkeypatch.setenv(variable, proxy.url.removesuffix("/v1"))
            await parts_of(backend_at(told.url))
            return proxy, told

    proxy, told = asyncio.run(ask())
    assert (len(proxy.requests), len(told.requests)) == (0, 1)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_passages_go_nowhere_that_a_server_points_to(status: str) -> None:
    async def ask() -> Serving:
        async with serving(sends(ANSWER)) as other:
            place = f"Location: {other.url}/chat/completions\r\n"
            async with serving(replies(status, "", place)) as told:
                with pytest.raises(BackendRefused) as caught:
                    await parts_of(backend_at(told.url))
                assert caught.value.fault is Fault.SETUP
                assert "points to another address" in str(caught.value)
                assert ".base_url" in caught.value.remedy
            return other

    assert asyncio.run(ask()).requests == []


@pytest.mark.parametrize(
    ("status", "body", "said", "retry"),
    [
        ("401 Unauthorized", '{"error": {"message": "Wrong key."}}', "Wrong key.", False),
        ("403 Forbidden", '{"error": {"message": "Not\\nsupported"}}', "Not supported", False),
        ("404 Not Found", '{"error": {"message": "No such model"}}', "No such model", False),
        ("429 Too Many Requests", '{"error": {"message": "Slow down"}}', "Slow down", True),
        ("500 Internal Server Error", "it is broken", "it is broken", True),
        ("502 Bad Gateway", "<html>\n<title>502 Bad&#32;Gateway</title>", "502 Bad Gateway", True),
        ("500 Oops", "<!DOCTYPE html><body><h1> </h1><h1>Oops</h1><p>a", "(HTTP 500): Oops.", True),
        ("503 Service Unavailable", "<html><body>sorry</body></html>", "HTTP 503.", True),
        ("502 Oops", "\ufeff<?xml version='1.0'?><html><title>Down</title>", "Down.", True),
        ("502 Oops", "<!-- nginx --><html><title>Down", "HTTP 502.", True),
        ("503 Service Unavailable", "", "HTTP 503", True),
        ("400 Bad Request", '{"error": "flat text"}', "flat text", False),
        ("400 Bad Request", "[]", "HTTP 400", False),
        ("400 Bad Request", '{"error": {"message": "\\n"}}', "HTTP 400", False),
        ("400 Bad Request", '{"error": {"message": "half \\ud83d"}}', "half �", False),
    ],
)
def test_a_refusal_says_what_the_server_said(
    status: str, body: str, said: str, retry: bool
) -> None:
    with pytest.raises(BackendRefused) as caught:
        asked(replies(status, body))
    assert said in str(caught.value)
    assert status[:3] in str(caught.value)
    assert caught.value.retry is retry
    assert "\n" not in str(caught.value)


def test_a_server_that_asks_to_wait_is_understood() -> None:
    for told, seconds in [("7", 7.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None)]:
        with pytest.raises(BackendRefused) as caught:
            asked(replies("429 Too Many Requests", "{}", f"Retry-After: {told}\r\n"))
        assert caught.value.wait == seconds


@pytest.mark.parametrize(
    "told", [*("nan", "inf", "1e999"), "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "\xff" * 99]
)
def test_a_wait_that_is_none_is_no_trouble(told: str) -> None:
    with pytest.raises(BackendRefused) as caught:
        asked(replies("429 Too Many Requests", "{}", f"Retry-After: {told}\r\n"))
    assert caught.value.fault is Fault.RATE


@pytest.mark.parametrize("before", [[], [chunk("Half an ")]])
@pytest.mark.parametrize(
    "error", [{"message": "The engine overheated."}, {"message": ""}, "just text", {"code": 1}]
)
def test_an_error_within_the_stream_is_a_refusal(before: list[bytes], error: Any) -> None:
    with pytest.raises(BackendRefused):
        asked(sends([head(), *before, event({"error": error})]))


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
        [head(), event("[" * 100_000 + "]" * 100_000)],
        [head(kind="application/json"), b"[" * 100_000],
        [head(), *[chunk("x" * 50_000)] * 9, chunk(reason="stop")],
        [head(), *[chunk(reasoning_content="x" * 50_000)] * 9, *ANSWER[1:]],
        [b"not HTTP at all\r\n\r\n"],
    ],
)
def test_what_is_not_a_finished_answer_is_no_answer(parts: list[bytes]) -> None:
    with pytest.raises((BackendGarbled, BackendUnreachable)):
        asked(sends(parts))


@pytest.mark.parametrize("tokens", ["1e999", "NaN", "-1", "true", '"7"', "null", "[]"])
def test_a_figure_that_is_none_does_not_spoil_an_answer(tokens: str) -> None:
    counted = f'{{"choices": [], "usage": {{"prompt_tokens": {tokens}, "completion_tokens": 3}}}}'
    text, finished, _ = asked(sends([*ANSWER, event(counted)]))
    assert (text, finished.usage) == ("Yin Ye gọi. [1]", Usage(None, 3))


def test_half_a_character_is_replaced() -> None:
    half = event('{"choices": [{"delta": {"content": "Yin\\ud83d Ye"}, "finish_reason": "stop"}]}')
    text, _, _ = asked(sends([head(), half]))
    assert text == "Yin� Ye"


def test_a_stream_that_is_cut_in_the_middle_is_garbled() -> None:
    told = b"".join(ANSWER[1:3])
    chunked = head().replace(b"Connection: close", b"Transfer-Encoding: chunked")
    part = f"{len(told):x}\r\n".encode() + told + b"\r\n"
    with pytest.raises(BackendGarbled, match="middle") as caught:
        asked(sends([chunked, part]))
    assert caught.value.fault is Fault.NETWORK


@pytest.mark.parametrize("before", [[], [chunk(reasoning_content="Hm.")], [chunk("Half")]])
def test_a_server_that_broke_off_has_answered_the_call(before: list[bytes]) -> None:
    chunked = head().replace(b"Connection: close", b"Transfer-Encoding: chunked")
    told = b"".join(f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in before)
    with pytest.raises(BackendGarbled, match=r"broke off in the middle\.$") as caught:
        asked(sends([chunked, told]))
    assert caught.value.fault is Fault.NETWORK


def test_a_certificate_that_is_not_trusted_is_told_as_such() -> None:
    async def ask() -> None:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(secure)
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=secure)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await parts_of(backend_at(f"https://127.0.0.1:{port}/v1"))

    with pytest.raises(BackendUnreachable) as caught:
        asyncio.run(ask())
    assert "No secure connection to https://127.0.0.1:" in str(caught.value)
    assert "certificate" in caught.value.message
    assert "that it runs" not in caught.value.remedy


def test_a_server_without_tls_is_told_as_such() -> None:
    async def ask() -> None:
        async with serving(sends(ANSWER)) as told:
            await parts_of(backend_at(told.url.replace("http:", "https:")))

    with pytest.raises(BackendUnreachable, match="No secure connection to https://127"):
        asyncio.run(ask())


def test_an_answer_that_a_filter_withheld_is_a_refusal() -> None:
    with pytest.raises(BackendRefused, match="content filter"):
        asked(sends([head(), chunk("Half an"), chunk(reason="content_filter")]))


def then_silence(*parts: bytes) -> Serve:
    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        writer.writelines(parts)
        await asyncio.Event().wait()

    return serve


def then_again_and_again(*parts: bytes, nothing: bytes) -> Serve:
    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        writer.writelines(parts)
        while True:
            writer.write(nothing)
            await writer.drain()
            await asyncio.sleep(0.01)

    return serve


@pytest.mark.parametrize("before", [[], [head()], [head(), chunk("Half an ")]])
def test_a_server_that_falls_silent_has_stalled(before: list[bytes]) -> None:
    with pytest.raises(BackendStalled, match=r"nothing for 0\.1 seconds") as caught:
        asked(then_silence(*before), patience=0.1)
    assert caught.value.retry


@pytest.mark.parametrize(
    "nothing", [b": keep-alive\n\n", chunk(), USAGE, event({"choices": [], "usage": None})]
)
def test_what_only_keeps_a_connection_alive_is_no_progress(nothing: bytes) -> None:
    with pytest.raises(BackendStalled):
        asked(
            then_again_and_again(head(), chunk("Half an "), nothing=nothing),
            next_token_seconds=0.2,
        )


@pytest.mark.parametrize(
    "nothing", [b": keep-alive\n\n", USAGE, chunk(reason="stop"), chunk("")], ids=range(4)
)
def test_after_its_end_an_answer_waits_for_no_more(nothing: bytes) -> None:
    # Without its end, it would be waited for for another minute.
    text, _, told = asked(then_again_and_again(*ANSWER, nothing=nothing))
    assert text == "Yin Ye gọi. [1]"
    assert told.left == 1


def each_with_a_reason(*texts: str) -> list[bytes]:
    return [chunk(text, reason="stop") for text in texts]


def test_a_reason_that_comes_with_every_piece_ends_nothing() -> None:
    async def slowly(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        first, *others = each_with_a_reason("Yin Ye ", "gọi. ", "[1]")
        writer.writelines([head(), first])
        await writer.drain()
        # Longer than what comes after an end is waited for.
        await asyncio.sleep(1.2)
        writer.writelines(others)
        await writer.drain()

    assert asked(slowly)[0] == "Yin Ye gọi. [1]"


def test_what_falls_silent_after_a_reason_with_text_is_cut() -> None:
    for texts in (["Yin Ye "], ["Yin Ye ", "gọi."], [" ", "Yin", " "]):
        with pytest.raises(BackendStalled):
            asked(then_silence(head(), *each_with_a_reason(*texts)), next_token_seconds=0.2)


def test_text_after_a_reason_takes_it_back() -> None:
    with pytest.raises(BackendGarbled, match="without a finished answer"):
        asked(sends([head(), chunk("Yin "), chunk(reason="stop"), chunk("Ye")]))
    for last in (chunk("Ye", reason="stop"), chunk("Ye") + chunk(reason="stop")):
        parts = [head(), chunk("Yin "), chunk(reason="length"), last, chunk("\n")]
        assert asked(sends(parts))[0].strip() == "Yin Ye"


def test_closing_early_closes_the_connection() -> None:
    async def leave() -> Serving:
        async with serving(then_silence(head(), chunk("Half an "), chunk("answer"))) as told:
            async with aclosing(backend_at(told.url).stream(REQUEST)) as it:
                assert await anext(it) == "Half an "
                assert told.left == 0
            # Nobody has ended the server, and nothing else would end its answer.
            async with asyncio.timeout(60):
                while not told.left:
                    await asyncio.sleep(0)
        return told

    assert asyncio.run(leave()).left == 1


@pytest.mark.parametrize("before", [[], [head()], [head(), chunk("Half an ")]])
def test_cancelling_whoever_waits_closes_the_connection(before: list[bytes]) -> None:
    async def leave() -> Serving:
        async with serving(then_silence(*before)) as told:
            patient = backend_at(told.url)
            waiting = asyncio.ensure_future(parts_of(patient))
            async with asyncio.timeout(60):
                while not told.requests:
                    await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                while not told.left:
                    await asyncio.sleep(0)
        return told

    assert asyncio.run(leave()).left == 1


@pytest.mark.parametrize(
    "parts",
    [
        [head(), event({"choices": "abc"})],
        [head(), chunk("x"), b"data: {"],
        [head("500 Oops"), b"x"],
        [b"\x00"],
    ],
)
def test_a_failure_leaves_nothing_behind_that_complains_later(parts: list[bytes]) -> None:
    complaints: list[dict[str, Any]] = []

    async def ask() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        async with serving(sends(parts)) as told:
            with pytest.raises(BackendError):
                await parts_of(backend_at(told.url))

    asyncio.run(ask())
    assert complaints == []
