"""Files into documents: read them, tell their format, normalize their text."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from rag.errors import DocumentError
from rag.index.formats.archive import Room, opened_zip, read_zip
from rag.index.formats.books import read_epub
from rag.index.formats.content import Content, Part
from rag.index.formats.mail import read_eml
from rag.index.formats.markdown import read_markdown
from rag.index.formats.pdf import read_pdf
from rag.index.formats.slides import read_pptx
from rag.index.formats.structured import read_json, read_jsonl
from rag.index.formats.tables import read_csv, read_xlsx
from rag.index.formats.text import read_text
from rag.index.formats.web import read_html
from rag.index.formats.word import read_docx
from rag.language import detect_language
from rag.text import collapse, normalize
from rag.types import Document, Failure, file_name

from .dates import leading_date

Reader = Callable[[bytes, str], Content]

# Read whole into memory, and several times over by the parsers.
MAX_BYTES = 256 * 2**20

# An archive in a letter in an archive is opened, what is in it is not.
_MOST_DEPTH = 2

READERS: dict[str, Reader] = {
    ".txt": read_text,
    ".text": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".pptx": read_pptx,
    ".xlsx": read_xlsx,
    ".epub": read_epub,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".eml": read_eml,
    ".zip": read_zip,
}

# What packed documents are known by, whatever they are called.
_PACKED = {
    "word/document.xml": read_docx,
    "ppt/presentation.xml": read_pptx,
    "xl/workbook.xml": read_xlsx,
    "META-INF/container.xml": read_epub,
}
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")

# Titles that programs give by themselves.
_NO_TITLES = ("untitled", "powerpoint presentation", "microsoft word - ", "word document")


@dataclass(slots=True)
class Loaded:
    """What a file gave: its documents, the parts that failed, and those read only in part.

    ``skipped`` are the parts of types that cannot be read.
    """

    documents: list[Document] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    incomplete: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Loading:
    """One file being read: what it gave so far, the URIs in use, and the room for more."""

    loaded: Loaded = field(default_factory=Loaded)
    uris: set[str] = field(default_factory=set)
    room: Room = field(default_factory=Room)

    def part_uri(self, uri: str, part: str) -> str:
        """A URI for a part of a file that no other part has: ``note.txt``, ``note (2).txt``."""
        path, number = PurePosixPath(part), 1
        free = _part_uri(uri, part)
        while free in self.uris:
            number += 1
            free = _part_uri(uri, str(path.with_name(f"{path.stem} ({number}){path.suffix}")))
        self.uris.add(free)
        return free


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        DocumentError: It is not an ordinary file, cannot be read, is empty, or is too large.
    """
    try:
        if path.exists() and not path.is_file():
            raise DocumentError(f"{path.name} is not an ordinary file.")
        if path.stat().st_size > MAX_BYTES:
            limit = MAX_BYTES // 2**20
            raise DocumentError(f"{path.name} is larger than {limit} MiB.", "Split it into parts.")
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path.name} cannot be read: {reason(error)}.") from error
    if not content.strip():
        raise DocumentError(f"{path.name} is empty.")
    return content


def reason(error: OSError) -> str:
    """Why the system refused, in its own words."""
    return (error.strerror or str(error)).lower()


def load(path: Path, content: bytes | None = None) -> Loaded:
    """Read one file: one document, or, of an archive or a letter, several.

    A part of a file has the file's URI and its own name behind a ``#``, and a number where there
    are several of that name.

    Args:
        path: The file; its suffix names its format, except that PDF and packed formats are
            known by their content.
        content: Its bytes, where the caller has read them already.

    Raises:
        DocumentError: The file cannot be read, or holds no text and nothing that does.
    """
    content = read_bytes(path) if content is None else content
    loading = _Loading()
    _take(loading, Path(os.path.abspath(path)).as_uri(), path.name, content)
    if not loading.loaded.documents and not loading.loaded.failed:
        raise DocumentError(f"{path.name} holds no files that can be read.")
    return loading.loaded


def _take(loading: _Loading, uri: str, name: str, content: bytes, depth: int = 0) -> None:
    loaded = loading.loaded
    found = _parsed(_reader(name, content, loading.room), content, name)
    if found.pages or not (found.parts or found.failed):
        loaded.documents.append(_document(uri, name, found))
        if found.unread:
            loaded.incomplete.append(Failure(uri, f"{name}: {found.unread}"))
    for bad, why in found.failed:
        loaded.failed.append(Failure(loading.part_uri(uri, bad), f"In {name}: {why}"))
    for part in found.parts:
        _take_part(loading, uri, name, part, depth + 1)


def _take_part(loading: _Loading, uri: str, name: str, part: Part, depth: int) -> None:
    inner = loading.part_uri(uri, part.name)
    if PurePosixPath(part.name).suffix.lower() not in READERS:
        loading.loaded.skipped.append(inner)
        return
    try:
        _check_part(part.name, part.content, depth)
        _take(loading, inner, PurePosixPath(part.name).name, part.content, depth)
    except DocumentError as error:
        loading.loaded.failed.append(Failure(inner, f"In {name}: {error}"))


def _check_part(part: str, content: bytes, depth: int) -> None:
    if not content.strip():
        raise DocumentError(f"{part} is empty.")
    if depth > _MOST_DEPTH:
        raise DocumentError(f"{part} lies too deep.", "Unpack it first.")


def _part_uri(uri: str, part: str) -> str:
    return f"{uri}{'/' if '#' in uri else '#'}{quote(part, errors='surrogateescape')}"


def _parsed(reader: Reader, content: bytes, name: str) -> Content:
    try:
        return reader(content, name)
    except DocumentError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise DocumentError(f"{name} is damaged, or not what its name says: {why}.") from error


def _document(uri: str, name: str, found: Content) -> Document:
    pages = [normalize(page) for page in found.pages]
    text = "\n\n".join(pages)
    if not text.strip():
        raise DocumentError(f"{name} holds no text.", found.unread)
    starts = tuple(accumulate((len(page) + 2 for page in pages[:-1]), initial=0))
    title = collapse(found.title)
    if title.lower().startswith(_NO_TITLES):
        title = ""
    return Document(
        uri=uri,
        # The name by way of the URI, because a file's name need not be valid text.
        title=normalize(title or file_name(uri)),
        language=detect_language(text),
        text=text,
        published=found.published or leading_date(text),
        pages=starts if found.paged else (),
    )


def _reader(name: str, content: bytes, room: Room) -> Reader:
    """The reader for a file: by its content where that says it, else by its suffix.

    What is packed must fit into the room, before any of it is unpacked.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if content.startswith(b"%PDF-"):
        return read_pdf
    if content.startswith(_OLD_OFFICE):
        raise DocumentError(
            f"{name} is in an old format of Office, or protected by a password.",
            "Save it as DOCX, XLSX or PPTX without a password.",
        )
    reader = READERS.get(suffix)
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise DocumentError(
            f"{name}: files of type {suffix or 'without a suffix'} cannot be read.",
            f"These can: {known}.",
        )
    if content.startswith(_ZIP):
        with opened_zip(content, name, room) as archive:
            members = set(archive.namelist())
        return next((by for member, by in _PACKED.items() if member in members), read_zip)
    return reader
