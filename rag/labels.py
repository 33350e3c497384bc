"""What stands before a quotation and claims nothing of its subject: its date, or that it differs.

``2026: “…” [1]`` says when what is quoted was published. Such a date is checked, too: one that is
not that of a cited document is part of the sentence, and needs evidence as any figure does.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence

from .messages import said

_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)-(?P<day>\d\d))?:\s+")
_LANGUAGES = ("en", "vi")


def labels(dates: Sequence[dt.date | None]) -> list[str]:
    """What tells some quotations apart by their dates, for each of them.

    Returns:
        The years where those differ, else whole dates; nothing where all have one date, or where
        none is known.
    """
    known = {date for date in dates if date}
    if len(known) < 2 and not (known and None in dates):
        return ["" for _ in dates]
    short = len({date.year for date in known}) == len(known)
    return [_label(date, short=short) if date else "" for date in dates]


def _label(date: dt.date, *, short: bool) -> str:
    return f"{date.year}: " if short else f"{date.isoformat()}: "


def without_label(sentence: str, dates: Iterable[dt.date | None], note: str = "") -> str:
    """A sentence without the date and the note in front of it.

    Args:
        sentence: A sentence of an answer.
        dates: When the documents that it cites were published. Another date is no label.
        note: What the program itself says in front of the first quotation.
    """
    for told in filter(None, [note, *(said("otherwise", language) for language in _LANGUAGES)]):
        sentence = sentence.removeprefix(told).lstrip()
    match = _DATE.match(sentence)
    if not match:
        return sentence
    known = {date.isoformat() for date in dates if date} | {
        str(date.year) for date in dates if date
    }
    return sentence[match.end() :] if match[0].rstrip(": \n") in known else sentence
