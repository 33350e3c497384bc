"""Texts as the pieces they consist of, and bags of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

# How often a text of another language is read without its diacritics.
_BARE = 0.2


@dataclass(frozen=True)
class Bags:
    """Bags of pieces: those of bag ``i`` begin at ``pieces[offsets[i]]``."""

    pieces: Ids
    offsets: Ids


class Texts:
    """Texts as pieces, each known by its row."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._pending: list[str] = []
        self._rows: dict[str, int] = {}
        self._pieces: Ids = np.zeros(0, np.int64)
        self._starts: Ids = np.zeros(1, np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, texts: Sequence[str]) -> Ids:
        """The rows of texts, taking in those that are new."""
        rows = []
        for text in texts:
            if text not in self._rows:
                self._rows[text] = len(self._rows)
                self._pending.append(text)
            rows.append(self._rows[text])
        return np.array(rows, np.int64)

    def finish(self) -> None:
        """Tokenize what was taken in."""
        encoded = self._tokenizer.encode_batch_fast(self._pending, add_special_tokens=False)
        ids = [np.array(one.ids, np.int64) for one in encoded]
        self._pieces = np.concatenate(ids)
        self._starts = np.cumsum([0, *map(len, ids)])
        self._pending.clear()

    def counts(self, size: int) -> Ids:
        """How often each piece stands in the texts."""
        return np.bincount(self._pieces, minlength=size)

    def bags(self, *columns: Ids, keep: NDArray[np.float64] | None = None,
             random: np.random.Generator | None = None) -> Bags:  # fmt: skip
        """One bag for each row of the columns, of all texts in that row; -1 is no text.

        Args:
            columns: Rows of texts, each of shape (number of bags,).
            keep: The share of the first column's pieces that are kept, for each bag.
            random: Chooses which.
        """
        texts = np.stack(columns, axis=1).reshape(-1)
        there = texts >= 0
        starts = np.where(there, self._starts[texts], 0)
        lengths = np.where(there, self._starts[texts + 1] - starts, 0)
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        pieces = self._pieces[np.repeat(starts, lengths) + places]
        if keep is not None and random is not None:
            shares = np.ones(texts.shape)
            shares[:: len(columns)] = keep
            kept = random.random(len(pieces)) < np.repeat(shares, lengths)
            segments = np.repeat(np.arange(len(texts)), lengths)[kept]
            pieces, lengths = pieces[kept], np.bincount(segments, minlength=len(texts))
        sizes = lengths.reshape(-1, len(columns)).sum(axis=1)
        return Bags(pieces, np.cumsum(sizes) - sizes)


def sometimes_bare(written: Ids, bare: Ids, drawn: Ids, random: np.random.Generator) -> Ids:
    """The rows that were drawn, some of them without diacritics."""
    without = random.random(len(drawn)) < _BARE
    return np.where(without, bare[drawn], written[drawn])
