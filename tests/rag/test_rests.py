"""Who has refused is left alone: counted at the servers, over questions, chatbots and processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from rag.chatbot import Chatbot
from rag.errors import BackendError, Fault
from rag.evals.benchmarks.chat_server import replies
from rag.evals.benchmarks.misbehaving import MISBEHAVIOURS, answers
from rag.llm.extractive import ExtractiveBackend
from rag.llm.openai import OpenAIBackend
from rag.llm.policy import LONGEST, POLICIES
from rag.llm.rests import Rests
from rag.settings import Settings
from rag.types import Answer, Hit
from tests.rag.conftest import PlainRetriever
from tests.rag.servers import KEY, QUESTION, WHOLE, backend_at, in_turn, running

FAILS = {one.name: one.serve for one in MISBEHAVIOURS}
PASSING = "overload 503"
LASTING = ["region 403", "region, nested", "balance 402", "balance 429", "balance 400", "key 401"]
NOW = 1_800_000_000.0


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def asked(chain: Sequence[OpenAIBackend], hits: list[Hit], rests: Rests) -> Answer:
    """One question to a new chatbot with these backends and the one that quotes."""
    settings = Settings()
    quoting = ExtractiveBackend(settings.answer)
    return Chatbot(PlainRetriever(hits), [*chain, quoting], settings, rests).ask(QUESTION)


def outcomes(answer: Answer) -> list[tuple[str, str]]:
    return [(one.backend, one.outcome) for one in answer.attempts]


@pytest.mark.parametrize("name", LASTING)
def test_who_will_not_change_its_mind_is_asked_once(
    name: str, tmp_path: Path, hits: list[Hit]
) -> None:
    with running(FAILS[name], answers()) as (bad, good):
        for number in range(4):
            # Every time another chatbot, which knows only what the file says.
            chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
            answer = asked(chain, hits, Rests(tmp_path / "rests.json"))
            assert answer.text == WHOLE
            assert outcomes(answer) == [
                ("bad/m", "skipped" if number else "failed"),
                ("good/m", "answered"),
            ]
            assert answer.attempts[0].fault
            assert answer.attempts[0].reason
        assert (len(bad.requests), len(good.requests)) == (1, 4)


def test_one_chatbot_asks_it_once_as_well(hits: list[Hit]) -> None:
    with running(FAILS["region 403"], answers()) as (bad, good):
        chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
        bot = Chatbot(PlainRetriever(hits), chain, Settings(), Rests())
        for _ in range(3):
            assert bot.ask(QUESTION).text == WHOLE
        assert (len(bad.requests), len(good.requests)) == (1, 3)


@pytest.mark.parametrize("fails", [PASSING, "rate 429", "region 403", "model 404"])
def test_who_was_named_without_a_model_is_left_alone_as_well(
    fails: str, tmp_path: Path, hits: list[Hit]
) -> None:
    listed = replies("200 OK", {"data": [{"id": "qwen3"}]})
    with running(FAILS[fails], models=listed) as (bad,):
        for number in range(3):
            chain = [backend_at(bad.url, "bad", provider={"models": (), "local": True})]
            answer = asked(chain, hits, Rests(tmp_path / "rests.json"))
            said = set(outcomes(answer)[:-1])
            assert said == ({("bad", "skipped")} if number else {("bad/qwen3", "failed")})
            if number == 0:
                first = len(bad.requests)
        assert len(bad.requests) == first


IN_ANOTHER_PROCESS = """
import sys
from rag.chatbot import Chatbot
from rag.settings import load_settings
from tests.rag.conftest import ENGLISH, PlainRetriever, hit_of
bot = Chatbot(PlainRetriever([hit_of(ENGLISH, "en")]), settings=load_settings())
print([(one.backend, one.outcome) for one in bot.ask(sys.argv[1]).attempts])
"""


def test_another_process_knows_of_it(tmp_path: Path) -> None:
    with running(FAILS["balance 402"], answers()) as (bad, good):
        environment = {
            "RAG_STATE_DIR": str(tmp_path),
            "RAG_PROVIDERS__BAD__BASE_URL": bad.url,
            "RAG_PROVIDERS__BAD__MODELS": "m",
            "RAG_PROVIDERS__BAD__KEY_VARIABLES": "BAD_KEY",
            "RAG_PROVIDERS__GOOD__BASE_URL": good.url,
            "RAG_PROVIDERS__GOOD__MODELS": "m",
            "RAG_ANSWER__BACKEND": "bad, good",
            "BAD_KEY": KEY,
        }
        said = [_process(environment) for _ in range(2)]
        assert said == [
            "[('bad/m', 'failed'), ('good/m', 'answered')]",
            "[('bad/m', 'skipped'), ('good/m', 'answered')]",
        ]
        assert (len(bad.requests), len(good.requests)) == (1, 2)
        # Another key may be that of another account.
        assert _process(environment | {"BAD_KEY": "sk-another"}) == said[0]
        assert len(bad.requests) == 2
        assert f"Bearer {KEY}" in bad.requests[0].head
    kept = (tmp_path / "rests.json").read_text("utf-8")
    assert KEY not in kept
    assert "another" not in kept
    assert "Insufficient Balance" not in kept


def _process(environment: dict[str, str]) -> str:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, QUESTION],
        env=os.environ | environment | {"PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_new_key_does_not_rest(
    tmp_path: Path, hits: list[Hit], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = {"key_variables": ("BAD_KEY",)}
    with running(FAILS["key 401"]) as (bad,):
        for key in (KEY, KEY, "sk-new", "sk-new", KEY):
            monkeypatch.setenv("BAD_KEY", key)
            asked([backend_at(bad.url, provider=keyed)], hits, Rests(tmp_path / "rests.json"))
        told = [request.head.partition("Bearer ")[2].split()[0] for request in bad.requests]
    assert told == [KEY, "sk-new"]


def test_a_passing_failure_is_asked_again_after_its_rest_and_each_rest_doubles(
    hits: list[Hit],
) -> None:
    clock = Clock()
    rests = Rests(now=clock)
    with running(FAILS[PASSING]) as (bad,):
        backend = backend_at(bad.url)
        for times in range(3):
            asked([backend], hits, rests)
            asked([backend], hits, rests)  # it rests
            assert len(bad.requests) == 2 * (times + 1)  # each time it is asked once more
            rest = rests.resting(backend)
            assert rest
            assert rest.until - clock.now == POLICIES[Fault.OVERLOAD].rest * 2**times
            assert rest.times == times + 1
            clock.now = rest.until
            assert rests.resting(backend) is None


def test_a_rest_is_never_longer_than_the_longest() -> None:
    clock = Clock()
    rests, backend = Rests(now=clock), backend_at("http://127.0.0.1:9/v1")
    for _ in range(40):
        rests.rest(backend, BackendError("Busy.", fault=Fault.OVERLOAD))
        rest = rests.resting(backend)
        assert rest
        assert rest.until <= clock.now + LONGEST
        clock.now = rest.until


@pytest.mark.parametrize("wait", [60.0, 1e9, float("inf")])
def test_who_asks_to_be_left_alone_for_longer_is(wait: float) -> None:
    rests, backend = Rests(now=Clock()), backend_at("http://127.0.0.1:9/v1")
    rests.rest(backend, BackendError("Slow down.", fault=Fault.RATE, wait=wait))
    rest = rests.resting(backend)
    assert rest
    assert rest.until == NOW + min(wait, LONGEST)


def test_where_all_rest_the_one_is_asked_that_rests_least(hits: list[Hit]) -> None:
    rests = Rests()
    with running(FAILS["region 403"], FAILS[PASSING], FAILS["key 401"]) as servers:
        chain = [backend_at(one.url, f"bad{number}") for number, one in enumerate(servers, 1)]
        bot = Chatbot(PlainRetriever(hits), chain, Settings(), rests)
        with pytest.raises(BackendError, match="None of 3 backends"):
            bot.ask(QUESTION)
        assert [len(one.requests) for one in servers] == [1, 2, 1]
        with pytest.raises(BackendError, match="bad2"):
            bot.ask(QUESTION)
        assert [len(one.requests) for one in servers] == [1, 4, 1]


def test_who_answers_is_forgotten(tmp_path: Path, hits: list[Hit]) -> None:
    clock, path = Clock(), tmp_path / "rests.json"
    rests = Rests(path, clock)
    fails = FAILS[PASSING]
    # Each time it fails, it is asked once more.
    with running(in_turn(*[fails] * 4, answers(), fails)) as (server,):
        backend = backend_at(server.url)
        for _ in range(2):
            asked([backend], hits, rests)
            clock.now += 600
        assert len(json.loads(path.read_text("utf-8"))) == 1
        assert asked([backend], hits, rests).text == WHOLE
        assert json.loads(path.read_text("utf-8")) == {}
        asked([backend], hits, rests)
        rest = rests.resting(backend)
        assert rest
        assert rest.times == 1


def test_a_block_is_that_of_one_model_where_requests_are_passed_on(hits: list[Hit]) -> None:
    for resells, heard in [(True, ["a", "b"]), (False, ["a"])]:
        with running(FAILS["region 403"]) as (server,):
            more = {"models": ("a", "b"), "resells": resells}
            chain = [backend_at(server.url, model=model, provider=more) for model in ("a", "b")]
            rests = Rests()
            for _ in range(2):
                asked(chain, hits, rests)
            assert [request.body["model"] for request in server.requests] == heard


def test_a_model_that_is_gone_gives_the_next_of_the_same_provider(
    tmp_path: Path, hits: list[Hit]
) -> None:
    gone = FAILS["model 404"]
    with running(in_turn(gone, gone, answers()), answers()) as (server, other):
        for number in range(3):
            chain = [
                backend_at(server.url, "mine", provider={"models": ("a", "b", "c")}),
                backend_at(other.url, "other"),
            ]
            answer = asked(chain, hits, Rests(tmp_path / "rests.json"))
            assert answer.text == WHOLE
            came = "skipped" if number else "failed"
            assert outcomes(answer) == [
                ("mine/a", came),
                ("mine/b", came),
                ("mine/c", "answered"),
            ]
        heard = [request.body["model"] for request in server.requests]
        assert heard == ["a", "b", "c", "c", "c"]
        assert other.requests == []


def test_after_the_last_model_the_next_provider_is_asked(hits: list[Hit]) -> None:
    with running(FAILS["model 404"], answers()) as (server, other):
        models = {"models": ("a", "b")}
        chain = [
            backend_at(server.url, "mine", provider=models),
            backend_at(other.url, "other"),
        ]
        rests = Rests()
        for _ in range(2):
            assert asked(chain, hits, rests).backend == "other/m"
        assert [request.body["model"] for request in server.requests] == ["a", "b"]


@pytest.mark.parametrize(
    "kept",
    [
        *("", "{", "[]", "7", "null", '{"a": 1}', '{"a": {"until": "x"}}', "[" * 100_000),
        '{"a": {"until": NaN, "fault": "KEY", "code": "", "times": 1}}',
        '{"NAME": {"until": 1800000009, "fault": "NO SUCH", "code": "", "times": 1}}',
        '{"NAME": {"until": 1800000009, "fault": ["KEY"], "code": "", "times": 1}}',
        '{"NAME": {"until": 1800000009, "fault": "KEY", "code": "", "times": 1, "more": 1}}',
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_damaged_is_written_anew(
    kept: str | bytes, tmp_path: Path, hits: list[Hit]
) -> None:
    path = tmp_path / "rests.json"
    with running(FAILS["key 401"]) as (bad,):
        backend = backend_at(bad.url)
        told = kept.replace("NAME", backend.account) if isinstance(kept, str) else kept
        path.write_bytes(told.encode() if isinstance(told, str) else told)
        for _ in range(2):
            assert asked([backend], hits, Rests(path, Clock())).backend == "extractive"
        assert len(bad.requests) == 1
    assert list(json.loads(path.read_text("utf-8"))) == [backend.account]


def test_a_clock_that_was_set_back_does_not_keep_a_backend_from_being_asked(
    tmp_path: Path,
) -> None:
    clock = Clock()
    rests, backend = Rests(tmp_path / "rests.json", clock), backend_at("http://127.0.0.1:9/v1")
    rests.rest(backend, BackendError("No.", fault=Fault.REGION))
    assert rests.resting(backend)
    clock.now -= 86_400
    assert rests.resting(backend) is None


def unwritable_folder(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o500)
    return folder / "rests.json"


def file_for_a_folder(folder: Path) -> Path:
    folder.write_text("", "utf-8")
    return folder / "deeper" / "rests.json"


def folder_for_a_file(folder: Path) -> Path:
    (folder / "rests.json").mkdir(parents=True)
    return folder / "rests.json"


@pytest.mark.parametrize("place", [unwritable_folder, file_for_a_folder, folder_for_a_file])
def test_what_cannot_be_written_is_remembered_by_this_process(
    place: Callable[[Path], Path], tmp_path: Path, hits: list[Hit]
) -> None:
    rests = Rests(place(tmp_path / "state"))
    with running(FAILS["region 403"], answers()) as (bad, good):
        chain = [backend_at(bad.url, "bad"), backend_at(good.url, "good")]
        for _ in range(3):
            assert asked(chain, hits, rests).text == WHOLE
        assert (len(bad.requests), len(good.requests)) == (1, 3)


def test_nothing_that_a_server_says_is_kept_and_nobody_else_may_read_it(
    tmp_path: Path, hits: list[Hit]
) -> None:
    path, said = tmp_path / "state" / "rests.json", "Head of BGI is not allowed"
    refusal = {"error": {"code": "insufficient_quota", "type": said, "message": said}}
    before = os.umask(0)
    try:
        with running(replies("429 Too Many", refusal)) as (bad,):
            backend = backend_at(bad.url)
            first = asked([backend], hits, Rests(path))
            again = asked([backend], hits, Rests(path))
    finally:
        os.umask(before)
    assert "Head of BGI" in first.attempts[0].reason
    assert again.attempts[0].outcome == "skipped"
    assert again.attempts[0].reason == "No credit left (HTTP 429, insufficient_quota)."
    kept = path.read_text("utf-8")
    assert "BGI" not in kept
    assert next(iter(json.loads(kept).values())).keys() == {
        *("until", "fault", "times", "status", "code"),
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_longest_rest_outlasts_a_clock_that_is_put_right(tmp_path: Path) -> None:
    for path in (None, tmp_path / "rests.json"):
        clock = Clock()
        rests, backend = Rests(path, clock), backend_at("http://127.0.0.1:9/v1")
        rests.rest(backend, BackendError("No.", fault=Fault.KEY))
        clock.now -= 0.01
        assert rests.resting(backend)
        rests.rest(backend_at("http://127.0.0.1:9/v2"), BackendError("No.", fault=Fault.KEY))
        clock.now -= 10
        assert Rests(path, clock).resting(backend) or path is None
        assert rests.resting(backend)


def test_whoever_holds_the_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    path, backend = tmp_path / "rests.json", backend_at("http://127.0.0.1:9/v1")
    other = backend_at("http://127.0.0.1:9/v2")
    Rests(path).rest(other, BackendError("No.", fault=Fault.KEY))
    rests, before = Rests(path), set(threading.enumerate())
    with FileLock(path.with_suffix(".lock")):
        rests.rest(backend, BackendError("No.", fault=Fault.KEY))
        rests.wake(other)
        # It is known here at once, while it cannot be written yet.
        assert rests.resting(backend)
        assert rests.resting(other) is None
        assert Rests(path).resting(backend) is None
        assert Rests(path).resting(other)
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert Rests(path).resting(backend)
    assert Rests(path).resting(other) is None


IN_MANY_PROCESSES = """
import sys
from pathlib import Path
from rag.errors import BackendError, Fault
from rag.llm.rests import Rests
from tests.rag.servers import backend_at
rests = Rests(Path(sys.argv[1]))
for number in range(20):
    backend = backend_at(f"http://127.0.0.1:9/{sys.argv[2]}/{number}")
    rests.rest(backend, BackendError("No.", fault=Fault.REGION))
    assert rests.resting(backend)
"""


def test_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path, root = tmp_path / "rests.json", Path(__file__).resolve().parents[2]
    running_ones = [
        subprocess.Popen(
            [sys.executable, "-c", IN_MANY_PROCESSES, str(path), str(number)],
            env=os.environ | {"PYTHONPATH": str(root)},
            cwd=root,
        )
        for number in range(3)
    ]
    assert [one.wait() for one in running_ones] == [0, 0, 0]
    assert len(json.loads(path.read_text("utf-8"))) == 60
    assert [one.name for one in tmp_path.iterdir() if ".json." in one.name] == []
