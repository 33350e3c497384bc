"""What it costs that a backend fails: ``python -m rag.evals.benchmarks.failover``.

Puts every way to fail of ``misbehaving`` before a good server, in pieces and whole, several times, and
prints by kind of failure how many questions were answered, with how many attempts, and our own
time: from the moment that the failure is known (the server has said its last, or its time has run out)
until the next request has arrived at a server. For those that only a clock tells, and where nobody
was reached, it is counted from the question on, without the time that the server was given, so the first
request is in it. A wait that the server asked for is left out. Servers and client
share one process and one thread, and the rests are kept in a file as they are for a person.

The unit of the last column is a bare roundtrip: the same client asks a good server at once, from the
question to the end of the answer. Before anything is measured, one question has been asked, as
loading the client takes longer than everything else; the chain has loaded it by the time
that anything can fail.
"""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rag.llm.backend import Backend, Request
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Dialect, Provider
from rag.llm.rests import Rests
from rag.messages import answer_messages
from rag.settings import AnswerSettings
from rag.types import Document, Hit, Passage
from rag.writing import Draft, write

from .chat_server import Serving, serving
from .misbehaving import ANSWER, MISBEHAVIOURS, Misbehaviour, answers

_TIMES = 5
_ROUNDTRIPS = 50
# Seconds that a server is given which falls silent, and any other.
_SHORT, _LONG = 0.3, 60.0
_QUESTION = "Who called Sora a Newton moment?"
_TEXTS = ("Yin Ye, the head of BGI, called Sora a Newton moment.", "OpenAI has unveiled Sora.")


@dataclass(frozen=True, slots=True)
class Measured:
    """One question before a server that fails in one way; ``own`` are seconds of our own."""

    how: Misbehaviour
    answered: bool
    attempts: int
    own: tuple[float, ...]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        bare, measured = asyncio.run(_measured(Path(folder)))
    print(f"A bare roundtrip takes {1000 * bare:.1f} ms (the median of {_ROUNDTRIPS}).")
    print()
    print(
        "| failure | ways | questions | answered | attempts | own time, ms: median | most | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for fault in dict.fromkeys(one.how.fault for one in measured):
        _print(fault.value, [one for one in measured if one.how.fault is fault], bare)
    _print("all", measured, bare)
    slowest = max(measured, key=lambda one: max(one.own))
    print()
    print(f"The most was with: {slowest.how.name}.")


def _print(name: str, measured: Sequence[Measured], bare: float) -> None:
    own = [seconds for one in measured for seconds in one.own]
    ways = len({one.how.name for one in measured})
    answered = sum(one.answered for one in measured)
    attempts = statistics.mean(one.attempts for one in measured)
    median, most = statistics.median(own), max(own)
    print(
        f"| {name} | {ways} | {len(measured)} | {answered} | {attempts:.1f} | {1000 * median:.1f} "
        f"| {1000 * most:.1f} | {median / bare:.1f} |"
    )


async def _measured(folder: Path) -> tuple[float, list[Measured]]:
    request = _request()
    async with serving(answers()) as good:
        trips = [await _roundtrip(good, request) for _ in range(_ROUNDTRIPS + 1)]
    measured = [
        await _asked(how, request, folder / f"{number}.json", in_pieces=in_pieces)
        for number in range(_TIMES)
        for how in MISBEHAVIOURS
        for in_pieces in (True, False)
    ]
    return statistics.median(trips[1:]), measured


async def _roundtrip(server: Serving, request: Request) -> float:
    started = time.monotonic()
    async for _ in _backend(server.url, "good", in_pieces=True, patience=_LONG).stream(request):
        pass
    return time.monotonic() - started


async def _asked(how: Misbehaviour, request: Request, state: Path, *, in_pieces: bool) -> Measured:
    """One question to a server that fails and then to a good one."""
    state.unlink(missing_ok=True)
    patience = _SHORT if how.timed else _LONG
    async with AsyncExitStack() as stack:
        bad = await stack.enter_async_context(serving(how.serve, listens=how.listens))
        good = await stack.enter_async_context(serving(answers()))
        url = bad.url.replace("http:", "https:") if how.secure else bad.url
        chain: list[Backend] = [
            _backend(url, "bad", in_pieces=in_pieces, patience=patience),
            _backend(good.url, "good", in_pieces=in_pieces, patience=_LONG),
        ]
        draft, started = Draft(), time.monotonic()
        async for _ in write(chain, request, Rests(state), draft):
            pass
    arrived = [one.at for one in (*bad.requests, *good.requests)]
    if how.timed or not bad.said_at:
        own = [arrived[-1] - started - (patience if how.timed else 0.0)]
    else:
        waits = [how.waits] * (len(bad.requests) - 1) + [0.0]
        known = zip(bad.said_at, arrived[1:], waits, strict=True)
        own = [there - said - wait for said, there, wait in known]
    return Measured(how, draft.text == "".join(ANSWER), len(draft.attempts), tuple(own))


def _backend(url: str, name: str, *, in_pieces: bool, patience: float) -> OpenAIBackend:
    provider = Provider(
        name, name, url, needs_key=False, models=("m",), dialect=Dialect(stream=in_pieces)
    )
    settings = dataclasses.replace(
        AnswerSettings(), first_token_seconds=patience, next_token_seconds=patience
    )
    return OpenAIBackend(provider, "", settings)


def _request() -> Request:
    hits = tuple(_hit(text, number) for number, text in enumerate(_TEXTS, start=1))
    messages = answer_messages(_QUESTION, "en", hits, ())
    return Request(_QUESTION, "en", hits, messages, lambda _, texts: [(0.0, 0.0)] * len(texts))


def _hit(text: str, number: int) -> Hit:
    document = Document(f"made:{number}", f"Made up {number}", "en", text, id=number)
    return Hit(document, Passage(number, 0, len(text), text, id=number), 0.9, 0.9, 0.9)


if __name__ == "__main__":
    main()
