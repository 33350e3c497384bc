"""Two runs of a suite, case by case: what differs, and whether that can be chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rag.errors import EvaluationError
from rag.evals.metrics.metric import Direction, Unit

from .results import Outcome, Run
from .statistics import CONFIDENCE, Interval, interval, mean

# What baselines round away, and processors compute differently, is no difference.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric in two runs, over the cases that both graded.

    ``difference`` is the mean of the second run less that of the first, ``interval`` its
    paired-bootstrap interval.
    """

    name: str
    title: str
    better: Direction
    unit: Unit
    before: float
    after: float
    difference: float
    interval: Interval | None
    pairs: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``unclear`` where the interval holds zero, or ``same``."""
        low, high = self.interval or (0.0, 0.0)
        if not low <= 0 <= high:
            return "better" if (low > 0) is (self.better == "higher") else "worse"
        return "unclear" if self.difference else "same"


@dataclass(frozen=True, slots=True)
class Changed:
    """A case that came out differently: for each metric that did, both values.

    ``None`` is no value: the metric could not be graded, or did not apply.
    """

    id: str
    question: str
    values: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs.

    ``left_out`` are cases that only one of them asked, that were changed in between, or that
    got no answer in one of them.
    """

    differences: tuple[Difference, ...]
    changed: tuple[Changed, ...]
    paired: int
    left_out: tuple[str, ...]


def compare(
    before: Run, after: Run, metrics: Iterable[str] = (), confidence: float = CONFIDENCE
) -> Comparison:
    """Pair the cases of two runs.

    Args:
        before: The run that is compared with.
        after: The run that is compared.
        metrics: Only these; all that both have if left out.
        confidence: The confidence of each interval, in (0, 1).

    Raises:
        EvaluationError: The runs have no case in common, or there is no such metric.
    """
    old = {one.case.id: one for one in before.outcomes}
    new = {one.case.id: one for one in after.outcomes}
    pairs = [(old[name], one) for name, one in new.items() if name in old and _same(old[name], one)]
    if not pairs:
        raise EvaluationError(
            "The two runs have no case in common.", "Compare runs of the same suite."
        )
    chosen = set(metrics)
    if unknown := chosen - {metric.name for metric in after.metrics}:
        raise EvaluationError(
            f"There is no metric {min(unknown)!r}.",
            f"Known: {', '.join(metric.name for metric in after.metrics)}.",
        )
    told = [m for m in after.metrics if m.name in chosen or not chosen]
    differences = []
    for metric in told:
        values = [both for one, other in pairs if (both := _both(metric.name, one, other))]
        if not values:
            continue
        lost = [_difference(first, second) for first, second in values]
        first, second = mean([v for v, _ in values]) or 0.0, mean([v for _, v in values]) or 0.0
        differences.append(
            Difference(
                metric.name,
                metric.title,
                metric.better,
                metric.unit,
                first,
                second,
                mean(lost) or 0.0,
                interval(lost, after.seed, confidence),
                len(values),
            )
        )
    shares = [metric.name for metric in told if metric.unit == "share"]
    changed = [_changed(one, other, shares) for one, other in pairs]
    paired = {one.case.id for one, _ in pairs}
    return Comparison(
        tuple(differences),
        tuple(one for one in changed if one.values),
        len(pairs),
        tuple(sorted({*old, *new} - paired)),
    )


def _difference(before: float, after: float) -> float:
    return after - before if abs(after - before) > _ROUNDING else 0.0


def _same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are of the same case, and both have an answer."""
    return one.case.digest == other.case.digest and not (one.error or other.error)


def _both(metric: str, one: Outcome, other: Outcome) -> tuple[float, float] | None:
    first, second = _value(metric, one), _value(metric, other)
    return None if first is None or second is None else (first, second)


def _value(metric: str, outcome: Outcome) -> float | None:
    grade = outcome.grades.get(metric)
    return grade.value if grade else None


def _changed(one: Outcome, other: Outcome, metrics: Iterable[str]) -> Changed:
    values = {}
    for metric in metrics:
        first, second = _value(metric, one), _value(metric, other)
        if first is None or second is None:
            differs = first is not second
        else:
            differs = bool(_difference(first, second))
        if differs:
            values[metric] = (first, second)
    return Changed(other.case.id, other.case.question, values)
