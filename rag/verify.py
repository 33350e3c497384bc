"""How well a quote bears a sentence out: by what it holds, and by what it must not lack.

*Supported* is said only where the quote holds every figure and every word with a topic of the
sentence, its names and figures in the same order, and denies what the sentence denies. That
calls some true paraphrases *partly supported*, and does not call an invention supported
because most of its words are found.
"""

from __future__ import annotations

import re
from itertools import takewhile

from .language import function_words, magnitudes, negations
from .text import fold, word_spans, words
from .types import Hit, Support

# The share of a sentence's words, by rarity, that makes its evidence worth showing.
PARTLY = 0.35
# Between two languages words differ, so closeness in meaning can carry a sentence part way.
CLOSE = 0.6
# Two words are forms of one when they begin alike and end differently by so many letters.
_STEM, _ENDING = 5, 3

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_COMPOUND = re.compile(r"\d+(?:[.,:/]\d+)+")


def verdict(
    sentence: str, language: str, hit: Hit, quote: str, share: float, dense: float
) -> Support:
    """How well a quote bears a sentence out.

    Args:
        sentence: A sentence of an answer, without markers.
        language: Its language, ISO 639-1.
        hit: The passage that the quote is from.
        quote: The quote.
        share: The share of the sentence's words, by rarity, that the quote holds, in [0, 1].
        dense: How close the two are in meaning, in [0, 1].
    """
    other_language = hit.document.language != language
    if not claims(sentence) or not holds_figures(quote, sentence):
        return Support.UNSUPPORTED
    if bears_out(quote, sentence) and (dense >= CLOSE or not other_language):
        return Support.SUPPORTED
    if share >= PARTLY or (other_language and dense >= CLOSE):
        return Support.PARTLY
    return Support.UNSUPPORTED


def claims(sentence: str) -> bool:
    """Whether a sentence says anything that can be checked; "Yes." does not."""
    return any(word not in function_words() for word in words(sentence))


def bears_out(quote: str, sentence: str) -> bool:
    """Whether a quote says all that a sentence says, as far as words can tell."""
    if not claims(sentence) or not holds_figures(quote, sentence):
        return False
    there = words(quote)
    wanted = [word for word in words(sentence) if _has_topic(word)]
    return (
        all(any(_same_word(word, other) for other in there) for word in wanted)
        and _denies(sentence) == _denies(quote)
        and _in_order(_names_and_figures(sentence), there)
    )


def _has_topic(word: str) -> bool:
    """Whether a word is to be found in a quote; figures are compared as figures."""
    return not (word in function_words() or word in magnitudes() or word[0].isdigit())


def _same_word(word: str, other: str) -> bool:
    """Whether two words are one: equal, typed without diacritics, or forms of each other."""
    if word == other or word == fold(other):
        return True
    pairs = zip(word, other, strict=False)
    stem = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return (word + other).isascii() and stem >= max(
        _STEM, len(word) - _ENDING, len(other) - _ENDING
    )


def _denies(text: str) -> bool:
    return any(word in negations() for word in words(text))


def _names_and_figures(text: str) -> list[str]:
    """The words of a text that begin with a capital or a digit and have a topic, in order."""
    return [
        word
        for word, start, _ in word_spans(text)
        if (text[start].isupper() and _has_topic(word)) or word.isdigit()
    ]


def _in_order(wanted: list[str], there: list[str]) -> bool:
    """Whether words stand in a list in the order given, others between them or not."""
    rest = iter(there)
    return all(any(_same_word(word, other) for other in rest) for word in wanted)


def holds_figures(quote: str, sentence: str) -> bool:
    """Whether a quote has every figure of a sentence, and none as another power of ten."""
    there = _figures(quote)
    return all(powers & there.get(figure, set()) for figure, powers in _figures(sentence).items())


def _figures(text: str) -> dict[str, set[int]]:
    """The figures of a text, each with the powers of ten ("million" is 6) it stands with.

    A date such as ``11.2023`` is the figures it is made of.
    """
    figures: dict[str, set[int]] = {}
    for match in _FIGURE.finditer(text):
        behind = words(text[match.end() : match.end() + 24])[:2]
        powers = [magnitudes()[word] for word in takewhile(magnitudes().__contains__, behind)]
        figure = match[0].replace(",", ".")
        parts = figure.split(".")
        for one in parts if len(parts[-1]) == 4 else [figure]:
            figures.setdefault(one, set()).add(sum(powers))
    return figures


def cuts_a_figure(passage: str, start: int, end: int) -> bool:
    """Whether a span begins or ends within a figure, as "5 million" does in "1.5 million"."""
    figures = (match.span() for match in _COMPOUND.finditer(passage))
    return any(first < start < last or first < end < last for first, last in figures)
