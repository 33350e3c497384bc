"""A thousand random ways to fail: whatever servers do, an answer is that of one backend or none."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import traceback
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import AnyStr

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.chatbot import Chatbot
from rag.errors import BackendError
from rag.evals.benchmarks.chat_server import chunk, event, head, serving, whole
from rag.llm.extractive import ExtractiveBackend
from rag.llm.rests import Rests
from rag.serialization import to_json
from rag.settings import Settings
from rag.types import Answer, Delta, Done, Event, Hit, Reasoning, Switched
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import QUESTION, backend_at

_BODIES = json.loads(Path(__file__).with_name("error_bodies.json").read_text("utf-8"))
REFUSALS = [(row["st"], row["body"]) for row in _BODIES if row["st"] >= 400]
REASONS = ["content_filter", "length", "tool_calls", "network_error", "sensitive", ""]
# Patience, in seconds, with a server that will fall silent and with one that will not.
SHORT, LONG = 0.05, 60.0


@dataclass(frozen=True)
class Act:
    """What a server does with one request.

    ``share`` is how much of its text it sends before it fails, in percent, ``which`` chooses among
    refusals and reasons, ``thinks`` how it tells what the model says to itself, ``seed`` where its
    text and its bytes are cut.
    """

    kind: str
    share: int = 50
    which: int = 0
    thinks: str = "no"
    seed: int = 0


@dataclass
class Actor:
    """A server that does one act after another, and then answers; it notes all it would say."""

    number: int
    acts: list[Act]
    key: str
    in_pieces: bool
    whole: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def patience(self) -> float:
        return SHORT if any(act.kind in ("stall", "keep alive") for act in self.acts) else LONG

    async def serve(self, writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        time = len(self.said)
        act = self.acts[time] if time < len(self.acts) else Act("answer", seed=time)
        text = f"Máy {self.number} đáp lần {time}: Yin Ye called Sora a Newton moment. [1]"
        chance = random.Random(act.seed)  # noqa: S311 - the same each time
        if act.kind == "refuse":
            self.said.append("")
            told = self._refusal(act)
        else:
            sent = text if act.kind == "answer" else text[: len(text) * act.share // 100]
            thought = {"orphan": "Hừm. ", "block": "", "field": "", "no": ""}[act.thinks]
            self.said.append(thought + sent)
            self.whole += [text] if act.kind == "answer" else []
            told = (self._pieces if in_pieces else self._at_once)(act, sent, chance)
        for part in split(told, chance):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if act.kind == "stall":
            await asyncio.Event().wait()
        while act.kind == "keep alive":
            writer.write(b": keep-alive\n\n" if in_pieces else b" ")
            await writer.drain()
            await asyncio.sleep(0.01)
        if act.kind == "cut":
            writer.transport.abort()

    def _refusal(self, act: Act) -> bytes:
        status, body = REFUSALS[act.which % len(REFUSALS)]
        waits = ["", "Retry-After: 0\r\n", "Retry-After: 60\r\n", "Retry-After: x\r\n"]
        told = json.dumps(body).replace('"message": "', f'"message": "{self.key} ')
        start = head(f"{status} No", "application/json", waits[act.which % len(waits)])
        return start + (told.encode() if act.share < 90 else self.key.encode())

    def _pieces(self, act: Act, sent: str, chance: random.Random) -> bytes:
        tagged = {"orphan": "Hừm. </think>", "block": "<think>Hừm.</think>"}.get(act.thinks, "")
        field = [chunk(reasoning_content="Hừm. ")] if act.thinks == "field" else []
        pieces = [chunk(part) for part in split(tagged + sent, chance)]
        return b"".join([head(), *field, *pieces, *self._end(act)])

    def _end(self, act: Act) -> list[bytes]:
        reason = REASONS[act.which % len(REASONS)]
        return {
            "answer": [chunk(reason="stop"), event("[DONE]")],
            "reason": [chunk(reason=reason)],
            "error": [event({"error": {"message": f"No, {self.key}.", "code": act.which}})],
            "garble": [b"data: {" + self.key.encode() + b"\n\n"],
        }.get(act.kind, [])

    def _at_once(self, act: Act, sent: str, chance: random.Random) -> bytes:
        start = head(kind="application/json")
        reasons = {"answer": "stop", "reason": REASONS[act.which % len(REASONS)]}
        if act.kind == "error":
            return start + json.dumps({"error": {"message": f"No, {self.key}."}}).encode()
        if act.kind in reasons:
            thought = {"reasoning_content": "Hừm."} if act.thinks == "field" else {}
            tagged = {"orphan": "Hừm. </think>", "block": "<think>Hừm.</think>"}
            text = tagged.get(act.thinks, "") + sent
            return start + whole(text, reasons[act.kind], **thought)
        return start + whole(sent)[: 60 + act.share]


def split(told: AnyStr, chance: random.Random) -> list[AnyStr]:
    """A text or bytes in pieces of random lengths."""
    places = sorted({0, len(told), *(chance.randint(0, len(told)) for _ in range(4))})
    return [told[start:end] for start, end in pairwise(places)]


# Those that only a clock tells are rare: each costs its time.
KINDS = [
    *("answer", "refuse", "cut", "end", "error", "garble", "reason") * 6,
    "stall",
    "keep alive",
]
THINKS = ["no", "no", "no", "field", "block", "orphan"]
acts = st.builds(
    Act,
    st.sampled_from(KINDS),
    st.integers(0, 100),
    st.integers(0, 200),
    st.sampled_from(THINKS),
    st.integers(0, 1 << 16),
)
keys = st.text("abcXYZ0189-_.", min_size=12, max_size=40).map("sk-".__add__)
actors = st.tuples(st.lists(acts, max_size=3), keys, st.booleans())


@dataclass
class Round:
    """What one question came to."""

    events: list[Event] = field(default_factory=list)
    error: BackendError | None = None

    @property
    def answer(self) -> Answer | None:
        last = self.events[-1] if self.events else None
        return last.answer if isinstance(last, Done) else None

    def shown(self) -> tuple[str, list[Switched]]:
        """The text that stands at the end, and the switches before it."""
        text, switches = "", list[Switched]()
        for one in self.events:
            if isinstance(one, Delta):
                text += one.text
            elif isinstance(one, Switched):
                assert one.discarded == text
                switches.append(one)
                text = ""
            elif isinstance(one, Reasoning) and one.retracts:
                text = ""
        return text, switches


async def play(
    cast: list[Actor], hits: list[Hit], *, quotes: bool, rounds: int, state: Path
) -> list[Round]:
    """Some questions to a chain of these servers, with the quoting backend at its end or not."""
    async with AsyncExitStack() as stack:
        chain = []
        for actor in cast:
            server = await stack.enter_async_context(serving(actor.serve))
            keyed = {"key_variables": (f"KEY_{actor.number}",)}
            name = f"b{actor.number}"
            backend = backend_at(
                server.url,
                name,
                in_pieces=actor.in_pieces,
                patience=actor.patience,
                provider=keyed,
            )
            chain.append(backend)
        quoting = [ExtractiveBackend(Settings().answer)] if quotes else []
        bot = Chatbot(PlainRetriever(hits), [*chain, *quoting], Settings(), Rests(state))
        played = []
        for _ in range(rounds):
            played.append(Round())
            try:
                async for one in bot.astream(QUESTION):
                    played[-1].events.append(one)
            except BackendError as error:
                played[-1].error = error
        return played


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actors, min_size=1, max_size=4), st.booleans(), st.integers(1, 2))
@example([([Act("cut", 80, thinks="orphan")], "sk-abcabcabcabc", True)] * 2, True, 1)
@example([([Act("refuse", which=n)], "sk-abcabcabcabc", False) for n in range(4)], False, 2)
def test_an_answer_is_that_of_one_backend_whatever_the_others_do(
    hits: list[Hit],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    cast: list[tuple[list[Act], str, bool]],
    quotes: bool,
    rounds: int,
) -> None:
    state = tmp_path / "rests.json"
    state.unlink(missing_ok=True)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    actors = [Actor(number, *one) for number, one in enumerate(cast)]
    with pytest.MonkeyPatch.context() as patch:
        for actor in actors:
            patch.setenv(f"KEY_{actor.number}", actor.key)
        played = asyncio.run(play(actors, hits, quotes=quotes, rounds=rounds, state=state))

    by_name = {f"b{actor.number}/m": actor for actor in actors}
    for one in played:
        text, switches = one.shown()
        for switch in switches:
            assert any(
                said.startswith(switch.discarded)
                or said.removeprefix("Hừm. ").startswith(switch.discarded)
                for said in by_name[switch.failed].said
            )
        answer = one.answer
        if answer is None:
            assert one.error
            assert not quotes
        elif answer.backend == "extractive":
            assert quotes
            assert answer.text in (text, alone(hits))
        else:
            assert text in by_name[answer.backend].whole
            assert answer.text == text
        if answer:
            assert [a.outcome for a in answer.attempts if a.outcome != "skipped"][-1] == "answered"

    answers = [one.answer for one in played if one.answer]
    if len(answers) == len(played):
        made = [a.backend for answer in answers for a in answer.attempts if a.outcome != "skipped"]
        for name, actor in by_name.items():
            # On a busy machine one may be given up so soon that its server never heard of it.
            unheard = made.count(name) - len(actor.said)
            assert unheard == 0 or (unheard > 0 and actor.patience == SHORT)

    kept = state.read_text("utf-8") if state.exists() else ""
    out = f"{[told(one) for one in played]} {kept} {caplog.text}"
    assert not [actor.key for actor in actors if actor.key in out]


def told(one: Round) -> str:
    """All that anybody may see of a question."""
    traced = traceback.format_exception(one.error) if one.error else []
    return f"{one.events} {to_json(one.answer)} {one.error!r} {''.join(traced)}"


def alone(hits: list[Hit]) -> str:
    """What the quoting backend says where it is the only one."""
    quoting = ExtractiveBackend(Settings().answer)
    return Chatbot(PlainRetriever(hits), [quoting], Settings(), Rests()).ask(QUESTION).text
