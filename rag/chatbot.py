"""The chatbot: question → retrieve → prompt → backend → cite and verify → answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field

from rag.llm.backend import Backend, Finished, Request
from rag.llm.chain import backends

from .cite import cite
from .errors import BackendError, BackendGarbled, QuestionError
from .language import detect_language
from .messages import NO_ANSWER, answer_messages, said
from .retrieval import Retriever, standalone
from .settings import Settings, load_settings
from .text import normalize
from .types import (
    Answer,
    Attempt,
    Delta,
    Done,
    Event,
    Hit,
    Retrieved,
    Switched,
    Turn,
    Usage,
)

History = Sequence[Turn | tuple[str, str]]

# What a model may put around NO_ANSWER.
_DECORATION = " \n.*_`\"'[“"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a question is put to; see ``Index.search``."""

    language: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    folder: str | None = None


@dataclass
class _Draft:
    """What is known of an answer while it is being written."""

    text: str = ""
    shown: str = ""
    usage: Usage = field(default_factory=Usage)
    attempts: list[Attempt] = field(default_factory=list)


class Chatbot:
    """Answers questions from the passages that a retriever finds.

    Args:
        retriever: An index, or anything else that finds passages.
        backend: A chain such as ``"openai, extractive"``, or backends; the setting
            ``answer.backend`` if left out.
        settings: Settings; read from files and the environment if left out.

    Raises:
        BackendSetup: The chain names a backend that does not exist.
    """

    def __init__(
        self,
        retriever: Retriever,
        backend: str | Sequence[Backend] | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        chain = backend or self.settings.answer.backend
        self.backends = backends(chain, self.settings) if isinstance(chain, str) else tuple(chain)
        self.retriever = retriever

    def ask(self, question: str, history: History = (), filters: Filters | None = None) -> Answer:
        """Answer a question.

        Args:
            question: The question, in any language.
            history: Earlier exchanges, oldest first, as ``Turn`` or (question, answer).
            filters: Which documents to look in; all if left out.

        Raises:
            QuestionError: The question is empty.
            BackendError: The last backend of the chain failed.
        """
        with closing(self.stream(question, history, filters)) as events:
            for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise BackendGarbled("The answer ended without an end.")

    async def aask(
        self, question: str, history: History = (), filters: Filters | None = None
    ) -> Answer:
        """``ask`` for asynchronous callers."""
        async with aclosing(self.astream(question, history, filters)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise BackendGarbled("The answer ended without an end.")

    def stream(
        self, question: str, history: History = (), filters: Filters | None = None
    ) -> Generator[Event, None, None]:
        """Answer a question piece by piece.

        Yields:
            ``Retrieved``, then ``Delta`` for each piece of text, ``Switched`` where a backend
            failed and the next begins anew, and ``Done`` with the finished answer. Closing
            the iterator stops the backend at once.
        """
        from anyio.from_thread import start_blocking_portal

        events = self.astream(question, history, filters)
        # A thread with its own event loop, so that this works inside a notebook's loop too.
        with start_blocking_portal() as portal:
            try:
                while (event := portal.call(_next, events)) is not None:
                    yield event
            except GeneratorExit:
                # Only here is it idle; an interrupt finds it at work, and the portal stops it.
                portal.call(events.aclose)
                raise

    async def astream(
        self, question: str, history: History = (), filters: Filters | None = None
    ) -> AsyncGenerator[Event, None]:
        """``stream`` for asynchronous callers."""
        question = normalize(question).strip()
        if not question:
            raise QuestionError("The question is empty.", "Write what you want to know.")
        turns = _turns(history)
        request = await asyncio.to_thread(self._request, question, turns, filters or Filters())
        yield Retrieved(request.hits)
        draft = _Draft()
        if not request.hits:
            yield Done(_abstention(question, request, draft, backend=""))
            return
        for position, backend in enumerate(self.backends):
            started = time.monotonic()
            try:
                async with aclosing(_written(backend, request, draft)) as deltas:
                    async for delta in deltas:
                        yield delta
            except BackendError as error:
                seconds = time.monotonic() - started
                draft.attempts.append(Attempt(backend.name, "failed", seconds, str(error)))
                if position + 1 == len(self.backends):
                    raise
                following = self.backends[position + 1].name
                yield Switched(backend.name, following, str(error), discarded=draft.shown)
                continue
            seconds = time.monotonic() - started
            answer = await asyncio.to_thread(
                self._finished, question, request, draft, backend.name, seconds
            )
            yield Done(answer)
            return

    def retrieve(
        self,
        question: str,
        history: History = (),
        filters: Filters | None = None,
        k: int | None = None,
    ) -> list[Hit]:
        """The passages that a question is answered from, best first, without an answer.

        Args:
            question: The question, in any language.
            history: Earlier exchanges, oldest first.
            filters: Which documents to look in; all if left out.
            k: How many passages; the setting ``retrieval.k`` if left out.

        Raises:
            QuestionError: The question is empty.
        """
        chosen = filters or Filters()
        return self.retriever.search(
            standalone(normalize(question).strip(), _turns(history)),
            k or self.settings.retrieval.k,
            language=chosen.language,
            since=chosen.since,
            until=chosen.until,
            source=chosen.source,
            folder=chosen.folder,
        )

    def _request(self, question: str, turns: Sequence[Turn], filters: Filters) -> Request:
        """Find the passages and write the prompt."""
        before = detect_language(turns[-1].question) if turns else "en"
        language = detect_language(question, default=before)
        asked = standalone(question, turns)
        hits = self.retrieve(question, turns, filters)
        messages = answer_messages(question, language, hits, turns)
        evidence, weigh = self.retriever.evidence, self.retriever.weigh
        return Request(asked, language, tuple(hits), messages, evidence, question, weigh)

    def _finished(
        self, question: str, request: Request, draft: _Draft, backend: str, seconds: float
    ) -> Answer:
        """Check the text that a backend has written."""
        text, _, _ = draft.text.partition(NO_ANSWER)
        abstained = not text.strip(_DECORATION)
        outcome = "abstained" if abstained else "answered"
        draft.attempts.append(Attempt(backend, outcome, seconds))
        if abstained:
            return _abstention(question, request, draft, backend)
        cited = cite(text.strip(), request.language, request.hits, request.evidence)
        citations = [citation for sentence in cited.sentences for citation in sentence.citations]
        return Answer(
            question=question,
            text=cited.text,
            language=request.language,
            backend=backend,
            sentences=cited.sentences,
            citations=tuple(dict.fromkeys(citations)),
            hits=request.hits,
            attempts=tuple(draft.attempts),
            usage=draft.usage,
        )


def _turns(history: History) -> list[Turn]:
    return [turn if isinstance(turn, Turn) else Turn(*turn) for turn in history]


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)


async def _written(
    backend: Backend, request: Request, draft: _Draft
) -> AsyncGenerator[Delta, None]:
    """One backend's text as it comes; ``NO_ANSWER`` and what may become it is held back."""
    draft.text = draft.shown = ""
    finished = False
    async with aclosing(backend.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, Finished):
                draft.usage, finished = part.usage, True
                continue
            draft.text += part
            if more := _presentable(draft.text)[len(draft.shown) :]:
                draft.shown += more
                yield Delta(more)
    if not finished or not draft.text.strip(_DECORATION):
        raise BackendGarbled(f"{backend.name} ended without a finished answer.", retry=True)
    text, _, _ = draft.text.partition(NO_ANSWER)
    if text.strip(_DECORATION) and text != draft.shown:
        yield Delta(text[len(draft.shown) :])


def _presentable(text: str) -> str:
    """The beginning of an unfinished text that can be shown whatever may follow."""
    text, found, _ = text.partition(NO_ANSWER)
    if not found:
        held = (n for n in range(len(NO_ANSWER), 0, -1) if text.endswith(NO_ANSWER[:n]))
        text = text[: len(text) - next(held, 0)]
    return text if text.strip(_DECORATION) else ""


def _abstention(question: str, request: Request, draft: _Draft, backend: str) -> Answer:
    return Answer(
        question=question,
        text=said("no_answer", request.language),
        language=request.language,
        backend=backend,
        hits=request.hits,
        abstained=True,
        attempts=tuple(draft.attempts),
        usage=draft.usage,
    )
