"""How well a quote bears a sentence out: by the words they share, and by what it must not lack.

A figure the quote does not hold is never supported, nor is a name or a denial.
"""

from __future__ import annotations

import re
from itertools import takewhile

from .language import function_words, magnitudes, negations
from .text import fold, names, words
from .types import Hit, Support

# The share of a sentence's words, by rarity, that its evidence must hold. A quote holds all;
# measured on paraphrases of seed sentences (tests/rag/test_verify.py holds them).
SUPPORTED, PARTLY = 0.6, 0.35
# Between two languages words differ, so closeness in meaning can carry a sentence part way.
_CLOSE = 0.6

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_COMPOUND = re.compile(r"\d+(?:[.,:/]\d+)+")


def verdict(
    sentence: str, language: str, hit: Hit, quote: str, share: float, dense: float
) -> Support:
    """How well a quote bears a sentence out; a figure it does not hold is never supported."""
    other_language = hit.document.language != language
    if not claims(sentence) or not holds_figures(quote, sentence):
        return Support.UNSUPPORTED
    if share >= SUPPORTED:
        beyond = _denies(sentence) and not _denies(quote)
        # Names alone are shared by texts that say different things in different languages.
        beyond = beyond or (
            dense < _CLOSE if other_language else _names_another(sentence, hit.passage.text)
        )
        return Support.PARTLY if beyond else Support.SUPPORTED
    if share >= PARTLY or (other_language and dense >= _CLOSE):
        return Support.PARTLY
    return Support.UNSUPPORTED


def claims(sentence: str) -> bool:
    """Whether a sentence says anything that can be checked; "Yes." does not."""
    return any(word not in function_words() for word in words(sentence))


def _denies(text: str) -> bool:
    return any(word in negations() for word in words(text))


def _names_another(sentence: str, passage: str) -> bool:
    """Whether a sentence has a name that its passage has not."""
    there = set(words(fold(passage)))
    return any(word not in there for name in names(sentence) for word in words(fold(name)))


def holds_figures(quote: str, sentence: str) -> bool:
    """Whether a quote has every figure of a sentence, and none as another power of ten."""
    there = _figures(quote)
    return all(
        figure in there and (not powers or not there[figure] or powers & there[figure])
        for figure, powers in _figures(sentence).items()
    )


def _figures(text: str) -> dict[str, set[int]]:
    """The figures of a text, each with the powers of ten ("million") that stand behind it.

    A date such as ``11.2023`` is the figures it is made of.
    """
    figures: dict[str, set[int]] = {}
    for match in _FIGURE.finditer(text):
        behind = words(text[match.end() : match.end() + 24])[:2]
        powers = [magnitudes()[word] for word in takewhile(magnitudes().__contains__, behind)]
        figure = match[0].replace(",", ".")
        parts = figure.split(".")
        for one in parts if len(parts[-1]) == 4 else [figure]:
            figures.setdefault(one, set()).update([sum(powers)] if powers else [])
    return figures


def cuts_a_figure(passage: str, start: int, end: int) -> bool:
    """Whether a span begins or ends within a figure, as "5 million" does in "1.5 million"."""
    figures = (match.span() for match in _COMPOUND.finditer(passage))
    return any(first < start < last or first < end < last for first, last in figures)
