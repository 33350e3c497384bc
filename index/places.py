"""What a person calls a document, a folder or a part of a file, and the URI it has."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

PathLike = str | os.PathLike[str]


def absolute(path: PathLike) -> Path:
    """The same place from the root, links in it not followed."""
    return Path(os.path.abspath(path))


def as_uri(given: str) -> str:
    """The URI of a path; a URI as it is."""
    return given if "://" in given else absolute(given).as_uri()


def named(given: str, known: Iterable[str]) -> str:
    """The URI of a document, folder or part of a file, by one of its names.

    Args:
        given: A path, a URI as it is or as ``rag status`` shows it, or ``letters.zip#may/a.eml``.
        known: The URIs of all documents.
    """
    if "://" in given:
        shown = (uri for uri in known if given in (uri, unquote(uri)))
        return next(shown, given).rstrip("/")
    path, part, inside = given.rpartition("#")
    if part and not os.path.lexists(given):
        return f"{as_uri(path)}#{quote(inside)}".rstrip("/")
    return as_uri(given).rstrip("/")
