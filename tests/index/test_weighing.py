"""What texts have for each word and piece of a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.index import Index
from rag.weighing import by_words


def test_words_are_held_as_written_or_less_without_diacritics(seeds_index: Index) -> None:
    texts = ["OpenAI được định giá cao.", "OpenAI duoc dinh gia cao.", "Trời mưa to."]
    (weighing,) = seeds_index.weigh(["OpenAI định giá"], texts)
    written, bare, other = (sum(one.held) for one in weighing.texts)
    assert written == len(weighing.words) > bare > other == 0


def test_pieces_are_met_in_another_language(seeds_index: Index) -> None:
    texts = ["Công ty có nhiều nhân viên.", "Trời hôm nay mưa rất to."]
    (weighing,) = seeds_index.weigh(["employees"], texts)
    near, far = (
        sum(w * m for w, m in zip(weighing.pieces, one.met, strict=True)) for one in weighing.texts
    )
    assert near > 0.5 > far


def test_each_question_is_weighed_by_itself(seeds_index: Index) -> None:
    texts = ["Sora makes videos."]
    whole, part, nothing = seeds_index.weigh(["What does Sora make?", "Sora", ""], texts)
    assert part.texts[0].held == (1.0,)
    assert len(whole.words) >= len(part.words)
    assert (nothing.words, nothing.pieces, nothing.texts[0].dense) == ((), (), 0.0)


def test_no_texts_have_nothing(seeds_index: Index) -> None:
    (weighing,) = seeds_index.weigh(["Sora"], [])
    assert weighing.texts == ()


@given(question=st.text(max_size=40), texts=st.lists(st.text(max_size=60), max_size=4))
def test_every_share_lies_between_nothing_and_all(
    question: str, texts: list[str], seeds_index: Index
) -> None:
    for weigh in (seeds_index.weigh, by_words):
        (weighing,) = weigh([question], texts)
        assert len(weighing.texts) == len(texts)
        for weights in (weighing.words, weighing.pieces):
            assert not weights or sum(weights) == pytest.approx(1, abs=1e-3) or not any(weights)
        for one in weighing.texts:
            assert len(one.held) == len(weighing.words)
            assert len(one.met) == len(weighing.pieces)
            assert all(0 <= share <= 1.001 for share in (*one.held, *one.met, one.dense))
