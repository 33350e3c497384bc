"""What the chatbot needs of an index, and the question it really asks it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from .language import follow_ups, function_words, question_kinds
from .text import names, words
from .types import Hit, Turn
from .weighing import Weighing

# A question with at most this many words of its own topic may lean on the one before it.
_FEW = 4


class Retriever(Protocol):
    """Something that finds passages; ``rag.Index`` is one."""

    def search(
        self,
        question: str,
        k: int | None = None,
        *,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        folder: str | None = None,
    ) -> list[Hit]:
        """The passages that fit a question best, best first."""
        ...

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """The lexical and the dense share, each in [0, 1], with which texts answer a question."""
        ...

    def weigh(self, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
        """What texts have for each word and piece of some questions, or of parts of one."""
        ...


def standalone(question: str, history: Sequence[Turn]) -> str:
    """A follow-up question together with those it leans on; any other as it is.

    A question leans on the last one when it has no topic of its own ("why?"), or points back
    in a few words ("what did they say?", "còn Google thì sao?") without asking something whole
    about something named ("and who is Winston Ma?").
    """
    asked = [question]
    for turn in reversed(history):
        if not _leans(asked[-1]):
            break
        asked.append(turn.question)
    return " ".join(reversed(asked))


def _leans(question: str) -> bool:
    tokens = words(question)
    topic = [word for word in tokens if word not in function_words()]
    spaced = f" {' '.join(tokens)} "
    points_back = any(phrase in spaced for phrase in follow_ups(opening=False))
    points_back = points_back or spaced.startswith(tuple(follow_ups(opening=True)))
    whole = names(question) and any(question_kinds(question, code) for code in ("en", "vi"))
    return not topic or (points_back and len(topic) <= _FEW and not whole)
