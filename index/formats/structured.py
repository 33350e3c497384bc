"""JSON, whole or one record to a line."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from rag.errors import DocumentError

from .content import Content, paragraphs
from .text import decode

_TITLES = ("title", "headline", "name", "subject")
_DATES = ("published", "datePublished", "publishedAt", "published_at", "date", "pubDate")
# Where the running text of a record stands: given as it is, after the rest.
_TEXTS = ("text", "content", "body", "articleBody")


def read_json(content: bytes, name: str) -> Content:
    """A value as readable lines, ``path: value``; a list gives a paragraph for each entry."""
    try:
        value = json.loads(decode(content, name))
    except json.JSONDecodeError as error:
        raise DocumentError(f"{name} is not JSON: {error}.") from error
    entries = value if isinstance(value, list) else [value]
    about = value if isinstance(value, dict) else {}
    return Content((paragraphs(map(_record, entries)),), _title(about), _published(about))


def read_jsonl(content: bytes, name: str) -> Content:
    """Records, one to a line, each a paragraph; a line that is not JSON is counted."""
    texts: list[str] = []
    bad: list[int] = []
    for number, line in enumerate(decode(content, name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            texts.append(_record(json.loads(line)))
        except json.JSONDecodeError:
            bad.append(number)
    if bad and not texts:
        raise DocumentError(f"{name} is not JSON, one record to a line.")
    unread = f"{len(bad)} lines are not JSON, the first is line {bad[0]}." if bad else ""
    return Content((paragraphs(texts),), unread=unread)


def _record(value: Any) -> str:
    if not isinstance(value, dict):
        return "\n".join(_lines(value, ""))
    texts = [value[key] for key in _TEXTS if isinstance(value.get(key), str)]
    rest = {k: v for k, v in value.items() if not (k in _TEXTS and isinstance(v, str))}
    return paragraphs(["\n".join(_lines(rest, "")), *texts])


def _lines(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{path} {key}".strip())
    elif isinstance(value, list):
        if all(not isinstance(inner, (dict, list)) for inner in value):
            yield from _lines(", ".join(map(_shown, value)), path)
            return
        for number, inner in enumerate(value, start=1):
            yield from _lines(inner, f"{path} {number}".strip())
    elif shown := _shown(value):
        yield f"{path}: {shown}" if path else shown


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _title(record: dict[str, Any]) -> str:
    return next((record[key] for key in _TITLES if isinstance(record.get(key), str)), "")


def _published(record: dict[str, Any]) -> dt.date | None:
    for key in _DATES:
        value = record.get(key)
        if isinstance(value, str):
            try:
                return dt.date.fromisoformat(value[:10])
            except ValueError:
                continue
    return None
