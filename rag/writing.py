"""The chain at work: one backend after another, until one has written a whole answer.

What follows from a failure is said in ``rag.llm.policy``. Two rules hold whatever fails: a text is
never continued by another backend than the one that began it, and nothing is asked that is known
to refuse.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from rag.llm.awake import Resting, awake, instead, least_resting
from rag.llm.backend import Backend, Finished, Request
from rag.llm.budget import fewer
from rag.llm.extractive import ExtractiveBackend
from rag.llm.policy import pause_before_again
from rag.llm.rests import Rests

from .errors import BackendError, BackendGarbled, Fault, RagError
from .messages import NO_ANSWER
from .types import Attempt, Delta, Reasoning, Switched, Usage

# What a model may put around NO_ANSWER.
DECORATION = " \n.*_`\"'[“"

# How many language models may withhold an answer for its content before no other is asked.
_MOST_WITHHELD = 2
# How many parameters of a request a server may refuse, one after another.
_MOST_PARAMETERS = 4

Writing = Delta | Reasoning | Switched

_LOG = logging.getLogger(__name__)


@dataclass
class Draft:
    """What is known of an answer while it is being written.

    ``asking`` is who is being asked, ``backend`` who has answered.
    """

    text: str = ""
    shown: str = ""
    reasoning: str = ""
    backend: str = ""
    asking: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        """The tokens of all attempts."""
        return sum((attempt.usage for attempt in self.attempts), Usage())

    def begin(self) -> None:
        """Nothing of what a failed backend wrote goes into the next one's answer."""
        self.text = self.shown = self.reasoning = self.backend = ""


@dataclass
class _Tries:
    """How one backend fares with one question: what it is sent next, after how long, if at all."""

    request: Request
    again: int = 0
    parameters: int = 0

    def after(self, error: BackendError, *, shown: bool) -> float | None:
        """For how many seconds to wait before asking again; ``None`` to go on to the next."""
        if shown:
            return None
        if error.fault is Fault.CONTEXT:
            smaller = fewer(self.request, error.passages or len(self.request.hits))
            self.request = smaller or self.request
            return 0.0 if smaller else None
        if error.fault is Fault.PARAMETER:
            self.parameters += 1
            return 0.0 if self.parameters <= _MOST_PARAMETERS else None
        pause = pause_before_again(error, self.again)
        self.again += 1
        return pause


async def write(
    chain: Sequence[Backend],
    request: Request,
    rests: Rests,
    draft: Draft,
    outcome: str = "answered",
) -> AsyncGenerator[Writing, None]:
    """Have a chain of backends write an answer.

    Args:
        chain: The backends, in the order in which they are tried.
        request: What to answer.
        rests: Which backends are to be left alone.
        draft: Where the answer and the record of all attempts is kept.
        outcome: What the attempt that succeeds is called.

    Yields:
        ``Delta`` and ``Reasoning`` as they come, and ``Switched`` where a backend failed after some
        of its text was shown. The text after the last ``Switched`` is the answer.

    Raises:
        BackendError: None of the backends has written an answer.
    """
    up, down = awake(chain, rests)
    tried = [least_resting(down)] if down and not up else []
    draft.attempts += [_skipped(one) for one in down if one not in tried]
    if tried:
        up, down = [tried[0].backend], []
    waiting, failures = deque(up), list[tuple[str, BackendError]]()
    while waiting or down:
        if not waiting:
            # Those that did not rest have failed: one that does may be well by now.
            waiting, down = deque([least_resting(down).backend]), []
        backend = waiting.popleft()
        async with aclosing(_tried(backend, request, draft, outcome)) as parts:
            async for part in parts:
                if isinstance(part, BackendError):
                    failures.append((backend.name, part))
                else:
                    yield part
        if draft.backend:
            rests.wake(backend)
            return
        error = failures[-1][1]
        rests.rest(backend, error)
        waiting = _remaining(backend, error, waiting, failures, rests, draft)
        if _is_withheld(failures):
            down = []
        following = [*waiting, *([least_resting(down).backend] if down else [])]
        if following and draft.shown:
            told, fault = str(error), error.fault.value
            yield Switched(
                backend.name, following[0].name, told, discarded=draft.shown, fault=fault
            )
    raise _none_answered(failures, draft)


