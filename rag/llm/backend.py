"""The seam between the chatbot and whatever writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.messages import Message
from rag.types import Hit, Usage
from rag.weighing import Weigh, by_words

Evidence = Callable[[str, Sequence[str]], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a backend answers.

    ``messages`` is the whole prompt, for backends that are language models. ``hits`` are the
    passages in the order of their numbers; ``evidence`` weighs texts against a question and
    ``weigh`` against each of its words, for backends that quote. ``question`` includes the earlier
    one that a follow-up leans on, ``latest`` is what was asked last.
    """

    question: str
    language: str
    hits: tuple[Hit, ...]
    messages: tuple[Message, ...]
    evidence: Evidence
    latest: str = ""
    weigh: Weigh = by_words


@dataclass(frozen=True, slots=True)
class Finished:
    """The last thing a backend yields: why it stopped and what it used."""

    reason: str = "stop"
    usage: Usage = field(default_factory=Usage)


class Backend(Protocol):
    """Something that writes an answer with markers, as a stream of texts and one ``Finished``.

    Whatever goes wrong is raised as a ``rag.errors.BackendError``. A backend that finds no
    answer in the passages writes ``rag.messages.NO_ANSWER`` and nothing else.
    """

    name: str

    def stream(self, request: Request) -> AsyncGenerator[str | Finished, None]:
        """Write the answer. Closing the iterator stops the work behind it at once."""
        ...
