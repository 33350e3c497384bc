"""What the list of a server's models says: how much one reads, and which one to take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Where servers write how many tokens prompt and answer may have together; what a server was
# started with goes before what its model was trained for.
_WINDOW_FIELDS = (
    "loaded_context_length",  # LM Studio, of a model in memory
    "max_model_len",  # vLLM, SGLang
    "context_length",  # OpenRouter, Together, Moonshot
    "context_window",  # Groq
    "max_context_length",  # Mistral
    "max_input_tokens",  # Anthropic
    "n_ctx",  # llama.cpp, within "meta"
)
# Objects within a model's entry that may hold one of those: OpenRouter, llama.cpp.
_WITHIN = ("top_provider", "meta")

# Models that do not chat, by the words of their names.
_OTHER_WORK = re.compile(
    r"embed|rerank|minilm|whisper|moderation|(?<![a-z])(?:guard|(?:bge|gte|e5|nomic|tts)(?![a-z0-9]))",
    re.IGNORECASE,
)
# What "type" says of those that do.
_CHAT_TYPES = {"llm", "vlm", "chat", "language", "model", "text"}
# Ollama passes on to its makers' cloud what has this tag: "gpt-oss:120b-cloud", "glm-4.6:cloud".
_CLOUD = re.compile(r"[:-]cloud$", re.IGNORECASE)

# What "owned_by" says of a model that a server on this machine runs itself: those of vLLM, SGLang,
# llama.cpp, Ollama, LM Studio and llama-cpp-python. Gateways say whom they pass requests on to.
_OWN = {"", "vllm", "sglang", "llamacpp", "library", "organization_owner", "me"}


def window_in(models: object, model: str) -> int | None:
    """How many tokens a model's prompt and answer may have together, if its server says so.

    Args:
        models: The parsed answer to ``GET /models``; anything at all, as it comes from outside.
        model: The model's name at that server.
    """
    entries = _entries(models)
    named = [entry for entry in entries if _same(_name(entry), model)]
    # A server with one model, such as llama.cpp's, serves it under any name.
    for entry in named or (entries if len(entries) == 1 else []):
        places = [*(entry.get(name) for name in _WITHIN), entry]
        # LM Studio says how much a model could read; in memory it is mostly given less.
        fields = _WINDOW_FIELDS[:1] if "state" in entry else _WINDOW_FIELDS
        for field in fields:
            sizes = [_size(place.get(field)) for place in places if isinstance(place, Mapping)]
            if found := [size for size in sizes if size]:
                return min(found)
    return None


def chat_model_in(models: object, *, own: bool = False) -> str | None:
    """The first model of a server's list that chats, and that the server runs itself.

    Models for embedding, reranking and speech are passed over, and those that a server on this
    machine passes on to a cloud: nobody has named that cloud.

    Args:
        models: The parsed answer to ``GET /models``.
        own: Pass over models of an owner that is not known to stand for the server itself.
    """
    for entry in _entries(models):
        name = _name(entry)
        if own and str(entry.get("owned_by") or "") not in _OWN:
            continue
        kind = entry.get("type")
        chats = not isinstance(kind, str) or kind.lower() in _CHAT_TYPES
        remote = _CLOUD.search(name) or entry.get("remote_host") or entry.get("remote_model")
        if name and chats and not remote and not _OTHER_WORK.search(name):
            return name
    return None


def _entries(models: object) -> list[Mapping[str, Any]]:
    """The entries of a list, which may stand alone (Together) or under a name."""
    if isinstance(models, Mapping):
        lists = (models.get(name) for name in ("data", "models"))
        models = next((found for found in lists if isinstance(found, list)), [])
    listed = models if isinstance(models, list) else []
    return [entry for entry in listed if isinstance(entry, Mapping)]


def _name(entry: Mapping[str, Any]) -> str:
    name = entry.get("id") or entry.get("name") or entry.get("model")
    return name if isinstance(name, str) else ""


def _same(name: str, model: str) -> bool:
    """Whether two names mean one model; Ollama's may leave out ``:latest``, Gemini's ``models/``."""
    return name != "" and _bare(name) == _bare(model)


def _bare(name: str) -> str:
    return name.removeprefix("models/").removesuffix(":latest")


def _size(value: object) -> int | None:
    """A number of tokens, which some servers write as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
