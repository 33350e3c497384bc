"""Means with their intervals, by the bootstrap of scipy.

Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13: the percentile
interval. Two runs are compared by their differences case by case (the paired bootstrap; Koehn 2004,
"Statistical Significance Tests for Machine Translation Evaluation"): how hard a case is drops out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

RESAMPLES = 10_000
CONFIDENCE = 0.95

Interval = tuple[float, float]


def mean(values: Sequence[float]) -> float | None:
    """The mean, or ``None`` of nothing."""
    return sum(values) / len(values) if values else None


def interval(
    values: Sequence[float], seed: int = 0, confidence: float = CONFIDENCE
) -> Interval | None:
    """Where the mean would lie with other cases of the same kind.

    Args:
        values: A value for each case, or for each case the difference between two runs.
        seed: Makes the same interval of the same values.
        confidence: How often the interval should hold the true mean, in (0, 1).

    Returns:
        The lower and the upper end; ``None`` for fewer than two values.
    """
    return _interval(tuple(values), seed, confidence) if len(values) > 1 else None


# Each report of a run asks for the same ones.
@lru_cache(maxsize=4096)
def _interval(values: tuple[float, ...], seed: int, confidence: float) -> Interval:
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.asarray(values, dtype=float),),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def ratio_interval(
    above: Sequence[float], below: Sequence[float], seed: int = 0
) -> Interval | None:
    """Where the ratio of two means would lie with other cases of the same kinds.

    Returns:
        The lower and the upper end; ``None`` for fewer than two values on a side, or where the
        mean below may be zero.
    """
    import numpy as np
    from scipy.stats import bootstrap

    if len(above) < 2 or len(below) < 2 or not any(below):
        return None

    def ratio(first: object, second: object, axis: int = -1) -> object:
        return np.mean(first, axis=axis) / np.mean(second, axis=axis)  # type: ignore[call-overload]

    with np.errstate(divide="ignore", invalid="ignore"):
        found = bootstrap(
            (np.asarray(above, dtype=float), np.asarray(below, dtype=float)),
            ratio,
            n_resamples=RESAMPLES,
            batch=1000,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if np.isfinite([low, high]).all() else None
