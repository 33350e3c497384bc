"""Backends at servers on this machine, as the tests of failing ones need them."""

from __future__ import annotations

import dataclasses
from typing import Any

from rag.evals.benchmarks.misbehaving import ANSWER
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Dialect, Provider
from rag.settings import AnswerSettings

# A key, of which nothing that a person sees may hold a part.
KEY = "sk-secret-123"
QUESTION = "Who called Sora a Newton moment?"
# What a server has to say that answers as it should.
WHOLE = "".join(ANSWER)

# Seconds: where only the clock tells that a server fails, and where it is not to tell.
SHORT, LONG = 0.3, 60.0


def provider_at(url: str, name: str = "first", **fields: Any) -> Provider:
    """A provider at an address of this machine."""
    given: dict[str, Any] = {"models": ("m",), "needs_key": False, **fields}
    return Provider(name, name.title(), url, **given)


def backend_at(
    url: str,
    name: str = "first",
    *,
    in_pieces: bool = True,
    patience: float = LONG,
    model: str = "",
    provider: dict[str, Any] | None = None,
    **settings: Any,
) -> OpenAIBackend:
    """A backend at an address of this machine."""
    fields = dict(provider or {})
    dialect = dataclasses.replace(fields.pop("dialect", Dialect()), stream=in_pieces)
    clocks = {"first_token_seconds": patience, "next_token_seconds": patience}
    return OpenAIBackend(
        provider_at(url, name, dialect=dialect, **fields),
        model,
        dataclasses.replace(AnswerSettings(), **{**clocks, **settings}),
    )
