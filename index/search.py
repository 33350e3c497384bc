"""One search: both sides propose passages, calibrated scores are fused, repeats drop out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.language import function_words
from rag.settings import RetrievalSettings
from rag.text import fold, words
from rag.types import Document, Hit, Passage

from .derived import Snapshot
from .embed import Embedder, Matrix
from .lexical import FOLDED_WEIGHT, calibrate
from .records import Owners, Reader
from .selection import Conditions, Selection
from .windows import windows

# Passages whose vectors are this close are the same text in another place.
_NEAR_DUPLICATE = 0.97
# Passages imagined beside the real ones: keep weights sane in an index of a few passages.
_IMAGINED = 10
# Where copies leave too few texts to choose from, up to so many candidates are looked at.
_WIDEST = 4096


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its fused score and the two calibrated scores it is made of.

    ``window`` is the number of the window that is nearest to the question, of ``windows`` many.
    """

    passage_id: int
    score: float
    lexical: float
    dense: float
    window: int
    windows: int


@dataclass(frozen=True, slots=True)
class Search:
    """Searching one snapshot, and the catalog at the same state, with one embedder."""

    reader: Reader
    snapshot: Snapshot
    embedder: Embedder
    settings: RetrievalSettings

    def selection(
        self,
        language: str | None,
        since: dt.date | None,
        until: dt.date | None,
        source: str | None,
        folder: str | None,
    ) -> Selection:
        """The passages of the documents that meet conditions; as ``Reader.matching`` takes them."""
        conditions = Conditions(language, since, until, source, folder)
        return self.snapshot.selections.get(self.reader, conditions)

    def ranked(self, question: str, k: int, among: Selection | None = None) -> list[Ranked]:
        """The best passages for a question, best first, no two of the same text.

        Args:
            question: The question.
            k: How many at most.
            among: Only these passages are searched, if given.
        """
        question_words = content_words(question)
        query = self.embedder.embed([question], query=True)[0]
        wide = max(self.settings.candidates, 2 * k)
        passages = len(self.snapshot.vectors) if among is None else among.passages
        most = min(_WIDEST, passages)
        seen: set[int] = set()
        ranked: list[Ranked] = []
        chosen: list[int] = []
        matrix = np.zeros((0, len(query)), dtype=np.float32)
        while True:
            ids = sorted(self._proposed(question_words, query, wide, among) - seen)
            seen.update(ids)
            if not ids:
                break
            # Copies of what is chosen already would take the places of others again.
            vectors, owners = self.reader.window_vectors(ids)
            wholes = vectors[_firsts(owners)]
            new = (wholes @ matrix[chosen].T).max(axis=1, initial=0) < _NEAR_DUPLICATE
            kept = [passage for passage, is_new in zip(ids, new.tolist(), strict=True) if is_new]
            of_new = new[owners]
            ranked += self._scored(question_words, query, kept, vectors[of_new], owners[of_new])
            matrix = np.concatenate([matrix, wholes[new]])
            chosen = _diverse(ranked, matrix, k, self.settings.diversity)
            if len(chosen) >= k or wide >= most:
                break
            wide *= 2
        return [ranked[row] for row in chosen]

    def _proposed(
        self, question_words: Sequence[str], query: Matrix, k: int, among: Selection | None
    ) -> set[int]:
        """The candidates of both sides."""
        near = self.snapshot.vectors.search(query, k, among.mask if among else None)
        return {*near, *self.snapshot.lexical.search(question_words, k, among)}

    def _scored(
        self,
        question_words: Sequence[str],
        query: Matrix,
        ids: Sequence[int],
        matrix: Matrix,
        owners: Owners,
    ) -> list[Ranked]:
        """Both sides score every candidate, so none is fused with a zero it did not earn."""
        lexical, weight = self.snapshot.lexical, self.settings.dense_weight
        shares = calibrate(lexical.scores(question_words, ids), lexical.rarity(question_words))
        ranked = []
        for passage, (similarity, *window) in zip(
            ids, self._dense(query, matrix, owners), strict=True
        ):
            share = shares.get(passage, 0.0)
            fused = weight * similarity + (1 - weight) * share
            ranked.append(Ranked(passage, fused, share, similarity, *window))
        return ranked

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """The lexical and the dense share with which each text answers a question."""
        if not texts:
            return []
        rarity = self.snapshot.lexical.rarity(content_words(question), prior=_IMAGINED)
        query = self.embedder.embed([question], query=True)[0]
        dense = self._dense(query, self.embedder.embed(texts), np.arange(len(texts)))
        return [
            (coverage(rarity, text), similarity)
            for text, (similarity, _, _) in zip(texts, dense, strict=True)
        ]

    def _dense(
        self, query: Matrix, matrix: Matrix, owners: Owners
    ) -> Iterator[tuple[float, int, int]]:
        """How near each passage is by its best window, which that is, and of how many.

        The cosine counts as a share of the way from this question's typical cosine to 1, in [0, 1].
        Some questions, and with an English embedder all Vietnamese ones, are close to
        everything; the cosine to the centre of the index says how close. In an index of a
        few passages the centre is hardly more than those passages, and is trusted less.
        """
        count = len(self.snapshot.vectors)
        trust = count / (count + _IMAGINED)
        typical = float(query @ self.snapshot.center) * trust
        shares = (matrix @ query - typical) / max(1e-6, 1 - typical)
        for of_one in np.split(shares, _firsts(owners)[1:]) if len(owners) else ():
            best = int(of_one.argmax())
            yield min(1.0, max(0.0, float(of_one[best]))), best, len(of_one)


def hit(document: Document, passage: Passage, found: Ranked) -> Hit:
    """A passage that was found, with the part of it that the question is about."""
    span = None
    if found.windows > 1:
        spans = windows(passage.text, document.language)
        # A text that also stands in a document of another language may be cut otherwise there.
        if len(spans) == found.windows:
            start, end = spans[found.window]
            span = passage.start + start, passage.start + end
    return Hit(document, passage, found.score, found.lexical, found.dense, span)


def content_words(question: str) -> list[str]:
    """The words of a question that carry its topic, or all of them where none does."""
    every = list(dict.fromkeys(words(question)))
    return [word for word in every if word not in function_words()] or every


def _firsts(owners: Owners) -> Owners:
    """Where the vectors of each passage begin."""
    return np.flatnonzero(np.diff(owners, prepend=-1))


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


def _diverse(ranked: list[Ranked], matrix: Matrix, k: int, diversity: float) -> list[int]:
    """The rows of k passages by maximal marginal relevance, and never two of the same text.

    Source: Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking"; the
    penalty is ``diversity`` times the relevance times the similarity to the nearest chosen
    passage, so it never lifts an irrelevant passage over a relevant one.
    """
    scores = np.array([one.score for one in ranked])
    nearest = np.zeros(len(ranked))
    open_ = np.ones(len(ranked), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < k and open_.any():
        values = np.where(open_, scores * (1 - diversity * nearest), -np.inf)
        best = int(np.argmax(values))
        chosen.append(best)
        similarity = np.clip(matrix @ matrix[best], 0, 1)
        nearest = np.maximum(nearest, similarity)
        open_ &= similarity < _NEAR_DUPLICATE
        open_[best] = False
    return chosen
