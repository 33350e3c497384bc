"""What people ask about something, "founder" or "doanh thu", found in texts of either language."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from .text import fold, lowered

_LANGUAGES = ("en", "vi")


@cache
def _file() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("rag").joinpath("relations.toml").read_text("utf-8"))


def _listed(line: str) -> list[str]:
    return [one.strip() for one in line.split(",") if one.strip()]


@cache
def _pattern(language: str, *, bare: bool) -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    """A pattern that finds the known words of a language, and the relations that each tells."""
    told: dict[str, set[str]] = {}
    for relation, line in _file()["relation"].items():
        for word in _listed(line.get(language, "")):
            told.setdefault(fold(word) if bare else word, set()).add(relation)
    for word in _listed(_file()["other"].get(language, "")):
        told.setdefault(fold(word) if bare else word, set())
    listed = "|".join(re.escape(one) for one in sorted(told, key=len, reverse=True))
    pattern = re.compile(rf"(?<![^\W_])({listed})(?![^\W_])")
    return pattern, {word: frozenset(relations) for word, relations in told.items()}


def relations(text: str, language: str) -> frozenset[str]:
    """The relations that a text tells or asks about, as ``relations.toml`` calls them.

    Args:
        text: A sentence or a question; one without any diacritics is compared without them.
        language: Its language, ISO 639-1; of one that the file lacks nothing is known.
    """
    if language not in _LANGUAGES:
        return frozenset()
    lower = lowered(text)
    pattern, told = _pattern(language, bare=lower.isascii())
    found: frozenset[str] = frozenset()
    for match in pattern.finditer(lower):
        found |= told[match[1]]
    return found


def unit_of(relation: str) -> str:
    """What a figure that answers is told in: ``money``, ``length``, …, or nothing."""
    return str(_file()["relation"][relation].get("unit", ""))


@cache
def unit_words(unit: str) -> frozenset[str]:
    """The words that stand behind a figure in a unit, in any language; none of a count."""
    return frozenset(_listed(_file()["units"].get(unit, "")))
