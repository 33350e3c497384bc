"""The parts of a passage that its vectors stand for: the whole, and windows of its sentences.

A vector of a whole passage is the mean of all it says; a question is about a sentence or two of
it. An embedder that is quick enough embeds those too, and a passage counts as near as its
nearest window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.text import Span, sentences

# Named in an index's fingerprint: vectors of other windows are not mixed with these.
WINDOWS = "windows-1"

# The numbers that the windows of one passage have in FAISS; one of them is never used.
SLOTS = 64
MOST_WINDOWS = SLOTS - 1

# A sentence of so many characters says enough to stand alone.
_LONG = 500


def windows(text: str, language: str, *, singles: bool = False) -> list[Span]:
    """The spans of a passage that get a vector each.

    First the whole passage; then, in order, every two neighbouring sentences. A long sentence
    stands alone, and so does one between two such. Where there are too many sentences,
    neighbours are joined first. A span that is the whole passage again is left out, so a passage
    of one sentence, or of two, has only itself.

    Args:
        text: The text of a passage.
        language: Its language, ISO 639-1.
        singles: Whether every sentence has a window of its own too.

    Returns:
        Spans in characters of the passage, ``MOST_WINDOWS`` of them at most.
    """
    whole = (0, len(text))
    most = MOST_WINDOWS - 1
    units = _joined(sentences(text, language), most // 2 if singles else most)
    found = set(_pairs(units)) | (set(units) if singles else set())
    return [whole, *sorted(found - {whole})]


def _joined(spans: Sequence[Span], most: int) -> list[Span]:
    """The same spans, or so many neighbours as one that there are ``most`` of them at most."""
    size = -(-len(spans) // most)
    return [
        (group[0][0], group[-1][1])
        for group in (spans[first : first + size] for first in range(0, len(spans), size or 1))
    ]


def _pairs(units: Sequence[Span]) -> Iterator[Span]:
    """Two neighbours at a time where neither is long; those that are in no pair alone."""
    paired = [False] * len(units)
    for place, (one, other) in enumerate(pairwise(units)):
        if not (_is_long(one) or _is_long(other)):
            paired[place] = paired[place + 1] = True
            yield one[0], other[1]
    yield from (unit for unit, is_paired in zip(units, paired, strict=True) if not is_paired)


def _is_long(unit: Span) -> bool:
    return unit[1] - unit[0] >= _LONG
