"""The passages that a search is narrowed to, worked out once for a state of the index."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.text import normalize

from .places import PathLike, as_uri
from .records import Reader, Span
from .vectors import Mask

# How many are kept: whoever asks again asks in the same part of the documents.
_MOST_KEPT = 16


@dataclass(frozen=True, slots=True)
class Conditions:
    """What documents must meet; as ``Reader.matching`` takes it."""

    language: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    folder: str | None = None


def conditions_of(
    language: str | None,
    since: dt.date | None,
    until: dt.date | None,
    source: str | None,
    folder: PathLike | None,
) -> Conditions:
    """What somebody asks documents to meet, as the catalog keeps it; an empty text asks nothing."""
    language, source = language and language.lower(), source and normalize(source)
    place = as_uri(str(folder)) if folder else None
    return Conditions(language or None, since, until, source or None, place)


@dataclass(frozen=True, slots=True)
class Selection:
    """Documents by id, and for every passage id up to their highest whether it is theirs."""

    documents: list[int]
    mask: Mask
    passages: int


class Selections:
    """The selections of one state of the index, those last asked for."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Conditions, Selection] = OrderedDict()
        self._guard = threading.Lock()
        self._languages: list[str] | None = None

    def languages(self, reader: Reader) -> list[str]:
        """The languages of all documents at this state."""
        if self._languages is None:
            self._languages = reader.languages()
        return self._languages

    def get(self, reader: Reader, conditions: Conditions) -> Selection:
        """What meets some conditions.

        Args:
            reader: A view of the catalog at this state.
            conditions: What the documents must meet.
        """
        with self._guard:
            found = self._kept.pop(conditions, None)
        if found is None:
            found = selected(
                reader.matching(
                    conditions.language,
                    conditions.since,
                    conditions.until,
                    conditions.source,
                    conditions.folder,
                )
            )
        with self._guard:
            self._kept[conditions] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


def selected(spans: Sequence[Span]) -> Selection:
    """The documents of some spans, and their passages."""
    firsts = np.array([span.first for span in spans], dtype=np.int64)
    ends = firsts + np.array([span.passages for span in spans], dtype=np.int64)
    edges = np.zeros(int(ends.max(initial=0)) + 1, dtype=np.int32)
    np.add.at(edges, firsts, 1)
    np.add.at(edges, ends, -1)
    mask = np.asarray(np.cumsum(edges) > 0)
    return Selection([span.document for span in spans], mask, int(mask.sum()))
