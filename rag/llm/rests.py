"""Which backends are left alone, until when and why: kept between questions and processes.

A server that has said that it does not serve this country says so to the next question, too. What
is known of it lies in one small JSON file, without keys. Nothing depends on it: where it cannot be read or
written, this process remembers for itself.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import BackendError, Fault
from rag.text import well_formed

from .backend import Backend, Remote
from .policy import LONGEST, POLICIES, rest_after

# For how many seconds after its rest a backend's failures in a row are still counted.
_REMEMBERED = 3600.0
_LOCK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when a backend is left alone, in seconds since the epoch, and why.

    ``times`` is how often in a row it has failed.
    """

    until: float
    fault: str
    reason: str
    times: int = 1


class Rests:
    """What is known of backends that rest.

    Args:
        path: The file; ``None`` to remember in this process alone.
        now: Seconds since the epoch.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._own: dict[str, Rest] = {}
        self._guard = threading.Lock()

    def resting(self, backend: Backend) -> Rest | None:
        """The rest of a backend, its own or that of its account, if it rests now."""
        known = self._known()
        found = [known[name] for name in _names(backend) if name in known]
        return max((r for r in found if r.until > self._now()), key=_until, default=None)

    def rest(self, backend: Backend, error: BackendError) -> None:
        """Leave a backend alone for as long as its failure calls for."""
        if not isinstance(backend, Remote) or not POLICIES[error.fault].rest:
            return
        account, own = _names(backend)
        name = account if _is_of_the_account(backend, error.fault) else own

        def change(known: dict[str, Rest]) -> None:
            times = known[name].times if name in known else 0
            until = self._now() + rest_after(error, times)
            known[name] = Rest(until, error.fault.name, error.message, times + 1)

        self._change(change)

    def wake(self, backend: Backend) -> None:
        """Forget what is known of a backend: it has answered."""
        names = _names(backend)
        if names and not self._known().keys().isdisjoint(names):
            self._change(lambda known: [known.pop(name, None) for name in names])

    def _change(self, change: Callable[[dict[str, Rest]], object]) -> None:
        from filelock import FileLock, Timeout

        with self._guard:
            try:
                if self._path is None:
                    raise FileNotFoundError
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                    known = self._fresh({**_read(self._path), **self._own})
                    change(known)
                    _write(self._path, known)
                    self._own = {}
            except (OSError, Timeout):
                self._own = self._fresh({**(_read(self._path) if self._path else {}), **self._own})
                change(self._own)

    def _known(self) -> dict[str, Rest]:
        with self._guard:
            return self._fresh({**(_read(self._path) if self._path else {}), **self._own})

    def _fresh(self, known: Mapping[str, Rest]) -> dict[str, Rest]:
        """Without what is long over, and without rests longer than there are: the clock was set."""
        now = self._now()
        return {
            name: rest
            for name, rest in known.items()
            if now - _REMEMBERED < rest.until <= now + LONGEST
        }


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where what this program remembers between its runs lies; ``RAG_STATE_DIR`` moves it."""
    from platformdirs import user_state_path

    chosen = environment.get("RAG_STATE_DIR")
    return Path(chosen) if chosen else user_state_path("rag-chatbot")


def kept_rests() -> Rests:
    """The rests of this person."""
    return Rests(state_folder() / "rests.json")


def _names(backend: Backend) -> tuple[str, ...]:
    """The names that a backend's rests are kept under: the account's, and its own.

    Not ``Backend.name``, into which a server's model comes only when it is asked.
    """
    if not isinstance(backend, Remote):
        return ()
    return backend.account, f"{backend.account} {backend.named}"


def _is_of_the_account(backend: Remote, fault: Fault) -> bool:
    if fault is Fault.REGION and backend.resells:
        return False  # one of those it passes requests on to
    return POLICIES[fault].whole_account


def _until(rest: Rest) -> float:
    return rest.until


def _read(path: Path) -> dict[str, Rest]:
    try:
        told = json.loads(path.read_text("utf-8"))
        return {str(name): Rest(**rest) for name, rest in told.items() if _is_rest(rest)}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _is_rest(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("times"), int):
        return False
    is_told = value.get("fault") in Fault.__members__ and isinstance(value.get("reason"), str)
    return is_told and isinstance(value.get("until"), int | float)


def _write(path: Path, known: Mapping[str, Rest]) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    told = {name: asdict(rest) for name, rest in known.items()}
    fresh.write_text(well_formed(json.dumps(told, ensure_ascii=False, indent=1)), "utf-8")
    fresh.replace(path)
