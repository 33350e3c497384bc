"""Numbers and dates of a text, in a form that no language changes.

``80 tỉ`` and ``80 billion`` are one number, ``July 9`` and ``9 tháng 7`` one day. What a figure
is written with decides where it can; else the language of the text; else it has several readings,
and all of them are given: ``1.200`` in an unknown language is 1200 and 1.2.

Formats of numbers and names of months are Unicode's (CLDR, through babel); number words stand in
``languages.toml``. A sign is not read: the dash before a number is more often that of a range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from .dates import date_readers
from .language import magnitudes, number_words
from .number_words import number_at
from .text import lowered

# Longer ones are serial numbers or noise.
_MOST_DIGITS = 24
# A bare number within these may be a year.
_FIRST_YEAR, _LAST_YEAR = 1000, 2100

# Possessive quantifiers would say the same, but Python 3.11.2 reads those of groups wrongly.
_NUMBER = r"\d+(?:[.,]\d+)*(?!\d|[.,]\d)"
_TO = r"(?:\s?[-–—]\s?|\s(?:to|đến|tới|den|toi)\s)"
_PERCENT = r"\s?%|\s(?:percent|per\scent|phần\străm|phan\stram)(?![^\W_])"
# What may stand at a number without a space and leaves it a number.
_ATTACHED = "km|kg|cm|mm|m|g|h|đ|d|s|gb|mb|tb|kb|usd|vnd|vnđ"
_CURRENCY = "$€£¥₫"

Reader = Callable[[re.Match[str], str, str | None], list[str]]
Readers = tuple[tuple[re.Pattern[str], Reader], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a text: ``keys`` are its readings and all that follows from them."""

    keys: tuple[str, ...]
    start: int
    end: int


def figures(text: str, language: str | None = None) -> Iterator[Figure]:
    """The numbers and dates of a text, in order, none within another.

    Args:
        text: A text in Unicode NFC.
        language: Its language, ISO 639-1; ``None`` where it is unknown.

    Yields:
        Figures with keys such as ``number:1.5``, ``percent:5``, ``year:2023``,
        ``month:2023-11``, ``month:11``, ``date:2024-07-09``, ``day:07-09``, ``century:19``,
        ``decade:1990``, ``ordinal:5``, ``weekday:1`` (Monday).
    """
    lower = lowered(text)
    anchor, (of_digits, of_words) = _anchor(), _readers()
    position = 0
    while found := anchor.search(lower, position):
        start, position = found.start(), found.end()
        digits = found.lastgroup == "digits"
        for pattern, read in of_digits if digits else of_words:
            match = pattern.match(lower, start)
            keys = read(match, text, language) if match else []
            if match and keys:
                yield Figure(tuple(dict.fromkeys(keys)), start, match.end())
                position = match.end()
                break
        else:
            number = None if digits else number_at(lower, start, language)
            if number and not _in_a_name(text, start, number[1]):
                yield Figure((f"number:{number[0]}",), start, number[1])
                position = number[1]


def _in_a_name(text: str, start: int, end: int) -> bool:
    """Whether number words are part of a name: "Ba Đình", "Hai Bà Trưng"."""
    return (
        text[start].isupper() and text[end : end + 1] == " " and text[end + 1 : end + 2].isupper()
    )


@cache
def _anchor() -> re.Pattern[str]:
    """Where a figure may begin."""
    from .dates import opening_words

    numbers = {word for spoken in number_words().values() for word in spoken.values}
    listed = "|".join(sorted(numbers | opening_words(), key=len, reverse=True))
    return re.compile(
        rf"(?<![^\W_])(?:(?P<digits>\d+(?:[.,:/]\d+)*)|(?P<words>{listed})(?![^\W\d_]))"
    )


