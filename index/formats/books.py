"""Books: EPUB."""

from __future__ import annotations

import datetime as dt
import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from rag.errors import DocumentError

from .archive import opened_zip
from .content import Content, paragraphs
from .web import blocks


def read_epub(content: bytes, name: str) -> Content:
    """The chapters of a book in reading order; an EPUB has no page numbers.

    Source of the structure: EPUB 3.3, W3C Recommendation, "Open Container Format" and
    "Package document".
    """
    with opened_zip(content, name) as book:
        container = _parsed(book, "META-INF/container.xml")
        place = next(iter(container.xpath("//*[local-name()='rootfile']/@full-path")), "")
        package = _parsed(book, place)
        items = {
            item.get("id"): item.get("href", "")
            for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        }
        chapters = []
        for reference in package.xpath("//*[local-name()='spine']/*/@idref"):
            path = posixpath.join(posixpath.dirname(place), unquote(items.get(reference, "")))
            if path in book.namelist():
                chapters.append(blocks(_parsed(book, path, html=True)))
    if not chapters:
        raise DocumentError(f"{name} is not a readable EPUB: it lists no chapters.")
    return Content((paragraphs(chapters),), _first(package, "title"), _date(package))


def _parsed(book: zipfile.ZipFile, path: str, *, html: bool = False) -> Any:
    from lxml import etree

    options: dict[str, Any] = {"no_network": True, "recover": True, "huge_tree": False}
    parser: Any
    if html:  # entities of XHTML have names that only HTML knows; the encoding is UTF-8
        parser = etree.HTMLParser(**options, encoding="utf-8")
    else:  # entities could name files of this machine, or grow without end
        parser = etree.XMLParser(**options, resolve_entities=False)
    content = book.read(path)
    root = etree.fromstring(content.replace(b"\x00", b""), parser)
    if root is None:
        raise DocumentError(f"{path} in the book is damaged.")
    return root


def _first(package: Any, name: str) -> str:
    found = package.xpath(f"//*[local-name()='metadata']/*[local-name()='{name}']/text()")
    return str(found[0]) if found else ""


def _date(package: Any) -> dt.date | None:
    stated = _first(package, "date").strip()
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return dt.datetime.strptime(stated[:10], form).date()
        except ValueError:
            continue
    return None
