"""The signs in an answer, such as ``[2]``: found, cleaned up, kept out of quotations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# What a backend writes, alone, when the passages do not hold the answer.
NO_ANSWER = "NOT_IN_DOCUMENTS"

_MARKER = re.compile(r"(?<![ \t])([ \t]*)[\[【](\d{1,3}(?:\s*[,;、，–-]\s*\d{1,3})*)[\]】](?!\()")
_NUMBERS = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")
# What may be the beginning of a marker, or a marker that turns out to be a link: "[1](…".
_UNFINISHED = re.compile(r"(?<![ \t])[ \t]*(?:[\[【][\d\s,;、，–-]*[\]】]?)?$")
# A link on a number, "[3](…", is no marker, but in a document it must not become one either.
_REFERENCE = re.compile(r"[\[【]\s*\^?\d{1,3}(?:\s*[,;、，–-]\s*\d{1,3})*\s*[\]】]")
_FULL_WIDTH = str.maketrans("[]【】", "［］［］")


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in an answer's text, with the white space before it, and what it names."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without the markers of passages that do not exist.

    ``markers`` are the others, and ``removed`` is how many numbers named no passage.
    """

    text: str
    markers: tuple[Marker, ...]
    removed: int


def without_unknown(text: str, count: int) -> Marked:
    """Take out of an answer the markers of passages that do not exist.

    Args:
        text: An answer.
        count: How many passages there are.
    """
    removed = 0
    kept: list[Marker] = []
    pieces: list[str] = []
    position = length = 0
    for match in _MARKER.finditer(text):
        named = _numbers(match[2])
        known = [number for number in named if 1 <= number <= count]
        removed += len(named) - len(known)
        before = text[position : match.start()]
        marker = match[1] + "".join(f"[{number}]" for number in known) if known else ""
        length += len(before) + len(marker)
        pieces += [before, marker]
        if known:
            kept.append(Marker(length - len(marker), length, tuple(known)))
        position = match.end()
    return Marked("".join([*pieces, text[position:]]), tuple(kept), removed)


def settled(text: str) -> str:
    """The part of an unfinished text in which no marker can still change."""
    return text[: match.start()] if (match := _UNFINISHED.search(text)) else text


def blanked(text: str, markers: Sequence[Marker]) -> str:
    """The text with white space in place of its markers, so that offsets stay."""
    pieces: list[str] = []
    position = 0
    for marker in markers:
        pieces += [text[position : marker.start], " " * (marker.end - marker.start)]
        position = marker.end
    return "".join([*pieces, text[position:]])


def defused(text: str) -> str:
    """A document's text in which nothing can be taken for what a backend says itself.

    Its own references, ``[3]``, cannot be taken for markers: ``［3］``. Nor does quoting it say that
    there is no answer.
    """
    text = text.replace(NO_ANSWER, NO_ANSWER.replace("_", " "))
    return _REFERENCE.sub(lambda match: match[0].translate(_FULL_WIDTH), text)


def without_markers(text: str) -> str:
    """An answer's text as its sentences alone."""
    return _MARKER.sub("", text)


def _numbers(listed: str) -> list[int]:
    """The numbers of ``1, 3`` or ``1-3``."""
    found: list[int] = []
    for match in _NUMBERS.finditer(listed):
        first = int(match[1])
        found += range(first, int(match[2] or first) + 1)
    return found
