"""A hit's explanation is true: its parts sum to the score, and what it names stands there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.errors import DocumentError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.alignment import Alignment
from rag.index.embed import Embedder
from rag.index.fusion import Parts, fused, terms
from rag.index.index import Index
from rag.index.static import StaticEmbedder
from rag.language import detect_language
from rag.serialization import to_json
from rag.settings import Settings
from rag.text import fold, normalize, words
from rag.types import Held

from .cross_encoder import write_cross_encoder
from .static_model import TEXTS

SHARES = st.lists(st.floats(0, 1), min_size=4, max_size=4)
QUESTIONS = (
    "Who called Sora a Newton moment?",
    "Trung Quoc cat OpenAI khi nao?",
    "How much is OpenAI worth in 2024?",
    "xyzzy",
)


@given(SHARES, st.floats(0, 1), st.booleans())
def test_the_terms_of_a_score_sum_to_it_and_its_weights_to_no_more_than_one(
    shares: list[float], dense_weight: float, aligned: bool
) -> None:
    lexical, concepts, dense, met = np.array(shares, dtype=np.float32)[:, None]
    parts = Parts(lexical, concepts, dense, met if aligned else None)
    every = terms(parts, dense_weight)
    (score,) = fused(parts, dense_weight)
    assert score == pytest.approx(sum(one.weight * one.shares[0] for one in every), abs=1e-6)
    assert 0 <= score <= 1 + 1e-6
    if aligned:
        assert sum(one.weight for one in every if one.name != "met") == pytest.approx(1)
        held = {one.name: one.shares[0] for one in every}
        assert held["lexical"] == lexical[0]
        assert held["lexical"] + held["met"] == pytest.approx(max(lexical[0], met[0] / 2))


@pytest.mark.parametrize("question", QUESTIONS)
def test_points_sum_to_the_score_and_the_parts_are_those_of_the_hit(
    seeds_index: Index, question: str
) -> None:
    for hit in seeds_index.search(question, 4):
        why = seeds_index.explain(question, hit)
        assert why.score == hit.score
        assert sum(one.points for one in why.parts) == pytest.approx(hit.score, abs=1e-5)
        for one in why.parts:
            assert one.points == pytest.approx(one.share * one.weight)
        shares = {one.name: one.share for one in why.parts}
        assert shares["dense"] == pytest.approx(hit.dense)
        assert shares["aligned"] == pytest.approx(hit.aligned)
        assert shares["lexical"] == pytest.approx(hit.lexical)
        assert shares["met"] == pytest.approx(max(0, hit.aligned / 2 - hit.lexical), abs=1e-6)
        assert json.loads(to_json(why))["score"] == hit.score


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_an_explanation_names_stands_in_the_passage(seeds_index: Index, question: str) -> None:
    for hit in seeds_index.search(question, 4):
        why, text = seeds_index.explain(question, hit), hit.passage.text
        for one in why.words:
            assert (one.word in words(text)) == (one.held is Held.AS_WRITTEN)
            assert (fold(one.word) in words(fold(text))) == (one.held is not Held.NO)
            assert one.weight > 0
        for name in why.names:
            assert fold(name.asked) in fold(question)
            assert all(found in text for found in name.found)
        window = why.window
        assert hit.document.text[window.start : window.end] == window.text
        assert hit.passage.start <= window.start < window.end <= hit.passage.end
        assert hit.window in (None, (window.start, window.end))
        share = (window.cosine - window.typical) / (1 - window.typical)
        if hit.document.language == detect_language(question):
            assert hit.dense == pytest.approx(max(0, share), abs=1e-4)
        else:  # what lies in another language is brought to the scale of the question's own
            assert hit.dense >= max(0, share) - 1e-4


def test_words_are_told_apart_by_their_diacritics_and_names_by_what_they_mean(
    tmp_path: Path, empty_index: Index
) -> None:
    (tmp_path / "one.txt").write_text("Bộ trưởng đến Trung Quốc để mua cà phê.", "utf-8")
    (tmp_path / "two.txt").write_text("A volcano erupted near the old harbour.", "utf-8")
    empty_index.add([tmp_path / "one.txt", tmp_path / "two.txt"])
    question = "China mua ca phe volcano 1999"
    (hit,) = empty_index.search(question, 1, language="VI", source="one")
    why = empty_index.explain(question, hit, language="VI", source="one")
    held = {one.word: one.held for one in why.words}
    assert held == {
        "china": Held.NO,
        "mua": Held.AS_WRITTEN,
        "ca": Held.WITHOUT_DIACRITICS,
        "phe": Held.WITHOUT_DIACRITICS,
        "volcano": Held.NO,
        "1999": Held.NO,
    }
    names = {one.key: (one.asked, one.found) for one in why.names}
    assert names["territory:cn"] == ("China", ("Trung Quốc",))
    assert names["year:1999"] == ("1999", ())
    assert why.filters == {"language": "vi", "source": "one"}


def test_pieces_sum_to_what_the_alignment_gives(embedder: Embedder, static_model: Path) -> None:
    for model in (embedder, StaticEmbedder(static_model)):
        assert isinstance(model, StaticEmbedder)
        alignment = Alignment(model)
        for question in (*TEXTS, "", "中"):
            for text in (*TEXTS, "", "the"):
                pairs = alignment.matches(question, text)
                (whole,) = alignment.of_texts(question, [text])
                met = sum(one.weight * one.similarity for one in pairs)
                assert met == pytest.approx(float(whole), abs=1e-5)
                assert [one.weight for one in pairs] == sorted(
                    (one.weight for one in pairs), reverse=True
                )
                assert all(one.similarity or not one.nearest for one in pairs)


def test_a_word_that_is_spelled_out_is_met_by_itself_alone(embedder: StaticEmbedder) -> None:
    alignment = Alignment(embedder)
    assert alignment.of_texts(
        "zzzxqqy", ["z x q y", "a quiz on zoology", "ask zzzxqqy"]
    ).tolist() == [
        0,
        0,
        pytest.approx(1),
    ]
    assert [
        alignment.understood(one) for one in ("zzzxqqy", "aaaaaaaa", "Sora", "C", "中文", "")
    ] == [
        *(0, 0),
        *(1, 1, 1, 1),
    ]
    assert 0.1 < alignment.understood("the revenue of zzzxqqy") < 0.9


def test_a_word_in_pieces_is_not_met_by_those_of_other_words(embedder: StaticEmbedder) -> None:
    """ "Pfizer" is "pf" and "izer" to the embedder; both stand in other words here."""
    alignment = Alignment(embedder)
    parts, whole = alignment.of_texts("Pfizer", ["the pf of an izer", "made by Pfizer"]).tolist()
    assert parts < 0.9
    assert whole == pytest.approx(1)


@pytest.mark.parametrize(
    "question", ["asdf", "zzzxqqy", "aaaaaaaaaaaaaaaa", "hjkl qwrt zxcv", "???", "…", "😀"]
)
def test_letters_that_are_no_word_and_signs_alone_find_nothing(
    seeds_index: Index, question: str
) -> None:
    assert seeds_index.search(question, 5) == []
    ((held, near),) = seeds_index.evidence(question, ["Winston Ma called Sora a Newton moment."])
    assert (held, near) == (0, 0)


def test_the_same_piece_is_nearest_to_itself(embedder: StaticEmbedder) -> None:
    (pair, *_) = Alignment(embedder).matches("newton", "the newton moment")
    assert (pair.piece, pair.nearest) == ("newton", "newton")
    assert pair.similarity == pytest.approx(1, abs=1e-5)


def test_aligned_pieces_stand_in_order_each_with_the_nearest_of_a_text(
    embedder: StaticEmbedder,
) -> None:
    alignment = Alignment(embedder)
    sentence, texts = "Who called Sora the Newton moment?", ["the newton moment", "", "Sora"]
    aligned = alignment.aligned(sentence, texts)
    (ids,) = embedder.token_ids([sentence])
    for text, pieces in zip(texts, aligned, strict=True):
        assert [one.piece for one in pieces] == embedder.token_texts(ids)
        (held,) = embedder.token_ids([text])
        mine, theirs = (embedder.word_vectors(own, np.arange(len(own))) for own in (ids, held))
        for row, one in enumerate(pieces):
            cosines = np.clip(theirs @ mine[row], 0, 1)
            assert one.similarity == pytest.approx(cosines.max(initial=0), abs=1e-6)
            names = embedder.token_texts(held)
            assert not names or one.nearest in names
        assert sum(one.weight for one in pieces) == pytest.approx(1)
    assert alignment.aligned(sentence, []) == []


def test_without_vectors_of_pieces_there_are_no_pieces_and_the_parts_still_sum(
    tmp_path: Path,
) -> None:
    (tmp_path / "one.txt").write_text("The violin was sold in China for $5.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), HashingEmbedder(32, 64))
    index.add(tmp_path / "one.txt")
    (hit,) = index.search("Trung Quốc", 1)
    why = index.explain("Trung Quốc", hit)
    assert why.pieces == ()
    assert [one.name for one in why.parts] == ["dense", "lexical", "concepts"]
    assert sum(one.points for one in why.parts) == pytest.approx(hit.score, abs=1e-5)
    assert why.parts[2].points > 0


def test_a_reranked_score_says_what_the_reranker_gave(seeds_index: Index, tmp_path: Path) -> None:
    folder = write_cross_encoder(tmp_path / "model")
    retrieval = replace(seeds_index.settings.retrieval, reranker=str(folder), reranked=2)
    settings = replace(seeds_index.settings, retrieval=retrieval)
    index = Index.open(seeds_index.folder, settings, seeds_index.embedder())
    hits = index.search(QUESTIONS[0], 8)
    assert sum(hit.reranked is not None for hit in hits) == 2
    for hit in hits:
        parts = index.explain(QUESTIONS[0], hit).parts
        assert parts[-1].name == "reranked"
        assert parts[-1].share == (hit.reranked or 0)
        assert sum(one.points for one in parts) == pytest.approx(hit.score, abs=1e-5)


@hypothesis_settings(max_examples=10, deadline=None)
@given(question=st.text(min_size=1, max_size=30).filter(lambda one: normalize(one).strip()))
def test_any_question_can_be_explained(seeds_index: Index, question: str) -> None:
    for hit in seeds_index.search(question, 2):
        why = seeds_index.explain(question, hit)
        assert sum(one.points for one in why.parts) == pytest.approx(hit.score, abs=1e-5)


def test_a_passage_that_is_gone_is_a_plain_error(tmp_path: Path, empty_index: Index) -> None:
    file = tmp_path / "one.txt"
    file.write_text("The violin was sold.", "utf-8")
    empty_index.add(file)
    (hit,) = empty_index.search("violin", 1)
    file.write_text("The violin was kept.", "utf-8")
    empty_index.add(file)
    with pytest.raises(DocumentError, match="any more"):
        empty_index.explain("violin", hit)
