"""Dates of any form within a text: how each form is read, for ``figures``.

Names of months and weekdays are Unicode's (CLDR, through babel). A date gives its coarser keys
too, so that "July 9" finds 9/7/2024 and "2023" finds November 2023.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from functools import cache

from .language import number_words
from .number_words import number_at

_Reader = Callable[[re.Match[str], str, str | None], list[str]]
_Readers = tuple[tuple[re.Pattern[str], _Reader], ...]

# What "24" in 9/7/24 stands for, as POSIX has it.
_LAST_OF_THIS_CENTURY = 68
_LAST_CENTURY = 21
_ROMAN = {"i": 1, "v": 5, "x": 10}
# Figures with the month first are English, and there the day may come first too.
_MONTH_FIRST = "en"

_YEAR = r"(?P<year>[12]\d{3})(?!\d)"
_ORDER = "(?:st|nd|rd|th)"
_NOT_MORE = r"(?![^\W_])"
# Months that English also uses otherwise; a month only in capitals, alone only behind one of these.
_AMBIGUOUS_MONTHS = {"may", "march", "mar", "sep", "dec", "jan", "august"}
_BEFORE_A_MONTH = re.compile(
    r"\b(?:in|of|by|since|until|late|early|mid|last|next|from|to)[\s-]$", re.I
)
_VIETNAMESE_MONTHS = (
    ("mười một", 11), ("mười hai", 12), ("giêng", 1), ("hai", 2), ("ba", 3), ("tư", 4), ("năm", 5),
    ("sáu", 6), ("bảy", 7), ("tám", 8), ("chín", 9), ("mười", 10), ("chạp", 12),
)  # fmt: skip
_MONTH_WORDS = ("tháng", "thang", "thg")
_CENTURY_WORDS = ("thế kỷ", "thế kỉ", "the ky", "the ki")
_DECADE_WORDS = (
    "thập niên",
    "thập kỷ",
    "thập kỉ",
    "thap nien",
    "thap ky",
    "những năm",
    "nhung nam",
)
_DAY_WORDS = ("ngày", "ngay")


def opening_words() -> set[str]:
    """The words with which a date, a century or a place in an order can begin, in lower case."""
    listed = {*_MONTH_WORDS, *_CENTURY_WORDS, *_DECADE_WORDS, *_DAY_WORDS, "thứ"}
    return listed | set(_months()) | set(_weekdays()) | set(_english_ordinals())


def date_readers() -> tuple[_Readers, _Readers]:
    """Patterns over lower-case text and what reads them.

    Returns:
        Those of what begins with a digit, and of what begins with a word, in the order in
        which they are to be tried. A reader takes the match, the text as written and its
        language, and returns no keys where it is no date after all.
    """
    name = f"(?P<name>{_any(_months())}){_NOT_MORE}\\.?"
    words = _any(word for word, _ in _VIETNAMESE_MONTHS)
    month = rf"(?:{_any(_MONTH_WORDS)})\s?(?P<month>\d{{1,2}}(?!\d)|(?:{words}){_NOT_MORE})"
    with_year = rf"(?:(?:\s?[,/.-]\s?|\s|\s?,?\s(?:năm|nam)\s|\sof\s){_YEAR})?"
    day = rf"(?P<day>\d{{1,2}})(?!\d){_ORDER}?"
    of_digits = (
        (r"(?P<year>[12]\d{3})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)", _date),
        (r"(?P<first>\d{1,2})([-/.])(?P<second>\d{1,2})\2(?P<year>\d{4}|\d\d)(?!\d)", _in_figures),
        (rf"{day}(?:\s?,?\s|-|\sof\s)(?:{name}|{month}){with_year}", _date),
        (r"(?P<month>\d{1,2})[-/.](?P<year>[12]\d{3})(?![\d]|[.,/]\d)", _month_in_figures),
        (r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\d/])", _in_figures),
        (rf"(?P<decade>[12]\d\d0)['’]?s{_NOT_MORE}", _decade),
        (
            rf"(?P<century>\d{{1,2}}){_ORDER}"
            rf"(?:(?:\s(?:and|to|or)\s|\s?[-–]\s?)(?P<last>\d{{1,2}}){_ORDER})?[\s-]centur(?:y|ies)",
            _century,
        ),
        (rf"(?P<ordinal>\d{{1,3}}){_ORDER}{_NOT_MORE}", _ordinal),
    )
    of_words = (
        (rf"(?:{_any(_DAY_WORDS)})\s(?P<first>\d{{1,2}})[-.](?P<second>\d{{1,2}})(?![\d.-])", _in_vietnamese),
        (rf"{name}\s{day}(?:,?\s{_YEAR})?(?![.,]\d)", _date),
        (rf"(?:{name}|{month}){with_year}", _date),
        (
            rf"(?:{_any(_CENTURY_WORDS)})\s(?:thứ\s|thu\s)?"
            rf"(?:(?P<century>\d{{1,2}})(?!\d)|(?P<roman>[ivx]+){_NOT_MORE}|(?P<words>[^\W\d_]+(?:\s[^\W\d_]+)?))",
            _century,
        ),
        (rf"(?:{_any(_DECADE_WORDS)})\s(?P<decade>[12]\d\d0|\d0)(?!\d)", _decade),
        (rf"(?P<place>{_any(_english_ordinals())})[\s-]centur(?:y|ies)", _century),
        (rf"(?P<place>{_any(_english_ordinals())}){_NOT_MORE}", _ordinal),
        (rf"(?P<weekday>{_any(_weekdays())}){_NOT_MORE}(?!\s(?:mươi|trăm))", _ordinal),
        (r"thứ\s(?:(?P<ordinal>\d{1,3})(?!\d)|(?P<words>[^\W\d_]+))(?!\smươi|\străm)", _ordinal),
    )  # fmt: skip
    return _compiled(of_digits), _compiled(of_words)


def _compiled(readers: tuple[tuple[str, _Reader], ...]) -> _Readers:
    return tuple((re.compile(pattern), reader) for pattern, reader in readers)


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


# -- readers ------------------------------------------------------------------------------------


def _date(match: re.Match[str], text: str, language: str | None) -> list[str]:
    parts = match.groupdict()
    name, year, day = parts.get("name"), parts.get("year"), parts.get("day")
    month = parts.get("month")
    if name and not _is_month(match, text):
        return []
    number = _months()[name] if name else _month_number(month) if month else None
    return date_keys(int(year) if year else None, number, int(day) if day else None)


def _is_month(match: re.Match[str], text: str) -> bool:
    """Whether the name of a month is one here: "March" in "in March", not in "to march"."""
    name, start = match["name"], match.start("name")
    parts = match.groupdict()
    alone = not (parts.get("day") or parts.get("year"))
    if name in _AMBIGUOUS_MONTHS or len(name) <= 3:
        if not text[start].isupper():
            return False
        before = _BEFORE_A_MONTH.search(text, max(0, start - 8), start)
        return not alone or bool(before and len(name) > 2)
    return True


def _in_figures(match: re.Match[str], text: str, language: str | None) -> list[str]:
    """Day and month in figures: either first in English and where the language is unknown."""
    first, second = int(match["first"]), int(match["second"])
    year = match.groupdict().get("year")
    if year and len(year) == 2:
        if match[2] != "/":
            return []
        year = str(int(year) + (2000 if int(year) <= _LAST_OF_THIS_CENTURY else 1900))
    number = int(year) if year else None
    keys = date_keys(number, second, first)
    if language in (None, _MONTH_FIRST):
        keys += date_keys(number, first, second)
    return keys


def _in_vietnamese(match: re.Match[str], text: str, language: str | None) -> list[str]:
    return date_keys(None, int(match["second"]), int(match["first"]))


def _month_in_figures(match: re.Match[str], text: str, language: str | None) -> list[str]:
    keys = date_keys(int(match["year"]), int(match["month"]), None)
    if keys and match[0][len(match["month"])] == "." and language in (None, "en"):
        keys.append(f"number:{match['month'].lstrip('0')}.{match['year'].rstrip('0')}")
    return keys


def date_keys(year: int | None, month: int | None, day: int | None) -> list[str]:
    """The keys of a date and of what it lies in; none where there is no such date."""
    if month is not None:
        try:
            dt.date(year or 2000, month, day or 1)
        except ValueError:
            return []
    keys = [f"year:{year}"] if year else []
    if month is not None:
        keys.append(f"month:{month:02}")
        if year:
            keys.append(f"month:{year:04}-{month:02}")
        if day:
            keys.append(f"day:{month:02}-{day:02}")
        if day and year:
            keys.append(f"date:{year:04}-{month:02}-{day:02}")
    return keys


def _century(match: re.Match[str], text: str, language: str | None) -> list[str]:
    parts = match.groupdict()
    found = [int(parts[name]) for name in ("century", "last") if parts.get(name)]
    if roman := parts.get("roman"):
        values = [_ROMAN[letter] for letter in roman]
        following = [*values[1:], 0]
        found = [sum(-v if v < after else v for v, after in zip(values, following, strict=True))]
    if words := parts.get("words"):
        number = number_at(words, 0, "vi")
        ordinal = number_words()["vi"].ordinals.get(words.split()[0], 0)
        found = [number[0] if number else ordinal]
    if place := parts.get("place"):
        found = [_english_ordinals()[place]]
    return [f"century:{one}" for one in found if 1 <= one <= _LAST_CENTURY]


def _decade(match: re.Match[str], text: str, language: str | None) -> list[str]:
    decade = int(match["decade"])
    return [f"decade:{decade if decade >= 100 else 1900 + decade}"]


def _ordinal(match: re.Match[str], text: str, language: str | None) -> list[str]:
    parts = match.groupdict()
    keys = []
    if parts.get("ordinal"):
        keys.append(f"ordinal:{int(parts['ordinal'])}")
    if (place := parts.get("place")) and place != "first":
        keys.append(f"ordinal:{_english_ordinals()[place]}")
    if weekday := parts.get("weekday"):
        # "thứ hai" in small letters is more often "the second" than Monday.
        last = match.end("weekday") - len(weekday.rpartition(" ")[2])
        if not weekday.startswith("thứ") or text[last].isupper():
            keys.append(f"weekday:{_weekdays()[weekday] + 1}")
    ordinals = number_words()["vi"].ordinals
    word = parts.get("words") or (parts.get("weekday") or "").rpartition(" ")[2]
    if word in ordinals and ordinals[word] > 1 and match[0].startswith("thứ"):
        keys.append(f"ordinal:{ordinals[word]}")
    return keys


# -- names --------------------------------------------------------------------------------------


def _month_number(written: str) -> int:
    return int(written) if written.isdigit() else dict(_VIETNAMESE_MONTHS)[written]


@cache
def _months() -> dict[str, int]:
    """The names of months that are words of their own, in lower case; ``tháng 7`` is not."""
    from babel import Locale

    found = {"sept": 9}
    for language in number_words():
        for width in ("wide", "abbreviated"):
            for number, name in Locale(language).months["format"][width].items():
                if not re.search(r"\d", name):
                    found[name.lower()] = int(number)
    return found


@cache
def _weekdays() -> dict[str, int]:
    """The names of weekdays, in lower case; Monday is 0."""
    from babel import Locale

    return {
        name.lower(): int(number)
        for language in number_words()
        for number, name in Locale(language).days["format"]["wide"].items()
    }


def _english_ordinals() -> dict[str, int]:
    return dict(number_words()["en"].ordinals)
