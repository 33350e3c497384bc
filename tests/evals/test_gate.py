"""Comparing runs, and the gate: shut on a worse retriever, open on the same, 20 times of 20."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.errors import BackendRefused, EvaluationError
from rag.evals.baseline import gate, load_baseline, save_baseline
from rag.evals.comparison import compare
from rag.evals.metrics.metric import Direction, Grade
from rag.evals.results import Outcome, Run, Told
from rag.evals.runner import run
from rag.evals.suite import Case, Suite
from rag.llm.backend import Request
from rag.llm.scripted import ScriptedBackend
from rag.messages import NO_ANSWER

from .conftest import Remembered, bot_of, subset

Found = dict[str, Any]


@pytest.fixture(scope="session")
def passages(single_turn: Suite, remembered: Found) -> Run:
    """What the real retriever finds for the seeds suite."""
    return run(single_turn, bot_of(Remembered(remembered)), answers=False)


@pytest.fixture
def baseline(passages: Run, tmp_path: Path) -> Run:
    """The same, as it is kept and read."""
    save_baseline(passages, tmp_path / "baseline.json")
    return load_baseline(tmp_path / "baseline.json")


def worsened(suite: Suite, found: Found, share: float, seed: int) -> Run:
    """A run with a retriever that loses the best passage of a share of the questions."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    lost = frozenset(c.question for c in suite.cases if chance.random() < share)
    return run(suite, bot_of(Remembered(found, lost)), answers=False, seed=seed)


@pytest.mark.parametrize("seed", range(20))
def test_the_gate_is_shut_on_a_worsened_retriever_and_open_on_an_identical_one(
    single_turn: Suite, remembered: Found, baseline: Run, seed: int
) -> None:
    worse = gate(baseline, worsened(single_turn, remembered, 0.25, seed))
    assert not worse.passed
    assert {one.name for one in worse.losses} >= {"recall@1", "mrr@10"}
    same = gate(baseline, worsened(single_turn, remembered, 0.0, seed))
    assert same.passed
    assert same.losses == ()


def test_a_baseline_keeps_the_values_and_no_answers(
    passages: Run, baseline: Run, tmp_path: Path
) -> None:
    assert [one.case for one in baseline.outcomes] == [one.case for one in passages.outcomes]
    assert baseline.values("mrr@10") == pytest.approx(passages.values("mrr@10"), abs=1e-6)
    assert all(one.answer is None for one in baseline.outcomes)


def test_a_better_run_passes(single_turn: Suite, remembered: Found, passages: Run) -> None:
    worse = worsened(single_turn, remembered, 0.5, seed=1)
    assert gate(worse, passages).passed
    found = {one.name: one for one in compare(worse, passages).differences}
    assert found["recall@1"].verdict == "better"
    assert found["recall@1"].difference > 0


def test_a_case_that_is_missing_or_failed_shuts_the_gate(
    single_turn: Suite, remembered: Found, baseline: Run
) -> None:
    fewer = run(
        subset(single_turn, single_turn.cases[:-1]), bot_of(Remembered(remembered)), answers=False
    )
    assert any("not asked" in reason for reason in gate(baseline, fewer).reasons)
    bad = single_turn.cases[0].question

    def script(request: Request) -> list[Any]:
        return [BackendRefused("No.") if request.latest == bad else NO_ANSWER]

    failed = run(single_turn, bot_of(Remembered(remembered), ScriptedBackend(script)))
    assert any("no answer" in reason for reason in gate(baseline, failed).reasons)
    with pytest.raises(EvaluationError, match="no baseline"):
        save_baseline(failed, Path("unused.json"))


def test_what_was_graded_before_and_is_not_now_shuts_the_gate(passages: Run, baseline: Run) -> None:
    told = tuple(one for one in passages.metrics if one.name != "recall@5")
    blind = dataclasses.replace(passages, metrics=told)
    assert any("recall@5" in reason for reason in gate(baseline, blind).reasons)


def valued(name: str, values: Sequence[float | None], better: Direction = "higher") -> Run:
    """A run in which one metric had these values."""
    outcomes = tuple(
        Outcome(Case(str(number), f"Question {number}?", "en"), "", {name: Grade(value)})
        for number, value in enumerate(values)
    )
    return Run({"cases": len(outcomes)}, (Told(name, name, better, "share"),), outcomes)


def test_more_of_what_is_bad_is_worse() -> None:
    before, after = [0.0] * 60, [1.0] * 20 + [0.0] * 40
    shut = gate(valued("wrong", before, "lower"), valued("wrong", after, "lower"))
    assert [one.verdict for one in shut.losses] == ["worse"]
    assert gate(valued("wrong", after, "lower"), valued("wrong", before, "lower")).passed
    assert gate(valued("right", before), valued("right", after)).passed


def test_with_many_metrics_each_interval_is_wider() -> None:
    before, after = [1.0] * 60, [0.0] * 5 + [1.0] * 55
    one = valued("a", before), valued("a", after)
    assert not gate(*one).passed

    def among_others(run: Run) -> Run:
        others = tuple(Told(f"other {n}", "", "higher", "share") for n in range(19))
        outcomes = tuple(
            dataclasses.replace(
                o, grades={**o.grades, **{told.name: Grade(1.0) for told in others}}
            )
            for o in run.outcomes
        )
        return dataclasses.replace(run, metrics=run.metrics + others, outcomes=outcomes)

    many = gate(among_others(one[0]), among_others(one[1]))
    assert many.confidence == pytest.approx(1 - 0.05 / 20)
    assert many.passed


def test_a_metric_with_few_pairs_is_not_judged() -> None:
    assert gate(valued("a", [1.0] * 29), valued("a", [0.0] * 29)).passed
    assert not gate(valued("a", [1.0] * 30), valued("a", [0.0] * 30)).passed


def test_a_value_that_could_not_be_graded_this_time_shuts_the_gate() -> None:
    before, after = valued("a", [1.0] * 40), valued("a", [1.0] * 39 + [None])
    assert any("are not now" in reason for reason in gate(before, after).reasons)
    assert compare(before, after).changed[0].values == {"a": (1.0, None)}


def test_a_changed_case_shuts_the_gate_until_a_new_baseline_is_kept() -> None:
    before, after = valued("a", [1.0] * 40), valued("a", [1.0] * 40)
    first = dataclasses.replace(after.outcomes[0], case=Case("0", "Another question?", "en"))
    after = dataclasses.replace(after, outcomes=(first, *after.outcomes[1:]))
    assert any("something else" in reason for reason in gate(before, after).reasons)


def test_a_run_that_was_interrupted_is_no_baseline(tmp_path: Path) -> None:
    whole = valued("a", [1.0] * 4)
    part = dataclasses.replace(whole, outcomes=whole.outcomes[:2])
    with pytest.raises(EvaluationError, match="2 of 4 cases"):
        save_baseline(part, tmp_path / "baseline.json")


def test_an_unknown_metric_is_a_plain_error() -> None:
    with pytest.raises(EvaluationError, match="no metric 'nonsense'"):
        compare(valued("a", [1.0]), valued("a", [1.0]), ["nonsense"])


def test_only_the_metrics_that_are_named_count(
    single_turn: Suite, remembered: Found, baseline: Run
) -> None:
    worse = worsened(single_turn, remembered, 0.25, seed=1)
    assert [one.name for one in gate(baseline, worse, ["recall@1"]).losses] == ["recall@1"]
    with pytest.raises(EvaluationError, match="no metric 'recal'"):
        gate(baseline, worse, ["recal"])


def test_a_comparison_lists_the_cases_that_changed(
    single_turn: Suite, remembered: Found, passages: Run
) -> None:
    asked = next(o for o in passages.outcomes if o.grades["recall@1"].value == 1.0)
    lost = frozenset([asked.case.question])
    worse = run(single_turn, bot_of(Remembered(remembered, lost)), answers=False)
    (changed,) = compare(passages, worse).changed
    assert changed.id == asked.case.id
    assert changed.values["recall@1"] == (1.0, 0.0)


def test_a_case_that_asks_something_else_now_is_not_paired(
    single_turn: Suite, remembered: Found, passages: Run
) -> None:
    first = dataclasses.replace(single_turn.cases[0], question="Something else?")
    other = run(
        subset(single_turn, [first, *single_turn.cases[1:]]),
        bot_of(Remembered(remembered)),
        answers=False,
    )
    found = compare(passages, other)
    assert found.left_out == (first.id,)
    assert found.paired == len(single_turn.cases) - 1
    with pytest.raises(EvaluationError, match="no case in common"):
        compare(passages, run(subset(single_turn, [first]), bot_of(Remembered({}))))


@pytest.mark.parametrize("text", ["", "[]", '{"about": {}, "metrics": []}', "\x00"])
def test_a_damaged_baseline_is_a_plain_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "baseline.json").write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match="damaged"):
        load_baseline(tmp_path / "baseline.json")
    with pytest.raises(EvaluationError, match="no baseline"):
        load_baseline(tmp_path / "none.json")
