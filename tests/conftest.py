"""Shared fixtures: the real embedder, loaded once, and a real index of the seeds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from rag.index.embed import Embedder, SentenceTransformerEmbedder
from rag.index.index import Index
from rag.settings import Settings

# A machine that checks others' work repeats itself; a person's tests look for new cases.
hypothesis.settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see the defaults: no settings file, no RAG_ variable, no key of any provider."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("RAG_") or name.endswith("_API_KEY"):
                patch.delenv(name)
        patch.setenv("RAG_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The folder of the five seed articles."""
    return SEEDS


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The defaults."""
    return Settings()


@pytest.fixture(scope="session")
def embedder(settings: Settings) -> Embedder:
    """The bundled embedder."""
    return SentenceTransformerEmbedder(settings.index.embedder)


@pytest.fixture(scope="session")
def seeds_index(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, embedder: Embedder
) -> Index:
    """An index of the seeds. Tests that change an index make their own."""
    index = Index.create(tmp_path_factory.mktemp("seeds") / "index", settings, embedder)
    report = index.add(SEEDS)
    assert not report.failed
    return index


@pytest.fixture
def empty_index(tmp_path: Path, settings: Settings, embedder: Embedder) -> Index:
    """An index without documents, to be changed at will."""
    return Index.create(tmp_path / "index", settings, embedder)
