"""Plain text."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.errors import DocumentError

from .content import Content

# A text has hardly any control characters besides tab and line ends; a binary file does.
_MOST_CONTROL_CHARACTERS = 0.01
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}

# Where a title can stand, and what it looks like.
_LEADING_BLOCKS = 5
_TITLE_WORDS = range(3, 26)
_TITLE_CHARACTERS = 150
_NO_TITLE = re.compile(r"^[\d•*·\-–|>#]|[.,;:!…。]$|https?://|\bviews\b|@", re.I)


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
            raise DocumentError(
                f"{name} is a binary file, or a text whose encoding cannot be made out: "
                f"it is UTF-8 as far as byte {error.start}.",
                "Save a text in UTF-8.",
            ) from error
        text = str(guess)
    control = sum(char < " " and char not in "\t\n\r\f" for char in text[: 2**16])
    if control > _MOST_CONTROL_CHARACTERS * min(len(text), 2**16):
        raise binary
    return text


def read_text(content: bytes, name: str) -> Content:
    """A plain text; its title is a first line that stands alone over a paragraph."""
    text = decode(content, name)
    return Content((text,), title=leading_title(text))


def leading_title(text: str) -> str:
    """The title at the beginning of a text, or nothing: no title is better than a wrong one.

    It is a block of one line among the first few that is no date, address, list item or
    sentence, has three words or more, and has a longer paragraph of sentences right below it.
    """
    start = text[:8000].replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    blocks = [block.strip() for block in re.split(r"\n\s*\n", start) if block.strip()]
    for block, below in pairwise(blocks[: _LEADING_BLOCKS + 1]):
        if (
            "\n" not in block
            and len(block) <= _TITLE_CHARACTERS
            and len(block.split()) in _TITLE_WORDS
            and not _NO_TITLE.search(block)
            and len(below) > 2 * len(block)
            and re.search(r"[.!?…。]", below)
        ):
            return block
    return ""
