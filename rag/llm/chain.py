"""From the names in a setting to backends, in the order in which they are tried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import BackendError, BackendSetup
from rag.settings import Settings

from .backend import Backend
from .providers import Provider, pointer, provider_of, providers

if TYPE_CHECKING:
    from .openai import OpenAIBackend

# The word for the servers on this machine that answer.
LOCAL = "local"
_OTHERS = ("extractive", LOCAL, "transformers:MODEL-OR-FOLDER")

# How long a server on this machine may take to take a connection, and to list its models; and for
# how long it is then taken to be there.
_CONNECT_SECONDS, _LIST_SECONDS, _FRESH_SECONDS = 0.2, 1.0, 30.0
# For how long one that listens and lists none is not asked again.
_STALE_SECONDS = 10.0


class LocalServers:
    """The servers of language models on this machine that answer, whichever they are.

    Args:
        settings: Where they would be, and how they are asked.
    """

    name = LOCAL

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: tuple[float, tuple[OpenAIBackend, ...]] = (float("-inf"), ())
        # When servers were asked that have listed no model, by their address.
        self._silent: dict[str, float] = {}

    async def present(self) -> tuple[OpenAIBackend, ...]:
        """A backend for each of them that runs a model to chat with.

        They are asked which models they have, without a key: nobody has named them.
        """
        at, found = self._found
        if found and time.monotonic() - at < _FRESH_SECONDS:
            return found
        # By their addresses: one server is asked once, whatever it is called.
        local = {_bare(one.base_url): one for one in providers(self._settings) if one.local}
        asked = await asyncio.gather(*(self._ready(provider) for provider in local.values()))
        found = tuple(backend for backend in asked if backend)
        self._found = (time.monotonic(), found)
        return found

    async def _ready(self, provider: Provider) -> OpenAIBackend | None:
        asked_at = self._silent.get(provider.base_url, float("-inf"))
        if time.monotonic() - asked_at < _STALE_SECONDS or not await _listens(provider.base_url):
            return None
        from .openai import OpenAIBackend

        backend = OpenAIBackend(provider, "", self._settings.answer, found=True)
        if await _lists(backend):
            return backend
        self._silent[provider.base_url] = time.monotonic()
        return None


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
    """The backends of a chain that are there now: what ``local`` stands for is looked up.

    A server that is named itself is not asked a second time as one of ``local``.
    """
    named = {_address(entry) for entry in chain}
    found: list[Backend] = []
    for entry in chain:
        if isinstance(entry, LocalServers):
            found += [one for one in await entry.present() if _address(one) not in named]
        else:
            found.append(entry)
    return found


async def answers(backend: OpenAIBackend) -> bool:
    """Whether the server of a backend is there and has its model, if it says which it has."""
    return await _listens(backend.provider.base_url) and await _lists(backend)


def _address(entry: Entry) -> str:
    """Where an entry of a chain is asked; empty for what has no server."""
    provider = getattr(entry, "provider", None)
    return _bare(provider.base_url) if isinstance(provider, Provider) else ""


def _bare(base_url: str) -> str:
    return base_url.rstrip("/")


def _entry(name: str, settings: Settings) -> Entry:
    kind, colon, model = name.partition(":")
    if colon and not model.strip():
        raise BackendSetup(f"No model is named behind {name!r}.", f"Leave out the colon: {kind}.")
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


async def _lists(backend: OpenAIBackend) -> bool:
    """Whether a server lists a model soon; else something other listens there."""
    try:
        async with asyncio.timeout(_LIST_SECONDS):
            await backend.learn()
    except (BackendError, TimeoutError):
        return False
    return True
