"""What the engine returns as plain values and as JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .types import Citation, Document, Sentence, Turn


def to_dict(value: Any, *, full_text: bool = False) -> Any:
    """Turn any of these types into plain dictionaries, lists, strings and numbers.

    Args:
        value: A dataclass of ``rag.types``, or a sequence or mapping of them.
        full_text: Whether a document's whole text is included. Without it a document is
            its URI, title, language and date, so that an answer does not repeat a book
            for each of its citations.

    Returns:
        A value that ``json.dumps`` accepts.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value)]
        if isinstance(value, Document) and not full_text:
            names = [name for name in names if name not in ("text", "pages")]
        if isinstance(value, Citation):
            names.insert(names.index("end") + 1, "page")
        if isinstance(value, Sentence):
            names.append("corrected")
        return {name: to_dict(getattr(value, name), full_text=full_text) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_dict(item, full_text=full_text) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_dict(item, full_text=full_text) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def turn_from(row: Mapping[str, Any]) -> Turn:
    """An exchange from its dictionary; one that was kept by an earlier version names no documents.

    Raises:
        KeyError: It is none.
    """
    return Turn(row["question"], row["answer"], tuple(row.get("documents", ())))


def to_json(value: Any, *, full_text: bool = False, indent: int | None = None) -> str:
    """The JSON text of ``to_dict(value)``; letters outside ASCII stay readable."""
    return json.dumps(to_dict(value, full_text=full_text), ensure_ascii=False, indent=indent)
