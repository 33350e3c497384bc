"""How well a model matches translations that it has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.index.arrays import Matrix

from .corpus import Corpus, Pair, read_evaluation
from .sources import ENGLISH


@dataclass(frozen=True)
class Matching:
    """How often the translation of a sentence is the nearest of all translations.

    Attributes:
        name: Which sentences.
        language: Their language beside English, ISO 639.
        pairs: How many there are.
        learned: How many of them the model has learned from; more than none, and the rest is void.
        from_english: The share that is found from English, between 0 and 1.
        to_english: The share that is found from the other language.
    """

    name: str
    language: str
    pairs: int
    learned: int
    from_english: float
    to_english: float

    def __str__(self) -> str:
        ways = f"{ENGLISH}→{self.language}, {self.language}→{ENGLISH}"
        seen = f" ({self.learned} of them learned from)" if self.learned else ""
        found = f"{self.from_english:.3f}, {self.to_english:.3f}"
        return f"{self.name}, {self.pairs:,} sentences{seen}, {ways}: {found}"


def evaluate(model: Path, data: Path, corpora: Sequence[Corpus]) -> list[Matching]:
    """Match the pairs of ``eval/`` in a data folder.

    Args:
        model: The folder of a static model.
        data: The data folder, as ``corpus.py`` describes it.
        corpora: What the model learned from.

    Raises:
        ModelError: There is no static model in the folder.
    """
    from rag.index.static import StaticEmbedder

    embedder = StaticEmbedder(model)
    found = []
    for corpus in corpora:
        known = {pair for pairs in corpus.parallel.values() for pair in pairs}
        for name, pairs in read_evaluation(data, corpus.language).items():
            if pairs:
                one, other = (embedder.embed([pair[side] for pair in pairs]) for side in (0, 1))
                ways = matched(one, other), matched(other, one)
                found.append(
                    Matching(name, corpus.language, len(pairs), _seen(pairs, known), *ways)
                )
    return found


def matched(one: Matrix, other: Matrix) -> float:
    """The share of rows whose own row of the other side is the nearest.

    Args:
        one: Vectors of length 1, shape (number of pairs, dimension).
        other: The same of the other side.
    """
    nearest = (one @ other.T).argmax(axis=1)
    return float((nearest == np.arange(len(one))).mean())


def _seen(pairs: Sequence[Pair], known: set[Pair]) -> int:
    return sum(pair in known for pair in pairs)
