"""What a server sends as an answer, whole or in pieces, and what has come of it so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.text import well_formed
from rag.types import Reasoning, Usage

from .providers import Dialect

# No answer from a handful of passages is longer, nor is what is thought for it: a server that sends
# more is broken.
_MOST_CHARACTERS, _MOST_THOUGHT = 50_000, 400_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer, or all of it."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    usage: Usage | None = None

    @property
    def is_progress(self) -> bool:
        """Whether it brings the answer on: what only keeps a connection alive does not."""
        return bool(self.text or self.reasoning or self.finish_reason)


@dataclass
class Progress:
    """What has come of an answer so far, and until when more must come.

    ``over`` is whether a reason to finish has come by itself. One that comes with text may come with
    every piece, from servers that repeat it: more text then takes it back. ``began`` is whether
    anything has come at all, ``answered`` whether text of an answer has.
    """

    patience: float
    deadline: float
    reason: str = ""
    over: bool = False
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    thought: int = 0
    answered: bool = False
    began: bool = False

    def goes_on_with(self, piece: Piece) -> bool:
        """Take note of a piece; whether it brings the answer on."""
        self.usage = piece.usage or self.usage
        if piece.text.strip() or piece.reasoning:
            self.reason, self.over = "", False
        if self.over or not piece.is_progress:
            return False
        self.reason = self.reason or piece.finish_reason
        self.over = bool(piece.finish_reason) and not (piece.text or piece.reasoning)
        return True

    @property
    def is_too_long(self) -> bool:
        """Whether more has come than an answer can be."""
        return self.characters > _MOST_CHARACTERS or self.thought > _MOST_THOUGHT

    def note(self, part: str | Reasoning) -> None:
        """Note that text of an answer has come; what a model says to itself is none."""
        if isinstance(part, Reasoning):
            self.thought += len(part.text)
            self.answered = self.answered and not part.retracts
        else:
            self.characters += len(part)
            self.answered = self.answered or bool(part.strip())


def piece_of(chunk: Mapping[str, Any], dialect: Dialect) -> Piece:
    """A chunk of a stream.

    Raises:
        ValueError, TypeError, AttributeError, LookupError: It is not one.
    """
    return _piece(chunk, "delta", dialect)


def whole_of(told: Mapping[str, Any], dialect: Dialect) -> Piece:
    """A whole answer.

    Raises:
        ValueError, TypeError, AttributeError, LookupError: It is not one.
    """
    return _piece(told, "message", dialect)


def _piece(told: Mapping[str, Any], field: str, dialect: Dialect) -> Piece:
    usage = _usage(told.get("usage"))
    choices = told["choices"] if usage is None else told.get("choices", [])
    if not choices:  # the token counts, or Azure's report on the prompt
        return Piece(usage=usage)
    said = choices[0].get(field) or {}
    reasoning = next((said[name] for name in dialect.reasoning_fields if said.get(name)), "")
    return Piece(
        _text(said.get("content")),
        _text(reasoning),
        _text(choices[0].get("finish_reason")),
        usage,
    )


def _text(value: object) -> str:
    """A text, or the texts of a list of parts, as some servers send them."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(_text(part["text"]) for part in value if part.get("type") == "text")
    if not isinstance(value, str):
        raise TypeError("not a text")
    return well_formed(value)


def _usage(told: object) -> Usage | None:
    if not isinstance(told, Mapping):
        return None
    return Usage(
        _number(told.get("prompt_tokens"), int),
        _number(told.get("completion_tokens"), int),
        _number(told.get("cost"), float),  # OpenRouter's, in US dollars
    )


def _number(value: object, kind: type) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return kind(value) if math.isfinite(value) and value >= 0 else None
