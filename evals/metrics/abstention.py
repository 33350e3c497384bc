"""Whether the chatbot answers when it can, and says so when it cannot.

Source: the two errors that Rajpurkar et al. 2018, "Know What You Don't Know: Unanswerable
Questions for SQuAD", tell apart. A false answer is one to a question that no document answers, a
false refusal an abstention where one does.
"""

from __future__ import annotations

from rag.evals.suite import Case

from .metric import Grade, Metric, Result


def abstention_metrics() -> tuple[Metric, ...]:
    """The shares of false answers and of false refusals."""
    return (
        Metric("false_answers", "unanswerable questions that were answered", _answered, "lower"),
        Metric("false_refusals", "answerable questions that were refused", _refused, "lower"),
    )


def _answered(case: Case, result: Result) -> Grade | None:
    if case.answerable or result.answer is None:
        return None
    return Grade(float(not result.answer.abstained))


def _refused(case: Case, result: Result) -> Grade | None:
    if not case.answerable or result.answer is None:
        return None
    return Grade(float(result.answer.abstained))
