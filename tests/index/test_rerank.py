"""Reranking, by a real cross-encoder and by readers whose mind is known."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.arrays import Matrix
from rag.index.index import Index
from rag.index.rerank import CrossEncoderReranker, combined, reranker_for
from rag.settings import Settings
from rag.types import Hit

from .cross_encoder import WORDS, write_cross_encoder

SHARES = st.floats(0, 1)
QUESTION = "who sold the violin"
TEXTS = ["The violin was sold.", "A river.", "Coffee for the company."]


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cross_encoder(tmp_path_factory.mktemp("reranker") / "model")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of twelve different short texts."""
    folder = tmp_path_factory.mktemp("papers")
    for number in range(12):
        about = " ".join(WORDS[number * place % len(WORDS)] for place in (1, 3, 7))
        text = f"A violin of {about}, harbour{number}." + " violin" * (number % 4)
        (folder / f"{number}.txt").write_text(text, "utf-8")
    index = tmp_path_factory.mktemp("index") / "index"
    Index.create(index, Settings(), HashingEmbedder(32, 64)).add(folder)
    return index


def opened(papers: Path, reranker: Path | str, reranked: int) -> Index:
    retrieval = replace(
        Settings().retrieval, reranker=str(reranker), reranked=reranked, diversity=0.0
    )
    return Index.open(papers, replace(Settings(), retrieval=retrieval), HashingEmbedder(32, 64))


def by_passage(hits: Sequence[Hit]) -> dict[int, Hit]:
    return {hit.passage.id: hit for hit in hits}


def test_scores_are_shares_that_do_not_depend_on_the_company(cross_encoder: Path) -> None:
    reranker = CrossEncoderReranker(str(cross_encoder))
    together = reranker.scores(QUESTION, TEXTS)
    assert together.shape == (3,)
    assert together.dtype == np.float32
    assert ((together > 0) & (together < 1)).all()
    assert len(set(together.tolist())) == 3
    alone = np.concatenate([reranker.scores(QUESTION, [text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert reranker.scores(QUESTION, []).shape == (0,)
    assert reranker.scores(QUESTION, ["violin " * 500]).shape == (1,)


def test_the_sigmoid_counts_whatever_the_model_says_of_itself(cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder
    from torch import nn

    there = CrossEncoder(str(cross_encoder), device="cpu", local_files_only=True)
    assert isinstance(there.activation_fn, nn.Identity)
    logits = there.predict([(QUESTION, text) for text in TEXTS], show_progress_bar=False)
    scores = CrossEncoderReranker(str(cross_encoder)).scores(QUESTION, TEXTS)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits)), atol=1e-5)


@pytest.mark.parametrize("reranked", [1, 5, 12, 100])
def test_the_best_are_read_and_the_order_is_what_the_scores_say(
    papers: Path, cross_encoder: Path, reranked: int
) -> None:
    before = opened(papers, "", reranked).search(QUESTION, 12)
    after = opened(papers, cross_encoder, reranked).search(QUESTION, 12)
    fused = {key: hit.score for key, hit in by_passage(before).items()}
    assert by_passage(after).keys() == fused.keys()
    read = [hit for hit in after if hit.reranked is not None]
    unread = [hit for hit in after if hit.reranked is None]
    assert after == [*read, *unread]
    assert {hit.passage.id for hit in read} == {hit.passage.id for hit in before[:reranked]}
    assert [hit.passage.id for hit in unread] == [hit.passage.id for hit in before[reranked:]]
    given = CrossEncoderReranker(str(cross_encoder)).scores(
        QUESTION, [hit.passage.text for hit in read]
    )
    np.testing.assert_allclose([hit.reranked or 0.0 for hit in read], given, atol=1e-5)
    for hit in after:
        expected = (fused[hit.passage.id] + (hit.reranked or 0)) / 2
        assert hit.score == pytest.approx(expected, abs=1e-6)
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
    if reranked >= 12:
        assert [hit.passage for hit in after] != [hit.passage for hit in before]


def test_copies_of_one_text_are_read_once(tmp_path: Path) -> None:
    read: list[str] = []

    class Noting:
        def scores(self, question: str, texts: Sequence[str]) -> Matrix:
            read.extend(texts)
            return np.full(len(texts), 0.5, dtype=np.float32)

    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(80):
        (folder / f"copy{number}.txt").write_text("The violin was sold.", "utf-8")
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"A violin and harbour{number} there.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), HashingEmbedder(32, 64))
    index.add(folder)
    index._views.reranker = Noting()
    hits = index.search("the violin was sold", 7)
    assert len(hits) == 7
    assert {hit.reranked for hit in hits} == {0.5}
    assert len(read) == len(set(read)) == 7


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=9), SHARES)
def test_what_was_not_read_stays_below_what_was(
    read: list[tuple[float, float]], below: float
) -> None:
    worst = min(fused for fused, _ in read)
    for fused, reranked in read:
        score = combined(fused, reranked)
        assert 0 <= score <= 1
        assert combined(worst * below, None) <= score


def test_without_a_setting_nothing_is_imported(papers: Path) -> None:
    assert reranker_for("") is None
    program = (
        "import sys; from rag.settings import Settings; from rag.index.index import Index\n"
        "from rag.evals.benchmarks.synthetic import HashingEmbedder\n"
        "hits = Index.open(sys.argv[1], Settings(), HashingEmbedder(32, 64)).search('violin')\n"
        "assert hits and {hit.reranked for hit in hits} == {None}\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, str(papers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_no_cross_encoder_is_a_plain_error(
    papers: Path, transformer_model: Path, static_model: Path, tmp_path: Path
) -> None:
    several = write_cross_encoder(tmp_path / "several", labels=3)
    damaged = write_cross_encoder(tmp_path / "damaged")
    file = damaged / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    for folder, said in (
        (tmp_path, "cannot be loaded"),
        (static_model, "cannot be loaded"),
        (damaged, "cannot be loaded"),
        (transformer_model, "is no cross-encoder"),
        (several, "gives 3 scores for a pair"),
    ):
        index = opened(papers, folder, 5)  # what is only opened may well be read without it
        with pytest.raises(ModelError) as caught:
            index.search(QUESTION)
        assert said in caught.value.message
        assert "\n" not in str(caught.value)
        assert "retrieval.reranker" in caught.value.remedy


def test_threads_load_it_once_and_get_what_one_gets(
    cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.index import rerank

    loads: list[str] = []
    load = rerank._loaded

    def counted(name: str) -> object:
        loads.append(name)
        return load(name)

    monkeypatch.setattr(rerank, "_loaded", counted)
    expected = CrossEncoderReranker(str(cross_encoder)).scores(QUESTION, TEXTS)
    reranker, got = CrossEncoderReranker(str(cross_encoder)), []
    threads = [
        threading.Thread(target=lambda: got.append(reranker.scores(QUESTION, TEXTS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 2
    assert len(got) == 4
    for scores in got:
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_the_hit_says_in_json_what_the_reranker_gave(papers: Path, cross_encoder: Path) -> None:
    from rag.serialization import to_json

    (hit,) = opened(papers, cross_encoder, 3).search(QUESTION, 1)
    assert json.loads(to_json(hit))["reranked"] == hit.reranked
    assert hit.reranked is not None
