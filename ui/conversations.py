"""The answers of recent conversations, kept on the server for the sources panel."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rag.conversation import turn_of
from rag.types import Answer, Turn, Usage

from .markup import displayed

# The oldest conversation is forgotten beyond this many.
_MOST = 200


class Conversations:
    """Answers by conversation and turn. A turn without an answer, a failure, has none."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, dict[int, Answer]] = OrderedDict()
        self._asked: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def begin(self) -> str:
        """The name of a new conversation; it cannot be guessed."""
        return uuid.uuid4().hex

    def is_busy(self, conversation: str) -> bool:
        """Whether an answer is being written in a conversation."""
        return conversation in self._busy

    @contextmanager
    def answering(self, conversation: str) -> Iterator[None]:
        """While an answer is being written, which only one may be at a time."""
        self._busy.add(conversation)
        try:
            yield
        finally:
            self._busy.discard(conversation)

    def ask(self, conversation: str, question: str) -> str:
        """A question as the page shows it, without links or images; ``asked`` gives it back."""
        shown = displayed(question)
        with self._guard:
            self._asked.setdefault(conversation, {})[shown] = question
            self._asked.move_to_end(conversation)
            while len(self._asked) > _MOST:
                self._asked.popitem(last=False)
        return shown

    def asked(self, conversation: str, shown: str) -> str:
        """A question as it was asked, of what the page shows of it."""
        with self._guard:
            return self._asked.get(conversation, {}).get(shown, shown)

    def put(self, conversation: str, turn: int, answer: Answer) -> None:
        """Keep the answer to the turn-th question, counted from 0."""
        with self._guard:
            turns = self._turns.setdefault(conversation, {})
            self._turns.move_to_end(conversation)
            turns[turn] = answer
            while len(self._turns) > _MOST:
                self._turns.popitem(last=False)

    def turns(self, conversation: str, questions: Sequence[str]) -> list[Turn]:
        """The exchanges of a conversation, by its questions as they were asked.

        A question without an answer, or whose answer was that there is none, is left out.
        """
        answers = [self.get(conversation, turn) for turn in range(len(questions))]
        return [
            replace(turn_of(answer), question=question)
            for question, answer in zip(questions, answers, strict=True)
            if answer and not answer.abstained and answer.question == question.strip()
        ]

    def spent(self, conversation: str) -> Usage:
        """What all kept answers of a conversation have used together, as far as that is known."""
        with self._guard:
            answers = list(self._turns.get(conversation, {}).values())
        return sum((answer.usage for answer in answers), Usage())

    def get(self, conversation: str, turn: int) -> Answer | None:
        """The answer to a turn, if it is still kept."""
        with self._guard:
            return self._turns.get(conversation, {}).get(turn)
