"""One search: every side proposes passages, their shares are fused, repeats drop out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.concepts import concepts
from rag.errors import IndexDamaged
from rag.language import detect_language, function_words
from rag.settings import RetrievalSettings
from rag.text import fold, words
from rag.types import Document, Hit, Passage

from .alignment import Alignment
from .arrays import Matrix
from .copies import NEAR_DUPLICATE, Wordings
from .derived import Snapshot
from .diversity import diverse
from .embed import Embedder
from .fusion import Parts, fused, in_the_text, levelled
from .lexical import FOLDED_WEIGHT, calibrate
from .records import RESTORE, Owners, Reader
from .rerank import Reranker, combined
from .selection import Conditions
from .spelling import Speller
from .vectors import Mask
from .windows import windows

# What a piece that a sentence meets counts for the word itself; a sentence says less by chance than
# a passage does.
_WORTH_IN_A_SENTENCE = 0.7
# Passages in two languages this close say the same, for static vectors: of XQuAD's paragraphs 93% of the
# translations are, and 0.05% of the others (evals/LOG.md, "Translations among the first five").
_TRANSLATION = 0.6
# Passages imagined beside the real ones: keep weights sane in an index of a few passages.
IMAGINED = 10
# Where copies leave too few texts to choose from, up to so many candidates are looked at.
_WIDEST = 4096
# In an index of more languages than these only the question's own is searched by itself as well.
_MOST_LANGUAGES = 12


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its score and the calibrated scores it is made of.

    ``window`` is the number of the window that is nearest to the question, of ``windows`` many.
    ``reranked`` is the reranker's score, of those that one has read.
    """

    passage_id: int
    score: float
    lexical: float
    dense: float
    concepts: float
    aligned: float
    window: int
    windows: int
    reranked: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the sides of the index take it.

    ``understood`` is the share of it that its vector stands for, in [0, 1].
    """

    text: str
    language: str
    words: list[str]
    concepts: list[str]
    vector: Matrix
    understood: float


@dataclass(frozen=True, slots=True)
class Search:
    """Searching one snapshot, and the catalog at the same state, with one embedder.

    Without vectors of pieces there is no ``alignment``, and no ``reranker`` unless one is set.
    """

    reader: Reader
    snapshot: Snapshot
    embedder: Embedder
    settings: RetrievalSettings
    alignment: Alignment | None = None
    reranker: Reranker | None = None

    def ranked(self, text: str, k: int, conditions: Conditions) -> list[Ranked]:
        """The best passages for a question, best first, no two of the same text.

        One that nothing speaks for is not found: all passages are as good an answer to "???".

        Args:
            text: The question.
            k: How many at most.
            conditions: What the documents of the passages must meet.
        """
        question = self.asked(text)
        wide = max(self.settings.candidates, 2 * k)
        most = min(_WIDEST, len(self.snapshot.vectors))
        seen: set[int] = set()
        found: list[Ranked] = []
        ranked = found
        read: dict[int, float] = {}
        wordings = Wordings(self.reader)
        chosen: list[int] = []
        matrix = np.zeros((0, len(question.vector)), dtype=np.float32)
        kinds = np.zeros(0, dtype=np.int64)
        parts = self.parts_of_the_index(question, conditions)
        while True:
            proposed = self._proposed(question, wide, parts)
            ids = sorted(proposed.keys() - seen)
            seen.update(ids)
            if not ids:
                break
            vectors, owners = self.reader.window_vectors(ids)
            wholes = vectors[_firsts(owners)]
            there = [found[row].passage_id for row in chosen]
            new = _unlike(ids, wholes, there, matrix[chosen], wordings)
            kept = [passage for passage, is_new in zip(ids, new.tolist(), strict=True) if is_new]
            of_new = new[owners]
            foreign = np.array(
                [is_foreign(question, parts[proposed[one]]) for one in kept], dtype=np.bool_
            )
            found += self._scored(question, kept, vectors[of_new], owners[of_new], foreign)
            matrix = np.concatenate([matrix, wholes[new]])
            kinds = np.append(kinds, [proposed[one] for one in kept])
            ranked = self._reread(question, found, matrix, kinds, read, wordings)
            chosen = self._diverse(ranked, matrix, kinds, k, wordings, self.settings)
            if len(chosen) >= k or wide >= most:
                break
            wide *= 2
        return [ranked[row] for row in chosen if ranked[row].score > 0]

    def _reread(
        self,
        question: Question,
        found: list[Ranked],
        matrix: Matrix,
        kinds: Owners,
        read: dict[int, float],
        wordings: Wordings,
    ) -> list[Ranked]:
        """The same passages with the scores that they have once the reranker has read the best.

        ``read`` keeps what it gave, by passage, so it reads none twice for one question; ``matrix``
        is as ``diverse`` takes it, which keeps copies of one text from being read.
        """
        if self.reranker is None:
            return found
        settings = replace(self.settings, diversity=0.0)
        rows = self._diverse(found, matrix, kinds, settings.reranked, wordings, settings)
        best = {found[row].passage_id for row in rows}
        new = sorted(best - read.keys())
        texts = [passage.text for passage, _ in self.reader.passages(new)]
        read.update(zip(new, self.reranker.scores(question.text, texts).tolist(), strict=True))
        given = [read[one.passage_id] if one.passage_id in best else None for one in found]
        return [
            replace(one, score=combined(one.score, reranked), reranked=reranked)
            for one, reranked in zip(found, given, strict=True)
        ]

    def _diverse(
        self,
        found: list[Ranked],
        matrix: Matrix,
        kinds: Owners,
        k: int,
        wordings: Wordings,
        settings: RetrievalSettings,
    ) -> list[int]:
        """The rows of k passages as ``diverse`` chooses them."""

        def are_copies(row: int, others: list[int]) -> list[bool]:
            ids = [found[one].passage_id for one in others]
            return wordings.are_copies(found[row].passage_id, ids)

        translation = _TRANSLATION if self.alignment else 1.0
        return diverse(_scores(found), matrix, kinds, k, settings, are_copies, translation)

    def asked(self, text: str) -> Question:
        """A question as the sides of the index take it."""
        language = detect_language(text)
        text = self.corrected(text, language)
        keys = list(dict.fromkeys(one.key for one in concepts(text)))
        vector = self.embedder.embed([text], query=True)[0]
        return Question(text, language, content_words(text), keys, vector, self.understood(text))

    def corrected(self, text: str, language: str | None = None) -> str:
        """A question as it was probably meant: with its diacritics, its words spelled as here."""
        return Speller(self.snapshot.lexical, self.alignment).corrected(text, language)

    def understood(self, text: str) -> float:
        """The share of a question that the embedder knows the words of, in [0, 1]."""
        return self.alignment.understood(text) if self.alignment else 1.0

    def parts_of_the_index(self, question: Question, conditions: Conditions) -> list[Conditions]:
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
            parts = [replace(conditions, language=code) for code in languages]
            if conditions == Conditions():
                self._check(parts)
            return parts
        return [conditions, replace(conditions, language=question.language)]

    def _check(self, parts: Sequence[Conditions]) -> None:
        """Refuse to leave out passages whose document is gone: each is in one of the parts."""
        held = sum(self.snapshot.selections.get(self.reader, part).passages for part in parts)
        if held < max(len(self.snapshot.vectors), len(self.snapshot.lexical)):
            raise IndexDamaged(
                "The catalog is damaged: the document of a passage cannot be read.", RESTORE
            )

    def _proposed(self, question: Question, k: int, parts: Sequence[Conditions]) -> dict[int, int]:
        """The candidates of all sides, each with the number of the part that it was found in."""
        found: dict[int, int] = {}
        vectors, lexical = self.snapshot.vectors, self.snapshot.lexical
        for number, conditions in enumerate(parts):
            among = None
            if conditions != Conditions():
                among = self.snapshot.selections.get(self.reader, conditions)
            near = vectors.search(question.vector, k, among.mask if among else None)
            held = lexical.search(question.words, k, among, question.concepts)
            found |= dict.fromkeys([*near, *held], number)
        return found

    def _scored(
        self,
        question: Question,
        ids: Sequence[int],
        matrix: Matrix,
        owners: Owners,
        foreign: Mask,
    ) -> list[Ranked]:
        """Every part is worked out for each candidate, so none has a zero it did not earn."""
        lexical = self.snapshot.lexical
        by_words = calibrate(lexical.scores(question.words, ids), lexical.rarity(question.words))
        by_concepts = calibrate(
            lexical.concept_scores(question.concepts, ids),
            lexical.concept_rarity(question.concepts),
        )
        near, best, counts = self._dense(question.vector, matrix, owners)
        near *= question.understood
        aligned = None
        if self.alignment:
            written = lexical.written(ids)
            met = self.alignment.of_passages(question.text, written)
            aligned = _shares(met, ids)
        parts = levelled(
            Parts(_shares(by_words, ids), _shares(by_concepts, ids), near, aligned), foreign
        )
        aligned = parts.aligned
        scores = fused(parts, self.settings.dense_weight)
        rows = zip(
            ids,
            scores.tolist(),
            parts.lexical.tolist(),
            parts.dense.tolist(),
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
        text = self.corrected(question)
        query = self.embedder.embed([text], query=True)[0]
        rarity = self.snapshot.lexical.rarity(content_words(text), prior=IMAGINED)
        held = np.array([coverage(rarity, one) for one in texts], dtype=np.float32)
        if self.alignment:
            held = in_the_text(held, self.alignment.of_texts(text, texts), _WORTH_IN_A_SENTENCE)
        matrix = self.embedder.embed(texts)
        near = self.nearness(query, matrix) * self.understood(text)
        return list(zip(held.tolist(), near.tolist(), strict=True))

    def _dense(
        self, query: Matrix, matrix: Matrix, owners: Owners
    ) -> tuple[Matrix, list[int], list[int]]:
        """How near each passage is by its best window, which that is, and of how many.

        The cosine counts as a share of the way from this question's typical cosine to 1, in [0, 1].
        """
        if not len(owners):
            return np.zeros(0, dtype=np.float32), [], []
        typical = self.typical(query)
        shares = (matrix @ query - typical) / max(1e-6, 1 - typical)
        windows_of = np.split(shares, _firsts(owners)[1:])
        best = [int(one.argmax()) for one in windows_of]
        near = [one[place] for one, place in zip(windows_of, best, strict=True)]
        return np.clip(np.array(near, dtype=np.float32), 0, 1), best, list(map(len, windows_of))

    def nearness(self, query: Matrix, matrix: Matrix) -> Matrix:
        """How near each of some vectors is to a question, in [0, 1], on the scale of ``search``."""
        near, _, _ = self._dense(query, matrix, np.arange(len(matrix)))
        return near

    def typical(self, query: Matrix) -> float:
        """How near a question is to anything, as a cosine.

        Some questions, and with an English embedder all Vietnamese ones, are close to
        everything; the cosine to the centre of the index says how close. In an index of a
        few passages the centre is hardly more than those passages, and is trusted less.
        """
        count = len(self.snapshot.vectors)
        return float(query @ self.snapshot.center) * count / (count + IMAGINED)


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
        found.reranked,
    )


def is_foreign(question: Question, part: Conditions) -> bool:
    """Whether a part of the index is in another language than the question."""
    return part.language not in (None, question.language)


def content_words(question: str) -> list[str]:
    """The words of a question that carry its topic, or all of them where none does."""
    every = list(dict.fromkeys(words(question)))
    return [word for word in every if word not in function_words()] or every


def _unlike(
    ids: Sequence[int], wholes: Matrix, there: Sequence[int], matrix: Matrix, wordings: Wordings
) -> Mask:
    """Which passages are no copies of some that are there, whose places those would take."""
    new = np.ones(len(ids), dtype=np.bool_)
    for passage, vector in zip(there, matrix, strict=True):
        near = np.flatnonzero(new & (wholes @ vector >= NEAR_DUPLICATE)).tolist()
        new[near] = [not one for one in wordings.are_copies(passage, [ids[row] for row in near])]
    return new


def _scores(ranked: Sequence[Ranked]) -> Matrix:
    return np.array([one.score for one in ranked], dtype=np.float32)


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
