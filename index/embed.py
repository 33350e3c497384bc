"""What an embedder is, and which one a setting names."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from rag.errors import ModelError, SettingsError
from rag.settings import BUNDLED_EMBEDDER, EmbeddingSettings, Settings

from .arrays import Matrix
from .models import Provider, provider_names, provider_of

Kind = Literal["bundled", "static", "endpoint", "transformer"]

# What the fingerprint of an index says for the model in the folder model/. A new one gets a new
# name, so that nobody's vectors are mixed.
BUNDLED_NAME = "bundled:en-vi-1"
_BUNDLED_FOLDER = Path(__file__).parent / "model"

# PROVIDER:MODEL. A single letter before the colon is a drive of Windows.
_ENDPOINT = re.compile(r"([A-Za-z][\w-]+):(.+)", re.DOTALL)


class Embedder(Protocol):
    """A model that turns texts into vectors of length 1.

    ``name`` is what the index's fingerprint records, ``dimension`` the length of a vector,
    ``max_tokens`` how many tokens of a text it reads, ``windows`` whether its vectors are so
    cheap that the sentences of a passage get some of their own.
    """

    name: str
    dimension: int
    max_tokens: int
    windows: bool

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension).

        Each has length 1, or is all zeros where the model knows nothing of the text.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has for this model, special tokens left out."""
        ...


class CachedEmbedder:
    """An embedder that remembers the vectors of the texts it saw last.

    The sentences of a passage are weighed for every question that finds it.

    Args:
        embedder: The embedder that is asked.
        most: How many vectors are kept.
    """

    def __init__(self, embedder: Embedder, most: int = 8192) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.max_tokens, self.count_tokens = embedder.max_tokens, embedder.count_tokens
        self.windows = embedder.windows
        self._embedder, self._most = embedder, most
        self._kept: OrderedDict[tuple[bool, str], Matrix] = OrderedDict()
        self._guard = threading.Lock()

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, as the embedder gives them, shape (number of texts, dimension)."""
        with self._guard:
            kept = {text: self._kept.get((query, text)) for text in texts}
        found = {text: vector for text, vector in kept.items() if vector is not None}
        missing = [text for text in kept if text not in found]
        if missing:
            found |= zip(missing, self._embedder.embed(missing, query=query), strict=True)
        with self._guard:
            for text, vector in found.items():
                self._kept[query, text] = vector
                self._kept.move_to_end((query, text))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        rows = [found[text] for text in texts]
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)


def embedder_for(settings: Settings, dimension: int | None = None) -> Embedder:
    """The embedder that the settings name, loaded.

    Args:
        settings: ``index.embedder`` names it: ``bundled``, the folder of a static or a
            sentence-transformers model, a model's name on the Hugging Face Hub, or
            ``PROVIDER:MODEL``.
        dimension: The length of its vectors, if an index knows it; an endpoint is asked
            for it once if not.

    Raises:
        ModelError: It cannot be loaded, or its endpoint gives no vectors.
        SettingsError: There is no such provider.
    """
    setting = settings.index.embedder
    kind = kind_of(setting)
    if kind == "endpoint":
        from .endpoint import EndpointEmbedder

        provider, model = _endpoint(setting, settings.embedding)
        return EndpointEmbedder(setting, provider, model, dimension)
    if kind == "transformer":
        from .transformer import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(setting)
    from .static import StaticEmbedder

    if kind == "static":
        return StaticEmbedder(Path(setting), setting)
    if not _BUNDLED_FOLDER.is_dir():
        raise ModelError(
            "The embedding model that comes with the program is missing.",
            "Install the program again, or name another in the setting index.embedder.",
        )
    return StaticEmbedder(_BUNDLED_FOLDER, BUNDLED_NAME)


def embedder_name(setting: str) -> str:
    """What the fingerprint of an index records for a setting ``index.embedder``."""
    return BUNDLED_NAME if kind_of(setting) == "bundled" else setting


def embedder_setting(name: str) -> str | None:
    """The setting that an embedder's name in a fingerprint stands for.

    Nothing for a model that came with another version of the program.
    """
    if name == BUNDLED_NAME:
        return BUNDLED_EMBEDDER
    older = name == BUNDLED_EMBEDDER or name.startswith(f"{BUNDLED_EMBEDDER}:")
    return None if older else name


def described(name: str, settings: EmbeddingSettings) -> str:
    """What an embedder is, in plain words, by its setting or its name in a fingerprint.

    Nothing is loaded and nobody is asked.
    """
    if embedder_setting(name) is None and name != BUNDLED_EMBEDDER:
        return "a model that came with another version of the program"
    kind = kind_of(name)
    if kind == "endpoint":
        match = _ENDPOINT.fullmatch(name)
        provider = match and provider_of(match[1], settings)
        host = provider.host if provider else "an unknown address"
        return f"an endpoint at {host}, which is sent passages and questions"
    return {
        "bundled": "the static model that comes with the program, on this machine",
        "static": "a static model in a folder, on this machine",
        "transformer": "a sentence-transformers model, on this machine",
    }[kind]


def kind_of(setting: str) -> Kind:
    """Which kind of embedder a setting names; looks into a folder, loads nothing."""
    if setting in (BUNDLED_EMBEDDER, BUNDLED_NAME):
        return "bundled"
    if _ENDPOINT.fullmatch(setting):
        return "endpoint"
    if Path(setting).is_dir():
        from .static import layout_of

        return "static" if layout_of(Path(setting)) else "transformer"
    return "transformer"


def _endpoint(setting: str, settings: EmbeddingSettings) -> tuple[Provider, str]:
    name, _, model = setting.partition(":")
    provider = provider_of(name, settings)
    if provider is None:
        known = ", ".join(provider_names())
        raise SettingsError(
            f"There is no provider of embeddings {name!r}, which index.embedder names.",
            f"Known: {known}. For any other server write endpoint:MODEL, and its address into "
            "embedding.base_url.",
        )
    return provider, model
