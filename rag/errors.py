"""Every failure a person can meet, as a tree of plain sentences.

RagError
├── SettingsError        a setting is unknown or malformed
├── QuestionError        the question cannot be asked
├── DocumentError        a file cannot become a document
├── IndexingError        the index cannot be opened, read or changed
│   ├── IndexMissing     there is no index there
│   ├── IndexExists      there is one already
│   ├── IndexMismatch    it was made with another embedder or chunker
│   ├── IndexDamaged     the catalog cannot be read
│   └── IndexLocked      another process is changing it
├── ModelError           an embedding model cannot be loaded or asked
├── PromptError          a prompt template is missing or misses a variable
├── EvaluationError      a suite, run or baseline cannot be read, run or compared
└── BackendError         no answer could be had from an LLM; its ``fault`` says what that leads to
    ├── BackendSetup     it is not configured: unknown name, no key, malformed key
    ├── BackendRefused   the server answered, and said no
    ├── BackendUnreachable  no server answers
    ├── BackendStalled   it stopped sending
    └── BackendGarbled   what it sent is not an answer
"""

from __future__ import annotations

import enum

from .types import Attempt, Usage


class RagError(Exception):
    """A failure with a plain sentence, what to do about it, and whether to try again.

    Args:
        message: What happened, as one sentence for the person.
        remedy: What they can do, as one sentence; empty where there is nothing to say.
        retry: Whether the same call may succeed later without any change.
    """

    def __init__(self, message: str, remedy: str = "", *, retry: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.retry = retry

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(RagError):
    """A setting is unknown or malformed."""


class QuestionError(RagError):
    """The question cannot be asked."""


class DocumentError(RagError):
    """A file cannot become a document."""


class IndexingError(RagError):
    """The index cannot be opened, read or changed."""


class IndexMissing(IndexingError):
    """There is no index in that folder."""


class IndexExists(IndexingError):
    """There is an index in that folder already."""


class IndexMismatch(IndexingError):
    """The index was made with another embedder or chunker."""


class IndexDamaged(IndexingError):
    """The catalog cannot be read."""


class IndexLocked(IndexingError):
    """Another process is changing the index."""


class ModelError(RagError):
    """An embedding model cannot be loaded, or its server gives no vectors."""


class PromptError(RagError):
    """A prompt template is missing, or misses a variable."""


class EvaluationError(RagError):
    """A suite, run or baseline cannot be read, run or compared."""


class Fault(enum.StrEnum):
    """Why an LLM gave no answer, as far as that decides what is done next (``rag.llm.policy``)."""

    SETUP = "not configured"
    REGION = "country not served"
    KEY = "key refused"
    BALANCE = "no credit left"
    MODEL = "no such model"
    RATE = "too many requests"
    OVERLOAD = "overloaded"
    NETWORK = "not reached"
    STALLED = "fell silent"
    GARBLED = "not an answer"
    LENGTH = "broke off at its limit"
    CONTENT = "withheld by a content filter"
    CONTEXT = "prompt too long"
    PARAMETER = "parameter not taken"
    REFUSED = "refused"


# Those that may be over when the same call is made again later.
_PASSING = {Fault.RATE, Fault.OVERLOAD, Fault.NETWORK, Fault.STALLED, Fault.GARBLED}


class BackendError(RagError):
    """No answer could be had from an LLM backend.

    Args:
        message: What happened, as one sentence for the person.
        remedy: What they can do, as one sentence.
        fault: What kind of failure it is; that of the class if left out.
        wait: For how many seconds the server asks to be left alone, where it says so.
        parameter: The field of the request that the server does not take, where it names one.
        status: The HTTP status of a refusal.
        code: What the server calls it, where that is a code that is known.
        passages: How many passages it was sent.

    ``usage`` is what it had read and written by then, where it said so. Of a whole chain ``attempts`` are
    all that were made, and ``discarded`` is what the last backend had written.
    """

    usual = Fault.REFUSED

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        fault: Fault | None = None,
        wait: float | None = None,
        parameter: str = "",
        passages: int = 0,
        status: int | None = None,
        code: str = "",
    ) -> None:
        self.fault = fault or self.usual
        self.wait = wait
        self.parameter = parameter
        self.passages = passages
        self.status = status
        self.code = code
        self.usage = Usage()
        self.attempts: tuple[Attempt, ...] = ()
        self.discarded = ""
        super().__init__(message, remedy, retry=self.fault in _PASSING)


class BackendSetup(BackendError):
    """The backend is not configured: unknown name, no key, malformed key."""

    usual = Fault.SETUP


class BackendRefused(BackendError):
    """The server answered, and said no."""


class BackendUnreachable(BackendError):
    """No server answers."""

    usual = Fault.NETWORK


class BackendStalled(BackendError):
    """The server stopped sending."""

    usual = Fault.STALLED


class BackendGarbled(BackendError):
    """What the server sent is not an answer."""

    usual = Fault.GARBLED
