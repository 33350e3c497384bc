"""One search: both sides propose passages, calibrated scores are fused, repeats drop out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.language import function_words
from rag.settings import RetrievalSettings
from rag.text import fold, words

from .derived import Snapshot
from .embed import Embedder, Matrix
from .lexical import FOLDED_WEIGHT, calibrate
from .records import Reader, Span
from .vectors import Mask

# Passages whose vectors are this close are the same text in another place.
_NEAR_DUPLICATE = 0.97
# Passages imagined beside the real ones: keep weights sane in an index of a few passages.
_IMAGINED = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its fused score and the two calibrated scores it is made of."""

    passage_id: int
    score: float
    lexical: float
    dense: float


@dataclass(frozen=True, slots=True)
class Search:
    """Searching one snapshot, and the catalog at the same state, with one embedder."""

    reader: Reader
    snapshot: Snapshot
    embedder: Embedder
    settings: RetrievalSettings

    def ranked(self, question: str, k: int, allowed: Sequence[Span] | None = None) -> list[Ranked]:
        """The best passages for a question, best first.

        Args:
            question: The question.
            k: How many at most.
            allowed: Only passages of these documents are searched, if given.
        """
        vectors, lexical = self.snapshot.vectors, self.snapshot.lexical
        question_words = content_words(question)
        query = self.embedder.embed([question], query=True)[0]
        wide = max(self.settings.candidates, 2 * k)
        mask = None if allowed is None else _mask(allowed)
        within = None if allowed is None else [span.document for span in allowed]
        proposed = vectors.search(query, wide, mask)
        proposed += lexical.search(question_words, wide, within)
        ids = sorted(set(proposed))
        if not ids:
            return []
        # Both sides score every candidate, so none is fused with a zero it did not earn.
        scores = lexical.scores(question_words, ids)
        matrix = self.reader.vectors(ids)
        dense = self._dense(query, matrix)
        shares = calibrate(scores, lexical.rarity(question_words))
        weight = self.settings.dense_weight
        ranked = []
        for passage, similarity in zip(ids, dense.tolist(), strict=True):
            share = shares.get(passage, 0.0)
            fused = weight * similarity + (1 - weight) * share
            ranked.append(Ranked(passage, fused, share, similarity))
        return _diverse(ranked, matrix, k, self.settings.diversity)

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """The lexical and the dense share with which each text answers a question."""
        if not texts:
            return []
        rarity = self.snapshot.lexical.rarity(content_words(question), prior=_IMAGINED)
        query = self.embedder.embed([question], query=True)[0]
        dense = self._dense(query, self.embedder.embed(texts)).tolist()
        return [
            (coverage(rarity, text), similarity)
            for text, similarity in zip(texts, dense, strict=True)
        ]

    def _dense(self, query: Matrix, matrix: Matrix) -> Matrix:
        """Cosines as a share of the way from this question's typical cosine to 1, in [0, 1].

        Some questions, and with an English embedder all Vietnamese ones, are close to
        everything; the cosine to the centre of the index says how close. In an index of a
        few passages the centre is hardly more than those passages, and is trusted less.
        """
        count = len(self.snapshot.vectors)
        trust = count / (count + _IMAGINED)
        typical = float(query @ self.snapshot.center) * trust
        shares = (matrix @ query - typical) / max(1e-6, 1 - typical)
        return np.asarray(np.clip(shares, 0, 1), dtype=np.float32)


def content_words(question: str) -> list[str]:
    """The words of a question that carry its topic, or all of them where none does."""
    every = list(dict.fromkeys(words(question)))
    return [word for word in every if word not in function_words()] or every


def coverage(rarity: dict[str, float], text: str) -> float:
    """The share of a question's words, by weight, that stand in a text, in [0, 1].

    A word that stands there only without its diacritics counts ``FOLDED_WEIGHT``.
    """
    total = sum(rarity.values())
    if not total:
        return 0.0
    present = set(words(text))
    bare = {fold(word) for word in present}
    found = sum(
        weight * (1 if word in present else FOLDED_WEIGHT if fold(word) in bare else 0)
        for word, weight in rarity.items()
    )
    return found / total


def _mask(spans: Sequence[Span]) -> Mask:
    """For every passage id up to the highest allowed one whether it is allowed."""
    edges = np.zeros(max((s.first + s.passages for s in spans), default=0) + 1, dtype=np.int32)
    np.add.at(edges, [span.first for span in spans], 1)
    np.add.at(edges, [span.first + span.passages for span in spans], -1)
    return np.asarray(np.cumsum(edges) > 0)


def _diverse(ranked: list[Ranked], matrix: Matrix, k: int, diversity: float) -> list[Ranked]:
    """Choose k passages by maximal marginal relevance, and never two of the same text.

    Source: Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking"; the
    penalty is ``diversity`` times the relevance times the similarity to the nearest chosen
    passage, so it never lifts an irrelevant passage over a relevant one.
    """
    scores = np.array([one.score for one in ranked])
    nearest = np.zeros(len(ranked))
    open_ = np.ones(len(ranked), dtype=bool)
    chosen: list[Ranked] = []
    while len(chosen) < k and open_.any():
        values = np.where(open_, scores * (1 - diversity * nearest), -np.inf)
        best = int(np.argmax(values))
        chosen.append(ranked[best])
        similarity = np.clip(matrix @ matrix[best], 0, 1)
        nearest = np.maximum(nearest, similarity)
        open_ &= similarity < _NEAR_DUPLICATE
        open_[best] = False
    return chosen
