"""Backends at servers on this machine, as the tests of failing ones need them."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from rag.evals.benchmarks.chat_server import Serve, Serving, serving
from rag.evals.benchmarks.misbehaving import ANSWER
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Dialect, Provider
from rag.settings import AnswerSettings

# A key, of which nothing that a person sees may hold a part.
KEY = "sk-secret-123"
QUESTION = "Who called Sora a Newton moment?"
# What a server has to say that answers as it should.
WHOLE = "".join(ANSWER)

# Seconds: where only the clock tells that a server fails, and where it is not to tell.
SHORT, LONG = 0.3, 60.0


def provider_at(url: str, name: str = "first", **fields: Any) -> Provider:
    """A provider at an address of this machine."""
    given: dict[str, Any] = {"models": ("m",), "needs_key": False, **fields}
    return Provider(name, name.title(), url, **given)


def backend_at(
    url: str,
    name: str = "first",
    *,
    in_pieces: bool = True,
    patience: float = LONG,
    model: str = "",
    provider: dict[str, Any] | None = None,
    **settings: Any,
) -> OpenAIBackend:
    """A backend at an address of this machine."""
    fields = dict(provider or {})
    dialect = dataclasses.replace(fields.pop("dialect", Dialect()), stream=in_pieces)
    clocks = {"first_token_seconds": patience, "next_token_seconds": patience}
    return OpenAIBackend(
        provider_at(url, name, dialect=dialect, **fields),
        model,
        dataclasses.replace(AnswerSettings(), **{**clocks, **settings}),
    )


def in_turn(*serves: Serve) -> Serve:
    """A server that answers each request in the next of these ways, and then in the last."""
    waiting = list(serves)

    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(writer, in_pieces)

    return serve


@contextmanager
def running(*serves: Serve, **how: Any) -> Iterator[list[Serving]]:
    """Servers in a thread of their own, so that other processes and event loops can ask them."""
    told: list[Serving] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            told.extend([await stack.enter_async_context(serving(one, **how)) for one in serves])
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield told
    finally:
        done.set()
        thread.join()
