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
└── BackendError         no answer could be had from an LLM
    ├── BackendSetup     it is not configured: unknown name, no key, malformed key
    ├── BackendRefused   the server answered, and said no
    ├── BackendUnreachable  no server answers
    ├── BackendStalled   it stopped sending
    └── BackendGarbled   what it sent is not an answer
"""

from __future__ import annotations


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


class BackendError(RagError):
    """No answer could be had from an LLM backend."""


class BackendSetup(BackendError):
    """The backend is not configured: unknown name, no key, malformed key."""


class BackendRefused(BackendError):
    """The server answered, and said no."""


class BackendUnreachable(BackendError):
    """No server answers."""


class BackendStalled(BackendError):
    """The server stopped sending."""


class BackendGarbled(BackendError):
    """What the server sent is not an answer."""
