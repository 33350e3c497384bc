"""Tables of web pages: each row as a paragraph, each value with the name of its column.

What extracts the main content of a page writes a table between bars and forgets which of its cells span
several columns or rows. So rows are written out before, where that can still be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .content import LONGEST_NAME, named_values

# A cell that is longer holds a part of a page: such a table only lays it out.
_LONGEST_CELL = 1000
# More cells than this in a page, after spans, nobody reads; nor more characters with the names of columns.
_MOST_CELLS, _MOST_CHARACTERS = 300_000, 5_000_000
_MOST_NAMES = 2
_LAYOUT = frozenset(["table", "form", "article", "section"])
_WITHIN = frozenset(["table", "thead", "tbody", "tfoot", "tr", "colgroup", "col"])
# What no reader of a page sees, or what is no text of it.
UNSEEN = frozenset([
    "script", "style", "template", "noscript", "svg", "math", "textarea", "select", "option", "button",
    "input", "iframe", "object", "canvas", "audio", "video", "head",
])  # fmt: skip
_HIDES = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
# In which order the parts of a table are shown, wherever they are written.
_SECTIONS = {"thead": 0, "tfoot": 2}
# What stands in lines of its own within a cell.
_BREAKS = frozenset(["br", "p", "li", "div", "ul", "ol", "dt", "dd", "pre", "td", "th", "caption"])
# XML 1.0, 2.2: no tree may hold any other character.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell: its text, and whether it is marked as a header; ``bold`` if all of it is."""

    text: str
    header: bool
    bold: bool


# A row has the same cell in every column that it spans, and so has a column.
_Row = list[_Cell | None]


def write_out_tables(tree: Any) -> None:
    """Put paragraphs in the place of the tables of a page, and blocks in that of those that lay it out.

    Hidden ones go; those stay as they are after which a page would be longer than anybody reads.

    Args:
        tree: The page as lxml has parsed it, which is changed.
    """
    cells, characters = _MOST_CELLS, _MOST_CHARACTERS
    for table in list(tree.iter("table")):
        if table.getparent() is None:
            continue
        if _is_hidden(table):
            _replace(table, [])
            continue
        if not _is_simple(table):
            _lay_out(table)
            continue
        grid = _grid(table, cells)
        told = [cell for row in grid for cell in row if cell]
        cells -= len(told)
        characters -= sum(len(cell.text) for cell in told)
        if characters < 0 or not _is_data(grid):
            if any(cell.text and len(cell.text) > _LONGEST_CELL for cell in told):
                _lay_out(table)
            continue
        texts = [*_captions(table), *_paragraphs(grid)]
        characters -= sum(map(len, texts))
        if characters >= 0:
            _replace(table, texts)


def _is_hidden(node: Any) -> bool:
    return (
        "hidden" in node.attrib
        or node.get("aria-hidden") == "true"
        or _HIDES.search(node.get("style", "")) is not None
    )


def _is_simple(table: Any) -> bool:
    """Whether a table holds nothing but cells and a caption, and these no part of a page."""
    for node in table.iter("*"):
        if node is not table and node.tag in _LAYOUT:
            return False
        if node.tag in _WITHIN and (node.text or "").strip():
            return False
        if node is not table and node.getparent().tag in _WITHIN:
            known = node.tag in _WITHIN or node.tag in ("td", "th", "caption")
            if (node.tail or "").strip() or not (known or node.tag in UNSEEN):
                return False
    return True


def _lay_out(table: Any) -> None:
    """Make blocks of a table and its cells: they are read one after the other then, as they stand."""
    inner = table.iter(*(_WITHIN - {"table"}), "td", "th", "caption")
    own = [node for node in inner if next(node.iterancestors("table")) is table]
    for node in (table, *own):
        node.tag = "div"


def _grid(table: Any, most: int) -> list[_Row]:
    """The cells by row and column, each in all places that it spans; nothing where they are too many."""
    rows = [one for one in table.iter("tr") if not (_is_hidden(one) or _is_hidden(one.getparent()))]
    rows.sort(key=lambda row: _SECTIONS.get(row.getparent().tag, 1))
    whole = all(row.getparent().tag == "thead" for row in rows)
    placed: dict[tuple[int, int], _Cell] = {}
    width = 0
    for at, row in enumerate(rows):
        column = 0
        in_head = row.getparent().tag == "thead" and not whole
        for node in row.iterchildren("td", "th"):
            while (at, column) in placed:
                column += 1
            cell = _cell(node, in_head=in_head)
            down = min(_span(node, "rowspan"), len(rows) - at)
            across = _span(node, "colspan")
            width = max(width, column + across)
            if width * len(rows) > most:
                return []
            placed |= {(at + y, column + x): cell for y in range(down) for x in range(across)}
            column += across
    return [[placed.get((at, column)) for column in range(width)] for at in range(len(rows))]


def _span(node: Any, name: str) -> int:
    """Into how many rows or columns a cell reaches, as HTML bounds it: 1,000 columns, or rows enough."""
    told = node.get(name, "1").strip()
    return min(1000, max(1, int(told))) if re.fullmatch("[0-9]{1,6}", told) else 1


def _cell(node: Any, *, in_head: bool) -> _Cell:
    if _is_hidden(node):
        return _Cell("", node.tag == "th", bold=False)
    text = _text(node)
    bold = " ".join(_text(inner) for inner in node.iter("b", "strong"))
    return _Cell(text, node.tag == "th" or in_head, bool(text) and bold == text)


def _text(node: Any) -> str:
    """What can be read of a node."""
    parts: list[str] = []
    # Without recursion: a hostile page may be nested deeper than Python's stack.
    waiting: list[tuple[Any, bool]] = [(node, False)]
    while waiting:
        one, leaving = waiting.pop()
        gap = " " if one.tag in _BREAKS else ""
        if leaving:
            parts.append(gap)
        elif isinstance(one.tag, str) and one.tag not in UNSEEN and not _is_hidden(one):
            parts += [gap, one.text or ""]
            waiting.append((one, True))
            waiting.extend((child, False) for child in reversed(one))
            continue
        if one is not node:
            parts.append(one.tail or "")
    return " ".join(_NO_CHARACTER.sub("", "".join(parts)).split())


def _is_data(grid: Sequence[_Row]) -> bool:
    several = sum(len(_distinct(row)) > 1 for row in grid)
    return several > 1 and all(
        len(cell.text) <= _LONGEST_CELL for row in grid for cell in row if cell
    )


def _paragraphs(grid: Sequence[_Row]) -> Iterator[str]:
    """The rows below their header, and what stands across the whole table, in their order."""
    rows = [row for row in grid if any(cell and cell.text for cell in row)]
    head: list[_Row] = []
    names: list[str] = []
    first = True  # of those with several cells
    for place, row in enumerate(rows):
        values = _distinct(row)
        if place + 1 < len(rows) and (_all(row, "header") or (first and _all(row, "bold"))):
            head.append(row)
            names, first = _names(head), False
            continue
        if len(values) > 1:
            head, first = [], False  # another header below begins anew
        if len(values) > 1 and any(names):
            yield named_values((_name(names, columns), cell.text) for cell, columns in values)
            continue
        texts = [cell.text for cell, _ in values if cell.text]
        # Two columns without names are what something is called, and what it is.
        pair = len(row) == 2 and len(texts) == 2 and not texts[0].endswith(":")
        yield ": ".join(texts) if pair else " ".join(texts) if len(row) == 2 else "; ".join(texts)


def _name(names: Sequence[str], columns: Sequence[int]) -> str:
    """The name of one column or of two; what stands across more, such as "Total", is of none."""
    own = dict.fromkeys(names[at] for at in columns if names[at])
    return " / ".join(own) if len(own) <= _MOST_NAMES else ""


def _all(row: _Row, mark: str) -> bool:
    """Whether all cells with a text are marked; one in the corner may have none."""
    told = {id(cell): cell for cell in row if cell and cell.text}.values()
    return len(told) > 1 and all(getattr(cell, mark) for cell in told)


def _names(rows: Sequence[_Row]) -> list[str]:
    """The names of the columns; of several rows one behind the other."""
    return [
        " ".join(dict.fromkeys(cell.text for cell in column if cell and cell.text))[
            : LONGEST_NAME + 1
        ]
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
        yield _text(caption)


def _replace(table: Any, texts: Sequence[str]) -> None:
    """Put a paragraph for each text where a table is, and for what stands loose around it.

    Not in a figure, which is taken for a picture, nor in another paragraph.
    """
    parent, before = table.getparent(), table.getprevious()
    loose = (parent.text if before is None else before.tail) or ""
    if loose.strip():
        texts = [loose, *texts]
        if before is None:
            parent.text = None
        else:
            before.tail = None
    for text in filter(None, [*texts, (table.tail or "").strip()]):
        paragraph = table.makeelement("p")
        paragraph.text = _NO_CHARACTER.sub("", " ".join(text.split()))
        table.addprevious(paragraph)
    table.tail = None
    parent.remove(table)
    if parent.tag in ("figure", "p"):
        parent.tag = "div"
        for caption in parent.iterchildren("figcaption"):
            caption.tag = "p"
