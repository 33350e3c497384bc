"""Tables of web pages: each row as a paragraph, each value with the name of its column.

What extracts the main content of a page writes a table between bars and forgets which of its cells span
several columns or rows. So rows are written out before, where that can still be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .content import named_values

# A cell that is longer holds a part of a page: such a table only lays it out.
_LONGEST_CELL = 1000
# More cells than this, after spans, are no table that anybody reads.
_MOST_CELLS, _WIDEST, _MOST_CHARACTERS = 200_000, 200, 5_000_000
_MOST_NAMES = 2
_LAYOUT = ("table", "form", "h1", "h2", "h3", "article", "section")
_HIDES = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
# What stands in lines of its own within a cell.
_BREAKS = ("br", "p", "li", "div")


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell: its text, and whether it is marked as a header; ``bold`` if all of it is."""

    text: str
    header: bool
    bold: bool


# A row has the same cell in every column that it spans, and so has a column.
_Row = list[_Cell | None]


def write_out_tables(tree: Any) -> None:
    """Put paragraphs in the place of the tables of a page, but for those that only lay it out.

    Args:
        tree: The page as lxml has parsed it, which is changed.
    """
    for table in list(tree.iter("table")):
        if table.getparent() is None or any(next(table.iter(tag), None) is not None
                                            for tag in _LAYOUT if tag != "table"):  # fmt: skip
            continue
        if sum(1 for _ in table.iter("table")) > 1:
            continue
        _drop_hidden(table)
        grid = _grid(table)
        if _is_data(grid):
            _replace(table, [*_captions(table), *_paragraphs(grid)])


def _drop_hidden(table: Any) -> None:
    for node in list(table.iter("*")):
        unseen = node.tag in ("script", "style", "template")
        hidden = "hidden" in node.attrib or _HIDES.search(node.get("style", ""))
        if node is not table and node.getparent() is not None and (unseen or hidden):
            node.drop_tree()


def _grid(table: Any) -> list[_Row]:
    """The cells by row and column, each in all places that it spans; nothing where they are too many."""
    rows = list(table.iter("tr"))
    placed: dict[tuple[int, int], _Cell] = {}
    for at, row in enumerate(rows):
        column = 0
        for node in row.iterchildren("td", "th"):
            while (at, column) in placed:
                column += 1
            cell = _cell(node)
            down = min(_span(node, "rowspan"), len(rows) - at)
            across = min(_span(node, "colspan"), _WIDEST)
            if len(placed) + down * across > _MOST_CELLS:
                return []
            placed |= {(at + y, column + x): cell for y in range(down) for x in range(across)}
            column += across
    width = max((column + 1 for _, column in placed), default=0)
    return [[placed.get((at, column)) for column in range(width)] for at in range(len(rows))]


def _span(node: Any, name: str) -> int:
    told = node.get(name, "1").strip()
    return max(1, int(told)) if told.isascii() and told.isdigit() and len(told) < 6 else 1


def _cell(node: Any) -> _Cell:
    for inner in node.iter(*_BREAKS):
        inner.tail = f" {inner.tail or ''}" if inner is not node else inner.tail
    text = " ".join(node.text_content().split())
    bold = "".join("".join(inner.itertext()) for inner in node.iter("b", "strong"))
    return _Cell(text, node.tag == "th", bool(text) and " ".join(bold.split()) == text)


def _is_data(grid: Sequence[_Row]) -> bool:
    several = sum(len(_distinct(row)) > 1 for row in grid)
    lengths = [len(cell.text) for row in grid for cell in row if cell]
    return several > 1 and max(lengths) <= _LONGEST_CELL and sum(lengths) <= _MOST_CHARACTERS


def _paragraphs(grid: Sequence[_Row]) -> Iterator[str]:
    """The rows below the header, and what stands across the whole table, in their order."""
    rows = [row for row in grid if any(cell and cell.text for cell in row)]
    heading = _heading(rows)
    names = _names(rows[: heading[1]][heading[0] :])
    for row in rows[: heading[0]] + rows[heading[1] :]:
        values = _distinct(row)
        if len(values) == 1 or not names:
            texts = [cell.text for cell, _ in values if cell.text]
            # Two columns without names are what something is called, and what it is.
            pair = len(row) == 2 and len(texts) == 2 and not texts[0].endswith(":")
            yield ": ".join(texts) if pair else "; ".join(texts)
        else:
            yield named_values((_name(names, columns), cell.text) for cell, columns in values)


def _name(names: Sequence[str], columns: Sequence[int]) -> str:
    """The name of one column or of two; what stands across more, such as "Total", is of none."""
    own = dict.fromkeys(names[at] for at in columns if names[at])
    return " / ".join(own) if len(own) <= _MOST_NAMES else ""


def _heading(rows: Sequence[_Row]) -> tuple[int, int]:
    """Which rows hold the names of the columns: the first of them, and the first behind them."""
    first = 0
    while first < len(rows) and len(_distinct(rows[first])) < 2:
        first += 1  # a title across the table
    end = first
    while end < len(rows) and _all(rows[end], "header"):
        end += 1
    if end == first < len(rows) and _all(rows[first], "bold"):
        end = first + 1
    return (first, end) if end < len(rows) else (first, first)


def _all(row: _Row, mark: str) -> bool:
    """Whether all cells with a text are marked; one in the corner may have none."""
    told = [cell for cell in row if cell and cell.text]
    return len(told) > 1 and all(getattr(cell, mark) for cell in told)


def _names(rows: Sequence[_Row]) -> list[str]:
    """The names of the columns; of several rows one behind the other."""
    return [
        " ".join(dict.fromkeys(cell.text for cell in column if cell and cell.text))
        for column in zip(*rows, strict=True)
    ]


def _distinct(row: _Row) -> list[tuple[_Cell, list[int]]]:
    """The cells of a row, each once, with the columns that it stands in."""
    found: list[tuple[_Cell, list[int]]] = []
    for column, cell in enumerate(row):
        if cell is None:
            continue
        if found and found[-1][0] is cell:
            found[-1][1].append(column)
        else:
            found.append((cell, [column]))
    return found


def _captions(table: Any) -> Iterator[str]:
    for caption in table.iter("caption"):
        yield " ".join(caption.text_content().split())


def _replace(table: Any, texts: Sequence[str]) -> None:
    """Put a paragraph for each text where a table is."""
    block = table.makeelement("div")
    for text in filter(None, texts):
        block.append(table.makeelement("p"))
        block[-1].text = text
    block.tail = table.tail
    table.getparent().replace(table, block)
