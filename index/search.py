"""One search: every side proposes passages, their shares are fused, repeats drop out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.concepts import concepts
from rag.language import detect_language, function_words
from rag.settings import RetrievalSettings
from rag.text import fold, words
from rag.types import Document, Hit, Passage

from .alignment import Alignment
from .derived import Snapshot
from .diacritics import restored
from .embed import Embedder, Matrix
from .fusion import Parts, fused, in_the_text
from .lexical import FOLDED_WEIGHT, calibrate
from .records import Owners, Reader
from .selection import Conditions
from .windows import windows

# Passages whose vectors are this close are the same text in another place.
_NEAR_DUPLICATE = 0.97
# Passages imagined beside the real ones: keep weights sane in an index of a few passages.
_IMAGINED = 10
# Where copies leave too few texts to choose from, up to so many candidates are looked at.
_WIDEST = 4096
# In an index of more languages than these only the question's own is searched by itself as well.
_MOST_LANGUAGES = 4


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its fused score and the calibrated scores it is made of.

    ``window`` is the number of the window that is nearest to the question, of ``windows`` many.
    """

    passage_id: int
    score: float
    lexical: float
    dense: float
    concepts: float
    aligned: float
    window: int
    windows: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the sides of the index take it."""

    text: str
    words: list[str]
    concepts: list[str]
    vector: Matrix


@dataclass(frozen=True, slots=True)
class Search:
    """Searching one snapshot, and the catalog at the same state, with one embedder.

    Without vectors of pieces there is no ``alignment``.
    """

    reader: Reader
    snapshot: Snapshot
    embedder: Embedder
    settings: RetrievalSettings
    alignment: Alignment | None = None

    def ranked(self, text: str, k: int, conditions: Conditions) -> list[Ranked]:
        """The best passages for a question, best first, no two of the same text.

        Args:
            text: The question.
            k: How many at most.
            conditions: What the documents of the passages must meet.
        """
        question = self._asked(text)
        wide = max(self.settings.candidates, 2 * k)
        most = min(_WIDEST, len(self.snapshot.vectors))
        seen: set[int] = set()
        ranked: list[Ranked] = []
        chosen: list[int] = []
        matrix = np.zeros((0, len(question.vector)), dtype=np.float32)
        parts = self._parts_of_the_index(text, conditions)
        while True:
            ids = sorted(self._proposed(question, wide, parts) - seen)
            seen.update(ids)
            if not ids:
                break
            # Copies of what is chosen already would take the places of others again.
            vectors, owners = self.reader.window_vectors(ids)
            wholes = vectors[_firsts(owners)]
            new = (wholes @ matrix[chosen].T).max(axis=1, initial=0) < _NEAR_DUPLICATE
            kept = [passage for passage, is_new in zip(ids, new.tolist(), strict=True) if is_new]
            of_new = new[owners]
            ranked += self._scored(question, kept, vectors[of_new], owners[of_new])
            matrix = np.concatenate([matrix, wholes[new]])
            chosen = _diverse(ranked, matrix, k, self.settings.diversity)
            if len(chosen) >= k or wide >= most:
                break
            wide *= 2
        return [ranked[row] for row in chosen]

    def _asked(self, text: str) -> Question:
        text = restored(text) or text
        keys = list(dict.fromkeys(one.key for one in concepts(text)))
        vector = self.embedder.embed([text], query=True)[0]
        return Question(text, content_words(text), keys, vector)

    def _parts_of_the_index(self, text: str, conditions: Conditions) -> list[Conditions]:
        """What is searched by itself: each language of the documents.

        Many passages in the question's own language would otherwise leave no place among the
        candidates for those in another, which answer it as well.
        """
        if conditions.language:
            return [conditions]
        languages = self.snapshot.selections.languages(self.reader)
        if len(languages) < 2:
            return [conditions]
        if len(languages) <= _MOST_LANGUAGES:
            return [replace(conditions, language=code) for code in languages]
        return [conditions, replace(conditions, language=detect_language(text))]

    def _proposed(self, question: Question, k: int, parts: Sequence[Conditions]) -> set[int]:
        """The candidates of all sides."""
        found: set[int] = set()
        vectors, lexical = self.snapshot.vectors, self.snapshot.lexical
        for conditions in parts:
            among = None
            if conditions != Conditions():
                among = self.snapshot.selections.get(self.reader, conditions)
            found |= {*vectors.search(question.vector, k, among.mask if among else None)}
            found |= {*lexical.search(question.words, k, among, question.concepts)}
        return found

    def _scored(
        self, question: Question, ids: Sequence[int], matrix: Matrix, owners: Owners
    ) -> list[Ranked]:
        """Every part is worked out for each candidate, so none has a zero it did not earn."""
        lexical = self.snapshot.lexical
        by_words = calibrate(lexical.scores(question.words, ids), lexical.rarity(question.words))
        by_concepts = calibrate(
            lexical.concept_scores(question.concepts, ids),
            lexical.concept_rarity(question.concepts),
        )
        near, best, counts = self._dense(question.vector, matrix, owners)
        aligned = None
        if self.alignment:
            written = lexical.written(ids)
            met = self.alignment.of_passages(question.text, written)
            aligned = _shares(met, ids)
        parts = Parts(_shares(by_words, ids), _shares(by_concepts, ids), near, aligned)
        scores = fused(parts, self.settings.dense_weight)
        rows = zip(
            ids,
            scores.tolist(),
            parts.lexical.tolist(),
            near.tolist(),
            parts.concepts.tolist(),
            (np.zeros(len(ids)) if aligned is None else aligned).tolist(),
            best,
            counts,
            strict=True,
        )
        return [Ranked(*row) for row in rows]

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """The share of a question's words, and the dense share, with which texts answer it."""
        if not texts:
            return []
        asked = self._asked(question)
        rarity = self.snapshot.lexical.rarity(asked.words, prior=_IMAGINED)
        held = np.array([coverage(rarity, text) for text in texts], dtype=np.float32)
        if self.alignment:
            held = in_the_text(held, self.alignment.of_texts(asked.text, texts))
        matrix = self.embedder.embed(texts)
        near, _, _ = self._dense(asked.vector, matrix, np.arange(len(texts)))
        return list(zip(held.tolist(), near.tolist(), strict=True))

    def _dense(
        self, query: Matrix, matrix: Matrix, owners: Owners
    ) -> tuple[Matrix, list[int], list[int]]:
        """How near each passage is by its best window, which that is, and of how many.

        The cosine counts as a share of the way from this question's typical cosine to 1, in [0, 1].
        Some questions, and with an English embedder all Vietnamese ones, are close to
        everything; the cosine to the centre of the index says how close. In an index of a
        few passages the centre is hardly more than those passages, and is trusted less.
        """
        if not len(owners):
            return np.zeros(0, dtype=np.float32), [], []
        count = len(self.snapshot.vectors)
        trust = count / (count + _IMAGINED)
        typical = float(query @ self.snapshot.center) * trust
        shares = (matrix @ query - typical) / max(1e-6, 1 - typical)
        windows_of = np.split(shares, _firsts(owners)[1:])
        best = [int(one.argmax()) for one in windows_of]
        near = [one[place] for one, place in zip(windows_of, best, strict=True)]
        return np.clip(np.array(near, dtype=np.float32), 0, 1), best, list(map(len, windows_of))


def hit(document: Document, passage: Passage, found: Ranked) -> Hit:
    """A passage that was found, with the part of it that the question is about."""
    span = None
    if found.windows > 1:
        spans = windows(passage.text, document.language)
        # A text that also stands in a document of another language may be cut otherwise there.
        if len(spans) == found.windows:
            start, end = spans[found.window]
            span = passage.start + start, passage.start + end
    return Hit(
        document,
        passage,
        found.score,
        found.lexical,
        found.dense,
        found.concepts,
        found.aligned,
        span,
    )


def content_words(question: str) -> list[str]:
    """The words of a question that carry its topic, or all of them where none does."""
    every = list(dict.fromkeys(words(question)))
    return [word for word in every if word not in function_words()] or every


def _shares(scores: dict[int, float], ids: Sequence[int]) -> Matrix:
    return np.array([scores.get(one, 0.0) for one in ids], dtype=np.float32)


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