@cache
def _readers() -> tuple[Readers, Readers]:
    """How what begins with a digit is read, and what begins with a word; the first that fits."""
    of_digits, of_words = date_readers()
    powers = [word for word in magnitudes() if len(word) > 1 and word not in ("bn", "tn")]
    powers += [word for spoken in number_words().values() for word in spoken.multipliers]
    listed = "|".join(sorted(set(powers), key=len, reverse=True))
    number = re.compile(
        rf"(?P<low>{_NUMBER})(?:{_TO}(?P<high>{_NUMBER}))?"
        rf"(?:(?P<percent>{_PERCENT})|(?P<powers>(?:[\s-]?(?:{listed})(?![^\W\d_]))+)"
        r"|(?P<letter>(?:bn|tn|k|m|b)(?![^\W_])))?"
        rf"(?=(?:{_ATTACHED})?(?![^\W_]))"
    )
    return (*of_digits, (number, _number)), of_words


def _number(match: re.Match[str], text: str, language: str | None) -> list[str]:
    factor = 1
    if match["powers"]:
        for word in re.findall(r"[^\W\d_]+", match["powers"]):
            factor *= _factors()[word]
    elif match["letter"]:
        # "80m" are metres, "80M" and "$80m" are millions.
        money = text[max(0, match.start() - 1) : match.start()] in _CURRENCY and match.start() > 0
        if match["letter"] != "m" or money or text[match.start("letter")] == "M":
            factor = 10 ** magnitudes()[match["letter"]]
    keys = []
    for part in filter(None, (match["low"], match["high"])):
        values = [_plain(value * factor) for value in readings(part, language)]
        keys += [f"{'percent' if match['percent'] else 'number'}:{value}" for value in values]
        bare = len(part) == 4 and part.isdecimal() and factor == 1 and not match["percent"]
        if bare and _FIRST_YEAR <= int(part) <= _LAST_YEAR:
            keys.append(f"year:{int(part)}")
    return keys


@cache
def _factors() -> dict[str, int]:
    """What each word behind a number multiplies it by; with and without diacritics."""
    factors = {word: 10**power for word, power in magnitudes().items()}
    for spoken in number_words().values():
        factors.update(spoken.multipliers)
    return factors


def readings(figure: str, language: str | None = None) -> list[Decimal]:
    """What a number may be: one value, two where its separator can be read both ways, or none.

    Args:
        figure: Digits with full stops and commas between them: ``1.234,5``.
        language: The language of its text, ISO 639-1; ``None`` where it is unknown.
    """
    parts = re.split("[.,]", figure)
    marks = [mark for mark in figure if mark in ".,"]
    if sum(map(len, parts)) > _MOST_DIGITS:
        return []
    whole, fraction = Decimal("".join(parts)), Decimal(".".join([*parts[:-1], parts[-1]][-2:]))
    if not marks:
        return [whole]
    in_threes = all(len(part) == 3 for part in parts[1:]) and 1 <= len(parts[0]) <= 3
    in_threes = in_threes and not parts[0].startswith("0")
    if len(marks) > 1:
        if len(set(marks)) == 1:
            return [whole] if in_threes else []
        if marks[-1] in marks[:-1] or len(set(marks[:-1])) > 1:
            return []
        grouped = all(len(part) == 3 for part in parts[1:-1]) and len(parts[0]) <= 3
        return [Decimal("".join(parts[:-1]) + "." + parts[-1])] if grouped else []
    if not in_threes:
        return [fraction]
    if language is None or language not in _decimal_marks():
        return [whole, fraction]
    if _decimal_marks()[language] != marks[0]:
        return [whole]
    # "1,200" in a language with a decimal comma is as often copied from an English text.
    return [fraction] if marks[0] == "." else [fraction, whole]


@cache
def _decimal_marks() -> dict[str, str]:
    from babel import Locale

    return {
        language: str(Locale(language).number_symbols["latn"]["decimal"])
        for language in number_words()
    }


def _plain(value: Decimal) -> str:
    """A number without an exponent and without zeros that say nothing."""
    if value == value.to_integral_value():
        return str(int(value))
    return format(value.normalize(), "f")
