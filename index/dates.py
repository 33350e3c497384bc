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
_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?\.?" for month in _MONTHS) + r"|sept\.?"

# A line that is a date and perhaps a time, or that opens with the word "date" and a date.
_LEADING_LINES = 6
_LABEL = re.compile(
    r"(?:date|(?:published|posted|updated)(?: on)?|ngày (?:đăng|xuất bản)|(?:đăng|xuất bản|cập nhật)"
    r"(?: ngày| lúc)?)\b:?\s*[\"']?",
    re.I,
)
# Before a date that is the rest of its line: "(Hà Nội, 3/7/2024)", "Wednesday, July 3, 2024".
_DAY_OR_PLACE = re.compile(r"\(?(?:[^\W\d][^\d,.:;()|]{1,40},\s*)?")
_FORMS = (
    re.compile(r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})(?!\d)"),
    re.compile(rf"(?P<name>{_MONTH})\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})\b", re.I),
    re.compile(rf"(?P<day>\d{{1,2}})\s+(?P<name>{_MONTH}),?\s+(?P<year>\d{{4}})\b", re.I),
    re.compile(
        r"(?:ngày\s*)?(?P<day>\d{1,2})\s*(?:[/.-]|tháng)\s*(?P<month>\d{1,2})"
        r"\s*(?:[/.-]|,?\s*năm|,)\s*(?P<year>\d{4})\b",
        re.I,
    ),
)
# A month alone stands for its first day, at the end of a short line: "Tạp chí X, tháng 11.2023".
_MONTH_FORMS = (
    re.compile(r"(?:^|[,|·–-]\s*)tháng\s*(?P<month>\d{1,2})\s*[./-]\s*(?P<year>\d{4})$", re.I),
    re.compile(rf"(?:^|[,|·–-]\s*)(?P<name>{_MONTH}),?\s+(?P<year>\d{{4}})$", re.I),
)
_MOST_OF_A_LINE = 80
_TIME_OR_NOTHING = re.compile(r"[\s,|·–T-]*(?:\d{1,2}[:h]\d{2}.{0,20})?\s*\)?\s*$", re.I)


def leading_date(text: str) -> dt.date | None:
    """The date in the first lines of a text, where a line is a date or opens with ``date``.

    A date inside a sentence is a subject of the text, not its publication date, and does not
    count. Day comes before month in figures, as Vietnamese and most of the world write it.
    """
    lines = [line.strip() for line in text[:2000].splitlines() if line.strip()]
    for line in lines[:_LEADING_LINES]:
        label = _LABEL.match(line)
        rest = line[label.end() :] if label else line
        lead = _DAY_OR_PLACE.match(rest)
        for form in _FORMS:
            match = form.match(rest) or (form.match(rest, lead.end()) if lead else None)
            if match and (label or _TIME_OR_NOTHING.match(rest[match.end() :])):
                date = _date(match)
                if date:
                    return date
        for form in _MONTH_FORMS if len(line) <= _MOST_OF_A_LINE else ():
            match = form.search(rest)
            if match and (date := _date(match)):
                return date
    return None


def _date(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    name = (parts.get("name") or "")[:3].lower()
    month = int(parts["month"]) if "month" in parts else [m[:3] for m in _MONTHS].index(name) + 1
    try:
        return dt.date(int(parts["year"]), month, int(parts.get("day") or 1))
    except ValueError:
        return None
