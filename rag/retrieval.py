"""What the chatbot needs of an index, and one search with several questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from .types import Hit
from .weighing import Weighing

__all__ = [
    "Corpus",
    "Filters",
    "Library",
    "Listed",
    "Retriever",
    "Speller",
    "search_all",
    "with_head",
]


# Among so many passages that tell a document's date is its head.
_HEADS = 10


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a question is put to; see ``Index.search``."""

    language: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    folder: str | None = None

    def of_language(self, language: str) -> Filters | None:
        """The same for documents in a language; ``None`` where those are in another."""
        if not language or language == (self.language or "").lower():
            return self
        return None if self.language else replace(self, language=language)


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


@runtime_checkable
class Corpus(Protocol):
    """A retriever that also knows the languages of its documents; ``rag.Index`` is one."""

    def languages(self) -> frozenset[str]:
        """The languages of the documents, ISO 639-1."""
        ...


class Listed(Protocol):
    """A document in a listing; ``rag.index.records.Entry`` is one."""

    @property
    def id(self) -> int:
        """Its number; the later it was added, the higher."""
        ...

    @property
    def uri(self) -> str:
        """The address that names it."""
        ...

    @property
    def name(self) -> str:
        """The file's own name."""
        ...

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def published(self) -> dt.date | None:
        """When it was published, if that is known."""
        ...


@runtime_checkable
class Library(Corpus, Protocol):
    """A corpus that also lists its documents; ``rag.Index`` is one."""

    def documents(
        self,
        *,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        folder: str | None = None,
    ) -> Sequence[Listed]:
        """The documents, narrowed as ``Retriever.search`` is."""
        ...

    def excerpts(self, uris: Sequence[str], most: int) -> list[Hit]:
        """Passages that lie evenly in documents, so many of each at most; documents that are gone left out."""
        ...


@runtime_checkable
class Speller(Protocol):
    """A retriever that also knows how its documents spell; ``rag.Index`` is one."""

    def corrected(self, question: str) -> str:
        """A question as it was probably meant: with its diacritics, and without slips."""
        ...


def search_all(
    retriever: Retriever,
    questions: Sequence[str],
    k: int,
    *,
    language: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    source: str | None = None,
    folder: str | None = None,
) -> list[Hit]:
    """The passages that fit a question, asked in several wordings or languages.

    Each passage comes once, with the best score that any wording gives it. The first wording
    decides: the better half of what it finds keeps a place whatever the others find.

    Args:
        retriever: Where to search.
        questions: The question first, then its translations; at least one.
        k: How many passages at most.
        language: Only documents in this language, as the other filters of ``Retriever.search``.
        since: Only documents published on this day or later.
        until: Only documents published on this day or earlier.
        source: Only documents whose URI or title holds this text.
        folder: Only documents in this folder.

    Returns:
        At most ``k`` hits, best first; those with one score in the order in which they were found.
    """
    found = [
        retriever.search(
            question,
            k,
            language=language,
            since=since,
            until=until,
            source=source,
            folder=folder,
        )
        for question in dict.fromkeys(questions)
    ]
    if len(found) == 1:
        return found[0]
    best: dict[str, Hit] = {}
    for hit in (hit for hits in found for hit in hits):
        # By the text, since one wording may find a passage and another its copy elsewhere.
        if hit.passage.text not in best or hit.score > best[hit.passage.text].score:
            best[hit.passage.text] = hit
    kept = {hit.passage.text for hit in found[0][: (k + 1) // 2]}
    ranked = sorted(best.values(), key=lambda hit: -hit.score)
    others = [hit.passage.text for hit in ranked if hit.passage.text not in kept]
    kept.update(others[: max(0, k - len(kept))])
    return [hit for hit in ranked if hit.passage.text in kept]


def with_head(retriever: Retriever, hits: Sequence[Hit]) -> list[Hit]:
    """Passages, the last one replaced with the head of the first one's document if it is missing.

    The head is where a document says when it was published.
    """
    document = hits[0].document if hits else None
    if document is None or document.published is None:
        return list(hits)
    there = {(hit.document.uri, hit.passage.start) for hit in hits}
    day = document.published.isoformat()
    found = retriever.search(day, _HEADS, source=document.uri)
    own = [hit for hit in found if hit.document.uri == document.uri]
    head = min(own, key=lambda hit: hit.passage.start, default=None)
    if head is None or (document.uri, head.passage.start) in there:
        return list(hits)
    if (
        min(hit.passage.start for hit in hits if hit.document.uri == document.uri)
        < head.passage.start
    ):
        return list(hits)
    return [*hits[: max(1, len(hits) - 1)], head]
