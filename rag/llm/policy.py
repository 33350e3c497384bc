"""What follows from a failure of a backend: once more, the next one, and how long it is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from rag.errors import BackendError, Fault

# Seconds. A block or an empty account does not pass by itself, a busy server soon.
_LONG, _SHORT, LONGEST = 3600.0, 30.0, 3600.0
_REGION = 1800.0
# A server that wants to be left alone for no longer than this is waited for.
_WORTH_WAITING = 2.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What a fault leads to.

    ``again`` is whether the same backend is asked once more, where no text has been shown yet.
    ``rest`` is for how many seconds it is then left alone, 0 for not at all; ``doubling`` whether that
    doubles with every time in a row. ``whole_account`` is whether the account's other models
    rest with it.
    """

    again: bool = False
    rest: float = 0.0
    doubling: bool = False
    whole_account: bool = False


POLICIES = {
    Fault.SETUP: Policy(),
    Fault.REGION: Policy(rest=_REGION, whole_account=True),
    Fault.KEY: Policy(rest=_LONG, whole_account=True),
    Fault.BALANCE: Policy(rest=_LONG, whole_account=True),
    Fault.MODEL: Policy(rest=_LONG),
    Fault.RATE: Policy(rest=_SHORT),
    Fault.OVERLOAD: Policy(again=True, rest=_SHORT, doubling=True),
    Fault.NETWORK: Policy(again=True, rest=_SHORT, doubling=True, whole_account=True),
    # It has been waited for long enough.
    Fault.STALLED: Policy(rest=_SHORT, doubling=True),
    Fault.GARBLED: Policy(again=True, rest=_SHORT, doubling=True),
    Fault.LENGTH: Policy(),
    Fault.CONTENT: Policy(),
    Fault.CONTEXT: Policy(),
    # Without the parameter it is asked again; this is for where that has been done often enough.
    Fault.PARAMETER: Policy(rest=_SHORT, doubling=True),
    Fault.REFUSED: Policy(rest=_SHORT, doubling=True),
}


def pause_before_again(error: BackendError, times: int) -> float | None:
    """For how many seconds to wait before the same backend is asked once more; ``None`` for never.

    Args:
        error: Why it failed.
        times: How often it has been asked again for this question for such a reason.
    """
    if times:
        return None
    if error.wait is not None and error.fault in (Fault.RATE, Fault.OVERLOAD):
        return error.wait if error.wait <= _WORTH_WAITING else None
    return 0.0 if POLICIES[error.fault].again else None


def rest_after(error: BackendError, times: int) -> float:
    """For how many seconds a backend is left alone.

    Args:
        error: Why it failed.
        times: How often in a row it had failed before.
    """
    policy = POLICIES[error.fault]
    seconds = policy.rest * (2 ** min(times, 16) if policy.doubling else 1)
    if seconds and error.wait is not None:
        seconds = max(seconds, error.wait)
    return min(seconds, LONGEST)
