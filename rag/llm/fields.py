"""Tables of settings into the fields of dataclasses, each as its own type.

No error repeats a value: it may be a key in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from rag.errors import SettingsError
from rag.settings import as_boolean, as_number

# Texts that have a form of their own, by the name of the field.
_FORMS = {
    "place": (re.compile(r"(?:[A-Z]{2})?"), "a country's code of two letters, such as US"),
    "key_variables": (
        re.compile(r"[A-Z_][A-Z0-9_]*"),
        "names of environment variables, in capitals, such as OPENAI_API_KEY: keys stay there",
    ),
}
# Tokens of a window, the only whole number.
_SMALLEST, _LARGEST = 512, 100_000_000


def fields_of(
    where: str, table: Mapping[str, Any], kind: type, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields of a table, as the types that a dataclass has for them.

    Args:
        where: What the table is called in the settings.
        table: What a person has written; texts stand for other types, too.
        kind: The dataclass.
        without: Its fields that a table may not have.

    Raises:
        SettingsError: A field is unknown, or is not of its type; the message names it.
    """
    kinds = {name: hint for name, hint in get_type_hints(kind).items() if name not in without}
    unknown = [name for name in table if name not in kinds]
    if unknown:
        raise SettingsError(
            f"There is no setting {where}.{unknown[0]}.", f"Known: {', '.join(kinds)}."
        )
    return {name: _value(f"{where}.{name}", value, kinds[name]) for name, value in table.items()}


def text_of(where: str, value: Any) -> str:
    """A text, without white space around it."""
    if not isinstance(value, str):
        raise SettingsError(f"{where} must be a text.")
    return _formed(where, value.strip())


def _value(where: str, value: Any, kind: Any) -> Any:
    if kind is bool:
        flag = as_boolean(value)
        if flag is None:
            raise SettingsError(f"{where} must be true or false.")
        return flag
    if kind is int:
        number = as_number(value, int)
        if number is None or not _SMALLEST <= number <= _LARGEST:
            raise SettingsError(f"{where} must be a whole number from {_SMALLEST} to {_LARGEST}.")
        return number
    if kind is float:
        number = as_number(value, float)
        if number is None or not 0 <= number < float("inf"):
            raise SettingsError(f"{where} must be a number that is not negative.")
        return number
    if kind is str:
        return text_of(where, value)
    if kind == tuple[str, ...]:
        return _texts(where, value)
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where} must be a table, which only a rag.toml can hold.")
    _, inner = get_args(kind)
    if not is_dataclass(inner):
        return dict(value)
    return {name: _whole(f"{where}.{name}", one, inner) for name, one in value.items()}


def _texts(where: str, value: Any) -> tuple[str, ...]:
    """A list of texts, or one text in which commas part them."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise SettingsError(f"{where} must be a list of texts.")
    filled = [one for one in listed if not isinstance(one, str) or one.strip()]
    return tuple(text_of(where, one) for one in filled)


def _formed(where: str, text: str) -> str:
    pattern, form = _FORMS.get(where.rpartition(".")[2], (None, ""))
    if pattern and not pattern.fullmatch(text):
        raise SettingsError(f"{where} must be {form}.")
    return text


def _whole(where: str, value: Any, kind: Any) -> Any:
    """A dataclass of which all fields have to be given."""
    given = fields_of(where, value if isinstance(value, Mapping) else {}, kind)
    missing = [name for name in get_type_hints(kind) if name not in given]
    if missing:
        raise SettingsError(f"{where} must be a table with {' and '.join(missing)}.")
    return kind(**given)
