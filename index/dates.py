"""The publication date that a text states at its beginning."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?\.?" for month in _MONTHS)

# A line that is a date and perhaps a time, or a text that opens with the word "date".
_LEADING_LINES = 6
_FORMS = (
    re.compile(r"(?:date:?\s*)?(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b", re.I),
    re.compile(rf"(?P<name>{_MONTH})\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})\b", re.I),
    re.compile(rf"(?P<day>\d{{1,2}})\s+(?P<name>{_MONTH})\s+(?P<year>\d{{4}})\b", re.I),
    re.compile(
        r"(?:ngày\s*)?(?P<day>\d{1,2})\s*(?:[/.-]|tháng)\s*(?P<month>\d{1,2})"
        r"\s*(?:[/.-]|,?\s*năm)\s*(?P<year>\d{4})\b",
        re.I,
    ),
)
_TIME_OR_NOTHING = re.compile(r"[\s,|·–-]*(?:\d{1,2}[:h]\d{2}.{0,20})?\s*$", re.I)


def leading_date(text: str) -> dt.date | None:
    """The date in the first lines of a text, where a line is a date or opens with ``date``.

    A date inside a sentence is a subject of the text, not its publication date, and does not
    count. Day comes before month in figures, as Vietnamese and most of the world write it.
    """
    lines = [line.strip() for line in text[:2000].splitlines() if line.strip()]
    for line in lines[:_LEADING_LINES]:
        for form in _FORMS:
            match = form.match(line)
            if match is None:
                continue
            stated = line.lower().startswith("date")
            if stated or _TIME_OR_NOTHING.match(line[match.end() :]):
                return _date(match)
    return None


def _date(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    name = (parts.get("name") or "")[:3].lower()
    month = int(parts["month"]) if "month" in parts else [m[:3] for m in _MONTHS].index(name) + 1
    try:
        return dt.date(int(parts["year"]), month, int(parts["day"]))
    except ValueError:
        return None
