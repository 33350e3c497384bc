"""Files into documents: find them, read them, decode them, normalize their text."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.language import detect_language
from rag.text import collapse, normalize
from rag.types import Document, Failure, file_name

from .dates import leading_date

# Read whole into memory, and several times over by the parsers.
MAX_BYTES = 256 * 2**20

# A text has hardly any control characters besides tab and line ends; a binary file does.
_MOST_CONTROL_CHARACTERS = 0.01
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}

# PDFium must not be entered by two threads at once, whatever documents they read.
_PDFIUM = threading.Lock()
# What PDFium gives for a hyphen that breaks a word at the end of a line, and the break.
_BROKEN_WORD = "\x02"


@dataclass(frozen=True, slots=True)
class Content:
    """What a format's reader found in a file; texts are not yet normalized."""

    pages: tuple[str, ...]
    title: str = ""
    published: dt.date | None = None
    paged: bool = False


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files found under some paths, those of other types, and the paths that failed."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...]
    failed: tuple[Failure, ...]


def discover(paths: Iterable[str | os.PathLike[str]]) -> Discovery:
    """Find the files that can be indexed.

    A folder is walked in order of name, without hidden files, hidden folders and folders
    that hold an index. A path that does not exist and a folder that cannot be read fail on
    their own, without stopping the others.
    """
    files: dict[Path, None] = {}
    skipped: list[Path] = []
    failed: list[Failure] = []
    for given in paths:
        path = Path(os.path.abspath(given))
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
            for file in _walk(path, failed):
                if file.suffix.lower() in READERS:
                    files[file] = None
                else:
                    skipped.append(file)
        elif os.path.lexists(path):
            files[path] = None
        else:
            failed.append(Failure(path.as_uri(), f"There is no file or folder {given}."))
    return Discovery(tuple(files), tuple(skipped), tuple(failed))


def _walk(folder: Path, failed: list[Failure]) -> Iterable[Path]:
    def note(error: OSError) -> None:
        unread = Path(error.filename)
        failed.append(Failure(unread.as_uri(), f"{unread.name} cannot be read: {_reason(error)}."))

    for where, folders, names in os.walk(folder, onerror=note):
        if "catalog.sqlite" in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in sorted(names) if not name.startswith("."))


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
        raise DocumentError(f"{path.name} cannot be read: {_reason(error)}.") from error
    if not content.strip():
        raise DocumentError(f"{path.name} is empty.")
    return content


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def load(path: Path, content: bytes | None = None) -> Document:
    """Read one file as a document.

    Args:
        path: The file; its suffix names its format, except that a PDF is known by its content.
        content: Its bytes, where the caller has read them already.

    Raises:
        DocumentError: The file cannot be read, or holds no text.
    """
    content = read_bytes(path) if content is None else content
    found = _reader(path, content)(content, path.name)
    pages = [normalize(page) for page in found.pages]
    text = "\n\n".join(pages)
    if not text.strip():
        advice = "A scanned PDF needs text recognition first." if found.paged else ""
        raise DocumentError(f"{path.name} holds no text.", advice)
    starts = tuple(accumulate((len(page) + 2 for page in pages[:-1]), initial=0))
    uri = path.as_uri()
    return Document(
        uri=uri,
        # The name by way of the URI, because a file's name need not be valid text.
        title=normalize(collapse(found.title) or file_name(uri)),
        language=detect_language(text),
        text=text,
        published=found.published or leading_date(text),
        pages=starts if found.paged else (),
    )


def _reader(path: Path, content: bytes) -> Callable[[bytes, str], Content]:
    if content.startswith(b"%PDF-"):
        return _read_pdf
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise DocumentError(
            f"{path.name}: files of type {path.suffix or 'without a suffix'} cannot be read.",
            f"These can: {known}.",
        )
    return reader


def decode(content: bytes, name: str) -> str:
    """Decode a text file: a byte order mark decides, else UTF-8, else what it looks like.

    Raises:
        DocumentError: It is a binary file, or in an encoding that cannot be made out.
    """
    binary = DocumentError(f"{name} looks like a binary file, not text.")
    marks = (code for mark, code in _BYTE_ORDER_MARKS.items() if content.startswith(mark))
    encoding = next(marks, None)
    if encoding is None and b"\x00" in content[: 2**16]:
        raise binary
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise DocumentError(f"{name} is damaged: {error}.") from error
        from charset_normalizer import from_bytes

        guess = from_bytes(content).best()
        if guess is None:
            raise binary from None
        text = str(guess)
    control = sum(char < " " and char not in "\t\n\r\f" for char in text[: 2**16])
    if control > _MOST_CONTROL_CHARACTERS * min(len(text), 2**16):
        raise binary
    return text


def _read_text(content: bytes, name: str) -> Content:
    return Content((decode(content, name),))


def _read_markdown(content: bytes, name: str) -> Content:
    text = decode(content, name)
    headings = (line[2:] for line in text.splitlines() if line.startswith("# "))
    return Content((text,), title=next(headings, ""))


def _read_html(content: bytes, name: str) -> Content:
    import trafilatura
    from trafilatura.baseline import html2txt

    text = decode(content, name)
    found = trafilatura.bare_extraction(
        text, with_metadata=True, include_comments=False, favor_recall=True
    )
    if found is None or isinstance(found, dict) or not found.text:
        return Content((html2txt(text),))
    published = dt.date.fromisoformat(found.date) if found.date else None
    return Content((found.text,), title=found.title or "", published=published)


def _read_pdf(content: bytes, name: str) -> Content:
    with _PDFIUM:
        return _pdf_content(content, name)


def _pdf_content(content: bytes, name: str) -> Content:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise DocumentError(
            f"{name} is protected by a password." if locked else f"{name} is not a readable PDF.",
            "Save a copy without the password." if locked else "",
        ) from error
    try:
        pages = []
        for page in pdf:
            text_page = page.get_textpage()
            pages.append(text_page.get_text_bounded().replace(_BROKEN_WORD, ""))
            text_page.close()
            page.close()
        return Content(tuple(pages), title=_pdf_title(pdf), paged=True)
    except pypdfium2.PdfiumError as error:
        raise DocumentError(f"{name} is a damaged PDF: {error}.") from error
    finally:
        pdf.close()


def _pdf_title(pdf: Any) -> str:
    try:
        return str(pdf.get_metadata_value("Title"))
    except UnicodeDecodeError:
        return ""


READERS: dict[str, Callable[[bytes, str], Content]] = {
    ".txt": _read_text,
    ".text": _read_text,
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
}
