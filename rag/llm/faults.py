"""What a refusal means: an error body, as any vendor writes it, to one of ``rag.errors.Fault``.

Vendors agree on no status: an empty account is 400, 402, 403, 429 or 500, depending on whom one
asks. So what the body says comes first; ``faults.toml`` holds the table.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from rag.errors import Fault
from rag.text import collapse, well_formed

# Fields of an error body that hold a code, and those that hold a sentence.
_CODES = ("code", "type", "status", "status_code")
_MESSAGES = ("message", "msg", "error_msg", "status_msg", "detail", "error_description")
# Where what happened stands deeper: in OpenRouter's "raw" as the text of another body.
_INSIDE = ("error", "errors", "metadata", "raw", "details", *_MESSAGES)
_DEEPEST = 6
# How a page begins that a proxy or a server sends in place of an answer, and what it is called.
_PAGE = re.compile(r"[\s\ufeff]*<(?:!--|(?:!doctype|\?xml|html|head|body)\b)", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^<>]*>\s*([^<\s][^<]*)</\1", re.IGNORECASE)
# A message may name the field that is not taken; these words name none.
_NAMED = re.compile(r"(?:parameter|argument|field|value|input|request)s?:? \{?['\"`]([\w.]+)['\"`]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said: the kind of failure, its sentence, and the field it does not take.

    ``parameter`` is that field with those it stands in, as in ``stream_options.include_usage``;
    empty where it is not named as such. ``status`` is that of HTTP, which an error within a stream
    has none of. ``code`` is the server's word for it, where ``faults.toml`` knows it.
    """

    fault: Fault
    message: str
    parameter: str = ""
    status: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    fault: Fault
    codes: frozenset[str]
    phrases: tuple[re.Pattern[str], ...]
    statuses: tuple[range, ...]


def refusal(body: object, status: int | None = None) -> Refusal:
    """What a server's refusal means.

    Args:
        body: What it sent: a JSON value, or text, which may itself be JSON.
        status: The HTTP status, if it is one of an error.
    """
    codes, texts, parameters = _said(body)
    if 500 <= (status or 0) < 600:
        codes = {code for code in codes if not code.isdecimal()}
    known = sorted(code for row in _rows() for code in codes & row.codes)
    message = well_formed(collapse(_title(texts[0]))) if texts else ""
    parameter = next(iter(parameters), "")
    fault = _fault(codes, texts, status or _status_in(codes))
    return Refusal(fault, message, parameter, status, next(iter(known), ""))


def finish_fault(reason: str) -> Fault | None:
    """What is wrong with an answer that ended for a reason; ``None`` where nothing is known to be."""
    name = _table()["finish_reasons"].get(reason.lower())
    return Fault[name] if name else None


def is_finished(reason: str) -> bool:
    """Whether a model that stopped for a reason has said what it has to say."""
    return reason.lower() in _table()["finished"]["reasons"]


def says_error(body: object) -> bool:
    """Whether a JSON value that should be an answer is an error: some come with HTTP 200."""
    body = body[0] if isinstance(body, list) and body else body
    if not isinstance(body, Mapping) or body.get("choices"):
        return False
    told = body.get("base_resp")  # MiniMax's, which says so of what went well, too
    if isinstance(told, Mapping) and told.get("status_code"):
        return True
    named = any(body.get(name) for name in ("error", "errors", "error_code"))
    return named or ("message" in body or "msg" in body or body.get("object") == "error")


def _title(text: str) -> str:
    """What a person can read of a message: of a page its title, empty where it has none."""
    if not _PAGE.match(text):
        return text
    found = _TITLE.search(text)
    return html.unescape(found[2]) if found else ""


def _status_in(codes: set[str]) -> int | None:
    """The HTTP status that an error within a stream has for a code."""
    told = (int(code) for code in sorted(codes) if re.fullmatch("[45][0-9]{2}", code))
    return next(told, None)


def _fault(codes: set[str], texts: list[str], status: int | None) -> Fault:
    for row in _rows():
        if codes & row.codes:
            return row.fault
    told = " ".join(texts).lower()
    for row in _rows():
        if any(phrase.search(told) for phrase in row.phrases):
            return row.fault
    for row in _rows():
        if any((status or 0) in statuses for statuses in row.statuses):
            return row.fault
    return Fault.REFUSED


@cache
def _table() -> dict[str, Any]:
    text = resources.files("rag.llm").joinpath("faults.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(
        _Row(
            Fault[row.get("fault", name)],
            frozenset(row.get("codes", ())),
            tuple(re.compile(phrase) for phrase in row.get("phrases", ())),
            tuple(map(_statuses, row.get("statuses", ()))),
        )
        for name, row in _table().items()
        if name not in ("finished", "finish_reasons")
    )


def _statuses(given: int | str) -> range:
    first, _, last = str(given).partition("-")
    return range(int(first), int(last or first) + 1)


def _said(body: object) -> tuple[set[str], list[str], list[str]]:
    """The codes, sentences and names of fields in a body, the outermost sentence first."""
    codes: set[str] = set()
    texts: list[str] = []
    parameters: list[str] = []
    for name, value in _fields(body, "", _DEEPEST):
        if name in _CODES:
            codes.add(str(value).lower())
        elif name in ("error_code", "base_resp"):
            codes.add(f"{name} {value}")
        elif name == "param":
            parameters.append(str(value))
        elif name == "loc":
            parameters.append(str(value).removeprefix("body."))
        elif isinstance(value, str) and value.strip():
            texts.append(value)
            parameters += _NAMED.findall(value)
    return codes, texts, parameters


def _fields(value: object, name: str, deepest: int) -> Iterator[tuple[str, object]]:
    """Every field of interest with its value; what stands in a text as JSON counts as well."""
    if deepest == 0 or value is None:
        return
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in (*_CODES, "param", "error_code") and isinstance(inner, str | int):
                yield key, inner
            elif key == "loc" and isinstance(inner, list):
                yield key, ".".join(map(str, inner))
            elif key == "base_resp" and isinstance(inner, Mapping):
                yield key, inner.get("status_code", "")
                yield from _fields(inner.get("status_msg"), "status_msg", deepest - 1)
            elif key in _INSIDE:
                yield from _fields(inner, key, deepest - 1)
    elif isinstance(value, list):
        for one in value[:20]:
            yield from _fields(one, name, deepest - 1)
    elif isinstance(value, str):
        yield name, value
