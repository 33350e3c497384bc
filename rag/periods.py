"""The time a question is about: "in 2022", "sau năm 2024", "năm ngoái", "the latest".

A document without a date is never lost to it, and neither is one of another time that tells of the
time asked about: a period moves passages up or down, it leaves none out.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .figures import figures
from .language import time_words
from .text import lowered, normalize
from .types import Hit

# How much higher a passage is put that was published in the period, and one that tells of it; and
# how much lower one of another time. The newest document gains as much as the oldest loses.
_PUBLISHED, _TELLS, _OTHER, _NEWEST = 1.1, 1.15, 0.9, 0.15
_BEFORE_A_DATE = 24
_WORD = re.compile(r"[^\W_]+")
_DATED = re.compile(r"(year|month|date):(\d{4})(?:-(\d\d))?(?:-(\d\d))?$")


@dataclass(frozen=True, slots=True)
class Period:
    """What a question says of time.

    ``since`` and ``until`` are its first and last day, open where ``None``. ``newest`` says that the
    latest state of things is asked for.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    newest: bool = False

    @property
    def bounded(self) -> bool:
        """Whether a day can lie outside."""
        return bool(self.since or self.until)

    def __bool__(self) -> bool:
        """Whether the question says anything of time."""
        return self.bounded or self.newest

    def holds(self, day: dt.date) -> bool:
        """Whether a day lies within."""
        return (not self.since or day >= self.since) and (not self.until or day <= self.until)


def period_of(question: str, language: str, today: dt.date) -> Period:
    """The period that a question is about; an empty one where it says nothing of time.

    Args:
        question: The question.
        language: Its language, ISO 639-1, which decides how dates are read.
        today: What "last year" counts from.
    """
    question = normalize(question)
    asked = f" {' '.join(_WORD.findall(lowered(question)))} "
    newest = any(f" {phrase} " in asked for phrase in time_words("newest"))
    found = _relative(asked, today) or _absolute(question, language, today)
    return replace(found, newest=newest)


def _relative(asked: str, today: dt.date) -> Period | None:
    """The period of "last year" or "hôm qua", if there is one."""
    month = today.replace(day=1)
    last_month = (month - dt.timedelta(days=1)).replace(day=1)
    monday = today - dt.timedelta(days=today.weekday())
    periods = {
        "this_year": _year(today.year),
        "last_year": _year(today.year - 1),
        "next_year": _year(today.year + 1),
        "this_month": _month(month.year, month.month),
        "last_month": _month(last_month.year, last_month.month),
        "this_week": Period(monday, monday + dt.timedelta(days=6)),
        "last_week": Period(monday - dt.timedelta(days=7), monday - dt.timedelta(days=1)),
        "today": Period(today, today),
        "yesterday": Period(today - dt.timedelta(days=1), today - dt.timedelta(days=1)),
    }
    for name, period in periods.items():
        if any(f" {phrase} " in asked for phrase in time_words(name)):
            return period
    return None


def _absolute(question: str, language: str, today: dt.date) -> Period:
    """The period of the dates that a question names, and of the words before them."""
    period = Period()
    for figure in figures(question, language):
        spans = [
            span for key in figure.keys if (span := _span(_with_year(key, figure.keys, today)))
        ]
        if not spans:
            continue
        # The keys of a date name what it lies in, too; the shortest is what was said.
        first, last = min(spans, key=lambda span: span[1] - span[0])
        if all(key.startswith(("year:", "number:")) for key in figure.keys) and len(spans) > 1:
            return Period(spans[0][0], spans[-1][1])  # "2022 to 2024" is one figure
        before = lowered(question[max(0, figure.start - _BEFORE_A_DATE) : figure.start])
        lead = _lead(before)
        if lead == "after":
            period = replace(period, since=last + dt.timedelta(days=1))
        elif lead == "since":
            period = replace(period, since=first)
        elif lead == "before":
            period = replace(period, until=first - dt.timedelta(days=1))
        elif lead == "until":
            period = replace(period, until=last)
        elif not period.bounded:
            period = Period(first, last)
        elif period.since and period.since < first:
            period = replace(period, until=last)
    return period


def _with_year(key: str, keys: Sequence[str], today: dt.date) -> str:
    """A key of a day or month without a year as that of the last one that has begun."""
    kind, _, value = key.partition(":")
    if (
        kind not in ("month", "day")
        or len(value) > 5
        or any(one.startswith("year:") for one in keys)
    ):
        return key
    now = today.strftime("%m-%d")[: len(value)]
    year = today.year if value <= now else today.year - 1
    return f"{'date' if kind == 'day' else kind}:{year:04}-{value}"


def _lead(before: str) -> str:
    """What the words before a date make of it: ``after``, ``since``, ``before``, ``until`` or nothing."""
    tokens = re.findall(r"[^\W\d_]+", re.split(r"\d", before)[-1])
    if tokens and tokens[-1] in time_words("within"):
        return ""
    # "sau năm 2024", "until the end of 2023": some words may stand between.
    for count in range(1, 5):
        tail = " ".join(tokens[-count:])
        for name in ("after", "since", "before", "until"):
            if any(tail == phrase or tail.startswith(f"{phrase} ") for phrase in time_words(name)):
                return name
    return ""


def _span(key: str) -> tuple[dt.date, dt.date] | None:
    """The first and last day of ``year:2022``, ``month:2023-11`` or ``date:2024-07-09``."""
    match = _DATED.match(key)
    if not match:
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups()[1:])
    if day:
        return dt.date(year, month, day), dt.date(year, month, day)
    period = _month(year, month) if month else _year(year)
    return (period.since, period.until) if period.since and period.until else None


def _year(year: int) -> Period:
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31))


def _month(year: int, month: int) -> Period:
    last = calendar.monthrange(year, month)[1]
    return Period(dt.date(year, month, 1), dt.date(year, month, last))


def steered(hits: Sequence[Hit], period: Period) -> list[Hit]:
    """The same passages, those of a period or the newest ones moved up; none is left out.

    Args:
        hits: Passages, the best first.
        period: What the question says of time.
    """
    if not period:
        return list(hits)
    days = sorted({hit.document.published for hit in hits if hit.document.published})
    return sorted(hits, key=lambda hit: -hit.score * _factor(hit, period, days))


def _factor(hit: Hit, period: Period, days: Sequence[dt.date]) -> float:
    factor, day = 1.0, hit.document.published
    if period.bounded:
        if day:
            factor *= _PUBLISHED if period.holds(day) else _OTHER
        if _tells_of(hit, period):
            factor *= _TELLS
    if period.newest and day and len(days) > 1:
        factor *= 1 + _NEWEST * (2 * days.index(day) / (len(days) - 1) - 1)
    return factor


def _tells_of(hit: Hit, period: Period) -> bool:
    """Whether a passage names a date within a period."""
    for figure in figures(normalize(hit.passage.text), hit.document.language):
        for key in figure.keys:
            span = _span(key)
            if span and period.holds(span[0]) and period.holds(span[1]):
                return True
    return False
