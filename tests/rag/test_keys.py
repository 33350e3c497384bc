"""What a server is told of keys and of the environment, and that no error tells a key."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendRefused, BackendSetup
from rag.evals.benchmarks.chat_server import Serving, replies, sends, serving
from rag.llm.failures import without_key
from tests.rag.servers import KEY, backend_at
from tests.rag.test_openai import ANSWER, asked, parts_of

# What the openai package reads of the environment, and what of it may not be told.
AMBIENT = {
    **dict.fromkeys(
        (
            *("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
            *("OPENAI_WEBHOOK_SECRET", "OPENAI_API_TYPE", "OPENAI_API_VERSION"),
            *("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"),
        ),
        "not-for-you",
    ),
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9/v1",
    "OPENAI_CUSTOM_HEADERS": "\n".join(
        f"{name}: not-for-you"
        for name in (
            *("Authorization", "authorization", "api-key", "X-Gateway-Token", "Cookie", "Host"),
            *("User-Agent", "Accept", "Accept-Encoding", "Content-Type", "OpenAI-Organization"),
        )
    ),
}


@pytest.mark.parametrize("model", ["m", ""])
@pytest.mark.parametrize("key", [KEY, ""])
def test_the_key_is_sent_and_nothing_that_belongs_to_another_provider(
    model: str, key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTHER_KEY", f" {key}\n")
    caplog.set_level("DEBUG")
    listed = {"data": [{"id": "m"}]}

    async def ask() -> Serving:
        async with serving(sends(ANSWER), models=replies("200 OK", listed)) as told:
            fields = {"key_variables": ("OTHER_KEY",), "models": (model,) if model else ()}
            await parts_of(backend_at(told.url, provider=fields))
            return told

    told = asyncio.run(ask())
    assert len(told.requests) == (1 if model else 2)
    for request in told.requests:
        lines = dict(line.lower().split(": ", 1) for line in request.head.split("\r\n")[1:] if line)
        assert lines.get("authorization") == (f"bearer {key}" if key else None)
        assert lines["host"] == told.url.removeprefix("http://").removesuffix("/v1")
        assert "not-for-you" not in str(lines)
        assert lines.keys() <= {
            *("host", "accept", "accept-encoding", "connection", "content-type"),
            *("content-length", "user-agent", "authorization", "x-stainless-raw-response"),
        }
    assert KEY not in caplog.text


def test_a_server_without_a_key_is_told_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    text, _, told = asked(sends(ANSWER))
    assert text == "Yin Ye gọi. [1]"
    assert "authorization" not in told.requests[0].head.lower()


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "a\tb", "khóa", "a\x7fb", "a\u200bb"])
def test_a_missing_or_malformed_key_stops_before_any_connection(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", key)
    keyed = {"key_variables": ("OTHER_KEY",), "needs_key": True, "unencrypted": True}

    async def ask() -> Serving:
        async with serving(sends(ANSWER)) as told:
            # The same machine, under a name that is not known to be it.
            backend = backend_at(told.url.replace("127.0.0.1", "127.1"), provider=keyed)
            with pytest.raises(BackendSetup, match="OTHER_KEY") as caught:
                await parts_of(backend)
            assert not key.strip() or key not in str(caught.value)
            monkeypatch.setenv("OTHER_KEY", KEY)
            await parts_of(backend)
            return told

    # With a key that is one the same address is asked.
    (request,) = asyncio.run(ask()).requests
    assert KEY in request.head


@pytest.mark.parametrize("in_pieces", [True, False])
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "500 Internal Server Error"])
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"Incorrect API key provided: {KEY}."}},
        {"error": {"message": f"{'x' * 290} {KEY}", "type": KEY, "param": KEY}},
        f'{{"error": "Authorization: Bearer {KEY}"}}',
    ],
)
def test_a_key_that_a_server_repeats_is_not_shown(
    body: Any, status: str, in_pieces: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)
    with pytest.raises(BackendRefused) as caught:
        asked(
            replies(status, body), provider={"key_variables": ("OTHER_KEY",)}, in_pieces=in_pieces
        )
    traced = "".join(traceback.format_exception(caught.value))
    shown = f"{caught.value} {caught.value.parameter} {caught.value!r} {traced}"
    assert not any(KEY[:length] in shown for length in range(6, len(KEY) + 1))


PARTS_OF_A_KEY = [KEY[1:], KEY[:-1], KEY[2:11], f"{KEY[:9]}…", f"{KEY[:-1]}x"]


@pytest.mark.parametrize("part", PARTS_OF_A_KEY)
def test_a_part_of_a_key_that_a_server_repeats_is_not_shown(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)
    with pytest.raises(BackendRefused) as caught:
        asked(
            replies("401 No", {"error": f"The key {part} is wrong: {part}{part}"}),
            provider={"key_variables": ("OTHER_KEY",)},
        )
    shown = str(caught.value)
    assert not any(KEY[at : at + 8] in shown for at in range(len(KEY) - 7))
    assert shown.startswith("first/m refused (HTTP 401): The key …")
    assert " is wrong: " in shown


@given(st.text("ab1-", max_size=30), st.text("ab1-", max_size=14))
def test_no_long_part_of_a_key_is_left(text: str, key: str) -> None:
    left = without_key(text, key)
    size = min(8, len(key))
    parts = [key[at : at + size] for at in range(len(key) - size + 1)] if key else []
    assert not any(part in left for part in parts)
    if not any(part in text for part in parts):
        assert left == text


def test_a_key_for_the_name_of_a_model_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)

    async def ask() -> None:
        models = replies("200 OK", {"data": [{"id": f"model-{KEY[:-1]}"}]})
        async with serving(sends(ANSWER), models=models) as told:
            backend = backend_at(told.url, provider={"key_variables": ("OTHER_KEY",), "models": ()})
            with pytest.raises(BackendSetup, match="has no model to chat with") as caught:
                await parts_of(backend)
            assert KEY[:8] not in f"{caught.value} {backend.name}"

    asyncio.run(ask())
