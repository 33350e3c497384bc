"""Intervals: deterministic, around the mean, and as wide as the case count says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evals.statistics import interval, mean, ratio_interval


def test_the_interval_of_a_coin_is_that_of_the_binomial() -> None:
    # 1.96 √(p (1 - p) / n) on each side: the percentile bootstrap comes close to it.
    low, high = interval([1.0] * 50 + [0.0] * 50) or (0.0, 0.0)
    assert low == pytest.approx(0.5 - 0.098, abs=0.01)
    assert high == pytest.approx(0.5 + 0.098, abs=0.01)


def test_more_confidence_is_a_wider_interval_and_a_seed_repeats_it() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.25] * 4
    narrow, wide = interval(values), interval(values, confidence=0.99)
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] <= narrow[1] < wide[1]
    assert interval(values, seed=3) == interval(values, seed=3)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=12))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    found = interval(values)
    assert found is not None
    assert min(values) - 1e-9 <= found[0] <= found[1] <= max(values) + 1e-9


def test_too_few_values_have_no_interval() -> None:
    assert interval([0.5]) is None
    assert interval([]) is None
    assert mean([]) is None
    assert ratio_interval([1.0, 1.0], [0.0, 0.0]) is None
    assert ratio_interval([1.0], [1.0, 0.5]) is None
    # With one value in ten above zero some resamples below are all zero: no end can be given.
    assert ratio_interval([1.0] * 10, [1.0] + [0.0] * 9) is None


def test_the_interval_of_a_ratio_holds_it() -> None:
    found = ratio_interval([0.4, 0.5, 0.6] * 5, [0.9, 1.0, 0.8] * 5)
    assert found is not None
    assert found[0] < 0.5 / 0.9 < found[1]
