"""Backends at servers on this machine, as the tests of failing ones need them."""

from __future__ import annotations

import dataclasses
from typing import Any

from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Dialect, Provider
from rag.settings import AnswerSettings

# Long enough for a server on a busy machine, short enough to wait for.
PATIENCE = 0.3


def provider_at(url: str, name: str = "first", **fields: Any) -> Provider:
    """A provider at an address of this machine."""
    given: dict[str, Any] = {"models": ("m",), **fields}
    return Provider(name, name.title(), url, needs_key=False, **given)


def backend_at(
    url: str,
    name: str = "first",
    *,
    in_pieces: bool = True,
    model: str = "",
    provider: dict[str, Any] | None = None,
    **settings: Any,
) -> OpenAIBackend:
    """A backend at an address of this machine."""
    fields = dict(provider or {})
    dialect = dataclasses.replace(fields.pop("dialect", Dialect()), stream=in_pieces)
    patience = {"first_token_seconds": PATIENCE, "next_token_seconds": PATIENCE}
    return OpenAIBackend(
        provider_at(url, name, dialect=dialect, **fields),
        model,
        dataclasses.replace(AnswerSettings(), **{**patience, **settings}),
    )