async def _tried(
    backend: Backend, request: Request, draft: Draft, outcome: str
) -> AsyncGenerator[Writing | BackendError, None]:
    """One backend, asked again where that may help; the error it ends with, if it does."""
    tries = _Tries(request)
    while True:
        started = time.monotonic()
        draft.begin()
        draft.asking = backend.name
        try:
            async with aclosing(_presented(backend, tries.request, draft)) as parts:
                async for part in parts:
                    if isinstance(part, Finished):
                        finished = part
                    else:
                        yield part
        except BackendError as error:
            seconds = time.monotonic() - started
            draft.attempts.append(_failed(backend, error, seconds, draft.shown))
            pause = tries.after(error, shown=bool(draft.shown))
            if pause is None:
                yield error
                return
            await asyncio.sleep(pause)
            continue
        except RagError:
            raise  # a fault of the prompt or the question is no backend's
        except Exception as error:  # noqa: BLE001
            # Backends are anybody's. One that breaks must not take the answer with it.
            _LOG.exception("%s broke", backend.name)
            broken = BackendGarbled(f"{backend.name} broke: {type(error).__name__}.")
            seconds = time.monotonic() - started
            draft.attempts.append(_failed(backend, broken, seconds, draft.shown))
            yield broken
            return
        seconds = time.monotonic() - started
        draft.backend = backend.name
        draft.attempts.append(
            Attempt(
                backend.name, outcome, seconds, passages=finished.passages, usage=finished.usage
            )
        )
        return


def _skipped(one: Resting) -> Attempt:
    fault = Fault[one.rest.fault].value
    return Attempt(one.backend.name, "skipped", 0.0, one.rest.reason, fault=fault)


def _remaining(
    failed: Backend,
    error: BackendError,
    waiting: deque[Backend],
    failures: Sequence[tuple[str, BackendError]],
    rests: Rests,
    draft: Draft,
) -> deque[Backend]:
    """Who is asked next, after a backend has failed for good."""
    other = instead(failed) if error.fault is Fault.MODEL else None
    if other and other.name not in {one.name for one in waiting}:
        waiting.appendleft(other)
    if _is_withheld(failures):
        # The passages are what is objected to: others would object as well. To quote is no matter.
        return deque(backend for backend in waiting if isinstance(backend, ExtractiveBackend))
    # An account that has just been refused is refused for its other models, too.
    up, down = awake(waiting, rests)
    draft.attempts += map(_skipped, down)
    return deque(up)


def _is_withheld(failures: Sequence[tuple[str, BackendError]]) -> bool:
    """Whether as many models as may have withheld the answer for its content."""
    return sum(one.fault is Fault.CONTENT for _, one in failures) >= _MOST_WITHHELD


def _failed(backend: Backend, error: BackendError, seconds: float, shown: str) -> Attempt:
    return Attempt(
        backend.name,
        "failed",
        seconds,
        str(error),
        fault=error.fault.value,
        discarded=shown,
        passages=error.passages,
        usage=error.usage,
    )


def _none_answered(failures: Sequence[tuple[str, BackendError]], draft: Draft) -> BackendError:
    """The failure of the whole chain: what each of its backends said, and what there was of a text."""
    if not failures:
        error = BackendError("There is no backend to ask.", "Name one in answer.backend.")
    elif len(failures) == 1:
        error = failures[0][1]
    else:
        told = " ".join(f"{position}. {one}" for position, (_, one) in enumerate(failures, 1))
        last = failures[-1][1]
        error = type(last)(
            f"None of {len(failures)} backends has answered. {told}", fault=last.fault
        )
    error.attempts, error.discarded = tuple(draft.attempts), draft.shown
    return error


async def _presented(
    backend: Backend, request: Request, draft: Draft
) -> AsyncGenerator[Delta | Reasoning | Finished, None]:
    """One backend's text as it comes; ``NO_ANSWER`` and what may become it is held back."""
    finished: Finished | None = None
    async with aclosing(backend.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, Finished):
                finished = part
            elif isinstance(part, Reasoning):
                begins = not draft.reasoning
                if part.retracts:
                    draft.reasoning += draft.text
                    draft.text = draft.shown = ""
                draft.reasoning += part.text
                yield dataclasses.replace(part, begins=begins)
            else:
                draft.text += part
                if more := presentable(draft.text)[len(draft.shown) :]:
                    draft.shown += more
                    yield Delta(more)
    if finished is None or not draft.text.strip(DECORATION):
        raise BackendGarbled(f"{backend.name} ended without a finished answer.", "Try again.")
    text, _, _ = draft.text.partition(NO_ANSWER)
    if text.strip(DECORATION) and text != draft.shown:
        more = text[len(draft.shown) :]
        draft.shown = text
        yield Delta(more)
    yield finished


def presentable(text: str) -> str:
    """The beginning of an unfinished text that can be shown whatever may follow."""
    text, found, _ = text.partition(NO_ANSWER)
    if not found:
        held = (n for n in range(len(NO_ANSWER), 0, -1) if text.endswith(NO_ANSWER[:n]))
        text = text[: len(text) - next(held, 0)]
    return text if text.strip(DECORATION) else ""
