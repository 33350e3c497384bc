"""What a server sends as an answer, whole or in pieces, in the fields of its dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.text import well_formed
from rag.types import Usage

from .providers import Dialect


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
