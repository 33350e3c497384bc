"""What speaks for a passage, brought to one score.

Four parts, each a share in [0, 1] that means the same for every question:

- ``dense``: how near its nearest window of sentences lies to the question;
- ``aligned``: how well it meets each piece of the question by itself (``alignment.py``);
- ``lexical``: which of the question's words it holds;
- ``concepts``: which of the question's names and figures it holds, in any language.

A passage in the other language holds none of the question's words, and is no worse for it: what it
meets piece by piece counts for words as well. The weights were chosen on the questions on the
even paragraphs of XQuAD; evals/LOG.md has the figures of those and of the other half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .arrays import Matrix

# Of the share that the words have, by how the passage meets them.
_ALIGNED, _LEXICAL, _CONCEPTS = 0.44, 0.44, 0.12
# What a piece that is met counts for the word itself.
_MET = 0.5
# A translation is never as near as the same words are. Passages that do not answer come up to the
# first number in either language; beyond it, those in another language are stretched by the second.
_FOREIGN_ALIGNED = (0.38, 1.25)
_FOREIGN_DENSE = (0.23, 1.3)
# Without vectors of pieces: what the names and figures count beside the words.
_NAMES = 0.15


@dataclass(frozen=True, slots=True)
class Parts:
    """What speaks for some passages, each part of shape (number of passages,).

    There is no ``aligned`` with an embedder that has no vectors for pieces.
    """

    lexical: Matrix
    concepts: Matrix
    dense: Matrix
    aligned: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One of the addends of the scores: ``weight`` times ``shares``, shape (number of passages,).

    ``name`` is that of the part it comes from, or ``met``: what is met piece by piece counts once
    more, at half, in place of words that the passage does not hold, as far as it goes beyond those.
    """

    name: str
    weight: float
    shares: Matrix


def terms(parts: Parts, dense_weight: float) -> list[Term]:
    """What the scores of some passages are the sums of; no weight depends on the passage.

    Args:
        parts: What speaks for them.
        dense_weight: The share of the dense part, the setting ``retrieval.dense_weight``.
    """
    rest = 1 - dense_weight
    if parts.aligned is None:
        beyond = np.maximum(parts.concepts - parts.lexical, 0)
        return [
            Term("dense", dense_weight, parts.dense),
            Term("lexical", rest, parts.lexical),
            Term("concepts", rest * _NAMES, beyond),
        ]
    beyond = in_the_text(parts.lexical, parts.aligned) - parts.lexical
    return [
        Term("dense", dense_weight, parts.dense),
        Term("aligned", rest * _ALIGNED, parts.aligned),
        Term("lexical", rest * _LEXICAL, parts.lexical),
        Term("met", rest * _LEXICAL, beyond),
        Term("concepts", rest * _CONCEPTS, parts.concepts),
    ]


def fused(parts: Parts, dense_weight: float) -> Matrix:
    """The scores of some passages, in [0, 1], shape (number of passages,).

    Args:
        parts: What speaks for them.
        dense_weight: The share of the dense part, the setting ``retrieval.dense_weight``.
    """
    every = [one.weight * one.shares for one in terms(parts, dense_weight)]
    return np.asarray(np.sum(every, axis=0), dtype=np.float32)


def levelled(parts: Parts, foreign: NDArray[np.bool_]) -> Parts:
    """The same parts, with those of passages in another language on the scale of the question's.

    Args:
        parts: What speaks for some passages.
        foreign: Which of them are not in the question's language, shape (number of passages,).
    """
    if parts.aligned is None:
        return parts
    dense = _stretched(parts.dense, foreign, *_FOREIGN_DENSE)
    return replace(
        parts, dense=dense, aligned=_stretched(parts.aligned, foreign, *_FOREIGN_ALIGNED)
    )


def _stretched(shares: Matrix, which: NDArray[np.bool_], level: float, by: float) -> Matrix:
    """Shares that are stretched beyond a level, and 1 at most, where they are of those."""
    beyond = np.minimum(1, shares + (by - 1) * np.maximum(shares - level, 0))
    return np.asarray(np.where(which, beyond, shares), dtype=np.float32)


def in_the_text(lexical: Matrix, aligned: Matrix, worth: float = _MET) -> Matrix:
    """The share of the question's words that texts hold, or meet in other words.

    Args:
        lexical: The share that they hold.
        aligned: How well they meet its pieces.
        worth: What a piece that is met counts for the word itself.
    """
    return np.asarray(np.maximum(lexical, worth * aligned), dtype=np.float32)
