"""Shared fixtures: the real embedder, loaded once, a real index of the seeds, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from rag.chatbot import Chatbot
from rag.index.embed import Embedder, embedder_for
from rag.index.index import Index
from rag.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes says nothing on a busy machine. One that checks others' work repeats
# itself; a person's tests look for new cases.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable" if os.environ.get("CI") else "patient")

Quoting = Callable[[Mapping[str, str]], Chatbot]

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A page that phones home at start would hide what the product does.
_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

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


@pytest.fixture(autouse=True)
def _no_backend_rests_for_another_test(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that failed in one test is asked in the next."""
    monkeypatch.setenv("RAG_STATE_DIR", str(tmp_path_factory.mktemp("state")))


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
    return embedder_for(settings)


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


@pytest.fixture
def quoting(tmp_path: Path, embedder: Embedder) -> Quoting:
    """A chatbot without a language model over texts, by the names of their files."""

    def over(texts: Mapping[str, str]) -> Chatbot:
        for name, text in texts.items():
            (tmp_path / name).write_text(text, "utf-8")
        index = Index.create(tmp_path / "index", Settings(), embedder)
        index.add([tmp_path / name for name in texts])
        return Chatbot(index, "extractive", Settings())

    return over


def _executable() -> str | None:
    found = (shutil.which(name) for name in _CHROMIUM)
    return os.environ.get("CHROMIUM") or next((path for path in found if path), None)


# Not for the whole session: while Playwright runs, no other event loop can in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, from the system or from Playwright's own download."""
    from playwright.sync_api import sync_playwright

    executable = _executable()
    with sync_playwright() as playwright:
        if executable is None and not os.path.exists(playwright.chromium.executable_path):  # noqa: PTH110
            reason = "no Chromium: install the package chromium, or name it in CHROMIUM"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        # Chromium's sandbox does not start for root, who runs tests in containers.
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = [*_QUIET, *(["--no-sandbox"] if root else [])]
        launched = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield launched
        launched.close()
