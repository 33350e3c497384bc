"""A model of the Hugging Face Hub that runs in this process: ``transformers:MODEL-OR-FOLDER``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor

from rag.errors import BackendError, BackendGarbled, BackendRefused, Fault

from .backend import Finished, Part, Request
from .budget import packed, prompted
from .causal import CausalModel, display_name, first_line, lacks_memory, loaded, opens_thinking
from .thinking import ThinkingSplitter

# How much longer a text may be that begins with thinking which cannot be switched off.
_THINKING_LENGTH = 4


class _Stopped(Exception):
    """Nobody listens any more."""


class TransformersBackend:
    """A language model whose weights lie on this machine, in a folder or in the Hub's cache.

    It is loaded when it is first asked, and answers one question at a time.

    Args:
        model: The folder, or the model's name on the Hugging Face Hub.
        answer_tokens: The most tokens that an answer may have.
        temperature: How freely it writes; 0 for the same answer each time.
    """

    rewrites = True

    def __init__(self, model: str, answer_tokens: int = 2048, temperature: float = 0.0) -> None:
        self.name = f"transformers/{display_name(model)}"
        self._named = model
        self._answer_tokens = answer_tokens
        self._temperature = temperature
        self._model: CausalModel | None = None
        # One thread: the next question waits until the last is answered or given up.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="language-model")

    async def stream(self, request: Request) -> AsyncGenerator[Part, None]:
        """Write the answer. Closing the iterator stops the model before its next token.

        Raises:
            BackendSetup: The model is not on this machine, or is none that chats.
            BackendRefused: The prompt does not fit, or the memory does not suffice.
            BackendGarbled: The answer reached the most it may have, and is not whole.
        """
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        stopped = threading.Event()

        def say(text: str | None) -> None:
            if stopped.is_set():
                raise _Stopped
            if text != "":
                loop.call_soon_threadsafe(heard.put_nowait, text)

        def done(work: Future[Finished]) -> None:
            if not work.cancelled() and not stopped.is_set():
                loop.call_soon_threadsafe(heard.put_nowait, None)

        work = self._worker.submit(self._write, request, say)
        work.add_done_callback(done)
        splitter = ThinkingSplitter()
        try:
            while (text := await heard.get()) is not None:
                for part in splitter.feed(text):
                    yield part
            for part in splitter.end():
                yield part
            yield work.result()
        finally:
            stopped.set()
            work.cancel()

    def _write(self, request: Request, say: Callable[[str], None]) -> Finished:
        """Pack, write and say the answer; this runs in the worker's thread."""
        say("")
        if self._model is None:
            self._model = loaded(self._named)
        model = self._model
        smaller = packed(request, model.window, self._answer_tokens, model.count)
        passages = prompted(smaller)
        prompt = model.prompt(smaller.messages)
        limit = min(request.most_tokens or self._answer_tokens, self._answer_tokens)
        if opens_thinking(prompt):
            say("<think>")
            limit *= _THINKING_LENGTH
        room = model.window - model.count(smaller.messages)
        try:
            finished = model.write(prompt, min(limit, room), self._temperature, say)
        except Exception as error:
            # Whatever a model's code raises ends this answer only.
            raise self._failed(error, passages) from error
        if finished.reason != "stop":
            raise self._broken_off(passages)
        return Finished(finished.reason, finished.usage, passages)

    def _failed(self, error: Exception, passages: int) -> BackendError:
        failed = lacks_memory(error, self.name) or BackendRefused(
            f"{self.name} failed while it wrote: {first_line(error)}.", "Use another model."
        )
        failed.passages = passages
        return failed

    def _broken_off(self, passages: int) -> BackendError:
        broken = BackendGarbled(
            f"{self.name} reached the most it may write and broke off.",
            "Raise answer.answer_tokens.",
            fault=Fault.LENGTH,
        )
        broken.passages = passages
        return broken
