"""PDF, with page numbers; scanned pages are read by tesseract where it is installed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from typing import Any

from rag.errors import DocumentError

from .content import Content

# PDFium must not be entered by two threads at once, whatever documents they read.
_PDFIUM = threading.Lock()
# What PDFium gives for a hyphen that breaks a word at the end of a line, and the break.
_BROKEN_WORD = "\x02"

# The languages that scanned pages are read in, as far as tesseract has them.
_LANGUAGES = ("eng", "vie", "chi_sim", "chi_tra", "jpn")
# What tesseract's documentation recommends at least.
_DOTS_PER_INCH = 300
_POINTS_PER_INCH = 72
# A page of a poster would take gigabytes at this resolution.
_MOST_PIXELS = 50e6
_SECONDS_PER_PAGE = 120


def read_pdf(content: bytes, name: str) -> Content:
    """The pages of a PDF, their text as its author wrote it or as tesseract reads it."""
    pdf = _opened(content, name)
    try:
        with _PDFIUM:
            pages, scanned = _texts(pdf, name)
            title = _title(pdf)
        left = _recognize(pdf, pages, scanned) if scanned else []
        return Content(tuple(pages), title=title, paged=True, unread=_unread(left))
    finally:
        with _PDFIUM:
            pdf.close()


def _opened(content: bytes, name: str) -> Any:
    import pypdfium2

    try:
        with _PDFIUM:
            return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise DocumentError(
            f"{name} is protected by a password." if locked else f"{name} is not a readable PDF.",
            "Save a copy without the password." if locked else "",
        ) from error


def _texts(pdf: Any, name: str) -> tuple[list[str], list[int]]:
    """The text of every page, and which pages show something but hold no text."""
    import pypdfium2

    pages: list[str] = []
    scanned: list[int] = []
    try:
        for number, page in enumerate(pdf):
            text_page = page.get_textpage()
            pages.append(text_page.get_text_bounded().replace(_BROKEN_WORD, ""))
            text_page.close()
            if not pages[-1].strip() and any(True for _ in page.get_objects()):
                scanned.append(number)
            page.close()
    except pypdfium2.PdfiumError as error:
        raise DocumentError(f"{name} is a damaged PDF: {error}.") from error
    return pages, scanned


def _recognize(pdf: Any, pages: list[str], scanned: Sequence[int]) -> list[int]:
    """Read scanned pages; the numbers of those that stay without text."""
    languages = _installed_languages()
    left = []
    for number in scanned:
        if languages:
            with _PDFIUM:
                page = pdf[number]
                width, height = page.get_size()
                scale = _DOTS_PER_INCH / _POINTS_PER_INCH
                scale = min(scale, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
                image = page.render(scale=scale).to_pil()
                page.close()
            pages[number] = _recognized(image, languages)
        if not pages[number].strip():
            left.append(number)
    return left


def _installed_languages() -> str:
    """The languages tesseract can read, in its notation; nothing where it is not installed."""
    if not shutil.which("tesseract"):
        return ""
    import pytesseract

    installed = set(pytesseract.get_languages())
    return "+".join(language for language in _LANGUAGES if language in installed)


def _recognized(image: Any, languages: str) -> str:
    import pytesseract

    try:
        return str(pytesseract.image_to_string(image, languages, timeout=_SECONDS_PER_PAGE))
    except (pytesseract.TesseractError, RuntimeError):  # the latter when it takes too long
        return ""


def _unread(pages: Sequence[int]) -> str:
    if not pages:
        return ""
    shown = ", ".join(str(number + 1) for number in pages[:10])
    more = f" and {len(pages) - 10} more" if len(pages) > 10 else ""
    advice = (
        "tesseract found none either."
        if shutil.which("tesseract")
        else "Install tesseract to read scanned pages."
    )
    page = "Page" if len(pages) == 1 else "Pages"
    holds = "holds" if len(pages) == 1 else "hold"
    return f"{page} {shown}{more} {holds} no text. {advice}"


def _title(pdf: Any) -> str:
    try:
        return str(pdf.get_metadata_value("Title"))
    except UnicodeDecodeError:
        return ""
