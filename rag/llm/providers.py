"""Who serves language models, where, and in which dialect: ``providers.toml`` and the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from rag.errors import SettingsError
from rag.settings import Settings

from .endpoint import Endpoint, endpoint, host_of, is_loopback
from .fields import fields_of, text_of

__all__ = [
    "Dialect",
    "Endpoint",
    "Price",
    "Provider",
    "endpoint",
    "pointer",
    "provider_of",
    "providers",
    "while_unnamed",
]

# Words of a chain that are no provider's name.
RESERVED = ("extractive", "local", "scripted", "transformers")

# What "like" takes over from another entry: nothing that says who it is, or which key it gets.
_PROTOCOL = ("needs_key", "models", "dialect", "window", "resells", "tokenizer")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server departs from the OpenAI chat protocol.

    ``length_field`` is the field that limits an answer's length, empty where none is sent (a model
    that thinks would use it up). ``temperature`` and ``stream_usage`` say whether these fields are
    sent, ``stream`` whether the answer is asked for piece by piece. ``body`` is added to every
    request. ``reasoning_fields`` are where a piece holds what the model says to itself.
    """

    length_field: str = "max_tokens"
    temperature: bool = True
    stream_usage: bool = True
    stream: bool = True
    body: Mapping[str, Any] = field(default_factory=dict)
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens read and written."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Provider:
    """A company or server that speaks the OpenAI chat protocol.

    ``place`` is the country of the company, as an ISO 3166 code, empty for a server of one's own.
    ``base_url`` may hold ``{VARIABLE}``, an environment variable. The key is in the first of
    ``key_variables`` that is set (see also ``while_unnamed``); ``needs_key`` is false for servers that ask for none. ``models``
    are tried in order where the server does not have one; empty where the server is asked what it
    has. ``window`` is how many tokens prompt and answer may have together. ``local`` marks a server
    on this machine, which the chain's word ``local`` stands for. ``resells`` marks a server that
    passes requests on to others, so that one model's block is not another's. ``tokenizer`` names
    tiktoken's encoding. ``prices`` are by model. ``unencrypted`` allows that the key is sent over
    plain http to another machine. ``aliases`` are other names. ``deployments`` marks a server whose models have names of the person's
    own, so that one has to be named.
    """

    name: str
    label: str
    base_url: str
    place: str = ""
    key_variables: tuple[str, ...] = ()
    needs_key: bool = True
    models: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    window: int = 32_768
    local: bool = False
    resells: bool = False
    tokenizer: str = ""
    prices: Mapping[str, Price] = field(default_factory=dict)
    note: str = ""
    unencrypted: bool = False
    aliases: tuple[str, ...] = ()
    deployments: bool = False


def providers(settings: Settings) -> tuple[Provider, ...]:
    """All providers: those of ``providers.toml``, changed and joined by those of the settings.

    Raises:
        SettingsError: A table of the settings is malformed; the message names the field.
    """
    known = dict(_known())
    for name, table in settings.providers.items():
        namesake = _found(name, known)
        if namesake and namesake.name != name:
            raise SettingsError(
                f"providers.{name} is another name of {namesake.name}.",
                f"Call the table providers.{namesake.name}.",
            )
        if not namesake and (name in RESERVED or not _NAME.fullmatch(name)):
            raise SettingsError(
                f"A provider cannot be called {name!r}.",
                "A name has small letters, digits and hyphens, and is no word of a chain: "
                f"{', '.join(RESERVED)}.",
            )
        known[name] = _provider(name, table, known)
    _no_two_alike(known)
    return tuple(known.values())


def provider_of(name: str, settings: Settings) -> Provider | None:
    """A provider by its name or another name of it, or nothing.

    Capitals, spaces, dots and hyphens do not matter: ``Alibaba Cloud`` is ``alibabacloud``.
    """
    return _found(name, {one.name: one for one in providers(settings)})


def while_unnamed(provider: Provider, others: Sequence[Provider]) -> Provider:
    """A provider with the key variables that are its own: others' keys wait until it is named.

    Its own are the first of them, and those that no other provider has. The sites of one company
    take a key from the same variable, and which of them it is for is not to be tried out.
    """
    shared = {name for one in others if one.name != provider.name for name in one.key_variables}
    first, rest = provider.key_variables[:1], provider.key_variables[1:]
    return replace(provider, key_variables=first + tuple(n for n in rest if n not in shared))


