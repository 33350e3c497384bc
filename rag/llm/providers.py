"""Who serves language models, where, and in which dialect: ``providers.toml`` and the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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

    ``place`` is where it is, as an ISO 3166 code, empty for a server of one's own. ``base_url`` may
    hold ``{VARIABLE}``, an environment variable. The key is in the first of ``key_variables`` that
    is set; ``needs_key`` is false for servers that ask for none. ``models`` are tried in order where
    the server does not have one; empty where the server is asked what it has. ``window`` is how many
    tokens prompt and answer may have together. ``resells`` marks a server that passes requests on
    to others, so that one model's block is not another's. ``tokenizer`` names tiktoken's encoding.
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
