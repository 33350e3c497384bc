"""Numbers written in words: "two hundred and five", "hai mươi lăm"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .language import NumberWords, number_words

_WORD = re.compile(r"[^\W\d_]+")
_THOUSAND = 1000
_Word = tuple[str, int]


def number_at(lower: str, start: int, language: str | None = None) -> tuple[int, int] | None:
    """The number that words beginning at a place say.

    Args:
        lower: A text in lower case.
        start: Where its first word begins.
        language: The text's language, ISO 639-1; where it is unknown all are tried.

    Returns:
        The number and where its last word ends; ``None`` if there is none.
    """
    known = number_words()
    tried = [known[language]] if language in known else list(known.values())
    for spoken in tried:
        found = _read(spoken, _run(lower, start))
        if found:
            return found
    return None


def _run(lower: str, start: int) -> Iterator[_Word]:
    """Words with nothing but a space or a hyphen between them, each with its end."""
    while match := _WORD.match(lower, start):
        yield match[0], match.end()
        start = match.end() + 1
        if lower[match.end() : start] not in (" ", "-"):
            return


def _read(spoken: NumberWords, run: Iterator[_Word]) -> tuple[int, int] | None:
    """Add up what words say, from the largest part to the smallest."""
    total = hundreds = unit = end = 0
    word, reached = next(run, ("", 0))
    if word not in spoken.values:
        return None
    while word:
        following, follows = next(run, ("", 0))
        value, multiplier = spoken.values.get(word), spoken.multipliers.get(word)
        if value is not None:
            fits = unit == 0 or (unit % 10 == 0 and value < 10)
            strict = word in spoken.before_multiplier or (
                word in spoken.in_compounds and not (unit or hundreds or total)
            )
            if not fits or (strict and following not in spoken.multipliers):
                break
            unit += value
        elif multiplier is not None:
            if not (total or hundreds or unit):
                break
            if multiplier >= _THOUSAND:
                part = hundreds + unit
                total = total + part * multiplier if part else total * multiplier
                hundreds = unit = 0
            elif multiplier == 10:
                unit *= multiplier
            else:
                hundreds, unit = (hundreds + unit) * multiplier, 0
        elif word not in spoken.joints or unit or following not in spoken.values:
            break
        if value is not None or multiplier is not None:
            end = reached
        word, reached = following, follows
    return (total + hundreds + unit, end) if end else None
