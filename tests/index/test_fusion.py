"""Scores from their parts, and questions met piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from rag.index.alignment import Alignment
from rag.index.arrays import Ids, Matrix
from rag.index.fusion import Parts, fused, levelled

SHARES = arrays(np.float32, 5, elements=st.floats(0, 1, width=32))


def parts(lexical: Matrix, concepts: Matrix, dense: Matrix, aligned: Matrix | None) -> Parts:
    return Parts(lexical, concepts, dense, aligned)


@given(SHARES, SHARES, SHARES, st.none() | SHARES, arrays(np.bool_, 5), st.floats(0, 1))
def test_a_score_is_a_share(
    lexical: Matrix,
    concepts: Matrix,
    dense: Matrix,
    aligned: Matrix | None,
    foreign: np.ndarray[tuple[int], np.dtype[np.bool_]],
    weight: float,
) -> None:
    scores = fused(levelled(parts(lexical, concepts, dense, aligned), foreign), weight)
    assert scores.shape == (5,)
    assert (scores >= 0).all()
    assert (scores <= 1 + 1e-6).all()


@given(SHARES, SHARES, SHARES, SHARES, SHARES, st.floats(0, 1), st.integers(0, 3))
def test_more_of_a_part_never_lowers_a_score(
    lexical: Matrix,
    concepts: Matrix,
    dense: Matrix,
    aligned: Matrix,
    more: Matrix,
    weight: float,
    which: int,
) -> None:
    before = [lexical, concepts, dense, aligned]
    after = list(before)
    after[which] = np.maximum(before[which], more)
    assert (fused(parts(*after), weight) >= fused(parts(*before), weight) - 1e-6).all()


def test_a_passage_in_another_language_is_no_worse_for_holding_no_word() -> None:
    """What its pieces meet counts for words as well, and a translation is never quite as near."""
    none, some = np.zeros(2, dtype=np.float32), np.array([0.6, 0.6], dtype=np.float32)
    foreign = np.array([False, True])
    here, there = fused(levelled(parts(none, none, some, some), foreign), 0.4)
    assert there > here > 0.4


class Letters:
    """Pieces are letters; a capital means nearly what the small letter means."""

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        return [np.array([ord(letter) for letter in text], dtype=np.int64) for text in texts]

    def token_texts(self, ids: Ids) -> list[str]:
        return [chr(piece) for piece in ids.tolist()]

    def token_begins(self, ids: Ids) -> NDArray[np.bool_]:
        return np.ones(len(ids), dtype=np.bool_)

    def word_vectors(self, ids: Ids, starts: Ids) -> Matrix:
        assert starts.tolist() == list(range(len(ids)))
        rows = np.zeros((len(ids), 128), dtype=np.float32)
        for row, piece in enumerate(ids.tolist()):
            small = ord(chr(piece).lower())
            rows[row, small] = 1.0 if piece == small else 0.8
            rows[row, piece] += 0.0 if piece == small else 0.6
        return rows

    def token_weights(self, ids: Ids) -> Matrix:
        return np.where(ids == ord("z"), 0.0, 1.0).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "share"),
    [("abc", 1.0), ("ab", 2 / 3), ("ABc", 2.6 / 3), ("xyz", 0.0), ("", 0.0), ("cbaabc", 1.0)],
)
def test_each_piece_of_a_question_looks_for_the_nearest(text: str, share: float) -> None:
    alignment = Alignment(Letters())
    assert alignment.of_texts("abcz", [text]).tolist() == pytest.approx([share])
    assert alignment.of_texts("z", [text]).tolist() == [0.0]
    assert alignment.of_texts("", [text]).tolist() == [0.0]


@given(st.lists(st.text("abcxyz", max_size=6), max_size=8), st.text("abcz", max_size=4))
def test_passages_that_were_seen_before_score_the_same(texts: list[str], question: str) -> None:
    alignment = Alignment(Letters(), most=3)
    passages = dict(enumerate(texts))
    first = alignment.of_passages(question, passages)
    assert alignment.of_passages(question, passages) == first
    assert list(first.values()) == pytest.approx(alignment.of_texts(question, texts).tolist())
