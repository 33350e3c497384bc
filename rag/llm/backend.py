"""The seam between the chatbot and whatever writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.messages import Message
from rag.types import Hit, Intent, Reasoning, Turn, Usage
from rag.weighing import Weigh, by_words

if TYPE_CHECKING:
    from rag.abstention import Decision

Evidence = Callable[[str, Sequence[str]], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a backend answers.

    ``messages`` is the whole prompt, for backends that are language models. ``hits`` are the passages
    in the order of their numbers; ``evidence`` weighs texts against a question and ``weigh`` against
    each of its words, for backends that quote. ``question`` stands alone, ``latest`` is what was asked
    last. Where there are ``hits``, a prompt that is too long for a model is written anew with fewer of
    them and of ``history``, see ``rag.llm.budget``: then ``prompted`` says how many ``hits`` it holds;
    ``None`` stands for all. ``most_tokens`` is how long the answer may be, where that is less than the
    settings allow. ``decision`` is what is known already of whether the passages answer. ``meant``
    gives a question with its diacritics and without slips.

    ``intent`` says whether a summary of the passages is wanted in place of an answer: of ``topic``, or
    of whole documents, ``of_documents`` of them, of which ``hits`` may hold only some.
    """

    question: str
    language: str
    hits: tuple[Hit, ...]
    messages: tuple[Message, ...]
    evidence: Evidence
    latest: str = ""
    history: tuple[Turn, ...] = ()
    prompted: int | None = None
    most_tokens: int | None = None
    weigh: Weigh = by_words
    decision: Decision | None = None
    intent: Intent = Intent.ANSWER
    topic: str = ""
    of_documents: int = 0
    meant: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last thing a backend yields: why it stopped, what it used, how many passages it was sent."""

    reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    passages: int = 0


Part = str | Reasoning | Finished


class Backend(Protocol):
    """Something that writes an answer with markers, as a stream of texts and one ``Finished``.

    What a model says to itself comes as ``Reasoning``. Whatever goes wrong is raised as a
    ``rag.errors.BackendError``. A backend that finds no answer in the passages writes
    ``rag.messages.NO_ANSWER`` and nothing else.
    """

    name: str

    def stream(self, request: Request) -> AsyncGenerator[Part, None]:
        """Write the answer. Closing the iterator stops the work behind it at once."""
        ...


@runtime_checkable
class Rewriter(Backend, Protocol):
    """A backend that may follow any prompt, so that it can also rewrite a question."""

    rewrites: bool


@runtime_checkable
class Remote(Backend, Protocol):
    """A backend behind a server, which may want to be left alone for a while.

    ``account`` says whose server and which key, without telling the key: what is wrong with one
    is wrong for all its models. ``named`` is what it was named as, which stays the same when its server
    has said which model it has. ``resells`` is whether it passes requests on to others, so that what
    one of them refuses another may take.
    """

    account: str
    named: str
    resells: bool

    def instead(self) -> Backend | None:
        """The provider's next model, for where the server does not have this one."""
        ...
