"""What a metric is: a grade for one case, or no grade, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rag.evals.suite import Case
from rag.types import Answer, Hit

Direction = Literal["higher", "lower"]
Unit = Literal["share", "seconds", "tokens", "money"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of asking one case.

    ``ranking`` are the passages found for it, to a fixed depth; ``answer`` is what was said, or
    nothing where only passages were asked for. Seconds are counted from the question.
    """

    ranking: tuple[Hit, ...] = ()
    answer: Answer | None = None
    seconds: float | None = None
    first_text_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """The value of a metric for one case, and what it rests on.

    Without a value the case could not be graded, for the reason given. That is not zero.
    """

    value: float | None
    reason: str = ""


Grader = Callable[[Case, Result], Grade | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its grader gives ``None`` for cases that it does not apply to.

    Args:
        name: What it is called everywhere.
        title: What it says, for a report.
        grade: Grades one case.
        better: Whether more of it is better, or less.
        unit: What a value counts; shares lie in [0, 1].
    """

    name: str
    title: str
    grade: Grader
    better: Direction = "higher"
    unit: Unit = "share"
