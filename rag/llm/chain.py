"""From the names in a setting to backends, in the order in which they are tried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from rag.errors import BackendError, BackendSetup
from rag.settings import Settings

from .backend import Backend
from .providers import Provider, pointer, provider_of, providers

# The word for the servers on this machine that answer.
LOCAL = "local"
_OTHERS = ("extractive", LOCAL, "transformers:MODEL-OR-FOLDER")

# How long a server on this machine may take to take a connection, and to list its models; and for
# how long it is then taken to be there.
_CONNECT_SECONDS, _LIST_SECONDS, _FRESH_SECONDS = 0.2, 2.0, 30.0


class LocalServers:
    """The servers of language models on this machine that answer, whichever they are.

    Args:
        settings: Where they would be, and how they are asked.
    """

    name = LOCAL

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: tuple[float, tuple[Backend, ...]] = (float("-inf"), ())

    async def present(self) -> tuple[Backend, ...]:
        """A backend for each of them that has a model to chat with; none is sent anything."""
        at, found = self._found
        if found and time.monotonic() - at < _FRESH_SECONDS:
            return found
        local = [one for one in providers(self._settings) if one.local]
        asked = await asyncio.gather(*(self._ready(provider) for provider in local))
        found = tuple(backend for backend in asked if backend)
        self._found = (time.monotonic(), found)
        return found

    async def _ready(self, provider: Provider) -> Backend | None:
        if not await _listens(provider.base_url):
            return None
        from .openai import OpenAIBackend

        backend = OpenAIBackend(provider, "", self._settings.answer)
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                await backend.learn()
        except (BackendError, TimeoutError):
            return None  # something else listens there
        return backend


Entry = Backend | LocalServers


def backends(chain: str, settings: Settings) -> tuple[Entry, ...]:
    """The backends of a chain such as ``openai:gpt-5.6-terra, deepseek, local, extractive``.

    Args:
        chain: Names separated by commas; a colon separates a name from its model.
        settings: Where each backend finds its own settings.

    Raises:
        BackendSetup: A name is unknown, or there is none.
    """
    names = [name.strip() for name in chain.split(",") if name.strip()]
    if not names:
        raise BackendSetup("No backend is named.", f"Name one or more of: {_known(settings)}.")
    return tuple(_entry(name, settings) for name in names)


async def present(chain: Sequence[Entry]) -> list[Backend]:
    """The backends of a chain that are there now: what ``local`` stands for is looked up."""
    named = {entry.name for entry in chain}
    found: list[Backend] = []
    for entry in chain:
        if isinstance(entry, LocalServers):
            found += [backend for backend in await entry.present() if backend.name not in named]
        else:
            found.append(entry)
    return found


def _entry(name: str, settings: Settings) -> Entry:
    kind, _, model = name.partition(":")
    kind, model = kind.strip(), model.strip()
    if kind == "extractive" and not model:
        from .extractive import ExtractiveBackend

        return ExtractiveBackend(settings.answer)
    if kind == LOCAL and not model:
        return LocalServers(settings)
    if kind == "transformers" and model:
        from .transformers import TransformersBackend

        answer = settings.answer
        return TransformersBackend(model, answer.answer_tokens, answer.temperature)
    if provider := provider_of(kind, settings):
        from .openai import OpenAIBackend

        if provider.deployments and not (model or provider.models):
            raise BackendSetup(
                f"{provider.label} has models under names of your own, and none is named.",
                f"Name yours: {provider.name}:NAME.",
            )
        return OpenAIBackend(provider, model, settings.answer)
    if way := pointer(kind):
        raise BackendSetup(f"{kind} has no server that can be asked.", way)
    raise BackendSetup(f"There is no backend {name!r}.", f"Known: {_known(settings)}.")


def _known(settings: Settings) -> str:
    return ", ".join([*_OTHERS, *(provider.name for provider in providers(settings))])


async def _listens(base_url: str) -> bool:
    """Whether anything listens at an address: nothing is sent, and no library is loaded for it."""
    try:
        address = urlsplit(base_url)
        port = address.port or (443 if address.scheme == "https" else 80)
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except (OSError, ValueError, TimeoutError):
        return False
    writer.close()
    return True
