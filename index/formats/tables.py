"""Tables: CSV, and the sheets of spreadsheet programs (XLSX)."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from itertools import islice
from typing import Any

from rag.errors import DocumentError

from .archive import check_zip
from .content import Content, rows_as_text
from .text import decode

_DELIMITERS = ",;\t|"
_SAMPLE = 2**16
_SAMPLE_ROWS = 100
# A row reaches to its last cell: a few kilobytes can claim rows of 16,384 cells a million times.
_MOST_CELLS = 10_000_000


def read_csv(content: bytes, name: str) -> Content:
    """A table with any of the usual delimiters, each row as a paragraph."""
    text = decode(content, name).lstrip("\ufeff")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise DocumentError(f"{name} is not a readable table: {error}.") from error
    return Content((rows_as_text(rows),))


def _delimiter(text: str) -> str:
    """The delimiter that gives most rows the same number of columns; more columns win a tie."""
    best, delimiter = (0.0, 1), ","
    for candidate in _DELIMITERS:
        sample = csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=candidate)
        try:
            widths = [len(row) for row in islice(sample, _SAMPLE_ROWS) if row]
        except csv.Error:
            continue
        columns, rows = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if columns > 1 and (rows / len(widths), columns) > best:
            best, delimiter = (rows / len(widths), columns), candidate
    return delimiter


def read_xlsx(content: bytes, name: str) -> Content:
    """Sheets as pages, hidden ones too; formulas by the values they had when it was saved."""
    import openpyxl

    check_zip(content, name)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        pages: list[str] = []
        left, unread = _MOST_CELLS, ""
        for sheet in book.worksheets:
            rows, left = _filled(sheet, left)
            text = rows_as_text(rows)
            pages.append(f"# {sheet.title}\n\n{text}" if text else "")
            if not left:
                unread = f"Only its first {_MOST_CELLS:,} cells were read."
                break
        return Content(tuple(pages), title=book.properties.title or "", paged=True, unread=unread)
    finally:
        book.close()


def _filled(sheet: Any, most: int) -> tuple[list[list[str]], int]:
    """The rows of a sheet that hold something, and how many more cells may be looked at."""
    sheet.reset_dimensions()  # what a sheet says of its size need not be true
    rows: list[list[str]] = []
    for row in sheet.iter_rows(values_only=True):
        most -= max(1, len(row))
        if most <= 0:
            return rows, 0
        cells = [_shown(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            rows.append(cells)
    return rows, most


def _shown(value: object) -> str:
    """A cell's value as a person would read it."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return str(value.date() if value.time() == dt.time() else value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
