"""The suite of altered sentences: what it holds, and the bars that verdicts keep on it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rag.evals.benchmarks.verdicts import cases, figures, measured, replaced
from rag.text import normalize, words

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
KINDS = {"figure", "name", "date", "unit", "negation", "relation", "quotation", ""}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_passages_of_articles_stand_there_and_own_ones_are_nowhere_else(split: str) -> None:
    for case in cases(split):
        assert case.passage == normalize(case.passage)
        if case.document:
            assert case.passage in normalize((SEEDS / case.document).read_text("utf-8")), case.id


def test_the_suite_is_large_in_all_languages_and_of_every_kind() -> None:
    dev, test = cases("dev"), cases("test")
    assert len({case.id for case in [*dev, *test]}) == len(dev) + len(test) >= 300
    assert {case.passage for case in dev}.isdisjoint(case.passage for case in test)
    for split in (dev, test):
        pairs = Counter(case.pair for case in split)
        assert len(pairs) == 4
        assert min(pairs.values()) >= 40
        assert {case.altered for case in split} == KINDS
        for case in split:
            expected = {"": "supported", "quotation": "unsupported"}
            assert case.verdict == expected.get(case.altered, "contradicted")


def test_an_altered_sentence_is_like_a_true_one_of_the_suite() -> None:
    for split in ("dev", "test"):
        true = {case.id: case.sentence for case in cases(split) if not case.altered}
        for case in cases(split):
            if case.altered not in ("", "quotation"):
                origin = true[case.id.rpartition("-")[0]]
                assert case.sentence != origin
                assert set(words(case.sentence)) & set(words(origin))


def test_the_bars_hold_on_the_split_that_nothing_was_tuned_on(tmp_path: Path) -> None:
    found = figures(measured(cases("test"), tmp_path))
    assert found["altered, but supported"][0] <= 0.03
    assert found["true, but unsupported or contradicted"][0] <= 0.10
    assert found["true, and supported"][0] >= 0.5
    assert found["made-up quotations, but supported"][0] == 0
    assert found["quotes exact"] == (1.0, len(cases("test")))


def test_words_are_replaced_at_random_and_always_alike() -> None:
    chosen = cases("test")
    one, other = (replaced(chosen, across=True) for _ in range(2))
    assert one == other
    assert {case.language != case.passage_language for case in one} == {True}
    assert all(case.sentence not in {c.sentence for c in chosen} for case in one)
