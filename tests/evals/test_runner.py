"""Runs: the same in parallel, kept as they go, and going on where they were interrupted."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rag import evals
from rag.chatbot import Chatbot
from rag.errors import BackendRefused, EvaluationError
from rag.evals.asked import asked
from rag.evals.reading import load_suite
from rag.evals.results import Run
from rag.evals.runner import indexed, run
from rag.evals.store import CASES, Store, load_run
from rag.evals.suite import Suite
from rag.index.index import Index
from rag.llm.backend import Finished, Request
from rag.llm.scripted import ScriptedBackend
from rag.messages import NO_ANSWER
from rag.settings import Settings
from rag.types import Progress
from tests.conftest import ROOT

from .conftest import GOOD, Remembered, bot_of, subset, write_suite


@pytest.fixture(scope="session")
def finished(seeds_suite: Suite, seeds_index: Index) -> Run:
    """One run of the seeds suite with the extractive backend, shared by the tests."""
    return evals.run(seeds_suite, Chatbot(seeds_index))


def values(found: Run, tag: str | None = None, split: str | None = None) -> dict[str, float]:
    """The mean of every metric that was graded, of all cases or some."""
    told = found.summaries(
        lambda one: (tag is None or tag in one.case.tags) and split in (None, one.case.split)
    )
    return {one.name: one.mean for one in told if one.mean is not None}


def test_the_default_chatbot_answers_the_questions_it_was_made_with(finished: Run) -> None:
    same = finished.summaries(lambda o: o.pair in ("en→en", "vi→vi") and o.case.split == "dev")
    found = {one.name: one.mean or 0.0 for one in same}
    assert found["evidence_cited"] >= 0.9
    assert found["recall@5"] >= 0.95
    assert values(finished, tag="off-topic")["false_answers"] <= 0.15


def test_every_quote_of_every_answer_is_exact(finished: Run) -> None:
    assert len(finished.values("quotes_exact")) > 100
    assert values(finished)["quotes_exact"] == 1.0
    assert values(finished)["citation_recall"] >= 0.95
    assert values(finished)["citation_precision"] >= 0.95


def test_what_is_not_graded_is_no_zero(finished: Run) -> None:
    found = {one.name: one for one in finished.summaries()}
    assert found["groundedness"].mean is None
    assert found["groundedness"].ungraded > 100
    assert found["input_tokens"].mean is None


def test_fairness_is_cross_recall_as_a_share_of_the_same_language_one(finished: Run) -> None:
    cross = finished.values("recall@5", lambda one: one.pair in ("en→vi", "vi→en"))
    same = finished.values("recall@5", lambda one: one.pair in ("en→en", "vi→vi"))
    fairness = finished.fairness()
    assert fairness.mean is not None
    assert fairness.mean == pytest.approx((sum(cross) / len(cross)) / (sum(same) / len(same)))
    assert fairness.interval is not None
    assert fairness.interval[0] < fairness.mean < fairness.interval[1]


def test_a_follow_up_is_asked_with_what_came_before(seeds_suite: Suite, seeds_index: Index) -> None:
    cases = [case for case in seeds_suite.cases if case.history][:3]
    backend = ScriptedBackend([NO_ANSWER])
    run(subset(seeds_suite, cases), Chatbot(seeds_index, [backend]), parallel=1)
    for case, request in zip(cases, backend.requests, strict=True):
        told = [message["content"] for message in request.messages]
        assert case.history[0].question in told


def test_cases_in_parallel_come_out_as_one_after_the_other(
    single_turn: Suite, remembered: dict[str, Any]
) -> None:
    few = subset(single_turn, single_turn.cases[::8])
    one = run(few, bot_of(Remembered(remembered)), parallel=1, answers=False)
    many = run(few, bot_of(Remembered(remembered)), parallel=8, answers=False)
    assert [o.case.id for o in one.outcomes] == [o.case.id for o in many.outcomes]
    assert [o.grades for o in one.outcomes] == [o.grades for o in many.outcomes]


def test_so_many_are_asked_at_a_time_and_no_more(single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:12])
    running = peak = 0
    guard, together = threading.Lock(), threading.Barrier(3, timeout=30)

    class Counting(Remembered):
        def search(self, question: str, k: int | None = None, **filters: Any) -> list[Any]:
            nonlocal running, peak
            with guard:
                running += 1
                peak = max(peak, running)
            together.wait()  # passes only if three are here at once
            with guard:
                running -= 1
            return []

    run(few, bot_of(Counting({})), parallel=3, answers=False)
    assert peak == 3


def test_progress_tells_every_case(single_turn: Suite) -> None:
    told: list[Progress] = []
    few = subset(single_turn, single_turn.cases[:5])
    run(few, bot_of(Remembered({})), on_progress=told.append)
    assert [(one.done, one.total) for one in told] == [(n, 5) for n in range(6)]


def test_a_run_is_read_as_it_was_kept(finished: Run, tmp_path: Path, single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:6])
    kept = run(few, bot_of(Remembered({})), folder=tmp_path / "run")
    assert load_run(tmp_path / "run").outcomes == kept.outcomes
    assert load_run(tmp_path / "run").summaries() == kept.summaries()
    told = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))["about"]
    assert told["digest"] == few.digest
    assert told["seed"] == 0
    assert told["settings"]["retrieval"]["k"] == 6
    assert told["versions"]["faiss-cpu"]
    assert told["backends"] == ["scripted"]


class Broken(Exception):
    """Something unforeseen."""


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:10])
    folder = tmp_path / "run"

    def stop(progress: Progress) -> None:
        if progress.done == 4:
            raise Broken

    with pytest.raises(Broken):
        run(few, bot_of(Remembered({})), folder=folder, parallel=1, on_progress=stop)
    with (folder / CASES).open("a", encoding="utf-8") as file:
        file.write('{"case": {"id": "nửa dòng')  # as a killed process leaves it,
    path = folder / CASES
    path.write_bytes(path.read_bytes()[:-5])  # in the middle of a letter
    again = Remembered({})
    finished = run(few, bot_of(again), folder=folder, parallel=1, answers=True)
    assert set(again.asked) == {case.question for case in few.cases[4:]}
    assert [one.case.id for one in finished.outcomes] == [case.id for case in few.cases]
    untouched = Remembered({})
    known = run(few, bot_of(untouched), folder=folder, parallel=2)
    assert (known.outcomes, untouched.asked) == (finished.outcomes, [])


@pytest.mark.parametrize("change", ["suite", "seed", "answers", "settings", "backend"])
def test_a_folder_with_another_run_is_refused(
    tmp_path: Path, single_turn: Suite, change: str
) -> None:
    few = subset(single_turn, single_turn.cases[:3])
    run(few, bot_of(Remembered({})), folder=tmp_path / "run")
    suite, bot = few, bot_of(Remembered({}))
    given: dict[str, Any] = {}
    if change == "suite":
        suite = subset(single_turn, single_turn.cases[:4])
    elif change == "backend":
        bot = Chatbot(Remembered({}), [ScriptedBackend([NO_ANSWER], name="other")])
    elif change == "settings":
        bot = Chatbot(Remembered({}), [ScriptedBackend([NO_ANSWER])], Settings(answer=_few()))
    else:
        given = {"seed": 1} if change == "seed" else {"answers": False}
    with pytest.raises(EvaluationError, match="was begun otherwise"):
        run(suite, bot, folder=tmp_path / "run", **given)


def _few() -> Any:
    from rag.settings import AnswerSettings

    return AnswerSettings(sentences=1)


def test_a_failure_is_no_wrong_answer_and_is_asked_again(
    tmp_path: Path, single_turn: Suite, remembered: dict[str, Any]
) -> None:
    few = subset(single_turn, single_turn.cases[:4])
    bad = few.cases[1].question

    def script(request: Request) -> list[Any]:
        return [BackendRefused("The server said no.") if request.latest == bad else NO_ANSWER]

    first = run(few, bot_of(Remembered(remembered), ScriptedBackend(script)), folder=tmp_path / "r")
    assert [one.error for one in first.failed] == ["The server said no."]
    assert first.failed[0].grades == {}
    assert len(first.values("false_refusals")) == 3
    again = Remembered(remembered)
    second = run(few, bot_of(again), folder=tmp_path / "r")
    assert set(again.asked) == {bad}
    assert second.failed == ()


def test_when_nothing_answers_the_run_ends(single_turn: Suite, remembered: dict[str, Any]) -> None:
    retriever = Remembered(remembered)
    failing = ScriptedBackend([BackendRefused("The server said no.")])
    with pytest.raises(BackendRefused):
        run(single_turn, bot_of(retriever, failing), parallel=1)
    assert len(failing.requests) == 5


def test_an_answer_in_flight_does_not_hide_that_the_rest_failed(
    single_turn: Suite, remembered: dict[str, Any]
) -> None:
    late = single_turn.cases[0].question
    failing = BackendRefused("The server said no.")

    class Flaky:
        name = "flaky"
        failed = 0

        async def stream(self, request: Request) -> Any:
            if request.latest != late:
                self.failed += 1
                raise failing
            while self.failed < 5:
                await asyncio.sleep(0.01)
            yield NO_ANSWER
            yield Finished()

    with pytest.raises(BackendRefused):
        run(single_turn, bot_of(Remembered(remembered), Flaky()), parallel=2)


def test_a_suites_texts_become_documents(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "x.json").write_text(
        json.dumps(
            {
                "data": [
                    {
                        "paragraphs": [
                            {
                                "context": "Ann wrote the report at home.",
                                "qas": [
                                    {
                                        "id": "1",
                                        "question": "Where did Ann write the report?",
                                        "answers": [{"text": "home", "answer_start": 24}],
                                    }
                                ],
                            }
                        ]
                    }
                ]
            }
        ),
        "utf-8",
    )
    suite = load_suite(tmp_path / "x.json")
    index = indexed(suite, tmp_path / "index", settings)
    assert values(run(suite, Chatbot(index)))["recall@1"] == 1.0
    again = indexed(suite, tmp_path / "index", settings)
    assert again.status()["revision"] == index.status()["revision"]


def test_a_document_that_cannot_be_read_ends_it(tmp_path: Path, settings: Settings) -> None:
    folder = write_suite(
        tmp_path / "s",
        [{"id": "1", "question": "?", "language": "en", "expected": [{"document": "b.pdf"}]}],
    )
    (folder / "papers" / "b.pdf").write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(EvaluationError, match=r"b\.pdf"):
        indexed(load_suite(folder), tmp_path / "index", settings)


def test_a_run_says_which_program_made_it_and_of_which_documents(
    single_turn: Suite, seeds_index: Index
) -> None:
    few = subset(single_turn, single_turn.cases[:1])
    told = run(few, Chatbot(seeds_index)).about
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert str(told["revision"] or "").startswith(head.stdout.strip())
    assert (told["documents"], len(told["texts"])) == (5, 16)
    assert told["fingerprint"]["embedder"] == "bundled:en-vi-1"


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path, settings: Settings) -> None:
    suite = load_suite(write_suite(tmp_path / "s", [GOOD]))
    (tmp_path / "mine" / "index").mkdir(parents=True)
    (tmp_path / "mine" / "index" / "precious.txt").write_text("Mine.", "utf-8")
    with pytest.raises(EvaluationError, match="something else"):
        asked(suite, settings, tmp_path / "mine")
    asked(suite, settings, tmp_path / "run")
    (tmp_path / "run" / "index").mkdir()
    asked(suite, settings, tmp_path / "run")
    assert (tmp_path / "mine" / "index" / "precious.txt").is_file()
    assert (tmp_path / "run" / "index").is_dir()


def test_a_document_edited_between_two_attempts_is_noticed(
    tmp_path: Path, settings: Settings
) -> None:
    folder = write_suite(tmp_path / "s", [GOOD, {**GOOD, "id": "2"}])
    suite = load_suite(folder)

    def stop(progress: Progress) -> None:
        if progress.stage == "questions" and progress.done == 1:
            raise Broken

    with pytest.raises(Broken):
        asked(suite, settings, tmp_path / "run", parallel=1, on_progress=stop)
    (folder / "papers" / "a.txt").write_text("Something else altogether.", "utf-8")
    with pytest.raises(EvaluationError, match="differ its documents"):
        asked(suite, settings, tmp_path / "run", parallel=1)


def test_another_suite_leaves_the_index_of_an_interrupted_run_alone(
    tmp_path: Path, settings: Settings
) -> None:
    suite = load_suite(write_suite(tmp_path / "s", [GOOD, {**GOOD, "id": "2"}]))
    other = load_suite(write_suite(tmp_path / "t", [{**GOOD, "question": "Which?"}]))
    (tmp_path / "t" / "papers" / "b.txt").write_text("Volcanoes.", "utf-8")

    def stop(progress: Progress) -> None:
        if progress.stage == "questions" and progress.done == 1:
            raise Broken

    with pytest.raises(Broken):
        asked(suite, settings, tmp_path / "run", parallel=1, on_progress=stop)
    with pytest.raises(EvaluationError, match="differ its questions"):
        asked(other, settings, tmp_path / "run")
    finished = asked(suite, settings, tmp_path / "run")
    assert finished.about["documents"] == 1


def test_two_processes_do_not_write_one_run(tmp_path: Path, single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:2])
    held = Store(tmp_path / "run")
    with ThreadPoolExecutor(1) as pool:  # a lock of this thread's own would let it in
        again = pool.submit(run, few, bot_of(Remembered({})), folder=tmp_path / "run")
        with pytest.raises(EvaluationError, match="Another process"):
            again.result()
    held.close()
    assert len(run(few, bot_of(Remembered({})), folder=tmp_path / "run").outcomes) == 2


def test_reading_a_run_that_is_being_written_writes_nothing(
    tmp_path: Path, single_turn: Suite
) -> None:
    few = subset(single_turn, single_turn.cases[:2])
    run(few, bot_of(Remembered({})), folder=tmp_path / "run")
    path = tmp_path / "run" / CASES
    path.write_bytes(path.read_bytes() + b'{"case": ')
    before = path.read_bytes()
    assert len(load_run(tmp_path / "run").outcomes) == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"document": "b.txt"}, "'b.txt', which is not there"),
        ({"document": "a.txt", "quote": "Ann burned it"}, "does not hold: 'Ann burned it'"),
    ],
)
def test_what_is_expected_must_be_in_the_documents(
    tmp_path: Path, settings: Settings, expected: dict[str, str], said: str
) -> None:
    row = {"id": "1", "question": "Who?", "language": "en", "expected": [expected]}
    suite = load_suite(write_suite(tmp_path / "s", [row]))
    with pytest.raises(EvaluationError, match=said):
        asked(suite, settings, tmp_path / "run")


@pytest.mark.parametrize("damage", ["{", "[]", '{"about": {}}'])
def test_a_damaged_run_is_a_plain_error(tmp_path: Path, single_turn: Suite, damage: str) -> None:
    few = subset(single_turn, single_turn.cases[:2])
    run(few, bot_of(Remembered({})), folder=tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text(damage, "utf-8")
    with pytest.raises(EvaluationError, match=r"run\.json is damaged"):
        load_run(tmp_path / "run")
    with pytest.raises(EvaluationError, match="no run"):
        load_run(tmp_path / "nowhere")


def test_a_damaged_case_is_named_by_file_and_line(tmp_path: Path, single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:2])
    run(few, bot_of(Remembered({})), folder=tmp_path / "run")
    path = tmp_path / "run" / CASES
    path.write_text(path.read_text("utf-8").replace('"grades"', '"grads"', 1), "utf-8")
    with pytest.raises(EvaluationError, match=r"cases\.jsonl:1"):
        load_run(tmp_path / "run")
