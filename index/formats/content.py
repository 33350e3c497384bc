"""What a reader gives, whatever the format."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# So many lines over a table are its titles.
_MOST_TITLES = 3
# What is longer is no name of a column, and would be said again in each row.
LONGEST_NAME = 80
_YEAR = re.compile("(?:19|20)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a file: a member of an archive, an attachment of a letter."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What a format's reader found in a file; texts are not yet normalized.

    ``pages`` are the texts of its pages, slides or sheets where it is ``paged``, else one text,
    or none where it holds only ``parts``. ``unread`` says in a sentence what of it could not be
    read, ``failed`` names parts that cannot be read, with the reason.

    ``published`` is given only where the format says so. The dates in PDF and Office files say
    when a file was made or saved, and templates and converters bring theirs along: python-docx's
    is from 2013. A wrong date is worse than none, so they are not read.
    """

    pages: tuple[str, ...] = ()
    title: str = ""
    published: dt.date | None = None
    paged: bool = False
    unread: str = ""
    parts: tuple[Part, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


def paragraphs(texts: Iterable[str]) -> str:
    """Texts as paragraphs of one, those without any left out."""
    return "\n\n".join(text for text in (one.strip() for one in texts) if text)


def rows_as_text(rows: Sequence[Sequence[str]], header: Sequence[str] | None = None) -> str:
    """A table as paragraphs, one for each row, that can be understood alone.

    Args:
        rows: The cells of each row.
        header: The names of the columns, with which each value is given. If left out, the first row
            that has several cells is taken for them where it looks so; what stands above it is a title.
    """
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    titles: list[str] = []
    if header is None:
        first = _first_wide(filled)
        titles = [cell.strip() for row in filled[:first] for cell in row]
        filled = filled[first:]
        header = filled[0] if _is_header(filled) else ()
        filled = filled[1:] if header else filled
    names = [*header, *([""] * max(map(len, filled), default=0))]
    if header and not any(cell.strip() for cell in header):  # a form: what is asked, and the answer
        return paragraphs(": ".join(filter(None, map(str.strip, row))) for row in filled)
    return paragraphs([*titles, *(named_values(zip(names, row, strict=False)) for row in filled)])


def named_values(cells: Iterable[tuple[str, str]]) -> str:
    """A row of a table: each value behind the name of its column, if that has one."""
    told = [(" ".join(name.split()), " ".join(value.split())) for name, value in cells]
    return "; ".join(
        f"{name}: {value}" if 0 < len(name) <= LONGEST_NAME else value
        for name, value in told
        if value
    )


def _first_wide(rows: Sequence[Sequence[str]]) -> int:
    """The first row with several cells that say something, if those above it have one each."""
    wide = [sum(bool(cell.strip()) for cell in row) > 1 for row in rows]
    return wide.index(True) if True in wide[: _MOST_TITLES + 1] else 0


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    names = [cell.strip() for cell in rows[0]]
    below = dict(enumerate(cell.strip() for cell in rows[1]))
    years = [bool(_YEAR.fullmatch(one)) and not _YEAR.fullmatch(below.get(at, ""))
             for at, one in enumerate(names)]  # fmt: skip
    return (
        all(names)
        and len(set(names)) == len(names)
        and sum(years) not in (1, len(years))
        and not any(name[0].isdigit() for name, year in zip(names, years, strict=True) if not year)
        and max(map(len, names)) <= LONGEST_NAME
    )
