"""Which of the passages that were scored are shown: no repetitions, and every language."""

from __future__ import annotations

import numpy as np

from rag.settings import RetrievalSettings

from .arrays import Ids, Matrix

# Passages whose vectors are this close are the same text in another place.
NEAR_DUPLICATE = 0.97
# How good a passage in another language must be beside the first one to have a place kept for it.
_AS_GOOD = 0.35
# So many places go to the best whatever their language: a right passage that is fourth is not put
# sixth for one in another language.
_BY_SCORE_ALONE = 5
# What resembling a passage in another language counts, of what it counts within one.
_TRANSLATED = 0.4


def diverse(
    scores: Matrix, matrix: Matrix, kinds: Ids, k: int, settings: RetrievalSettings
) -> list[int]:
    """The rows of k passages by maximal marginal relevance, and never two of the same text.

    Source: Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking"; the
    penalty is the setting ``diversity`` times the relevance times the similarity to the nearest
    chosen passage, so it never lifts an irrelevant passage over a relevant one. Passages of another kind
    are in another language: what resembles one repeats it for those who read that, and loses less.

    Behind the first few, those that are not of the kind that came first are taken until they are
    one in ``other_languages``, as long as they are a third as good as that: what answers in the
    other language is found among however many that hold some of the question's words.
    """
    nearest = np.zeros(len(scores))
    open_ = np.ones(len(scores), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < k and open_.any():
        values = np.where(open_, scores * (1 - settings.diversity * nearest), -np.inf)
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
        nearest = np.maximum(
            nearest, np.where(kinds == kinds[best], similarity, _TRANSLATED * similarity)
        )
        open_ &= similarity < NEAR_DUPLICATE
        open_[best] = False
    return chosen
