"""The one client of servers that speak the OpenAI chat protocol, whatever their dialect.

It sends one request and waits for one answer, by clocks of its own: the package's retries and time
limits are off, because what follows from a failure is for the chain to say (``rag.writing``).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from functools import cached_property
from typing import Any

from rag.errors import (
    BackendError,
    BackendRefused,
    BackendSetup,
    BackendStalled,
    Fault,
)
from rag.settings import AnswerSettings
from rag.types import Reasoning, Usage

from .asking import optional_fields
from .backend import Backend, Finished, Part, Request
from .budget import packed, prompted
from .connection import connected, wait_asked_for
from .endpoint import Endpoint, endpoint
from .failures import garbled, must_be_finished, parameter_in, refused, unreached, without_key
from .faults import Refusal, refusal, says_error
from .models import chat_model_in, window_in
from .providers import Provider
from .reply import Piece, Progress, piece_of, whole_of
from .thinking import ThinkingSplitter
from .tokens import counter, priced

# After a reason to finish only the count of tokens may still come; it is waited for so long.
_AFTERTHOUGHT_SECONDS = 1.0
# What reading it raises where it is not JSON, not UTF-8, or JSON of another shape or without end:
# the package does not check that.
_ANOTHER_SHAPE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
# How long a server may take to say which models it has.
_MODELS_SECONDS = 5.0


class OpenAIBackend:
    """A model of a provider.

    Args:
        provider: Who serves it, and in which dialect.
        model: The model; empty for the provider's first, or what its server has.
        settings: How long to wait, and how long an answer may be.
        found: Whether nobody has named it, and it only listens on this machine. Then it gets no key,
            and only a model is taken that it runs itself, as far as it says.
    """

    rewrites = True

    def __init__(
        self, provider: Provider, model: str, settings: AnswerSettings, *, found: bool = False
    ) -> None:
        self.provider = dataclasses.replace(provider, key_variables=()) if found else provider
        self._found = found
        self.resells = provider.resells
        self._settings = settings
        self._window = provider.window
        # Parameters that this server has refused.
        self._refused: set[str] = set()
        self._named = model or next(iter(provider.models), "")
        self._model = self._named
        self.name = f"{provider.name}/{self._model}" if self._model else provider.name
        self.named = self.name

    @property
    def account(self) -> str:
        """The server and which key it is asked with, without the key."""
        try:
            return endpoint(self.provider, os.environ).account
        except BackendSetup:
            return self.provider.name

    def instead(self) -> Backend | None:
        """The provider's next model, or nothing; the same one at every call."""
        return self._other_model

    @cached_property
    def _other_model(self) -> OpenAIBackend | None:
        models = self.provider.models
        place = models.index(self._named) + 1 if self._named in models else 0
        others = models[place:]
        if not others:
            return None
        rest = dataclasses.replace(self.provider, models=others)
        return OpenAIBackend(rest, others[0], self._settings)

    async def learn(self) -> None:
        """Find out which model the server has, where none was named, and how much it reads.

        Raises:
            BackendError: The server is not there, or has no model to chat with.
        """
        place = endpoint(self.provider, os.environ)
        async with connected(place) as client:
            await self._learn(client, place)

    async def stream(self, request: Request) -> AsyncGenerator[Part, None]:
        """Write the answer.

        Raises:
            BackendSetup: The key is missing or malformed, or the address is.
            BackendUnreachable: No server answers.
            BackendRefused: The server said no; ``fault`` says to what.
            BackendStalled: No token came for too long.
            BackendGarbled: What came is not a finished answer.
        """
        place = endpoint(self.provider, os.environ)
        async with connected(place) as client:
            if not self._named or self.provider.local:
                await self._learn(client, place)
            prompt = packed(
                request,
                self._window,
                self._settings.answer_tokens,
                counter(self.provider.tokenizer),
            )
            held = prompted(prompt)
            patience = self._settings.first_token_seconds
            progress = Progress(patience, asyncio.get_running_loop().time() + patience)
            try:
                async with aclosing(self._answered(client, place, prompt, progress)) as parts:
                    async for part in parts:
                        if isinstance(part, Finished):
                            part = dataclasses.replace(part, passages=held)
                        yield part
            except BackendError as error:
                error.passages, error.usage = held, self._priced(progress.usage)
                raise

    async def _answered(
        self, client: Any, place: Endpoint, request: Request, progress: Progress
    ) -> AsyncGenerator[Part, None]:
        """What the server sends, as text, reasoning and an end."""
        clock = asyncio.get_running_loop().time
        thinking = ThinkingSplitter()
        async with aclosing(self._pieces(client, place, request, progress)) as pieces:
            async for piece in pieces:
                if progress.goes_on_with(piece):
                    progress.patience = (
                        _AFTERTHOUGHT_SECONDS
                        if progress.over
                        else self._settings.next_token_seconds
                    )
                    progress.deadline = clock() + progress.patience
                if piece.reasoning:
                    yield self._noted(Reasoning(piece.reasoning), progress)
                for part in thinking.feed(piece.text):
                    yield self._noted(part, progress)
        for part in thinking.end():
            yield self._noted(part, progress)
        must_be_finished(self.name, progress.reason, answered=progress.answered)
        yield Finished(progress.reason, self._priced(progress.usage))

    def _priced(self, usage: Usage) -> Usage:
        return priced(usage, self.provider.prices.get(self._model))

    def _noted(self, part: str | Reasoning, progress: Progress) -> str | Reasoning:
        progress.note(part)
        if progress.is_too_long:
            raise garbled(self.name, "sent more than an answer can be")
        return part

    async def _pieces(
        self, client: Any, place: Endpoint, request: Request, progress: Progress
    ) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer, by the clock; every failure of the package as one of ours."""
        import openai

        stream: Any = None
        try:
            reply = await self._in_time(self._sent(client, request), progress)
            progress.began = True
            kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not self.provider.dialect.stream or kind in ("application/json", "text/html"):
                yield await self._whole(reply, place, progress)
                return
            stream = reply.parse()
            while (chunk := await self._next(stream, progress)) is not None:
                # Gemini's errors are lists of one.
                told = (chunk[0] if isinstance(chunk, list) else chunk).to_dict(warnings=False)
                if says_error(told):
                    raise self._refusal(refusal(told), place)
                yield piece_of(told, self.provider.dialect)
        except openai.APIConnectionError as error:
            began = progress.began
            raise unreached(self.name, self.provider, place, error, began=began) from error
        except openai.APIStatusError as error:
            # What the package says of it holds all that the server said, which may be the key.
            said = refusal(error.response.text, error.status_code)
            raise self._refusal(said, place, wait_asked_for(error.response.headers)) from None
        except openai.APIError as error:
            raise self._refusal(refusal(error.body), place) from None
        except (*_ANOTHER_SHAPE, openai.OpenAIError) as error:
            raise garbled(self.name, "sent something that is not an answer") from error
        finally:
            if stream is not None:
                await stream.close()

    async def _sent(self, client: Any, request: Request) -> Any:
        """The head of the server's answer to a request."""
        fields = self._optional(request.most_tokens)
        return await client.chat.completions.with_raw_response.create(
            model=self._model,
            messages=list(request.messages),
            stream=self.provider.dialect.stream,
            extra_body=fields,
        )

    def _optional(self, most_tokens: int | None = None) -> dict[str, Any]:
        """The fields of a request that it can do without, less those that were refused."""
        dialect = self.provider.dialect
        fields = optional_fields(dialect, self._settings, self._window, most_tokens)
        return {name: value for name, value in fields.items() if name not in self._refused}

    async def _whole(self, reply: Any, place: Endpoint, progress: Progress) -> Piece:
        """An answer that comes in one piece, asked for so or not."""
        told = json.loads(await self._in_time(reply.http_response.aread(), progress))
        if says_error(told):
            raise self._refusal(refusal(told), place)
        piece = whole_of(told, self.provider.dialect)
        progress.usage = piece.usage or progress.usage
        # Before any of it is shown.
        must_be_finished(self.name, piece.finish_reason, answered=bool(piece.text.strip()))
        return piece

    async def _next(self, stream: Any, progress: Progress) -> Any:
        """The next chunk; ``None`` at the end, also where only an afterthought is missing."""
        try:
            return await self._in_time(anext(stream), progress)
        except StopAsyncIteration:
            return None
        except BackendStalled:
            if progress.over:
                return None
            raise

    async def _in_time(self, step: Awaitable[Any], progress: Progress) -> Any:
        """Await one step; what keeps a connection alive without a token is no progress."""
        try:
            # Not wait_for(), which drops a cancellation that comes together with a result.
            async with asyncio.timeout_at(progress.deadline):
                return await step
        except TimeoutError as error:
            raise BackendStalled(
                f"{self.name} sent nothing for {progress.patience:g} seconds.", "Try again later."
            ) from error

    async def _learn(self, client: Any, place: Endpoint) -> None:
        """Ask a server which models it has, where none was named, and how much they read."""
        import openai

        try:
            async with asyncio.timeout(_MODELS_SECONDS):
                reply = await client.models.with_raw_response.list()
                told = reply.http_response.json()
        except (TimeoutError, openai.APIConnectionError) as error:
            raise unreached(self.name, self.provider, place, error, began=False) from error
        except openai.APIStatusError as error:
            if self._named:
                return  # not every server lists its models
            said = refusal(error.response.text, error.status_code)
            raise self._refusal(said, place) from None
        except (*_ANOTHER_SHAPE, openai.OpenAIError):
            told = None
        # Not what it had before: another may be loaded now.
        listed = chat_model_in(told, own=self._found) or ""
        # What is named like the key is no model: its name would be shown.
        listed = listed if without_key(listed, place.key) == listed else ""
        self._model = self._named or listed
        if not self._model:
            raise BackendSetup(
                f"{self.provider.label} at {place.base_url} has no model to chat with.",
                f"Load one there, or name it: {self.provider.name}:MODEL.",
            )
        self.name = f"{self.provider.name}/{self._model}"
        self._window = window_in(told, self._model) or self.provider.window

    def _refusal(self, said: Refusal, place: Endpoint, wait: float | None = None) -> BackendRefused:
        """A server's no. Of a parameter of ours it is remembered, so that it is sent no more."""
        parameter = ""
        if said.fault is Fault.PARAMETER:
            parameter = parameter_in(said, self._optional())
            fault = Fault.PARAMETER if parameter else Fault.REFUSED
            said = dataclasses.replace(said, fault=fault)
            self._refused |= {parameter} if parameter else set()
        return refused(self.name, self.provider, place, said, wait=wait, parameter=parameter)
