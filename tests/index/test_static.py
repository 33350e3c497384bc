"""Static models: their vectors against a plain sum, against sentence-transformers, and damage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from rag.errors import ModelError
from rag.index.static import StaticEmbedder, layout_of
from rag.index.training.convert import as_static_embedding

from .static_model import TEXTS, write_static_model

UNKNOWN = "中文 ☃"


def plainly(folder: Path, text: str) -> list[float]:
    """The vector of a text, one number after the other, in Python's own arithmetic."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tensors = load_file(folder / "model.safetensors")
    rows = tensors["embeddings"].tolist()
    weights = tensors["weights"].tolist() if "weights" in tensors else [1.0] * len(rows)
    total = [0.0] * len(rows[0])
    for piece in tokenizer.encode(text, add_special_tokens=False).ids:
        if piece != 0:
            total = [t + weights[piece] * x for t, x in zip(total, rows[piece], strict=True)]
    length = sum(x * x for x in total) ** 0.5
    return [x / length if length else 0.0 for x in total]


@pytest.fixture(scope="module")
def embedder(static_model: Path) -> StaticEmbedder:
    return StaticEmbedder(static_model)


@pytest.mark.parametrize("kind", [np.int8, np.float16, np.float32])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_vector_is_the_weighted_sum_of_its_pieces(
    tmp_path: Path, kind: Any, weighted: bool
) -> None:
    folder = write_static_model(tmp_path / "model", kind=kind, weighted=weighted)
    texts = [*TEXTS, "Sora", f"Sora {UNKNOWN}", " ".join(TEXTS) * 200]
    expected = [plainly(folder, text) for text in texts]
    np.testing.assert_allclose(StaticEmbedder(folder).embed(texts), expected, atol=1e-5)


@given(st.lists(st.text(alphabet="sora newton中é́ ☃", max_size=40), max_size=6))
def test_vectors_have_length_1_or_are_zero_whatever_is_beside_them(
    embedder: StaticEmbedder, texts: list[str]
) -> None:
    vectors = embedder.embed(texts)
    assert vectors.shape == (len(texts), embedder.dimension)
    assert vectors.dtype == np.float32
    for text, vector, ids in zip(texts, vectors, embedder.token_ids(texts), strict=True):
        weights = embedder.token_weights(ids)
        units = embedder.word_vectors(ids, np.arange(len(ids)))
        assert (weights >= 0).all()
        total = weights @ units
        np.testing.assert_allclose(vector * np.linalg.norm(total), total, atol=1e-2)
        expected = 1 if weights.any() else 0
        np.testing.assert_allclose(np.linalg.norm(vector), expected, atol=1e-5)
        np.testing.assert_array_equal(embedder.embed([text], query=True)[0], vector)
        assert embedder.count_tokens([text]) == [len(ids)]


def test_what_is_unknown_has_the_zero_vector(embedder: StaticEmbedder) -> None:
    assert not embedder.embed(["", "   ", UNKNOWN]).any()
    (ids,) = embedder.token_ids(["中"])
    assert not embedder.token_weights(ids).any()


def test_pieces_that_share_a_row_are_told_apart_by_their_weights(tmp_path: Path) -> None:
    folder = write_static_model(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    before = StaticEmbedder(folder).embed(TEXTS)
    order = np.random.default_rng(3).permutation(len(tensors["embeddings"]))
    shuffled = tensors["embeddings"][order]
    mapping = np.argsort(order).astype(np.int64)
    save_file({**tensors, "embeddings": shuffled, "mapping": mapping}, folder / "model.safetensors")
    np.testing.assert_allclose(StaticEmbedder(folder).embed(TEXTS), before, atol=1e-6)


def test_sentence_transformers_gives_the_same_vectors(
    static_model: Path, embedder: StaticEmbedder, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    as_static_embedding(static_model, tmp_path / "out")
    texts = [*TEXTS, f"Sora {UNKNOWN}"]
    expected = embedder.embed(texts)
    there: Any = SentenceTransformer(str(tmp_path / "out"), device="cpu", local_files_only=True)
    np.testing.assert_allclose(there.encode(texts), expected, atol=1e-5)
    np.testing.assert_allclose(StaticEmbedder(tmp_path / "out").embed(texts), expected, atol=1e-5)


def test_threads_get_what_one_gets(embedder: StaticEmbedder) -> None:
    texts = [" ".join(TEXTS[: 1 + n % 4]) for n in range(64)]
    expected, wrong = embedder.embed(texts), []

    def ask() -> None:
        for _ in range(20):
            wrong.extend([1] if not np.array_equal(embedder.embed(texts), expected) else [])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_neither_torch_nor_a_transformer_is_imported(static_model: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from rag.settings import Settings, IndexSettings\n"
        "from rag.index.embed import embedder_for\n"
        "embedder_for(Settings(index=IndexSettings(embedder=sys.argv[1]))).embed(['Sora'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'scipy', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, str(static_model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_transformer_is_not_taken_for_a_static_model(
    transformer_model: Path, static_model: Path, tmp_path: Path
) -> None:
    assert layout_of(transformer_model) is None
    assert layout_of(tmp_path) is None
    more = shutil.copytree(static_model, tmp_path / "more")
    (more / "modules.json").write_text(json.dumps([{"type": "x.StaticEmbedding"}]), "utf-8")
    assert layout_of(more)
    (more / "modules.json").write_text(json.dumps([{"type": "x.Dense"}]), "utf-8")
    assert layout_of(more) is None


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def _no_json(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{", "utf-8")


def _too_few(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, "embeddings": tensors["embeddings"][:-1]}, folder / "model.safetensors")


def _not_numbers(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    weights = np.full_like(tensors["weights"], np.nan)
    save_file({**tensors, "weights": weights}, folder / "model.safetensors")


def _beyond(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    mapping = np.full(len(tensors["weights"]), 10_000)
    save_file({**tensors, "mapping": mapping}, folder / "model.safetensors")


def _gone(folder: Path) -> None:
    os.unlink(folder / "tokenizer.json")  # noqa: PTH108


@pytest.mark.parametrize("damage", [_cut, _no_json, _too_few, _not_numbers, _beyond, _gone])
def test_a_damaged_model_is_a_plain_error(static_model: Path, tmp_path: Path, damage: Any) -> None:
    folder = shutil.copytree(static_model, tmp_path / "model")
    damage(folder)
    with pytest.raises(ModelError, match="cannot be loaded"):
        StaticEmbedder(folder)
