"""A real server on a loopback port, and a real Chromium."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Request

from rag.chatbot import Chatbot
from rag.evals.benchmarks.chat_server import Serve, Serving, head, serving
from rag.index.index import Index
from rag.settings import AnswerSettings, Settings


@dataclass
class Window:
    """An open page, and everything that went wrong in it."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Type a question, send it, and wait until its answer is finished."""
        answers = self.page.locator('#conversation [data-testid="bot"]')
        before = answers.count()
        self.send(question)
        answers.nth(before).wait_for()
        self.page.locator('#question [data-testid="submit-button"]').wait_for()

    def send(self, question: str) -> None:
        """Type a question and send it."""
        self.page.locator("#question textarea").fill(question)
        self.page.keyboard.press("Enter")

    def quotes(self) -> list[str]:
        """The highlighted texts in the sources panel."""
        return self.page.locator("#sources-panel mark").all_inner_texts()


OpenWindow = Callable[..., Window]


@contextmanager
def running(index: Index, bot: Chatbot) -> Iterator[str]:
    """Serve the window on a free port; its address."""
    import uvicorn

    from rag.ui.server import build_app

    async def build() -> FastAPI:
        return build_app(index, bot)

    # Inside a loop, because gradio makes loops of its own, never closed, where there is none;
    # and in a thread, because Playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        app = pool.submit(lambda: asyncio.run(build())).result()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()


@contextmanager
def serving_models(serve: Serve) -> Iterator[Serving]:
    """A server of language models on a loopback port, with a loop of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(serve)) as it:
        yield it


async def list_models(writer: asyncio.StreamWriter) -> None:
    """Say that there is one model, ``tiny-chat``."""
    listed = json.dumps({"data": [{"id": "tiny-chat", "object": "model"}]})
    writer.write(head(kind="application/json") + listed.encode())
    await writer.drain()


def with_ollama(url: str, **answer: Any) -> Settings:
    """Settings under which a server of models on this machine goes by Ollama's name."""
    # Without translations, so that a question is one request.
    chosen = AnswerSettings(translate=False, **answer)
    return Settings(answer=chosen, providers={"ollama": {"base_url": url}})


@pytest.fixture
def open_window(browser: Browser) -> Iterator[OpenWindow]:
    """Open the window over an index; at the end nothing may have gone wrong in any page."""
    windows: list[Window] = []
    closers: list[Callable[[], object]] = []

    def open_(
        index: Index, bot: Chatbot | None = None, *, locale: str = "en-US", width: int = 1280
    ) -> Window:
        server = running(index, bot or Chatbot(index))
        address = server.__enter__()
        context = browser.new_context(locale=locale, viewport={"width": width, "height": 900})
        closers.extend([lambda: server.__exit__(None, None, None), context.close])
        window = Window(context.new_page())
        windows.append(window)

        def requested(request: Request) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                window.outside.append(request.url)

        window.page.on("request", requested)
        window.page.on("pageerror", lambda error: window.errors.append(str(error)))
        window.page.on("dialog", lambda dialog: window.errors.append(dialog.message))
        window.page.goto(address)
        # The conversation has its name once the page has spoken to the server.
        window.page.wait_for_function(
            "document.querySelector('#conversation-name textarea, #conversation-name input')?.value"
        )
        return window

    yield open_
    for close in reversed(closers):
        close()
    for window in windows:
        assert window.outside == []
        assert window.errors == []
