"""From the names in a setting to backends, in the order in which they are tried."""

from __future__ import annotations

from rag.errors import BackendSetup
from rag.settings import Settings

from .backend import Backend
from .providers import pointer, provider_of, providers

KNOWN = ("local", "extractive")


def backends(chain: str, settings: Settings) -> tuple[Backend, ...]:
    """The backends of a chain such as ``openai:gpt-5.6-terra, extractive``.

    Args:
        chain: Names separated by commas; a colon separates a name from its model.
        settings: Where each backend finds its own settings.

    Raises:
        BackendSetup: A name is unknown, or there is none.
    """
    names = [name.strip() for name in chain.split(",") if name.strip()]
    if not names:
        raise BackendSetup("No backend is named.", f"Name one or more of: {', '.join(KNOWN)}.")
    return tuple(_backend(name, settings) for name in names if name != "local")


def _backend(name: str, settings: Settings) -> Backend:
    kind, _, model = (part.strip() for part in name.partition(":"))
    if kind == "extractive" and not model:
        from .extractive import ExtractiveBackend

        return ExtractiveBackend(settings.answer)
    provider = provider_of(kind, settings)
    if provider is not None:
        from .openai import OpenAIBackend

        return OpenAIBackend(provider, settings.answer, model or (provider.models or ("",))[0])
    known = (*KNOWN, *(one.name for one in providers(settings)))
    raise BackendSetup(
        f"There is no backend {name!r}.", pointer(kind) or f"Known: {', '.join(known)}."
    )
