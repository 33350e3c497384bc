"""Word by word: how well a passage meets each piece of a question, whatever its language.

A sum of vectors says what a text is about; that a passage has something for every word of the
question it cannot say. So each piece of the question looks for the nearest piece of the passage,
as each token does in late interaction (Khattab and Zaharia 2020, "ColBERT"), with the static
vectors: "thủ đô" is near "capital". A piece counts as much as it weighs in a sum, squared, which
the embedder has learned: what asks, and what stands everywhere, weighs little.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.types import PieceMatch

from .embed import Matrix

Ids = NDArray[np.int64]


@runtime_checkable
class Pieces(Protocol):
    """An embedder with a vector for each piece of a text, as ``StaticEmbedder``."""

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        """The pieces of each text, in order."""
        ...

    def token_vectors(self, ids: Ids) -> Matrix:
        """The vectors of pieces, shape (number of pieces, dimension), of length 1 or all zeros."""
        ...

    def token_weights(self, ids: Ids) -> Matrix:
        """How much pieces count in a sum of their vectors, shape (number of pieces,), >= 0."""
        ...

    def token_texts(self, ids: Ids) -> list[str]:
        """Pieces as a person reads them."""
        ...


class Alignment:
    """Aligns questions with passages, and remembers the pieces of the passages it saw last.

    Args:
        pieces: The embedder.
        most: How many passages are remembered; one takes about half a kibibyte.
    """

    def __init__(self, pieces: Pieces, most: int = 20_000) -> None:
        self._pieces, self._most = pieces, most
        self._known: OrderedDict[int, Ids] = OrderedDict()
        self._guard = threading.Lock()

    def of_passages(self, question: str, passages: Mapping[int, str]) -> dict[int, float]:
        """How well passages meet a question, in [0, 1], by passage id.

        Args:
            question: The question.
            passages: The words of each passage, by its id; one id always means the same words.
        """
        with self._guard:
            known = {one: self._known[one] for one in passages if one in self._known}
        new = [one for one in passages if one not in known]
        known |= zip(new, self._distinct([passages[one] for one in new]), strict=True)
        with self._guard:
            for one in passages:
                self._known[one] = known[one]
                self._known.move_to_end(one)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        shares = self._shares(question, [known[one] for one in passages])
        return dict(zip(passages, shares.tolist(), strict=True))

    def of_texts(self, question: str, texts: Sequence[str]) -> Matrix:
        """How well texts meet a question, in [0, 1], shape (number of texts,)."""
        return self._shares(question, self._distinct(texts))

    def matches(self, question: str, text: str) -> list[PieceMatch]:
        """Which piece of a text is nearest to each piece of a question, the heaviest piece first.

        Their weights times their similarities sum to what ``of_texts`` gives.
        """
        (asked,), (held,) = self._distinct([question]), self._distinct([text])
        weights = self._pieces.token_weights(asked) ** 2
        if not weights.sum():
            return []
        nearness = self._pieces.token_vectors(asked) @ self._pieces.token_vectors(held).T
        # A text without pieces still has something to be nearest to: nothing, which is not near.
        nearness = np.pad(np.clip(nearness, 0, 1), ((0, 0), (0, 1)))
        best = nearness.argmax(axis=1)
        similar = nearness.max(axis=1).tolist()
        names = [*self._pieces.token_texts(held), ""]
        shares = (weights / weights.sum()).tolist()
        matches = [
            PieceMatch(piece, names[place] if similarity else "", share, similarity)
            for piece, place, share, similarity in zip(
                self._pieces.token_texts(asked), best.tolist(), shares, similar, strict=True
            )
            if share
        ]
        return sorted(matches, key=lambda one: -one.weight)

    def _distinct(self, texts: Sequence[str]) -> list[Ids]:
        return [np.unique(ids) for ids in self._pieces.token_ids(texts)] if texts else []

    def each(self, question: str, texts: Sequence[str]) -> tuple[Matrix, Matrix]:
        """How well texts meet each piece of a question.

        Returns:
            The weights of the pieces, squared, shape (number of pieces,), and how near the nearest
            piece of each text is to each, in [0, 1], shape (number of pieces, number of texts).
        """
        return self._met(question, self._distinct(texts))

    def _shares(self, question: str, texts: Sequence[Ids]) -> Matrix:
        weights, met = self._met(question, texts)
        if not weights.sum():
            return np.zeros(len(texts), dtype=np.float32)
        return np.asarray(weights @ met / weights.sum(), dtype=np.float32)

    def _met(self, question: str, texts: Sequence[Ids]) -> tuple[Matrix, Matrix]:
        asked = np.unique(self._pieces.token_ids([question])[0])
        weights = self._pieces.token_weights(asked) ** 2
        met = np.zeros((len(asked), len(texts)), dtype=np.float32)
        filled = [row for row, ids in enumerate(texts) if len(ids)]
        if not filled or not len(asked):
            return weights, met
        together = np.concatenate([texts[row] for row in filled])
        each, places = np.unique(together, return_inverse=True)
        nearness = self._pieces.token_vectors(asked) @ self._pieces.token_vectors(each).T
        starts = np.cumsum([0, *(len(texts[row]) for row in filled[:-1])])
        met[:, filled] = np.maximum.reduceat(np.clip(nearness, 0, 1)[:, places], starts, axis=1)
        return weights, met
