"""What an answer costs: seconds, tokens, money. What a backend does not report is not graded."""

from __future__ import annotations

from rag.evals.suite import Case

from .metric import Grade, Metric, Result

_UNKNOWN = "the backend does not report it"


def cost_metrics() -> tuple[Metric, ...]:
    """Seconds to the first text and to the whole answer, tokens read and written, money."""
    return (
        Metric("seconds", "seconds to the whole answer", _seconds, "lower", "seconds"),
        Metric("first_text", "seconds to the first words", _first, "lower", "seconds"),
        Metric("input_tokens", "tokens read", _input, "lower", "tokens"),
        Metric("output_tokens", "tokens written", _output, "lower", "tokens"),
        Metric("cost", "price, as far as the backend knows it", _cost, "lower", "money"),
    )


def _seconds(case: Case, result: Result) -> Grade | None:
    return None if result.seconds is None else Grade(result.seconds)


def _first(case: Case, result: Result) -> Grade | None:
    return None if result.first_text_seconds is None else Grade(result.first_text_seconds)


def _input(case: Case, result: Result) -> Grade | None:
    return _reported(result.answer.usage.input_tokens) if result.answer else None


def _output(case: Case, result: Result) -> Grade | None:
    return _reported(result.answer.usage.output_tokens) if result.answer else None


def _cost(case: Case, result: Result) -> Grade | None:
    return _reported(result.answer.usage.cost) if result.answer else None


def _reported(value: float | None) -> Grade:
    return Grade(value, "" if value is not None else _UNKNOWN)
