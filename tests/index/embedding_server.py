"""A server on this machine that speaks the protocol of embeddings, or breaks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the server answers once; without a body it answers with vectors."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Heard:
    """What the server was sent: the bodies, the paths and the headers of each request."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def numbers(text: str) -> list[float]:
    """A vector for a text that tells texts apart; not of length 1."""
    return [float(len(text)), float(sum(map(ord, text)) % 97), 3.0]


def vectors(texts: list[str]) -> bytes:
    """A good answer, last text first, as the protocol allows."""
    data = [{"index": n, "embedding": numbers(text)} for n, text in enumerate(texts)]
    return json.dumps({"object": "list", "data": data[::-1]}).encode()


@contextmanager
def serving(*replies: Reply) -> Iterator[tuple[str, Heard]]:
    """A server that gives each reply once and then vectors; its address, and what it hears."""
    heard, left = Heard(), list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard.bodies.append(body)
            heard.paths.append(self.path)
            heard.headers.append({name.lower(): value for name, value in self.headers.items()})
            reply = left.pop(0) if left else Reply()
            content = vectors(body["input"]) if reply.body is None else reply.body
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
