"""What is known of embedding models and of those who serve them: ``models.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from rag.settings import EmbeddingSettings

# The provider whose address is in the settings.
OWN = "endpoint"


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What a model was trained to find before a question, and before a passage."""

    query: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A server of embeddings that speaks the OpenAI protocol.

    ``base_url`` is its address up to ``/embeddings``, ``key_variables`` the environment
    variables that may hold its key, ``batch`` how many texts it takes at a time.
    """

    base_url: str
    key_variables: tuple[str, ...] = ()
    batch: int = 32

    @property
    def host(self) -> str:
        """The name of the machine, or the whole address where it has none."""
        try:
            return urlsplit(self.base_url).hostname or self.base_url
        except ValueError:
            return self.base_url


@cache
def _tables() -> dict[str, Any]:
    # The core's languages are read the same way: once, and never changed.
    return tomllib.loads(resources.files("rag.index").joinpath("models.toml").read_text("utf-8"))


def prefixes_for(model: str) -> Prefixes:
    """The prefixes of a model, by the last part of its name; none where the table is silent.

    Args:
        model: ``OWNER/NAME``, the name a server knows, or a folder.
    """
    name = model.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()
    for row in _tables()["prefixes"]:
        if any(fnmatchcase(name, pattern) for pattern in row["models"]):
            return Prefixes(row.get("query", ""), row.get("passage", ""))
    return Prefixes()


def provider_names() -> list[str]:
    """The providers that need no address."""
    return sorted(_tables()["providers"])


def provider_of(name: str, settings: EmbeddingSettings) -> Provider | None:
    """A provider by its name, or nothing; ``endpoint`` is the one of the settings."""
    if name == OWN:
        return Provider(
            settings.base_url, tuple(filter(None, [settings.key_variable])), settings.batch
        )
    row = _tables()["providers"].get(name)
    if row is None:
        return None
    return Provider(row["base_url"], tuple(row.get("key_variables", ())), row["batch"])
