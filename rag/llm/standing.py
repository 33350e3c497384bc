"""How providers stand: who could be asked, who is named in the chain, who rests, who answers."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import compress

from rag.errors import BackendError, BackendSetup, Fault
from rag.messages import Message, render
from rag.settings import Settings

from .backend import Backend, Request
from .chain import Entry, LocalServers, answers, backends, present
from .endpoint import endpoint
from .openai import OpenAIBackend
from .providers import Provider, providers, while_unnamed
from .rests import Rests

# A request may hold four parameters that a server does not take, and each is refused by itself.
_MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider stands.

    ``ready`` is whether it could be asked: its key is in ``key_variable``, which is empty where none
    is needed, or its server on this machine answers; ``lacks`` says what is missing. ``models`` are
    those that would be asked, in order. ``chain`` is whether it is in the chain of the settings.
    ``rests_until`` is in seconds since the epoch, ``None`` where it does not rest, and ``rests_for``
    why.
    """

    name: str
    label: str
    place: str
    local: bool
    ready: bool
    lacks: str
    key_variable: str
    models: tuple[str, ...]
    chain: bool
    rests_until: float | None = None
    rests_for: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of asking a backend for one token, and after how many seconds.

    ``fault`` and ``reason`` are empty where it answered.
    """

    backend: str
    answered: bool
    seconds: float
    fault: str = ""
    reason: str = ""


async def standings(
    settings: Settings, environment: Mapping[str, str], rests: Rests
) -> list[Standing]:
    """How every provider stands, those of the chain first, then those that are ready.

    Servers on this machine are asked which models they have; no other is asked anything.

    Raises:
        BackendSetup: The chain of the settings is malformed.
        SettingsError: The settings of a provider are.
    """
    chain = backends(settings.answer.backend, settings)
    found = await LocalServers(settings).present()
    own = [one for one in chain if isinstance(one, OpenAIBackend)]
    there = await asyncio.gather(*(answers(one) for one in own if one.provider.local))
    listening = [*compress((one for one in own if one.provider.local), there)]
    everyone = providers(settings)
    standing = []
    for provider in everyone:
        here = [one for one in (*listening, *found) if one.provider.name == provider.name]
        named = [one for one in own if one.provider.name == provider.name]
        if not named and any(isinstance(one, LocalServers) for one in chain):
            named = here
        asked = named or here or [OpenAIBackend(provider, "", settings.answer)]
        variable, lacks = _lacking(provider, everyone, environment, named=bool(named))
        if provider.local and not here and not lacks:
            lacks = f"No server with a model to chat with answers at {provider.base_url}."
        standing.append(_standing(provider, asked, variable, lacks, rests, named=bool(named)))
    return sorted(standing, key=lambda one: (not one.chain, not one.ready))


def _lacking(
    provider: Provider, everyone: Sequence[Provider], environment: Mapping[str, str], *, named: bool
) -> tuple[str, str]:
    """The variable with a provider's key, and what is missing for it to be asked."""
    try:
        variable = endpoint(provider, environment).key_variable
    except BackendSetup as error:
        return "", error.message
    if named:
        return variable, ""
    own = while_unnamed(provider, everyone)
    if variable not in ("", *own.key_variables):
        return "", (
            f"The key in {variable} may be for another site: {provider.name} gets it only where it "
            "is named."
        )
    if provider.deployments and not provider.models:
        return "", f"The model is missing: name your deployment, {provider.name}:NAME."
    return variable, ""


def _standing(
    provider: Provider,
    asked: Sequence[OpenAIBackend],
    variable: str,
    lacks: str,
    rests: Rests,
    *,
    named: bool,
) -> Standing:
    models = [one.name.partition("/")[2] for one in asked]
    rest = next(filter(None, map(rests.resting, asked)), None)
    return Standing(
        provider.name,
        provider.label,
        provider.place,
        provider.local,
        not lacks,
        lacks,
        variable,
        tuple(filter(None, dict.fromkeys(models))),
        named,
        rest.until if rest else None,
        rest.reason if rest else "",
        provider.note,
    )


async def checked(
    names: Sequence[str], settings: Settings, environment: Mapping[str, str], rests: Rests
) -> list[Checked]:
    """Ask backends for one token each, all at once. No passage is sent.

    One that answers rests no longer; one that fails rests as it would after a question.

    Args:
        names: As in a chain: ``openai``, ``deepseek:MODEL``, ``local``. All that are ready if empty.
        settings: Where they are, and for how long they are waited for.
        environment: Where their keys are.
        rests: Which of them rest.

    Raises:
        BackendSetup: A name is no provider's.
    """
    # One token is enough to know.
    brief = dataclasses.replace(settings.answer, answer_tokens=1)
    asking = dataclasses.replace(settings, answer=brief)
    chain: Sequence[Entry] = [entry for name in names for entry in backends(name, asking)]
    if not names:
        chain = await _ready(settings, asking, environment, rests)
    chosen = await present(chain)
    for one in chosen:
        if not isinstance(one, OpenAIBackend):
            raise BackendSetup(f"{one.name} has no server that could be asked.")
    # Loaded now: the time that takes is no server's.
    import openai  # noqa: F401

    return list(await asyncio.gather(*(_checked(backend, rests) for backend in chosen)))


async def _ready(
    settings: Settings, asking: Settings, environment: Mapping[str, str], rests: Rests
) -> list[Entry]:
    """All that are ready: those of the chain as they are named there, then the others."""
    ready = [one for one in await standings(settings, environment, rests) if one.ready]
    names = {one.name for one in ready}
    chain: list[Entry] = [
        one
        for one in backends(settings.answer.backend, asking)
        if isinstance(one, OpenAIBackend) and one.provider.name in names
    ]
    others = [one.name for one in ready if not one.local and not one.chain]
    chain += [entry for name in others for entry in backends(name, asking)]
    # Those on this machine without a key, as nobody has named them.
    return [*chain, LocalServers(asking)]


async def _checked(backend: Backend, rests: Rests) -> Checked:
    started = time.monotonic()
    try:
        await _first_token(backend)
    except BackendError as error:
        seconds = time.monotonic() - started
        rests.rest(backend, error)
        return Checked(backend.name, False, seconds, error.fault.value, str(error))
    seconds = time.monotonic() - started
    rests.wake(backend)
    return Checked(backend.name, True, seconds)


async def _first_token(backend: Backend) -> None:
    """Wait for the first token of an answer, and leave.

    Raises:
        BackendError: None has come.
    """
    message: Message = {"role": "user", "content": render("check.user")}
    request = Request("", "en", (), (message,), lambda question, texts: [])
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            async with aclosing(backend.stream(request)) as parts:
                await anext(parts)
        except BackendError as error:
            if error.fault is Fault.LENGTH:
                return  # that was the one token
            if error.fault is not Fault.PARAMETER or attempt == _MOST_ATTEMPTS:
                raise
        else:
            return
