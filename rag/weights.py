"""The weights with which sentences are ranked and answers are ventured, from ``weights.toml``.

They are fitted by ``python -m rag.evals.fitting``; the file says on what and with which figures.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .candidates import FEATURES


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression: what each of ``rag.abstention.signs`` weighs."""

    coefficients: Mapping[str, float]
    intercept: float

    def probability(self, told: Mapping[str, float]) -> float:
        """The probability that it gives, from the value of each sign."""
        total = self.intercept + sum(self.coefficients[name] * each for name, each in told.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of ``rag.candidates.FEATURES`` weighs, and what speaks for answering at all.

    ``same`` are the weights of sentences in the question's language, ``foreign`` of those in
    another, with ``offset`` added. ``relevant`` gives the probability that the passages have anything
    to do with the question, ``answering`` that they answer it.
    """

    same: tuple[float, ...]
    foreign: tuple[float, ...]
    offset: float
    relevant: Logistic
    answering: Logistic


@cache
def weights() -> Weights:
    """The weights that come with the program."""
    table = tomllib.loads(resources.files("rag").joinpath("weights.toml").read_text("utf-8"))
    ranking = table["ranking"]
    return Weights(
        tuple(ranking["same"][name] for name in FEATURES),
        tuple(ranking["foreign"][name] for name in FEATURES),
        ranking["offset"],
        *(_logistic(table[part]) for part in ("relevant", "answering")),
    )


def _logistic(table: Mapping[str, float]) -> Logistic:
    coefficients = {name: value for name, value in table.items() if name != "intercept"}
    return Logistic(coefficients, table["intercept"])
