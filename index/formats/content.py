"""What a reader gives, whatever the format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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


def rows_as_text(rows: Sequence[Sequence[str]], *, headed: bool = False) -> str:
    """A table as paragraphs, one for each row, that can be understood alone.

    Where the first row is ``headed``, or looks like a header, each value is given with the name of
    its column.
    """
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    header = filled[0] if filled and (headed or _is_header(filled)) else ()
    return paragraphs(_row(row, header) for row in filled[1 if header else 0 :])


def _row(row: Sequence[str], header: Sequence[str]) -> str:
    cells = []
    for number, cell in enumerate(row):
        name = header[number].strip() if number < len(header) else ""
        if value := " ".join(cell.split()):
            cells.append(f"{name}: {value}" if name else value)
    return "; ".join(cells)


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    names = [cell.strip() for cell in rows[0]]
    return (
        all(names)
        and len(set(names)) == len(names)
        and not any(any(char.isdigit() for char in name[:1]) for name in names)
        and max(map(len, names)) <= 80
    )
