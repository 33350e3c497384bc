"""What a person is told of a server that gave no answer: each failure as one of ``rag.errors``."""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection

from rag.errors import (
    BackendError,
    BackendGarbled,
    BackendRefused,
    BackendUnreachable,
    Fault,
)
from rag.text import collapse

from .endpoint import Endpoint
from .faults import Refusal, finish_fault, is_finished
from .providers import Provider

# So many characters of a key in a row are hidden: a server may repeat a part of it.
_TELLING = 8
_MOST_SAID = 300


def refused(
    name: str,
    provider: Provider,
    place: Endpoint,
    said: Refusal,
    *,
    wait: float | None = None,
    parameter: str = "",
) -> BackendRefused:
    """A server's no, in its own words.

    Args:
        name: The backend.
        provider: Whose it is.
        place: Its server and the key that it was sent.
        said: What it said.
        wait: For how many seconds it asks to be left alone.
        parameter: The field of the request that it does not take.
    """
    if said.status and 300 <= said.status < 400:
        return _moved(name, provider, place, said)
    message = said.message or f"HTTP {said.status}" if said.status else said.message
    # What a server says is shown and kept, and it may repeat the key.
    told = collapse(without_key(message, place.key))[:_MOST_SAID] or said.fault.value
    where = f" (HTTP {said.status})" if said.status else ""
    stop = "" if told.endswith((".", "!", "?", "…", "。")) else "."
    return BackendRefused(
        f"{name} refused{where}: {told}{stop}",
        _remedy(said.fault, place, provider),
        fault=said.fault,
        wait=wait,
        parameter=parameter,
        status=said.status,
        code=said.code,
    )


def _moved(name: str, provider: Provider, place: Endpoint, said: Refusal) -> BackendRefused:
    """A server that points elsewhere, where nothing is sent."""
    return BackendRefused(
        f"{name} is not at {place.base_url}: its server points to another address (HTTP {said.status}).",
        f"Put the address that it has now into providers.{provider.name}.base_url.",
        fault=said.fault,
        status=said.status,
    )


def unreached(
    name: str, provider: Provider, place: Endpoint, error: Exception, *, began: bool
) -> BackendError:
    """No connection, none that is secure, or one that broke off.

    Args:
        name: The backend.
        provider: Whose it is.
        place: Its server.
        error: What the package says of it.
        began: Whether anything had come.
    """
    if began:
        return BackendGarbled(f"{name} broke off in the middle.", fault=Fault.NETWORK)
    setting = f"providers.{provider.name}.base_url"
    if insecure := _insecure(error):
        return BackendUnreachable(
            f"No secure connection to {place.base_url}: {insecure}.",
            f"Check the server's certificate, and the address in {setting}.",
        )
    return BackendUnreachable(
        f"No server answers at {place.base_url}.",
        f"Check that it runs, and the address in {setting}.",
    )


def garbled(name: str, what: str) -> BackendGarbled:
    """What came is not an answer."""
    return BackendGarbled(f"{name} {what}.", "Try again.")


def must_be_finished(name: str, reason: str, *, answered: bool) -> None:
    """Raise what is wrong with an answer that ended for a reason, if anything is.

    Raises:
        BackendRefused: It was withheld, or given up.
        BackendGarbled: It is not all of it.
    """
    fault = finish_fault(reason)
    if fault is Fault.CONTENT:
        raise BackendRefused(f"{name} withheld its answer: content filter.", fault=fault)
    if fault is Fault.LENGTH:
        raise BackendGarbled(
            f"{name} reached the most it may write and broke off.",
            "Raise answer.answer_tokens.",
            fault=fault,
        )
    if fault:
        raise BackendRefused(f"{name} gave up: {reason}.", fault=fault)
    if not answered or not is_finished(reason):
        raise garbled(name, "ended without a finished answer")


def parameter_in(said: Refusal, sent: Collection[str]) -> str:
    """Which of the fields that were sent a server does not take; empty where it is none of them."""
    for name in said.parameter.split("."):
        if name in sent:
            return name
    places = {name: re.search(rf"\b{name}\b", said.message) for name in sent}
    found = {name: place.start() for name, place in places.items() if place}
    return min(found, key=lambda name: found[name], default="")


def without_key(text: str, key: str) -> str:
    """A text without a key, and without any part of it that is long enough to tell something."""
    if not key:
        return text
    size = min(_TELLING, len(key))
    parts = {key[at : at + size] for at in range(len(key) - size + 1)}
    shown: list[str] = []
    hidden = 0  # up to where
    for at, letter in enumerate(text):
        if text[at : at + size] in parts:
            shown += ["…"] if at >= hidden else []
            hidden = at + size
        if at >= hidden:
            shown.append(letter)
    return "".join(shown)


def _insecure(error: BaseException) -> str:
    """What is wrong with a server's TLS, as OpenSSL says it; empty where nothing is known to be."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause and id(cause) not in seen:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message.rstrip(".") or "its certificate is not valid"
        if isinstance(cause, ssl.SSLError):
            return (cause.reason or "the handshake failed").lower().replace("_", " ")
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return ""


def _remedy(fault: Fault, place: Endpoint, provider: Provider) -> str:
    """What a person can do about a refusal."""
    return {
        Fault.KEY: f"Check the key in {place.key_variable}." if place.key_variable else "",
        Fault.BALANCE: f"Top up the account at {provider.label}.",
        Fault.REGION: "Name another provider in answer.backend.",
        Fault.MODEL: f"Name another model: {provider.name}:MODEL.",
    }.get(fault, "")
