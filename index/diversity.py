"""Which of the passages that were scored are shown: no repetitions, and every language."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rag.settings import RetrievalSettings
from rag.text import words

from .arrays import Ids, Matrix

# Passages whose vectors are this close may be the same text in another place ...
NEAR_DUPLICATE = 0.97
# ... and are if no more than this share of their words is in one of them alone, and no figure: two
# invoices on one form are not the same.
_MOST_OF_ONE_ALONE = 0.1
# How good a passage in another language must be beside the first one to have a place kept for it.
_AS_GOOD = 0.35
# So many places go to the best whatever their language: a right passage that is fourth is not put
# sixth for one in another language.
_BY_SCORE_ALONE = 5
# What resembling a passage in another language counts, of what it counts within one.
_TRANSLATED = 0.4
# Passages in two languages this close say the same: of XQuAD's paragraphs 93% of the translations
# are, and 0.05% of the others (evals/LOG.md, "Translations among the first five").
_TRANSLATION = 0.6
# What a translation of a chosen passage loses of its score while it would be among the first few.
_SAID_ALREADY = 0.3


def say_the_same(one: str, other: str) -> bool:
    """Whether two texts whose vectors are near have the same words and figures, but for a few words."""
    both = set(words(one)), set(words(other))
    alone = both[0] ^ both[1]
    return len(alone) <= _MOST_OF_ONE_ALONE * len(both[0] | both[1]) and not any(
        any(map(str.isdigit, word)) for word in alone
    )


def diverse(
    scores: Matrix,
    matrix: Matrix,
    kinds: Ids,
    k: int,
    settings: RetrievalSettings,
    same: Callable[[int, int], bool],
) -> list[int]:
    """The rows of k passages by maximal marginal relevance, and never two of the same text.

    ``same`` says of two rows that are near whether their texts are.

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
        translated |= ~alike & (similarity >= _TRANSLATION)
        open_[best] = False
        for near in np.flatnonzero(open_ & (similarity >= NEAR_DUPLICATE)).tolist():
            open_[near] = not same(near, best)
    return chosen
