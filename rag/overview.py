"""What a summary is made of: passages from all over a document, or from several.

A search finds what is like a question, and to "summarize this" everything is as like as anything
else. So the documents are chosen first, and then passages that lie evenly in each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol, runtime_checkable

from .intents import Aim
from .text import fold, words
from .types import Hit

# A passage is of a topic, too, if its score is so much of the best one's.
NEARLY_AS_GOOD = 0.5


class Listed(Protocol):
    """A document in a listing; ``rag.index.records.Entry`` is one."""

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
class Library(Protocol):
    """A retriever that also knows which documents there are; ``rag.Index`` is one."""

    def documents(self, **filters: Any) -> Sequence[Listed]:
        """The documents that meet the filters of ``Retriever.search``."""
        ...

    def passages(self, uri: str) -> list[Hit]:
        """All passages of a document, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Overview:
    """Passages for a summary.

    ``documents`` is how many documents it should be of, of which ``hits`` may hold only some.
    ``topic`` is given where only what is told of it is wanted, not whole documents.
    """

    hits: tuple[Hit, ...]
    documents: int
    topic: str = ""

    @property
    def shown(self) -> int:
        """Of how many documents there are passages."""
        return len({hit.document.uri for hit in self.hits})


def overview(
    aim: Aim,
    said: str,
    library: Library,
    filters: dict[str, Any],
    search: Callable[[str], list[Hit]],
    most: int,
) -> Overview:
    """The passages that a summary is made of, document by document, in the order of their text.

    Args:
        aim: What is to be summarized.
        said: The whole request, in which documents may be named.
        library: The documents.
        filters: Which of them are meant, as ``Retriever.search`` takes it.
        search: Finds passages for a topic among these, best first; none where none are about it.
        most: How many passages at most.
    """
    listed = library.documents(**filters)
    named = [one for one in listed if _is_named(one, said)]
    if not named and aim.topic:
        found = search(aim.topic)
        if not found:
            return Overview((), 0)
        if not aim.single:
            good = [hit for hit in found[:most] if hit.score >= NEARLY_AS_GOOD * found[0].score]
            chosen = sorted(good, key=_first_of(found))
            count = len({hit.document.uri for hit in chosen})
            return Overview(tuple(chosen), count, aim.topic)
        best = found[0].document.uri
        return Overview(tuple(_spread(library.passages(best), most)), 1)
    documents = newest_first(named or listed)
    if aim.newest and aim.single and documents and documents[0].published:
        documents = documents[:1]
    some = documents[:most]
    hits: list[Hit] = []
    for number, one in enumerate(some):
        share = (most - len(hits)) // (len(some) - number)
        hits += _spread(library.passages(one.uri), share)
    return Overview(tuple(hits), len(documents))


def newest_first(documents: Sequence[Listed]) -> list[Listed]:
    """Documents by their date, those without one last."""
    return sorted(documents, key=lambda one: one.published or dt.date.min, reverse=True)


def _is_named(document: Listed, said: str) -> bool:
    """Whether a request has a document's file name, or its title if that is more than a word."""
    asked = f" {' '.join(words(fold(said)))} "
    name = PurePath(document.name)
    calls = [words(fold(one)) for one in (document.name, name.stem, document.title)]
    return any(
        len(call) > (0 if position == 0 and name.suffix else 1) and f" {' '.join(call)} " in asked
        for position, call in enumerate(calls)
    )


def _first_of(found: Sequence[Hit]) -> Callable[[Hit], tuple[int, int]]:
    """An order in which passages of one document stand together, the best document first."""
    place: dict[str, int] = {}
    for hit in found:
        place.setdefault(hit.document.uri, len(place))
    return lambda hit: (place[hit.document.uri], hit.passage.start)


def _spread(passages: Sequence[Hit], most: int) -> list[Hit]:
    """So many passages of a document, the first and others at even distances."""
    if len(passages) <= most:
        return list(passages)
    return [passages[place * len(passages) // most] for place in range(most)]
