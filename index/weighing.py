"""What texts have for each part of some questions: words, pieces, and the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.text import fold, words
from rag.weighing import Weighed, Weighing

from .alignment import Alignment
from .arrays import Matrix
from .lexical import FOLDED_WEIGHT
from .search import IMAGINED, Search, content_words


def weighed(search: Search, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
    """What texts have for each of some questions.

    Args:
        search: The index, which knows how rare words are.
        questions: Questions, or parts of one; an empty one is met by nothing.
        texts: Sentences, say. They are embedded once for all questions.
    """
    if not texts:
        return [Weighing((), (), ()) for _ in questions]
    matrix = search.embedder.embed(list(texts))
    vocabularies = [(set(present), {fold(one) for one in present}) for present in map(words, texts)]
    return [_weighed(search, question, texts, matrix, vocabularies) for question in questions]


def _weighed(
    search: Search,
    question: str,
    texts: Sequence[str],
    matrix: Matrix,
    vocabularies: Sequence[tuple[set[str], set[str]]],
) -> Weighing:
    text = search.corrected(question)
    asked = content_words(text)
    if not asked:
        return Weighing((), (), tuple(Weighed((), (), 0.0) for _ in texts))
    rarity = search.snapshot.lexical.rarity(asked, prior=IMAGINED)
    held = [
        tuple(
            1.0 if word in present else FOLDED_WEIGHT if fold(word) in bare else 0.0
            for word in rarity
        )
        for present, bare in vocabularies
    ]
    weights = _shares(np.array(list(rarity.values())))
    pieces, met = _pieces(search.alignment, text, texts) if search.alignment else (weights, held)
    near = search.nearness(search.embedder.embed([text], query=True)[0], matrix)
    near = (near * search.understood(text)).tolist()
    return Weighing(
        weights, pieces, tuple(Weighed(*one) for one in zip(held, met, near, strict=True))
    )


def _pieces(
    alignment: Alignment, question: str, texts: Sequence[str]
) -> tuple[tuple[float, ...], list[tuple[float, ...]]]:
    weights, met = alignment.each(question, texts)
    counted = weights > 0
    return _shares(weights[counted]), [tuple(column) for column in met[counted].T.tolist()]


def _shares(weights: Matrix) -> tuple[float, ...]:
    """Weights as shares of their sum."""
    total = float(weights.sum())
    return tuple((weights / total).tolist()) if total else tuple(0.0 for _ in weights)
