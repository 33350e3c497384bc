"""Fields of the JSON and TOML that people write: strictly, so that a slip is found and not guessed at.

Each function raises ``Malformed`` with what is wrong; who knows the file and line adds them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


class Malformed(ValueError):
    """A field is missing, unknown, or holds something else than it should."""


def known(row: Any, names: Collection[str], what: str = "it") -> Mapping[str, Any]:
    """An object that has only fields of these names."""
    if not isinstance(row, Mapping):
        raise Malformed(f"{what} is not an object with fields")
    if unknown := [name for name in row if name not in names]:
        raise Malformed(f"{what} has {', '.join(unknown)}, known are {', '.join(names)}")
    return row


def text(row: Any, name: str, default: str | None = None, *, empty: bool = False) -> str:
    """A text; one that says nothing only where it may be ``empty``."""
    if default is not None and isinstance(row, Mapping) and name not in row:
        return default
    return said(_value(row, name), name, empty=empty)


def said(value: Any, name: str, *, empty: bool = False) -> str:
    """The value itself, if it is a text."""
    if not isinstance(value, str):
        raise Malformed(f"{name!r} is not a text: {value!r}")
    if not empty and not value.strip():
        raise Malformed(f"{name!r} is empty")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Malformed(f"{name!r} holds half a character") from error
    return value


def identifier(row: Any, name: str) -> str:
    """A text, or a whole number as one: files of others number what they hold."""
    value = _value(row, name)
    return str(value) if type(value) is int else said(value, name)


def flag(row: Any, name: str) -> bool:
    """True or false; false where it is not there."""
    value = _value(row, name, False)
    if not isinstance(value, bool):
        raise Malformed(f"{name!r} is neither true nor false: {value!r}")
    return value


def whole(row: Any, name: str, least: int, default: int | None = None) -> int:
    """A whole number from ``least`` up."""
    value = _value(row, name, default)
    if type(value) is not int or value < least:
        raise Malformed(f"{name!r} is not a whole number from {least} up: {value!r}")
    return value


def items(row: Any, name: str, default: list[Any] | None = None) -> list[Any]:
    """A list."""
    value = _value(row, name, default)
    if not isinstance(value, list):
        raise Malformed(f"{name!r} is not a list: {value!r}")
    return value


def texts(row: Any, name: str) -> tuple[str, ...]:
    """A list of texts; none where it is not there."""
    return tuple(said(one, name) for one in items(row, name, []))


def table(row: Any, name: str) -> dict[str, str]:
    """Texts by name; none where it is not there."""
    value = _value(row, name, {})
    if not isinstance(value, Mapping):
        raise Malformed(f"{name!r} is not a table of texts: {value!r}")
    return {key: text(value, key) for key in value}


def _value(row: Any, name: str, default: Any = None) -> Any:
    if not isinstance(row, Mapping):
        raise Malformed(f"{row!r} is not an object with fields")
    if name not in row and default is None:
        raise Malformed(f"{name!r} is missing")
    return row.get(name, default)
