"""Who of a chain can be asked now, and who rests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.errors import Fault

from .backend import Backend, Remote
from .rests import Rest, Rests


@dataclass(frozen=True, slots=True)
class Resting:
    """A backend that is left alone, and why."""

    backend: Backend
    rest: Rest


def awake(chain: Iterable[Backend], rests: Rests) -> tuple[list[Backend], list[Resting]]:
    """The backends that do not rest, and those that do.

    Where only a provider's model rests, which its server does not have, the next one stands in.
    """
    up: list[Backend] = []
    down: list[Resting] = []
    for one in chain:
        backend: Backend | None = one
        while backend and (rest := rests.resting(backend)):
            down.append(Resting(backend, rest))
            backend = instead(backend) if rest.fault == Fault.MODEL.name else None
        if backend and not any(_are_one(backend, other) for other in up):
            up.append(backend)
    return up, down


def _are_one(backend: Backend, other: Backend) -> bool:
    """Whether two backends are one model of one account, which a chain may come to in two ways."""
    if not (isinstance(backend, Remote) and isinstance(other, Remote)):
        return False
    return (backend.account, backend.name) == (other.account, other.name)


def least_resting(down: Sequence[Resting]) -> Resting:
    """The one whose rest is over first."""
    return min(down, key=lambda one: one.rest.until)


def instead(backend: Backend) -> Backend | None:
    """The model that stands in for one that its server does not have, or nothing."""
    return backend.instead() if isinstance(backend, Remote) else None
