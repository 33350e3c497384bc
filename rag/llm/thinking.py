"""What a model says to itself, told apart from its answer while both arrive in pieces.

Servers that do not separate the two send ``<think>…</think>`` within the text, and models run in
process write it. A tag may be cut anywhere between two pieces.
"""

from __future__ import annotations

import re

from rag.types import Reasoning

# ASCII keeps letters such as the Kelvin sign from passing for those of a tag.
_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE | re.ASCII)
_TAGS = ("<think>", "<thinking>", "</think>", "</thinking>")


class ThinkingSplitter:
    """Splits streamed text into answer text and ``Reasoning``; the tags themselves are dropped.

    Some chat templates write the opening tag into the prompt, so that only ``</think>`` arrives.
    Then all text before it was reasoning: what is still in hand comes as ``Reasoning``, and
    ``retracts`` says that what went out as answer was reasoning, too. A block that is never closed
    is reasoning to its end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._thinks = False
        self._answered = False

    def feed(self, text: str) -> list[str | Reasoning]:
        """The parts of the next piece of text.

        Only an end that may be the beginning of a tag is held back, at most ten characters.
        """
        parts: list[str | Reasoning] = []
        text = self._held + text
        position = 0
        for tag in _TAG.finditer(text):
            before = text[position : tag.start()]
            position = tag.end()
            if tag[1] and not self._thinks:
                self._retract(before, parts)
            else:
                self._add(before, parts)
            self._thinks = not tag[1]
        rest = text[position:]
        start = len(rest) - _unfinished(rest)
        self._held = rest[start:]
        self._add(rest[:start], parts)
        return parts

    def end(self) -> list[str | Reasoning]:
        """What was held back, now that no more text comes."""
        parts: list[str | Reasoning] = []
        self._add(self._held, parts)
        self._held = ""
        return parts

    def _add(self, text: str, parts: list[str | Reasoning]) -> None:
        if text:
            parts.append(Reasoning(text) if self._thinks else text)
            self._answered = self._answered or not self._thinks

    def _retract(self, before: str, parts: list[str | Reasoning]) -> None:
        """Take back the answer so far, of which ``parts`` may hold some, and the text after it."""
        if self._answered:
            parts.append(Reasoning(before, retracts=True))
        elif before:
            parts.append(Reasoning(before))
        self._answered = False


def _unfinished(text: str) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    start = text.rfind("<")
    end = text[start:] if start >= 0 else ""
    if not end or not end.isascii():  # the Kelvin sign is a k in small letters
        return 0
    return len(end) if any(tag.startswith(end.lower()) for tag in _TAGS) else 0
