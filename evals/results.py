"""What a run leaves: an outcome for every case, and the figures that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.evals.metrics.metric import Direction, Grade, Unit

from .statistics import Interval, interval, mean, ratio_interval
from .suite import Case

# The metric that fairness between languages is judged by.
FAIR_BY = "recall@5"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case.

    ``pair`` are the languages of the question and of what answers it. ``answer`` is the answer as
    ``rag.to_dict`` gives it, nothing where only passages were asked for. ``error`` says why there
    is none where there should be one: such a case has no grades.
    """

    case: Case
    pair: str
    grades: Mapping[str, Grade]
    answer: Mapping[str, Any] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a metric beside its values."""

    name: str
    title: str
    better: Direction
    unit: Unit


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric over some cases: its mean with an interval, and how many cases it rests on.

    ``ungraded`` are cases that it applies to and that could not be graded, for ``reason``.
    """

    name: str
    title: str
    better: Direction
    unit: Unit
    mean: float | None
    interval: Interval | None
    graded: int
    ungraded: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a suite: what was asked how (``about``), and what came of it."""

    about: Mapping[str, Any]
    metrics: tuple[Told, ...]
    outcomes: tuple[Outcome, ...] = field(default=())

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The cases for which no answer could be had."""
        return tuple(one for one in self.outcomes if one.error)

    @property
    def seed(self) -> int:
        """The seed of every interval."""
        return int(self.about.get("seed", 0))

    def values(self, metric: str, where: Callable[[Outcome], bool] | None = None) -> list[float]:
        """The values of a metric, of all cases or of some."""
        grades = [one.grades.get(metric) for one in self.outcomes if where is None or where(one)]
        return [grade.value for grade in grades if grade and grade.value is not None]

    def summaries(self, where: Callable[[Outcome], bool] | None = None) -> tuple[Summary, ...]:
        """All metrics that apply to any case, of all cases or of some."""
        chosen = [one for one in self.outcomes if where is None or where(one)]
        found = [_summary(told, chosen, self.seed) for told in self.metrics]
        return tuple(one for one in found if one.graded or one.ungraded)

    def fairness(self) -> Summary:
        """Recall across languages as a share of the recall within one.

        Cases whose answers lie in documents of several languages count for neither.
        """
        cross = self.values(FAIR_BY, lambda one: _kind(one.pair) == "cross")
        same = self.values(FAIR_BY, lambda one: _kind(one.pair) == "same")
        below = mean(same)
        value = mean(cross)
        reasons = {
            "there are no cases across languages": not cross,
            "there are no cases within one language": not same,
            "nothing is found within one language": below == 0,
        }
        return Summary(
            "fairness",
            f"{FAIR_BY} across languages ÷ within one",
            "higher",
            "share",
            value / below if value is not None and below else None,
            ratio_interval(cross, same, self.seed),
            len(cross),
            reason=next((reason for reason, true in reasons.items() if true), ""),
        )

    def tags(self) -> tuple[str, ...]:
        """All tags of the cases, the most frequent first."""
        return _by_frequency(tag for one in self.outcomes for tag in one.case.tags)

    def pairs(self) -> tuple[str, ...]:
        """All pairs of languages of the cases, the most frequent first."""
        return _by_frequency(one.pair for one in self.outcomes if one.pair)

    def splits(self) -> tuple[str, ...]:
        """All splits of the cases."""
        return tuple(sorted({one.case.split for one in self.outcomes} - {""}))

    def backends(self) -> dict[str, int]:
        """How many answers each backend gave: in a chain the next may have stepped in."""
        names = [str(one.answer["backend"]) for one in self.outcomes if one.answer]
        return {name: names.count(name) for name in _by_frequency(names) if name}


def _summary(told: Told, outcomes: Iterable[Outcome], seed: int) -> Summary:
    grades = [one.grades[told.name] for one in outcomes if told.name in one.grades]
    values = [grade.value for grade in grades if grade.value is not None]
    reasons = _by_frequency(grade.reason for grade in grades if grade.value is None)
    return Summary(
        told.name,
        told.title,
        told.better,
        told.unit,
        mean(values),
        interval(values, seed),
        len(values),
        len(grades) - len(values),
        reasons[0] if reasons else "",
    )


def _kind(pair: str) -> str:
    """Whether a pair of languages is the ``same`` one or ``cross``; of several neither is said."""
    question, _, documents = pair.partition("→")
    if not documents or "+" in documents or "?" in documents:
        return ""
    return "same" if question == documents else "cross"


def _by_frequency(names: Iterable[str]) -> tuple[str, ...]:
    listed = list(names)
    return tuple(sorted(dict.fromkeys(listed), key=lambda name: (-listed.count(name), name)))
