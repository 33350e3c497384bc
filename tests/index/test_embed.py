"""Other sentence-transformers models than the bundled one, by folder; all really loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexMismatch, ModelError
from rag.index.embed import SentenceTransformerEmbedder, _bundled_folder
from rag.index.index import Index
from rag.settings import LONGEST_PASSAGE, Settings


@pytest.fixture(scope="module")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another kind: token vectors without a transformer, and without a limit."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_bundled_folder() / "tokenizer.json"))
    folder = tmp_path_factory.mktemp("model") / "static"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=32)]).save(str(folder))
    return folder


def test_a_model_in_a_folder_embeds_and_counts(static_model: Path) -> None:
    embedder = SentenceTransformerEmbedder(str(static_model))
    vectors = embedder.embed(["Xin chào", "hello world"])
    assert vectors.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert embedder.embed([]).shape == (0, 32)
    assert embedder.count_tokens(["hello world", ""]) == [2, 0]
    assert LONGEST_PASSAGE // 2 < embedder.max_tokens <= LONGEST_PASSAGE


def test_an_index_changes_to_a_model_in_a_folder(
    static_model: Path, empty_index: Index, seeds: Path
) -> None:
    empty_index.add(seeds)
    chosen = replace(Settings(), index=replace(Settings().index, embedder=str(static_model)))
    with pytest.raises(IndexMismatch, match="--re-embed"):
        Index.open(empty_index.folder, chosen)
    changed = Index.re_embed(empty_index.folder, chosen)
    assert changed.status()["dimension"] == 32
    assert changed.search("Winston Ma", 1)[0].document.name == "001_31d3efc9b029c984.txt"


def test_what_is_no_model_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        SentenceTransformerEmbedder(str(tmp_path))
