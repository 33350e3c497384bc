"""Markdown: what it says of itself, and its tables row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.index.dates import leading_date

from .content import Content, rows_as_text
from .text import decode

if TYPE_CHECKING:
    from markdown_it.token import Token

# What a Markdown text says of itself before it begins, one fact to a line: "title: Rivers".
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.M | re.S)
_FACT = re.compile(r"^(title|date)[ \t]*:[ \t]*(.+?)[ \t]*\r?$", re.M | re.I)
# What stands under the header of every table, and under little else.
_RULE = re.compile(r"^(?=[^\n]*-)[ \t>|:-]+$", re.M)


def read_markdown(content: bytes, name: str) -> Content:
    """A Markdown text; its title is in its front matter, or its first heading of the first level.

    The front matter stays in the text: what it says can be found, and cited.
    """
    text = decode(content, name)
    front = _FRONT_MATTER.match(text)
    facts = {
        key.lower(): value.strip("\"'") for key, value in _FACT.findall(front[1] if front else "")
    }
    head, body = (front[0], text[front.end() :]) if front else ("", text)
    headings = (line[2:] for line in body.splitlines() if line.startswith("# "))
    return Content(
        (head + with_rows(body),),
        title=facts.get("title") or next(headings, ""),
        published=leading_date("date " + facts.get("date", "")),
    )


def with_rows(text: str) -> str:
    """A text with each row of its tables as a paragraph, each value with the name of its column.

    A row between bars says little alone, and it may be found without the header above it. Tables are
    those of GitHub Flavored Markdown (github.github.com/gfm, 4.10).
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    if "|" not in unified or not _RULE.search(unified):
        return text
    from markdown_it import MarkdownIt

    # What stands within a paragraph is not looked into.
    parser = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])
    lines = unified.split("\n")
    written: list[str] = []
    reached = 0
    for rows in _tables(parser.parse(unified), lines):
        written += [
            *lines[reached : min(rows)],
            "",
            rows_as_text([*rows.values()], headed=True),
            "",
        ]
        reached = max(rows) + 1
    return "\n".join([*written, *lines[reached:]])


def _tables(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[dict[int, list[str]]]:
    """The rows of each table that has some below its header: the texts of the cells, by the line.

    Tables are left out of which something would be lost.
    """
    rows: dict[int, list[str]] = {}
    within = False
    for token in tokens:
        if token.type == "table_open":
            rows, within = {}, True
        elif token.type == "inline" and within and token.map:
            line = token.map[0]
            # To the letter a line without bars belongs to the table that it stands right below.
            within = "|" in lines[line]
            if within:
                rows.setdefault(line, []).append(token.content)
        elif token.type == "table_close":
            within = False
            below = [cell for row in [*rows.values()][1:] for cell in row]
            whole = all(_letters(lines[line]) == _letters("".join(rows[line])) for line in rows)
            if any(cell.strip() for cell in below) and whole:
                yield rows


def _letters(text: str) -> int:
    """How many letters and figures a text has: of a row with more cells than its header some are lost."""
    return sum(map(str.isalnum, text))
