"""The one client of servers that speak the OpenAI chat protocol, whatever their dialect.

It sends one request and waits for one answer, by clocks of its own: the package's retries and time
limits are off, because what follows from a failure is for the chain to say (``rag.writing``).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import sys
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rag.errors import (
    BackendError,
    BackendGarbled,
    BackendRefused,
    BackendSetup,
    BackendStalled,
    BackendUnreachable,
    Fault,
)
from rag.settings import AnswerSettings
from rag.text import collapse
from rag.types import Reasoning, Usage

from .backend import Backend, Finished, Part, Request
from .budget import answer_room, packed, prompted
from .connection import connected, wait_asked_for
from .cost import cost_of
from .endpoint import Endpoint, endpoint
from .faults import Refusal, finish_fault, is_finished, refusal, says_error
from .models import chat_model_in, window_in
from .providers import Provider
from .reply import Piece, piece_of, whole_of
from .thinking import ThinkingSplitter
from .tokens import counter

# After a reason to finish only the count of tokens may still come; it is waited for so long.
_AFTERTHOUGHT_SECONDS = 1.0
# No answer from a handful of passages is longer: a server that sends more is broken.
_MOST_CHARACTERS = 400_000
# What reading it raises where it is not JSON, not UTF-8, or JSON of another shape or without end:
# the package does not check that.
_ANOTHER_SHAPE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
# How long a server may take to say which models it has.
_MODELS_SECONDS = 5.0


@dataclass
class _Progress:
    """What has come of an answer so far, and until when more must come.

    ``over`` is whether a reason to finish has come by itself. One that comes with text may come with
    every piece, from servers that repeat it: more text then takes it back.
    """

    patience: float
    deadline: float
    reason: str = ""
    over: bool = False
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    answered: bool = False

    def goes_on_with(self, piece: Piece) -> bool:
        """Take note of a piece; whether it brings the answer on."""
        self.usage = piece.usage or self.usage
        if piece.text.strip() or piece.reasoning:
            self.reason, self.over = "", False
        if self.over or not piece.is_progress:
            return False
        self.reason = self.reason or piece.finish_reason
        self.over = bool(piece.finish_reason) and not (piece.text or piece.reasoning)
        return True


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
            return self._endpoint().account
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
        place = self._endpoint()
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
        place = self._endpoint()
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
            progress = _Progress(patience, asyncio.get_running_loop().time() + patience)
            try:
                async with aclosing(self._answered(client, place, prompt, progress)) as parts:
                    async for part in parts:
                        if isinstance(part, Finished):
                            part = dataclasses.replace(part, passages=held)
                        yield part
            except BackendError as error:
                error.passages, error.usage = held, self._with_cost(progress.usage)
                raise

    async def _answered(
        self, client: Any, place: Endpoint, request: Request, progress: _Progress
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
        self._must_be_finished(progress.reason, answered=progress.answered)
        yield Finished(progress.reason, self._with_cost(progress.usage))

    def _with_cost(self, usage: Usage) -> Usage:
        price = self.provider.prices.get(self._model)
        if usage.cost is not None or not price:
            return usage
        return dataclasses.replace(usage, cost=cost_of(usage, price))

    def _noted(self, part: str | Reasoning, progress: _Progress) -> str | Reasoning:
        """Note that text of an answer has come; what a model says to itself is none."""
        progress.characters += len(part.text if isinstance(part, Reasoning) else part)
        if progress.characters > _MOST_CHARACTERS:
            raise self._garbled("sent more than an answer can be")
        if isinstance(part, Reasoning):
            progress.answered = progress.answered and not part.retracts
        else:
            progress.answered = progress.answered or bool(part.strip())
        return part

    def _must_be_finished(self, reason: str, *, answered: bool) -> None:
        fault = finish_fault(reason)
        if fault is Fault.CONTENT:
            raise BackendRefused(f"{self.name} withheld its answer: content filter.", fault=fault)
        if fault is Fault.LENGTH:
            raise BackendGarbled(
                f"{self.name} reached the most it may write and broke off.",
                "Raise answer.answer_tokens.",
                fault=fault,
            )
        if fault:
            raise BackendRefused(f"{self.name} gave up: {reason}.", fault=fault)
        if not answered or not is_finished(reason):
            raise self._garbled("ended without a finished answer")

    async def _pieces(
        self, client: Any, place: Endpoint, request: Request, progress: _Progress
    ) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer, by the clock; every failure of the package as one of ours."""
        import openai

        stream: Any = None
        try:
            reply = await self._in_time(self._sent(client, request), progress)
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
            raise self._unreachable(place, started=progress.answered) from error
        except openai.APIStatusError as error:
            # What the package says of it holds all that the server said, which may be the key.
            said = refusal(error.response.text, error.status_code)
            raise self._refusal(said, place, wait_asked_for(error.response.headers)) from None
        except openai.APIError as error:
            raise self._refusal(refusal(error.body), place) from None
        except (*_ANOTHER_SHAPE, openai.OpenAIError) as error:
            raise self._garbled("sent something that is not an answer") from error
        finally:
            if stream is not None:
                await stream.close()

    async def _sent(self, client: Any, request: Request) -> Any:
        """The head of the server's answer to a request."""
        dialect = self.provider.dialect
        extra: dict[str, Any] = {**dialect.body}
        if dialect.length_field:
            most = min(request.most_tokens or sys.maxsize, self._settings.answer_tokens)
            extra[dialect.length_field] = answer_room(self._window, most)
        if dialect.temperature:
            extra["temperature"] = self._settings.temperature
        if dialect.stream and dialect.stream_usage:
            extra["stream_options"] = {"include_usage": True}
        taken = {name: value for name, value in extra.items() if name not in self._refused}
        return await client.chat.completions.with_raw_response.create(
            model=self._model,
            messages=list(request.messages),
            stream=dialect.stream,
            extra_body=taken,
        )

    async def _whole(self, reply: Any, place: Endpoint, progress: _Progress) -> Piece:
        """An answer that comes in one piece, asked for so or not."""
        told = json.loads(await self._in_time(reply.http_response.aread(), progress))
        if says_error(told):
            raise self._refusal(refusal(told), place)
        piece = whole_of(told, self.provider.dialect)
        progress.usage = piece.usage or progress.usage
        # Before any of it is shown.
        self._must_be_finished(piece.finish_reason, answered=bool(piece.text.strip()))
        return piece

    async def _next(self, stream: Any, progress: _Progress) -> Any:
        """The next chunk; ``None`` at the end, also where only an afterthought is missing."""
        try:
            return await self._in_time(anext(stream), progress)
        except StopAsyncIteration:
            return None
        except BackendStalled:
            if progress.over:
                return None
            raise

    async def _in_time(self, step: Awaitable[Any], progress: _Progress) -> Any:
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
        except TimeoutError as error:
            raise self._unreachable(place, started=False) from error
        except openai.APIConnectionError as error:
            raise self._unreachable(place, started=False) from error
        except openai.APIStatusError as error:
            if self._named:
                return  # not every server lists its models
            said = refusal(error.response.text, error.status_code)
            raise self._refusal(said, place) from None
        except (*_ANOTHER_SHAPE, openai.OpenAIError):
            told = None
        # Not what it had before: another may be loaded now.
        self._model = self._named or chat_model_in(told, own=self._found) or ""
        if not self._model:
            raise BackendSetup(
                f"{self.provider.label} at {place.base_url} has no model to chat with.",
                f"Load one there, or name it: {self.provider.name}:MODEL.",
            )
        self.name = f"{self.provider.name}/{self._model}"
        self._window = window_in(told, self._model) or self.provider.window

    def _endpoint(self) -> Endpoint:
        return endpoint(self.provider, os.environ)

    def _unreachable(self, place: Endpoint, *, started: bool) -> BackendError:
        if started:
            return BackendGarbled(f"{self.name} broke off in the middle.", fault=Fault.NETWORK)
        return BackendUnreachable(
            f"No server answers at {place.base_url}.",
            f"Check that it runs, and the address in providers.{self.provider.name}.base_url.",
        )

    def _refusal(self, said: Refusal, place: Endpoint, wait: float | None = None) -> BackendRefused:
        """A server's no. Of a parameter of ours it is remembered, so that it is sent no more."""
        fault, dialect, parameter = said.fault, self.provider.dialect, ""
        if fault is Fault.PARAMETER:
            ours = {*dialect.body, dialect.length_field, "temperature", "stream_options"}
            parameter = _named_in(said, ours - {""} - self._refused)
            fault = Fault.PARAMETER if parameter else Fault.REFUSED
            self._refused |= {parameter} if parameter else set()
        message = said.message or f"HTTP {said.status}" if said.status else said.message
        # A server may repeat the key it was sent, and what it says is shown and kept.
        message = collapse(message.replace(place.key, "…") if place.key else message)[:300]
        where = f" (HTTP {said.status})" if said.status else ""
        told = message or fault.value
        told += "" if told.endswith((".", "!", "?", "…", "。")) else "."
        return BackendRefused(
            f"{self.name} refused{where}: {told}",
            _remedy(fault, place, self.provider),
            fault=fault,
            wait=wait,
            parameter=parameter,
            status=said.status,
            code=said.code,
        )

    def _garbled(self, what: str) -> BackendGarbled:
        return BackendGarbled(f"{self.name} {what}.", "Try again.")


def _named_in(said: Refusal, sent: set[str]) -> str:
    """Which of the fields that were sent a server does not take; empty where it is none of them."""
    for name in said.parameter.split("."):
        if name in sent:
            return name
    places = {name: re.search(rf"\b{name}\b", said.message) for name in sent}
    found = {name: place.start() for name, place in places.items() if place}
    return min(found, key=lambda name: found[name], default="")


def _remedy(fault: Fault, place: Endpoint, provider: Provider) -> str:
    """What a person can do about a refusal."""
    return {
        Fault.KEY: f"Check the key in {place.key_variable}." if place.key_variable else "",
        Fault.BALANCE: f"Top up the account at {provider.label}.",
        Fault.REGION: "Name another provider in answer.backend.",
        Fault.MODEL: f"Name another model: {provider.name}:MODEL.",
    }.get(fault, "")
