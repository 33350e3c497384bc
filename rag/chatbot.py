"""The chatbot: question → retrieve → prompt → backend → cite and verify → answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing

from rag.llm.awake import awake
from rag.llm.backend import Backend, Request, Rewriter
from rag.llm.chain import Entry, backends, present
from rag.llm.rests import Rests, kept_rests

from .abstention import CLEARLY_NOT
from .answering import answered
from .checking import Checking
from .conversation import standalone, turn_of
from .errors import BackendError, BackendGarbled, Fault, QuestionError
from .evidence import judging
from .intents import Aim, aim_of, without_greeting
from .messages import heading
from .preparing import Asking, Preparing
from .retrieval import Corpus, Filters, Retriever
from .rewriting import Rewriting, needs_rewriting, rewriting_request, rewritten
from .settings import Settings, load_settings
from .text import normalize
from .types import (
    Answer,
    Attempt,
    Checked,
    Delta,
    Done,
    Event,
    Hit,
    Intent,
    Retrieved,
    Switched,
    Turn,
)
from .writing import Draft, write

History = Sequence[Turn | Answer | tuple[str, str]]

# A question is searched as it was asked where rewriting it takes longer than this.
_REWRITING_SECONDS = 15.0


class Chatbot:
    """Answers questions from the passages that a retriever finds.

    Args:
        retriever: An index, or anything else that finds passages.
        backend: A chain such as ``"openai, extractive"``, or backends; the setting
            ``answer.backend`` if left out.
        settings: Settings; read from files and the environment if left out.
        rests: Which backends are left alone; what this person's programs know of it if left out.

    Raises:
        BackendSetup: The chain names a backend that does not exist.
    """

    def __init__(
        self,
        retriever: Retriever,
        backend: str | Sequence[Entry] | None = None,
        settings: Settings | None = None,
        rests: Rests | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        chain = self.settings.answer.backend if backend is None else backend
        self.backends = backends(chain, self.settings) if isinstance(chain, str) else tuple(chain)
        self.retriever = retriever
        self.rests = rests or kept_rests()
        self._preparing = Preparing(retriever, self.settings)
        self._least = min(CLEARLY_NOT, self.settings.answer.evidence)

    def ask(self, question: str, history: History = (), filters: Filters | None = None) -> Answer:
        """Answer a question.

        Args:
            question: The question, in any language.
            history: Earlier exchanges, oldest first: answers, ``Turn`` or (question, answer).
            filters: Which documents to look in; all if left out.

        Raises:
            QuestionError: The question is empty.
            BackendError: No backend of the chain has answered.
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
            ``Retrieved``, then ``Delta`` for each piece of text and ``Reasoning`` for what a model
            says to itself, ``Checked`` for each sentence as it is complete, ``Switched`` where a backend failed after its first words and the
            next begins anew, and ``Done`` with the finished answer. Closing the iterator stops the
            backend at once.
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
        asked = without_greeting(question)
        aim = aim_of(asked)
        filters = filters or Filters()
        if aim.intent is not Intent.ANSWER and (
            answer := await asyncio.to_thread(self._preparing.direct, aim, question, filters)
        ):
            yield Retrieved(answer.hits)
            yield Delta(answer.text)
            yield Done(answer)
            return
        every, draft = [_turn(one) for one in history], Draft()
        turns = [turn for turn in every if _can_be_leant_on(turn)]
        before = next((turn.documents for turn in reversed(every) if turn.documents), ())
        chain = await present(self.backends)
        rewriting = await self._rewritten(asked, aim, turns, filters, chain, draft)
        asking = Asking(asked, turns, rewriting, filters, aim, before)
        request = await asyncio.to_thread(self._preparing.request, asking)
        meant = await asyncio.to_thread(request.meant, rewriting.question)
        searched = (meant, *rewriting.translations)
        yield Retrieved(request.hits, searched)
        checking = self._checking(request)
        if request.intent is Intent.SUMMARY or (
            request.decision and request.decision.is_relevant(self._least)
        ):
            async with aclosing(write(chain, request, self.rests, draft)) as parts:
                async for part in parts:
                    yield part
                    if isinstance(part, Delta):
                        # The text is shown already; only the next piece waits for the check.
                        for sentence in await asyncio.to_thread(checking.feed, part.text):
                            yield Checked(sentence)
                    elif isinstance(part, Switched) or part.retracts:
                        checking = self._checking(request)
        cited = await asyncio.to_thread(checking.finish)
        strict = self.settings.answer.strict
        yield Done(answered(question, request, searched, draft, cited, strict=strict))

    def retrieve(
        self,
        question: str,
        history: History = (),
        filters: Filters | None = None,
        k: int | None = None,
    ) -> list[Hit]:
        """The passages that are found for a question, best first, without an answer.

        It is what a question is answered from; a summary is made of others.

        Args:
            question: The question, in any language.
            history: Earlier exchanges, oldest first.
            filters: Which documents to look in; all if left out.
            k: How many passages; the setting ``retrieval.k`` if left out.

        Raises:
            QuestionError: The question is empty.
        """
        turns = list(filter(_can_be_leant_on, map(_turn, history)))
        asked = standalone(without_greeting(normalize(question).strip()), turns)
        return self._preparing.passages(Rewriting(asked), filters or Filters(), k)

    async def _rewritten(
        self,
        question: str,
        aim: Aim,
        turns: Sequence[Turn],
        filters: Filters,
        chain: Sequence[Backend],
        draft: Draft,
    ) -> Rewriting:
        """The question made to stand alone, and translated where a model of the chain can do that."""
        if aim.intent is Intent.SUMMARY and not aim.topic.text:
            return Rewriting(question)  # of whole documents, which no words seek
        # Who rests is not asked: the question can be searched as it is.
        able, _ = awake(
            [one for one in chain if isinstance(one, Rewriter) and one.rewrites], self.rests
        )
        languages = await asyncio.to_thread(self._languages, filters) if able else frozenset()
        if not able or not needs_rewriting(question, turns, languages):
            return Rewriting(standalone(question, turns))
        request = rewriting_request(question, turns, languages)
        own = Draft()
        try:
            async with (
                asyncio.timeout(_REWRITING_SECONDS),
                aclosing(write(able, request, self.rests, own, "rewritten")) as parts,
            ):
                async for _ in parts:
                    pass
        except TimeoutError:
            # It does not rest for that: an answer is waited for longer.
            told, fault = "To rewrite the question took too long.", Fault.STALLED.value
            own.attempts.append(Attempt(own.asking, "failed", _REWRITING_SECONDS, told, fault))
        except BackendError:
            pass  # it is in the attempts; who can answer is seen when the answer is asked for
        # Who rests is noted when the answer is asked for.
        draft.attempts += [one for one in own.attempts if one.outcome != "skipped"]
        if not own.backend:
            return Rewriting(standalone(question, turns))
        return rewritten(own.text, question, turns, languages)

    def _checking(self, request: Request) -> Checking:
        by = judging(self.retriever, request.evidence)
        note = heading(request.hits, request.of_documents, request.language)
        return Checking(request.language, request.hits, by, note)

    def _languages(self, filters: Filters) -> frozenset[str]:
        """The languages that passages may be in, where a question is to be translated."""
        if not self.settings.answer.translate or not isinstance(self.retriever, Corpus):
            return frozenset()
        languages = self.retriever.languages()
        return languages & {filters.language} if filters.language else languages


def _can_be_leant_on(turn: Turn) -> bool:
    """Whether a question may lean on an exchange: not on a greeting, nor on a list of all documents."""
    aim = aim_of(turn.question)
    listed = aim.intent is Intent.LISTING and not aim.topic.text
    return aim.intent is not Intent.TALK and not listed


def _turn(one: object) -> Turn:
    match one:
        case Turn():
            return one
        case Answer():
            return turn_of(one)
        case (str(question), str(answer)):
            return Turn(question, answer)
    raise QuestionError(
        "The history holds something that is no exchange.",
        "Give the answers of earlier questions, or pairs of a question and its answer.",
    )


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)
