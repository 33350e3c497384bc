"""Which backends are left alone, until when and why: kept between questions and processes.

A server that has said that it does not serve this country says so to the next question, too. What
is known of it lies in one small JSON file, without keys and without a server's sentences. Nothing depends on it: where it cannot be read or
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

from .backend import Backend, Remote
from .policy import LONGEST, POLICIES, rest_after

# For how many seconds after its rest a backend's failures in a row are still counted.
_REMEMBERED = 3600.0
# How long a lock that another process holds is waited for, in a thread of its own.
_LOCK_SECONDS = 5.0
# By how many seconds clocks are set back as they are kept right.
_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when a backend is left alone, in seconds since the epoch, and why.

    ``fault`` is the name of a ``rag.errors.Fault``, ``times`` how often in a row it has failed,
    ``status`` that of HTTP and ``code`` a server's word for it that is known. Nothing else of what a
    server says is kept: it may repeat the prompt.
    """

    until: float
    fault: str
    times: int = 1
    status: int | None = None
    code: str = ""

    @property
    def reason(self) -> str:
        """Why it is left alone, in a sentence of our own."""
        told = ", ".join(filter(None, [f"HTTP {self.status}" if self.status else "", self.code]))
        kind = Fault[self.fault].value
        return f"{kind[0].upper()}{kind[1:]}{f' ({told})' if told else ''}."


# What is known anew of a name; ``None`` where that is nothing.
_News = dict[str, Rest | None]


class Rests:
    """What is known of backends that rest.

    Args:
        path: The file; ``None`` to remember in this process alone.
        now: Seconds since the epoch.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        # What is not in the file, or not yet.
        self._news: _News = {}
        self._guard = threading.Lock()

    def resting(self, backend: Backend) -> Rest | None:
        """The rest of a backend, its own or that of its account, if it rests now."""
        with self._guard:
            known = self._known()
        found = [known[name] for name in _names(backend) if name in known]
        return max((r for r in found if r.until > self._now()), key=_until, default=None)

    def rest(self, backend: Backend, error: BackendError) -> None:
        """Leave a backend alone for as long as its failure calls for."""
        if not isinstance(backend, Remote) or not POLICIES[error.fault].rest:
            return
        account, own = _names(backend)
        name = account if _is_of_the_account(backend, error.fault) else own
        with self._guard:
            before = self._known().get(name)
            times = before.times if before else 0
            until = self._now() + rest_after(error, times)
            self._news[name] = Rest(until, error.fault.name, times + 1, error.status, error.code)
        self._keep()

    def wake(self, backend: Backend) -> None:
        """Forget what is known of a backend: it has answered."""
        with self._guard:
            names = self._known().keys() & set(_names(backend))
            self._news |= dict.fromkeys(names)
        if names:
            self._keep()

    def _keep(self) -> None:
        """Write the news into the file, later if another process is writing: nobody waits for that."""
        if self._path and not self._is_kept(self._path, 0.0):
            threading.Thread(target=self._is_kept, args=(self._path, _LOCK_SECONDS)).start()

    def _is_kept(self, path: Path, patience: float) -> bool:
        """Whether the news could be written, or never can be, within so many seconds."""
        from filelock import FileLock, Timeout

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock"), timeout=patience), self._guard:
                if self._news:
                    _write(path, self._known())
                    self._news = {}
        except Timeout:
            return False
        except OSError:
            pass  # this process remembers for itself
        return True

    def _known(self) -> dict[str, Rest]:
        """What the file says and the news, without what is long over.

        Nor rests longer than there are: the clock was set back. By a little it always may be.
        """
        now = self._now()
        told: _News = {**(_read(self._path) if self._path else {}), **self._news}
        return {
            name: rest
            for name, rest in told.items()
            if rest and now - _REMEMBERED < rest.until <= now + LONGEST + _SLACK
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
    if not isinstance(value, dict) or value.get("fault") not in Fault.__members__:
        return False
    numbers = isinstance(value.get("until"), int | float) and isinstance(value.get("times"), int)
    return numbers and isinstance(value.get("code"), str)


def _write(path: Path, known: Mapping[str, Rest]) -> None:
    """Write the file in one step; whose accounts they are is for this person alone."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    told = {name: asdict(rest) for name, rest in known.items()}
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as to:
        json.dump(told, to, indent=1)
    fresh.replace(path)
