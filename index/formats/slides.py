"""Slides of presentation programs: PPTX."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from .archive import check_zip
from .content import Content, paragraphs, rows_as_text


def read_pptx(content: bytes, name: str) -> Content:
    """Slides as pages: their texts, tables and notes."""
    import pptx

    check_zip(content, name)
    presentation = pptx.Presentation(io.BytesIO(content))
    pages = []
    for slide in presentation.slides:
        texts = list(_texts(slide.shapes))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            texts.append(slide.notes_slide.notes_text_frame.text)
        pages.append(paragraphs(texts))
    return Content(tuple(pages), title=presentation.core_properties.title or "", paged=True)


def _texts(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        if shape.has_text_frame:
            yield "\n".join(paragraph.text for paragraph in shape.text_frame.paragraphs)
        elif getattr(shape, "has_table", False):
            yield rows_as_text(_cells(shape.table.rows))
        elif hasattr(shape, "shapes"):  # a group
            yield from _texts(shape.shapes)


def _cells(rows: Iterable[Any]) -> list[list[str]]:
    """The texts of a table; a cell that spans several columns is given once."""
    table = []
    for row in rows:
        seen: set[int] = set()
        cells = []
        for cell in row.cells:
            element = id(getattr(cell, "_tc", cell))
            cells.append("" if element in seen else cell.text)
            seen.add(element)
        table.append(cells)
    return table
