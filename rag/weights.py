"""The weights with which sentences are ranked and answers are ventured, from ``weights.toml``.

They are fitted by ``python -m rag.evals.fitting``; the file says on what and with which figures.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .candidates import FEATURES


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of ``rag.candidates.FEATURES`` weighs, and what speaks for answering at all.

    ``same`` are the weights of sentences in the question's language, ``foreign`` of those in
    another, with ``offset`` added. ``answering`` are those of ``rag.abstention.signs``.
    """

    same: tuple[float, ...]
    foreign: tuple[float, ...]
    offset: float
    answering: Mapping[str, float]
    intercept: float


@cache
def weights() -> Weights:
    """The weights that come with the program."""
    table = tomllib.loads(resources.files("rag").joinpath("weights.toml").read_text("utf-8"))
    ranking, answering = table["ranking"], dict(table["answering"])
    return Weights(
        tuple(ranking["same"][name] for name in FEATURES),
        tuple(ranking["foreign"][name] for name in FEATURES),
        ranking["offset"],
        {name: value for name, value in answering.items() if name != "intercept"},
        answering["intercept"],
    )
