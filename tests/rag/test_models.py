"""What servers say about their models, in the shapes that each of them uses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm.models import chat_model_in, window_in


def listing(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(entries)}


OPENROUTER = {
    "id": "deepseek/deepseek-v4.1-flash",
    "context_length": 163_840,
    "top_provider": {"context_length": 131_072, "max_completion_tokens": 8192},
}
LM_STUDIO = {"id": "qwen3-4b", "type": "llm", "state": "loaded", "max_context_length": 262_144}
LLAMA_CPP = {"id": "/models/qwen3.gguf", "meta": {"n_ctx": 8192, "n_ctx_train": 262_144}}


@pytest.mark.parametrize(
    ("models", "model", "window"),
    [
        (listing({"id": "served", "max_model_len": 40_960}), "served", 40_960),
        (listing(OPENROUTER), OPENROUTER["id"], 131_072),
        (listing({"id": "m", "context_window": 131_072}), "m", 131_072),
        (listing({"id": "mistral", "max_context_length": 32_768}), "mistral", 32_768),
        (listing({"id": "claude", "max_input_tokens": 200_000}), "claude", 200_000),
        ([{"id": "together", "context_length": 131_072}], "together", 131_072),
        (listing(LLAMA_CPP), "/models/qwen3.gguf", 8192),
        # The only model of a server is served under any name.
        (listing(LLAMA_CPP), "qwen3", 8192),
        # Of a model in memory what it was given, not what it could have.
        (listing(LM_STUDIO | {"loaded_context_length": 4096}), "qwen3-4b", 4096),
        (listing(LM_STUDIO), "qwen3-4b", None),
        (listing({"id": "qwen3:latest", "context_length": 4096}, {"id": "b"}), "qwen3", 4096),
        (listing({"id": "models/gemini", "context_length": 1}, {"id": "b"}), "gemini", 1),
        (listing({"id": "a", "context_length": "8192"}), "a", 8192),
        (listing({"id": "a"}), "a", None),
        (listing({"id": "a", "context_length": 1}, {"id": "b", "context_length": 2}), "c", None),
        (listing({"id": "a", "context_length": 0, "context_window": True}), "a", None),
        (listing({"id": "a", "meta": None, "max_model_len": None}), "a", None),
        ({"error": {"message": "No"}}, "a", None),
        ("<html>", "a", None),
        (None, "a", None),
    ],
)
def test_the_window_is_what_the_server_says(models: object, model: str, window: int | None) -> None:
    assert window_in(models, model) == window


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["qwen3:4b", "gemma3"], "qwen3:4b"),
        (["nomic-embed-text:latest", "bge-m3", "qwen3-reranker", "qwen3:4b"], "qwen3:4b"),
        (["text-embedding-3-small", "intfloat/multilingual-e5-large", "whisper-1"], None),
        (["gpt-oss:120b-cloud", "glm-4.6:cloud", "gpt-oss:20b"], "gpt-oss:20b"),
        (["gpt-oss:120b-cloud"], None),
        # Names that only hold the letters of those words.
        (["cloudy-7b", "ollama-cloud-tuned", "e50-chat"], "cloudy-7b"),
        (["e50-chat"], "e50-chat"),
        ([], None),
    ],
)
def test_the_first_model_that_chats_here_is_taken(names: list[str], chosen: str | None) -> None:
    assert chat_model_in(listing(*({"id": name} for name in names))) == chosen


def test_what_a_server_says_of_its_models_counts() -> None:
    embedder = {"id": "a", "type": "embeddings"}
    elsewhere = {"id": "b", "remote_host": "https://elsewhere.example"}
    assert chat_model_in(listing(embedder, elsewhere, LM_STUDIO)) == "qwen3-4b"
    assert chat_model_in([{"id": "c", "type": "chat"}]) == "c"
    assert chat_model_in({"models": [{"name": "d"}]}) == "d"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "models", "id", "meta", "context_length", "type"]), inner
        )
    ),
)


@given(JSON, st.text(max_size=3))
def test_whatever_a_server_sends_is_survived(models: object, model: str) -> None:
    window = window_in(models, model)
    assert window is None or window > 0
    assert chat_model_in(models) != ""
