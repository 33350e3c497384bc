"""A server on this machine that speaks the chat protocol, as well or badly as it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

# The first byte of a TLS handshake (RFC 8446, section 5.1): what servers of plain HTTP refuse.
_TLS = b"\x16"


@dataclass(frozen=True, slots=True)
class Received:
    """A request: when all of it was there (seconds of ``time.monotonic``), its head and body."""

    at: float
    head: str
    body: Mapping[str, Any]


@dataclass
class Serving:
    """A server at work: its address, what it was sent, when it had said its last, who left."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    said_at: list[float] = field(default_factory=list)
    left: int = 0


Serve = Callable[[asyncio.StreamWriter, bool], Awaitable[None]]


def head(status: str = "200 OK", kind: str = "text/event-stream", more: str = "") -> bytes:
    """The head of a reply that ends with the connection; ``more`` are further lines."""
    lines = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n{more}\r\n"
    return lines.encode()


def event(data: Any, name: str = "") -> bytes:
    """A server-sent event."""
    told = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {told}\n\n".encode()


def chunk(text: str = "", reason: str | None = None, **delta: Any) -> bytes:
    """A chunk of an answer in pieces."""
    said = {**({"content": text} if text else {}), **delta}
    choice = {"index": 0, "delta": said, "finish_reason": reason}
    return event({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


def whole(text: str, reason: str | None = "stop", **message: Any) -> bytes:
    """An answer in one piece."""
    said = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": said, "finish_reason": reason}
    return json.dumps({"id": "1", "object": "chat.completion", "choices": [choice]}).encode()


def sends(in_pieces: Sequence[bytes], at_once: Sequence[bytes] | None = None) -> Serve:
    """A server that sends these bytes, the same or others where it is asked for all at once."""

    async def serve(writer: asyncio.StreamWriter, streamed: bool) -> None:
        writer.writelines(in_pieces if streamed or at_once is None else at_once)
        await writer.drain()

    return serve


def replies(status: str, body: Any, more: str = "", kind: str = "application/json") -> Serve:
    """A server that replies with a status and a body, JSON or text; ``more`` are lines of its head."""
    told = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return sends([head(status, kind, more), told.encode()])


@asynccontextmanager
async def serving(
    serve: Serve, *, listens: bool = True, models: Serve | None = None
) -> AsyncIterator[Serving]:
    """A server that answers every request in the same way, as long as the block runs.

    Args:
        serve: How.
        listens: Without, its address is that of nobody.
        models: How it answers when it is asked for the list of its models, if not in the same way.
    """
    told = Serving()
    running: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            await _exchange(reader, writer, serve, models or serve, told)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    if not listens:
        server.close()
        await server.wait_closed()
    try:
        yield told
    finally:
        server.close()
        # A connection that the client has not closed keeps the block from ending.
        await asyncio.gather(*filter(None, running))


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    serve: Serve,
    models: Serve,
    told: Serving,
) -> None:
    first = await reader.readexactly(1)
    if first == _TLS:
        writer.write(head("400 Bad Request", "text/plain"))
        return
    asked = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(
        (
            int(line.partition(":")[2])
            for line in asked.splitlines()
            if line.lower().startswith("content-length:")
        ),
        0,
    )
    body = json.loads(await reader.readexactly(length) or b"{}")
    told.requests.append(Received(time.monotonic(), asked, body))
    how = models if asked.startswith("GET ") else serve
    answering = asyncio.ensure_future(how(writer, bool(body.get("stream"))))
    leaving = asyncio.ensure_future(reader.read())
    await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
    told.left += leaving.done()
    told.said_at.append(time.monotonic())
    for task in (answering, leaving):
        task.cancel()
    await asyncio.wait([answering, leaving])
