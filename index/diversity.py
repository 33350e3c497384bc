"""Which of the passages that were scored are shown: no repetitions, and every language."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rag.settings import RetrievalSettings

from .arrays import Ids, Matrix
from .copies import NEAR_DUPLICATE

# How good a passage in another language must be beside the first one to have a place kept for it.
_AS_GOOD = 0.35
# So many places go to the best whatever their language: a right passage that is fourth is not put
# sixth for one in another language.
_BY_SCORE_ALONE = 5
# What resembling a passage in another language counts, of what it counts within one.
_TRANSLATED = 0.4
# What a translation of a chosen passage loses of its score while it would be among the first few.
_SAID_ALREADY = 0.3


def diverse(
    scores: Matrix,
    matrix: Matrix,
    kinds: Ids,
    k: int,
    settings: RetrievalSettings,
    are_copies: Callable[[int, list[int]], list[bool]],
    translation: float = 1.0,
) -> list[int]:
    """The rows of k passages by maximal marginal relevance, and never two of the same text.

    ``are_copies`` says of a row, and of others that are near it, whether each has its text. ``translation`` is how near
    passages in two languages are that say the same, as a cosine; 1 where that is not known.

    Source: Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking"; the
    penalty is the setting ``diversity`` times the relevance times the similarity to the nearest
    chosen passage, so it never lifts an irrelevant passage over a relevant one. Passages of another kind
    are in another language: what resembles one repeats it for those who read that, and loses less.

    Behind the first few, those that are not of the kind that came first are taken until they are
    one in ``other_languages``, as long as they are a third as good as that: what answers in the
    other language is found among however many that hold some of the question's words.
    """
    nearest = np.zeros(len(scores))
    translated = np.zeros(len(scores), dtype=bool)
    open_ = np.ones(len(scores), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < k and open_.any():
        values = np.where(open_, scores * (1 - settings.diversity * nearest), -np.inf)
        if settings.diversity and len(chosen) < _BY_SCORE_ALONE:
            values[translated] *= 1 - _SAID_ALREADY
        if chosen and settings.other_languages:
            others = kinds != kinds[chosen[0]]
            good = others & open_ & (scores >= _AS_GOOD * scores[chosen[0]])
            place = len(chosen) + 1
            kept = min(place - _BY_SCORE_ALONE, place // settings.other_languages)
            if kept > others[chosen].sum() and good.any():
                values[~good] = -np.inf
        best = int(np.argmax(values))
        chosen.append(best)
        similarity = np.clip(matrix @ matrix[best], 0, 1)
        alike = kinds == kinds[best]
        nearest = np.maximum(nearest, np.where(alike, similarity, _TRANSLATED * similarity))
        translated |= ~alike & (similarity >= translation)
        open_[best] = False
        if near := np.flatnonzero(open_ & (similarity >= NEAR_DUPLICATE)).tolist():
            open_[near] = [not one for one in are_copies(best, near)]
    return chosen
