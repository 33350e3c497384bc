"""Which embedder a setting names, and what its kinds do in an index; all really loaded."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexMismatch, ModelError
from rag.index.embed import (
    BUNDLED_NAME,
    CachedEmbedder,
    described,
    embedder_for,
    embedder_name,
    kind_of,
)
from rag.index.index import Index
from rag.index.models import prefixes_for, provider_names, provider_of
from rag.index.static import StaticEmbedder
from rag.index.status import status_of
from rag.index.transformer import PACKAGED, SentenceTransformerEmbedder
from rag.settings import EmbeddingSettings, Settings

EMBEDDING = EmbeddingSettings()


def choosing(embedder: str | Path) -> Settings:
    return replace(Settings(), index=replace(Settings().index, embedder=str(embedder)))


@pytest.fixture(scope="module")
def transformer(transformer_model: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(str(transformer_model))


def test_a_setting_names_a_kind(static_model: Path, transformer_model: Path) -> None:
    assert kind_of("bundled") == kind_of(BUNDLED_NAME) == "bundled"
    assert kind_of(str(static_model)) == "static"
    assert kind_of(str(transformer_model)) == kind_of("BAAI/bge-m3") == "transformer"
    assert kind_of("C:/models/e5") == "transformer"
    assert kind_of("openai:text-embedding-3-small") == "endpoint"
    assert kind_of("ollama:qwen3-embedding:0.6b") == "endpoint"
    assert (embedder_name("bundled"), embedder_name("BAAI/bge-m3")) == (BUNDLED_NAME, "BAAI/bge-m3")


def test_each_kind_is_described_in_plain_words(static_model: Path) -> None:
    assert "comes with the program" in described("bundled", EMBEDDING)
    assert "another version" in described("bundled:en-vi-0", EMBEDDING)
    assert "static model in a folder" in described(str(static_model), EMBEDDING)
    assert "sentence-transformers model" in described(PACKAGED, EMBEDDING)
    assert "api.openai.com" in described("openai:text-embedding-3-small", EMBEDDING)
    assert "unknown address" in described("nobody:model", EMBEDDING)


def test_a_static_model_in_a_folder_needs_no_more_than_its_name(static_model: Path) -> None:
    embedder = embedder_for(choosing(static_model))
    assert isinstance(embedder, StaticEmbedder)
    assert (embedder.name, embedder.dimension) == (str(static_model), 24)
    assert embedder.windows
    assert CachedEmbedder(embedder).windows


def test_a_transformer_in_a_folder_embeds_and_counts(
    transformer: SentenceTransformerEmbedder,
) -> None:
    vectors = transformer.embed(["Xin chào", "hello world"])
    assert vectors.shape == (2, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert transformer.embed([]).shape == (0, 384)
    assert transformer.count_tokens(["hello world", ""]) == [2, 0]
    assert transformer.max_tokens == 254
    assert not transformer.windows


def test_a_transformer_without_prompts_gets_those_of_the_table(
    transformer_model: Path, transformer: SentenceTransformerEmbedder, tmp_path: Path
) -> None:
    named = tmp_path / "multilingual-e5-small"
    named.symlink_to(transformer_model, target_is_directory=True)
    prefixed = SentenceTransformerEmbedder(str(named))
    by_hand = transformer.embed(["query: Sora", "passage: Sora"])
    np.testing.assert_allclose(prefixed.embed(["Sora"], query=True)[0], by_hand[0], atol=1e-5)
    np.testing.assert_allclose(prefixed.embed(["Sora"])[0], by_hand[1], atol=1e-5)
    assert prefixed.max_tokens == transformer.max_tokens - 2  # "passage", ":"


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", "Instruct: Given", ""),
        ("BAAI/bge-m3", "", ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence", ""),
        ("Qwen/Qwen3-Embedding-0.6B", "Instruct: Given", ""),
        ("qwen3-embedding:0.6b", "Instruct: Given", ""),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("Snowflake/snowflake-arctic-embed-m-v1.5", "Represent this sentence", ""),
        ("/models/nomic-embed-text-v1.5/", "search_query: ", "search_document: "),
        ("nomic-embed-text:latest", "search_query: ", "search_document: "),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
        ("text-embedding-3-small", "", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
    ],
)
def test_the_table_knows_prefixes_by_the_last_part_of_a_name(
    model: str, query: str, passage: str
) -> None:
    found = prefixes_for(model)
    assert found.query.startswith(query)
    assert bool(found.query) == bool(query)
    assert found.passage == passage


def test_every_provider_has_an_address_and_takes_several_texts() -> None:
    for name in provider_names():
        provider = provider_of(name, EMBEDDING)
        assert provider is not None
        local = provider.host == "127.0.0.1"
        assert provider.base_url.startswith("http://127.0.0.1:" if local else "https://")
        assert local or provider.key_variables
        assert provider.batch > 1
    assert provider_of("endpoint", EmbeddingSettings(base_url="http://a/v1", batch=5)) is not None
    assert provider_of("nobody", EMBEDDING) is None


def test_an_index_changes_to_a_model_in_a_folder(
    static_model: Path, empty_index: Index, seeds: Path
) -> None:
    empty_index.add(seeds)
    chosen = choosing(static_model)
    with pytest.raises(IndexMismatch, match="--re-embed"):
        Index.open(empty_index.folder, chosen)
    changed = Index.re_embed(empty_index.folder, chosen)
    assert changed.status()["dimension"] == 24
    assert changed.search("Winston Ma", 1)[0].document.name == "001_31d3efc9b029c984.txt"


def test_a_question_of_unknown_pieces_alone_is_answered_by_words(
    static_model: Path, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_text("中文 ☃ 雪.", "utf-8")
    index = Index.create(tmp_path / "index", choosing(static_model))
    assert not index.add(paper).failed
    (hit,) = index.search("中文")
    assert (hit.dense, hit.lexical > 0) == (0, True)
    assert np.isfinite(hit.score)
    assert index.evidence("中文", ["中文 ☃"])[0][1] == 0


@pytest.mark.parametrize(
    ("made", "said", "unsaid"),
    [
        ("bundled", "was made with the embedder 'bundled'", "Use --set"),
        ("bundled:en-vi-0", "was made with the embedder 'bundled:en-vi-0'", "Use --set"),
        (PACKAGED, f"Use --set index.embedder={PACKAGED}", "Use --set index.embedder=bundled"),
    ],
)
def test_an_index_of_an_older_default_says_how_to_go_on(
    tmp_path: Path, static_model: Path, made: str, said: str, unsaid: str
) -> None:
    folder = tmp_path / "index"
    Index.create(folder, choosing(static_model))
    with sqlite3.connect(folder / "catalog.sqlite") as catalog:
        changed = catalog.execute(
            "UPDATE meta SET value = ? WHERE key = 'embedder'", (json.dumps(made),)
        )
        assert changed.rowcount == 1
    catalog.close()
    with pytest.raises(IndexMismatch) as caught:
        Index.open(folder, Settings())
    told = str(caught.value)
    assert said in told
    assert unsaid not in told
    assert told.endswith("--set index.embedder=bundled.")
    found = status_of(folder, Settings())
    assert found.mismatch == told
    assert found.facts["embedder"] == made


def test_what_is_no_model_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        embedder_for(choosing(tmp_path))