def pointer(name: str) -> str | None:
    """How the models of a company are reached that has no endpoint itself; nothing of others."""
    for own, table in _tables()["pointers"].items():
        if _plain(name) in {_plain(other) for other in (own, table["label"], *table["aliases"])}:
            return str(table["way"])
    return None


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files("rag.llm").joinpath("providers.toml").read_text("utf-8"))


@cache
def _dialects() -> dict[str, Dialect]:
    dialects: dict[str, Dialect] = {}
    for name, table in _tables()["dialects"].items():
        dialects[name] = _dialect(f"dialects.{name}", table, Dialect(), dialects)
    return dialects


@cache
def _known() -> dict[str, Provider]:
    known: dict[str, Provider] = {}
    for name, table in _tables()["providers"].items():
        known[name] = _provider(name, table, known)
    return known


def _plain(name: str) -> str:
    """A name without what does not matter in it."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _found(name: str, known: Mapping[str, Provider]) -> Provider | None:
    wanted = _plain(name)
    for one in known.values():
        if wanted and wanted in {_plain(other) for other in (one.name, *one.aliases)}:
            return one
    return None


def _no_two_alike(known: Mapping[str, Provider]) -> None:
    """Refuse names that mean two providers: documents would go to the wrong one."""
    owners: dict[str, str] = {}
    for one in known.values():
        for name in (one.name, *one.aliases):
            owner = owners.setdefault(_plain(name), one.name)
            if owner != one.name:
                raise SettingsError(
                    f"providers.{one.name}.aliases: {name!r} is a name of {owner}, too."
                )


def _provider(name: str, table: Mapping[str, Any], known: Mapping[str, Provider]) -> Provider:
    """A provider as a table makes it of the one of that name, or a new one."""
    where, table = f"providers.{name}", dict(table)
    before = known.get(name)
    provider = before or Provider(name, name, "")
    measured = before  # whose models its window and tokenizer are of
    if "like" in table:
        model = _found(text_of(f"{where}.like", table.pop("like")), known)
        if model is None:
            raise SettingsError(f"{where}.like names no provider.", f"Known: {', '.join(known)}.")
        provider = replace(provider, **{part: getattr(model, part) for part in _PROTOCOL})
        measured = model
    if "dialect" in table:
        dialect = _dialect_of(f"{where}.dialect", table.pop("dialect"), provider.dialect)
        provider = replace(provider, dialect=dialect)
    given = fields_of(where, table, Provider, without=("name", "dialect"))
    provider = replace(provider, **given)
    if not provider.base_url:
        raise SettingsError(
            f"{where}.base_url is missing.", "It looks like http://127.0.0.1:11434/v1."
        )
    here = is_loopback(host_of(provider.base_url))
    if given.get("local") and not here:
        raise SettingsError(f"{where}.local is true, and its address is not this machine.")
    unknown: dict[str, Any] = {}
    if before and not _same_host(before.base_url, provider.base_url):
        # Who stands behind another address is not known.
        unknown |= {"place": "", "prices": {}, "local": False}
    if measured and not _same_host(measured.base_url, provider.base_url):
        # Nor how much is read there and how it is counted, which must not be overrun.
        unknown |= {"tokenizer": "", "window": min(provider.window, Provider("", "", "").window)}
    return replace(provider, **{**unknown, **{k: given[k] for k in unknown if k in given}})


def _same_host(one: str, other: str) -> bool:
    first, second = host_of(one), host_of(other)
    return one == other or first == second != "" or (is_loopback(first) and is_loopback(second))


def _dialect_of(where: str, value: Any, current: Dialect) -> Dialect:
    """A dialect by its name, or what a table changes in the current one."""
    if isinstance(value, Mapping):
        return _dialect(where, value, current, _dialects())
    dialect = _dialects().get(text_of(where, value))
    if dialect is None:
        raise SettingsError(f"{where} is no dialect.", f"Known: {', '.join(_dialects())}.")
    return dialect


def _dialect(
    where: str, table: Mapping[str, Any], current: Dialect, dialects: Mapping[str, Dialect]
) -> Dialect:
    table = dict(table)
    if "like" in table:
        like = dialects.get(text_of(f"{where}.like", table.pop("like")))
        if like is None:
            raise SettingsError(f"{where}.like names no dialect.", f"Known: {', '.join(dialects)}.")
        current = like
    return replace(current, **fields_of(where, table, Dialect))
