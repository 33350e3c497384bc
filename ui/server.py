"""The web server around the chat window."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rag.chatbot import Chatbot
from rag.errors import RagError, SettingsError
from rag.index.index import Index
from rag.llm.backend import Remote
from rag.llm.connection import warm_up
from rag.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST_UPLOAD = "256mb"

# Nothing from or to any other host, whatever a document or an answer says.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def build_app(index: Index, bot: Chatbot, host: str = "127.0.0.1") -> FastAPI:
    """The web application: the chat window behind headers that keep other hosts out.

    Args:
        index: The index whose documents are shown and changed.
        bot: Who answers.
        host: The address it will listen on. On a loopback address only requests that name
            one are answered, so that a web page elsewhere cannot reach it through a name
            of its own; and only then are providers offered whose keys are this person's.

    Raises:
        SettingsError: The settings of a provider are malformed.
    """
    # Before gradio is imported: it reads this once.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from .page import Page, appearance

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders)
    if host in _LOOPBACK:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        Page(index, bot, keys=host in _LOOPBACK).build(),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        max_file_size=_LARGEST_UPLOAD,
        **appearance(),
    )
    return mounted


class SecurityHeaders:
    """Plain ASGI middleware that adds headers to every response, streams included."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


def serve(
    index: Index,
    settings: Settings,
    *,
    backend: str | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    browser: bool = True,
) -> None:
    """Serve the chat window until it is interrupted.

    Args:
        index: The index.
        settings: Settings of the chatbot.
        backend: The chain that answers, in place of the one in the settings.
        host: The address to listen on.
        port: The port to listen on.
        browser: Whether to open the page in a browser, where there is a screen.

    Raises:
        SettingsError: The address cannot be listened on, or a provider's settings are malformed.
        BackendSetup: The chain names a backend that does not exist.
    """
    import uvicorn

    bot = Chatbot(index, backend, settings)
    listening = _listen(host, port)
    app = build_app(index, bot, host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"The chat window is at {address}  (Ctrl+C stops it)", flush=True)  # noqa: T201
    if host not in _LOOPBACK:
        print(  # noqa: T201
            "rag: anyone who can reach this address can read, add and remove documents.",
            file=sys.stderr,
        )
    threading.Thread(target=_warm_up, args=(index, bot), daemon=True).start()
    if browser and _has_screen():
        threading.Timer(1.0, webbrowser.open, (address,)).start()
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, lifespan="on")
    )
    with suppress(KeyboardInterrupt):  # Ctrl+C is how it ends
        server.run(sockets=[listening])


def _warm_up(index: Index, bot: Chatbot) -> None:
    """Load the embedding model and the client, so that the first question does not wait for them."""
    if any(isinstance(backend, Remote) for backend in bot.backends):
        warm_up()
    try:
        index.embedder()
    except RagError as error:
        print(f"rag: {error}", file=sys.stderr, flush=True)  # noqa: T201


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # now, or a second window could be promised the same address
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}.",
            "Another program may be using it; choose another with --port.",
        ) from error
    return listening


def _has_screen() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
