"""A difference between a sentence and a quote, and what several comparisons need of the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .meeting import Met
from .statement import Figure, Statement
from .types import Reason


@dataclass(frozen=True, slots=True)
class Difference:
    """A reason, and whether without it nothing can be said to be borne out (``grave``)."""

    reason: Reason
    grave: bool = False


def text_of(statement: Statement, words: Sequence[int]) -> str:
    """The words of a statement from the first to the last of some."""
    first, last = statement.tokens[words[0]], statement.tokens[words[-1]]
    return statement.text[first.start : last.end]


def words_of(statement: Statement, figure: Figure) -> tuple[int, ...]:
    """The numbers of the words of a figure."""
    return tuple(n for n, t in enumerate(statement.tokens) if figure.start <= t.start < figure.end)


def written(quote: Statement, figure: Figure) -> str:
    """A figure as it is written, with its unit."""
    return quote.text[figure.start : max(figure.end, figure.unit_span[1])]


def has_kind(figure: Figure, kind: str) -> bool:
    """Whether a figure has a key of a kind, such as ``year:``."""
    return any(key.startswith(kind) for key in figure.keys)


def is_rival(one: Figure, other: Figure) -> bool:
    """Whether one figure stands where the other could: of one kind, and of no other unit."""
    if one.is_date != other.is_date or has_kind(one, "percent:") != has_kind(other, "percent:"):
        return False
    return not (one.unit_kind and other.unit_kind) or one.unit_kind == other.unit_kind


def placed_words(
    sentence: Statement, quote: Statement, found: Sequence[Met], least: float
) -> dict[int, tuple[int, ...]]:
    """Where the words of a sentence that have a topic, and its figures, stand in a quote."""
    placed: dict[int, tuple[int, ...]] = {
        place: one.places
        for place, one in enumerate(found)
        if one.places and one.similarity >= least and sentence.has_topic(place)
    }
    for name in sentence.names:
        alike = [one.words for one in quote.names if one.keys & name.keys]
        if alike:
            placed[name.words[0]] = tuple(place for words in alike for place in words)
    for figure in sentence.figures:
        same = [words_of(quote, one) for one in quote.figures if one.keys & figure.keys]
        if same and (own := words_of(sentence, figure)):
            placed[own[0]] = tuple(place for words in same for place in words)
    for places, there_too in likewise(sentence, quote):
        for place in places:
            placed.setdefault(place, there_too)
    return placed


def likewise(
    sentence: Statement, quote: Statement
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Words of a sentence, and those of the quote that say the same in other words."""
    for group, places in sentence.groups.items():
        if group in quote.groups:
            yield places, quote.groups[group]
    for scale, ends in sentence.poles.items():
        for pole, said in ends.items():
            if there := quote.poles.get(scale, {}).get(pole):
                yield tuple(p for one in said for p in one), tuple(p for one in there for p in one)
