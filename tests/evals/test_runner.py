"""Runs: the same in parallel, kept as they go, and going on where they were interrupted."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from rag import evals
from rag.chatbot import Chatbot
from rag.errors import BackendRefused, EvaluationError
from rag.evals.reading import load_suite
from rag.evals.results import Run
from rag.evals.runner import indexed, run
from rag.evals.store import CASES, load_run
from rag.evals.suite import Suite
from rag.index.index import Index
from rag.llm.backend import Request
from rag.llm.scripted import ScriptedBackend
from rag.messages import NO_ANSWER
from rag.settings import Settings
from rag.types import Progress

from .conftest import Remembered, bot_of, subset, write_suite


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
    same = finished.values(
        "recall@5", lambda one: bool(one.pair) and one.pair not in ("en→vi", "vi→en")
    )
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
        file.write('{"case": {"id": "half a li')  # as a killed process leaves it
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
    with pytest.raises(EvaluationError, match="another"):
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
