"""A server on this machine that speaks the streaming chat protocol, or breaks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Heard:
    """What the server was sent, and whether the client left."""

    head: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    left: bool = False
    connections: int = 0


def chunk(text: str | None = None, reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": reason}
    return event({"id": "1", "object": "chat.completion.chunk", "choices": [choice], **more})


def event(data: Any) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def head(status: str = "200 OK", kind: str = "text/event-stream") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()


def replying(*parts: bytes) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)
        await writer.drain()

    return serve


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[tuple[str, Heard]]:
    """A server that answers each connection in the same way."""
    heard = Heard()
    open_ones: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            await exchange(reader, writer)
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.connections += 1
        heard.head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in heard.head.splitlines()
            if line.lower().startswith("content-length:")
        )
        heard.body = json.loads(await reader.readexactly(length))
        answering = asyncio.ensure_future(serve(writer))
        leaving = asyncio.ensure_future(reader.read())
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        heard.left = leaving.done()
        for task in (answering, leaving):
            task.cancel()
        await asyncio.wait([answering, leaving])

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", heard
    finally:
        server.close()
        # A connection that the client has not closed keeps a test from ending.
        await asyncio.gather(*filter(None, open_ones))
