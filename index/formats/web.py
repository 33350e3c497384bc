"""Pages of the web, and other HTML."""

from __future__ import annotations

import datetime as dt
from typing import Any

from .content import Content, paragraphs
from .html_tables import UNSEEN, write_out_tables
from .text import decode

_BLOCKS = frozenset(
    [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "dt",
        "dd",
        "blockquote",
        "pre",
        "td",
        "th",
        "figcaption",
        "caption",
        "div",
        "section",
    ]
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
# How the lines of a list or a table begin, which belong together.
_JOINED = ("- ", "|")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def read_html(content: bytes, name: str) -> Content:
    """The main content of a page, with its title and date; all of it where there is none."""
    import trafilatura
    from trafilatura.baseline import html2txt

    text = decode(content, name)
    tree = trafilatura.load_html(text)
    if tree is not None:
        _raise_marks(tree)
        write_out_tables(tree)
    found = trafilatura.bare_extraction(
        text if tree is None else tree,
        with_metadata=True,
        include_comments=False,
        favor_recall=True,
        # What the page says of its date, not the first date in its prose.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if found is None or isinstance(found, dict) or not found.text:
        return Content((html2txt(text) or _everything(text),))
    published = dt.date.fromisoformat(found.date) if found.date else None
    text = _with_blank_lines(found.text)
    return Content((text,), title=found.title or "", published=published)


def _raise_marks(tree: Any) -> None:
    """Write raised figures as such: "650<sup>1</sup>" is not 6501, and 10<sup>3</sup> is not 103."""
    for mark in tree.iter("sup"):
        text = (mark.text or "").strip()
        if len(mark) == 0 and text.isascii() and text.isdigit():
            mark.text = text.translate(_RAISED)


def _with_blank_lines(text: str) -> str:
    """A text of trafilatura, which begins a line for each paragraph, with a blank line between those."""
    lines: list[str] = []
    within_code = False
    for line in text.split("\n"):
        begins = line.lstrip()
        if lines and lines[-1] and line and not within_code and not begins.startswith(_JOINED):
            lines.append("")
        within_code ^= begins.startswith("```")
        lines.append(line)
    return "\n".join(lines)


def _everything(text: str) -> str:
    """The text of a page that is too short for trafilatura to look at."""
    import lxml.etree
    import lxml.html

    try:
        return blocks(
            lxml.html.fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
        )
    except (lxml.etree.ParserError, ValueError):
        return ""


def blocks(root: Any) -> str:
    """The text of an lxml tree of HTML, whose tables are written out: a paragraph for each block.

    Headings are marked as in Markdown.
    """
    write_out_tables(root)
    return paragraphs(_blocks(root))


def _blocks(root: Any) -> list[str]:
    found: list[str] = []
    line: list[str] = []
    heading = ""

    def close() -> None:
        text = " ".join("".join(line).split())
        if text:
            found.append(heading + text)
        line.clear()

    # Without recursion: a hostile page may be nested deeper than Python's stack.
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        node, leaving = waiting.pop()
        tag = _tag(node)
        if leaving:
            if tag in _BLOCKS:
                close()
                heading = ""
            line.append(node.tail or "")
            continue
        if tag in UNSEEN or not isinstance(node.tag, str):  # the latter is a comment
            line.append(node.tail or "")
            continue
        if tag in _BLOCKS:
            close()
            heading = _HEADINGS.get(tag, "")
        line.append("\n" if tag == "br" else node.text or "")
        waiting.append((node, True))
        waiting.extend((child, False) for child in reversed(node))
    close()
    return found


def _tag(node: Any) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""
