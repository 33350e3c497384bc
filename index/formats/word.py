"""Documents of word processors (DOCX), as they read with every tracked change accepted.

python-docx gives the text of plain paragraphs only; what was inserted with changes tracked, and
what stands in a content control or a text box, it passes over. So the elements are walked here.

Source of their names: ECMA-376, "Office Open XML File Formats", part 1, chapter 17.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from .archive import check_zip
from .content import Content, paragraphs, rows_as_text

# What stands around paragraphs, rows, cells and runs without being one.
_WRAPPERS = frozenset(["sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"])
# Text that is no longer there, and text boxes in the form for older programs.
_UNSEEN = frozenset(["del", "moveFrom", "Fallback"])
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# What is read after the text: each kind of part by the end of its relationship's type.
_BESIDE = ("/header", "/footer", "/footnotes", "/endnotes")
# Word has no more; a cell that claims to span more is damaged.
_MOST_COLUMNS = 63


def read_docx(content: bytes, name: str) -> Content:
    """Paragraphs and tables in their order; headings are marked as in Markdown.

    Headers, footers and notes follow at the end, each text once.
    """
    import docx

    check_zip(content, name)
    document = docx.Document(io.BytesIO(content))
    title = ""
    blocks: list[str] = []
    for block in _inside(document.element.body, "p", "tbl"):
        if _tag(block) == "tbl":
            blocks.append(_table(block))
            continue
        style = _style(block, document)
        text = _text(block)
        if style == "Title" and not title:
            title = text
        blocks.append(_heading(style) + text if text.strip() else "")
    blocks += _beside(document)
    return Content((paragraphs(blocks),), title=document.core_properties.title or title)


def _beside(document: Any) -> list[str]:
    """The texts of headers, footers and notes."""
    from docx.oxml import parse_xml

    texts: dict[str, None] = {}
    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(_BESIDE):
            root = parse_xml(relation.target_part.blob)
            for notes in [root, *_inside(root, "footnote", "endnote")]:
                texts[_cell(notes)] = None
    return list(texts)


def _style(paragraph: Any, document: Any) -> str:
    from docx.text.paragraph import Paragraph

    style = Paragraph(paragraph, document).style
    return (style.name or "") if style is not None else ""


def _heading(style: str) -> str:
    if style == "Title":
        return "# "
    level = style.removeprefix("Heading ")
    return "#" * int(level) + " " if level != style and level.isdigit() else ""


def _table(table: Any) -> str:
    """A table as text; a cell that spans rows is given in each, one that spans columns once."""
    rows: list[list[str]] = []
    for row in _inside(table, "tr"):
        above = rows[-1] if rows else []
        cells = [""] * _number(row, "gridBefore", 0)
        for cell in _inside(row, "tc"):
            spans = _property(cell, "vMerge")
            goes_on = spans is not None and _value(spans) in (None, "continue")
            column = len(cells)
            known = above[column] if goes_on and column < len(above) else ""
            cells += [known or _cell(cell), *[""] * (_number(cell, "gridSpan", 1) - 1)]
        rows.append(cells)
    return rows_as_text(rows)


def _cell(cell: Any) -> str:
    blocks = _inside(cell, "p", "tbl")
    return "\n".join(_table(each) if _tag(each) == "tbl" else _text(each) for each in blocks)


def _text(paragraph: Any) -> str:
    """The text of a paragraph; that of a text box in it begins a line of its own."""
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        node = waiting.pop()
        tag = _tag(node)
        if tag in _UNSEEN or tag.endswith("Pr"):
            continue
        if tag == "t":
            parts.append(node.text or "")
        elif tag in ("p", "cr", "br"):
            parts.append("\n")
        else:
            parts.append(_CHARACTERS.get(tag, ""))
        waiting.extend(reversed(node))
    return "".join(parts)


def _inside(element: Any, *tags: str) -> Iterator[Any]:
    """The elements of some kinds in another, in order, in whatever wrappers they stand."""
    waiting: list[Any] = list(reversed(element))
    while waiting:
        node = waiting.pop()
        if _tag(node) in tags:
            yield node
        elif _tag(node) in _WRAPPERS:
            waiting.extend(reversed(node))


def _number(element: Any, name: str, default: int) -> int:
    found = _property(element, name)
    value = _value(found) if found is not None else None
    return min(int(value), _MOST_COLUMNS) if value and value.isdigit() else default


def _property(element: Any, name: str) -> Any:
    """A property of a row or a cell."""
    groups: Iterable[Any] = (child for child in element if _tag(child).endswith("Pr"))
    return next((one for group in groups for one in group if _tag(one) == name), None)


def _value(found: Any) -> str | None:
    return next((str(value) for key, value in found.items() if key.endswith("}val")), None)


def _tag(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
