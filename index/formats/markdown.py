"""Markdown: what it says of itself, and its tables row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.index.dates import leading_date

from .content import Content, rows_as_text
from .text import decode

# What a Markdown text says of itself before it begins, one fact to a line: "title: Rivers".
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.M | re.S)
_FACT = re.compile(r"^(title|date)[ \t]*:(.+)$", re.M | re.I)
# What stands between the names of columns and the rows, in each column.
_DASHES = re.compile(":?-+:?")
_BAR = re.compile(r"(?<!\\)\|")
# Code begins and ends with a fence, or is set in.
_FENCE = re.compile(r"[ >]{0,8}(`{3,}|~{3,})")
_SET_IN = 4
# What a line begins with in a quotation or a list.
_BEFORE = " \t>"


def read_markdown(content: bytes, name: str) -> Content:
    """A Markdown text; its title is in its front matter, or its first heading of the first level.

    The front matter stays in the text: what it says can be found, and cited.
    """
    text = decode(content, name)
    front = _FRONT_MATTER.match(text)
    facts = {
        key.lower(): value.strip().strip("\"'")
        for key, value in _FACT.findall(front[1] if front else "")
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
    those of GitHub Flavored Markdown (github.github.com/gfm, 4.10), but a line without bars ends one,
    and a cell beyond the last column is kept.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    written: list[str] = []
    reached = 0
    for first, last in _tables(lines):
        header, _, *rows = map(_cells, lines[first:last])
        written += [*lines[reached:first], "", rows_as_text(rows, header), ""]
        reached = last
    return "\n".join([*written, *lines[reached:]]) if reached else text


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The first line of each table that has rows, and the one behind its last; none within code."""
    fence = ""
    at = 0
    while at < len(lines):
        mark = _FENCE.match(lines[at])
        if mark and (
            not fence or (mark[1].startswith(fence) and mark.end() == len(lines[at].rstrip()))
        ):
            fence = "" if fence else mark[1]
        if fence or at + 2 >= len(lines) or not _is_rule(lines[at + 1], lines[at]):
            at += 1
            continue
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        if any(any(_cells(line)) for line in lines[at + 2 : end]):
            yield at, end
        at = end


def _is_rule(line: str, header: str) -> bool:
    """Whether a line is the one between the names of columns and the rows."""
    if "|" not in line or "|" not in header or _is_code(header):
        return False
    cells = _cells(line)
    return len(cells) == len(_cells(header)) and all(_DASHES.fullmatch(cell) for cell in cells)


def _is_code(line: str) -> bool:
    """Whether a line is set in as code is; tables of lists are, too, and begin with a bar."""
    begins = line.lstrip(" \t")
    return len(line) - len(begins) >= _SET_IN and begins[:1] not in ("|", ">")


def _cells(line: str) -> list[str]:
    """What stands between the bars of a line, but for those that are escaped."""
    inner = line.lstrip(_BEFORE).rstrip().removeprefix("|")
    cells = [cell.replace("\\|", "|").strip() for cell in _BAR.split(inner)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells
