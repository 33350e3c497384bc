"""The gate: whether a run is shown to be worse than the baseline that is kept with the suite."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals.metrics.metric import Grade
from rag.serialization import to_dict

from .comparison import Comparison, Difference, compare
from .results import Outcome, Run, Told
from .statistics import CONFIDENCE
from .store import case_from

BASELINE = "baseline.json"

# With fewer cases the percentile bootstrap is too sure: its intervals are too narrow, and an unchanged
# program that never answers twice the same would be refused too often (Efron and Tibshirani 1993,
# section 13.3). Such a metric is not judged.
FEW = 30


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate says: nothing in ``reasons`` is passing.

    ``confidence`` is that of each interval, so that of all together they hold with 95%.
    """

    comparison: Comparison
    losses: tuple[Difference, ...]
    reasons: tuple[str, ...]
    confidence: float

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the run."""
        return not self.reasons


def gate(baseline: Run, run: Run, metrics: Sequence[str] = ()) -> Gate:
    """Compare a run with a baseline.

    A metric fails where the whole paired-bootstrap interval of its difference lies on the worse
    side. There are many metrics, so each interval is wider: with ``1 - 0.05 / number`` (Bonferroni)
    all of them hold together with 95%. A metric with fewer than ``FEW`` pairs is not judged. What
    cannot be compared fails, too: a case without an answer, one that is missing or asks something
    else, a value that could not be graded this time.

    Args:
        baseline: The run that was kept.
        run: The run to judge.
        metrics: Which count; all shares that the baseline has if left out.

    Raises:
        EvaluationError: A metric is unknown, or the two have no case in common.
    """
    if run.outcomes and len(run.failed) == len(run.outcomes):
        raise EvaluationError(f"No case got an answer: {run.failed[0].error}")
    known = [told.name for told in baseline.metrics if told.unit == "share" or metrics]
    if unknown := [name for name in metrics if name not in known]:
        raise EvaluationError(
            f"The baseline has no metric {unknown[0]!r}.", f"It has: {', '.join(known)}."
        )
    chosen = list(metrics) or [name for name in known if baseline.values(name)]
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(chosen))
    there = [told.name for told in run.metrics if told.name in chosen]
    found = compare(baseline, run, there, confidence)
    judged = [one for one in found.differences if one.pairs >= FEW]
    losses = tuple(one for one in judged if one.verdict == "worse")
    reasons = [
        f"{one.name} fell short: {one.before:.3f} before, {one.after:.3f} now." for one in losses
    ]
    compared = {one.name for one in found.differences}
    if lost := [name for name in chosen if name not in compared]:
        reasons.append(f"Graded in the baseline and in no case now: {', '.join(lost)}.")
    return Gate(found, losses, (*reasons, *_gaps(baseline, run, chosen)), confidence)


def _gaps(baseline: Run, run: Run, metrics: Sequence[str]) -> list[str]:
    """What keeps the two from being compared whole: a loss could hide there."""
    now = {one.case.id: one for one in run.outcomes}
    missing = [one.case.id for one in baseline.outcomes if one.case.id not in now]
    kept = [(one, now[one.case.id]) for one in baseline.outcomes if one.case.id in now]
    changed = [one.case.id for one, other in kept if one.case.digest != other.case.digest]
    failed = [one.case.id for one in run.failed]
    ungraded = [
        f"{name} of {one.case.id}"
        for one, other in kept
        for name in one.grades.keys() & other.grades.keys() & set(metrics)
        if other.grades[name].value is None
    ]
    told = {
        "got no answer": failed,
        "of the baseline were not asked": missing,
        "ask something else than in the baseline; keep a new one": changed,
        "were graded in the baseline and are not now": ungraded,
    }
    return [
        f"{len(names)} cases {what}, such as {names[0]}." for what, names in told.items() if names
    ]


def save_baseline(run: Run, path: Path) -> None:
    """Keep a run as the one that others are compared with: its grades, without the answers.

    Raises:
        EvaluationError: The run is not complete, or the file cannot be written.
    """
    if len(run.outcomes) < int(run.about.get("cases", 0)):
        raise EvaluationError(
            f"{len(run.outcomes)} of {run.about['cases']} cases were asked; such a run is no baseline.",
            "Let it go on: the same command with the same --out.",
        )
    if run.failed:
        raise EvaluationError(
            f"{len(run.failed)} cases got no answer; such a run is no baseline.",
            "Repeat it: the cases that got none are asked again.",
        )
    told = [one for one in run.metrics if one.unit == "share" and run.values(one.name)]
    body = {
        "about": run.about,
        "metrics": [dataclasses.asdict(one) for one in told],
        "cases": [
            {
                "case": to_dict(one.case),
                "pair": one.pair,
                "values": {
                    metric.name: round(grade.value, 6)
                    for metric in told
                    if (grade := one.grades.get(metric.name)) and grade.value is not None
                },
            }
            for one in run.outcomes
        ],
    }
    lines = [json.dumps(one, ensure_ascii=False) for one in body.pop("cases")]
    head = json.dumps(body, ensure_ascii=False, indent=1).rstrip("}\n")
    joined = ",\n".join(f"  {line}" for line in lines)
    try:
        path.write_text(f'{head},\n "cases": [\n{joined}\n ]\n}}\n', "utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise EvaluationError(f"The baseline {path} cannot be written: {reason}.") from error


def load_baseline(path: Path) -> Run:
    """Read what ``save_baseline`` wrote.

    Raises:
        EvaluationError: There is no such file, or it is damaged.
    """
    try:
        body = json.loads(path.read_text("utf-8"))
        metrics = tuple(Told(**one) for one in body["metrics"])
        outcomes = tuple(_outcome(row) for row in body["cases"])
        return Run(body["about"], metrics, outcomes)
    except FileNotFoundError as error:
        raise EvaluationError(
            f"There is no baseline {path}.", "Keep a run as one: rag eval gate SUITE --keep."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise EvaluationError(f"The baseline {path} cannot be read: {reason}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"The baseline {path} is damaged: {error!r}.") from error


def _outcome(row: dict[str, Any]) -> Outcome:
    grades = {name: Grade(float(value)) for name, value in row["values"].items()}
    return Outcome(case_from(row["case"]), row["pair"], grades)
