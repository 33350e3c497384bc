"""Settings: frozen values, read from files, the environment and arguments.

The later of these wins: the defaults below; ``rag.toml`` in the person's configuration
folder; ``rag.toml`` in the working folder, which may not say who gets
the documents; environment variables (``RAG_RETRIEVAL__K=8``, ``RAG_PROVIDERS__OPENAI__MODELS=…``); what the
caller passes (``--set retrieval.k=8``, ``--set providers.openai.models=…``).
Keys of LLM providers are never settings: they stay in the environment, and a setting names
the variables; the first of them that is set holds the key.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from .errors import SettingsError

FILE_NAME = "rag.toml"
ENVIRONMENT_PREFIX = "RAG_"

# The word for the model that comes with the program.
BUNDLED_EMBEDDER = "bundled"

# Some embedders read a book at once; a passage that long says nothing of where an answer stands.
LONGEST_PASSAGE = 512


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How documents become passages and vectors.

    ``path`` is the index's folder. ``embedder`` is ``bundled``, the model that comes with the
    program; or the folder of a static model (as model2vec writes it), or the name or folder of
    any sentence-transformers model; or ``PROVIDER:MODEL``, an endpoint that is sent the passages
    and questions. ``passage_tokens`` is the most tokens, in
    the embedder's own count, that a passage may have; 0 stands for what the embedder reads, up
    to ``LONGEST_PASSAGE``.
    ``batch_size`` is how many passages are embedded at a time. ``vectors`` is the kind of FAISS
    index: ``auto`` lets the number of vectors decide, or a FAISS factory string. ``storage`` is the
    type of the numbers in stored vectors, one of ``int8``, ``float16`` and ``float32``; an index
    keeps the one it was made with until it is embedded anew.
    """

    path: str = "my-index"
    embedder: str = BUNDLED_EMBEDDER
    passage_tokens: int = 0
    batch_size: int = 32
    vectors: str = "auto"
    storage: str = "int8"


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """The server that the embedder ``endpoint:MODEL`` asks, any that is OpenAI-compatible.

    ``base_url`` is its address, ``key_variable`` the environment variable that holds its key, if
    it needs one, ``batch`` how many texts it takes at a time.
    """

    base_url: str = "http://127.0.0.1:8080/v1"
    key_variable: str = "EMBEDDING_API_KEY"
    batch: int = 32


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are chosen for a question.

    ``k`` is how many an answer is written from. ``dense_weight`` is the share of the nearest
    sentences in the fused score, the rest is that of the words; ``diversity`` is what a passage
    loses for resembling one chosen before it; ``candidates`` is how many passages each side
    proposes. Behind the fifth, passages in another language than the first come before others until
    they are one in ``other_languages``, if they are a third as good; with 0 they need not. ``reranker`` is the name or folder of a cross-encoder of
    sentence-transformers, which runs on this machine; empty for none. ``reranked`` is how many of
    the best candidates it reads.
    """

    k: int = 6
    candidates: int = 50
    dense_weight: float = 0.3
    diversity: float = 0.1
    other_languages: int = 2
    reranker: str = ""
    reranked: int = 20


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Who writes answers, how, and when to say that the documents do not hold one.

    ``backend`` is a chain, tried in order: ``openai:MODEL, extractive``; ``local`` in it are the
    servers on this machine that answer. ``language`` is the language of answers, as an ISO 639-1
    code; empty for the question's. ``answer_tokens`` is the most tokens that a model may write, and
    ``temperature`` how freely, where it lets that be set. ``first_token_seconds`` and
    ``next_token_seconds`` are for how long nothing may come before a backend counts as stalled, at
    the beginning of an answer and within it. ``translate`` says whether passages are also sought
    with the question's translations, where a model can make them. ``evidence`` is the
    least probability (0 to 1) of the passages answering the question from which on the extractive
    backend answers it, and ``sentences`` how many it quotes at most, those apart that say who is
    meant and those beside one that are nearly as good. ``nli`` is the name or folder of a cross-encoder of
    sentence-transformers that was trained for natural language inference, and helps to judge
    sentences; it runs on this machine; empty for none. ``strict`` says whether sentences that
    the documents do not bear out are left out of answers.
    """

    backend: str = "local, extractive"
    language: str = ""
    answer_tokens: int = 2048
    temperature: float = 0.2
    first_token_seconds: float = 60.0
    next_token_seconds: float = 30.0
    translate: bool = True
    evidence: float = 0.5
    sentences: int = 3
    nli: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, grouped by the room that reads them.

    ``providers`` are the person's own providers, and what they change of others, as tables by
    name; ``rag.llm.providers`` reads them.
    """

    index: IndexSettings = field(default_factory=IndexSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CHOICES = {"index.storage": ("int8", "float16", "float32")}
_MAY_BE_EMPTY = {
    "retrieval.reranker",
    "embedding.key_variable",
    "answer.language",
    "answer.nli",
}

_LIMITS: dict[str, tuple[float, float]] = {
    "index.passage_tokens": (0, 100_000),
    "index.batch_size": (1, 4096),
    "embedding.batch": (1, 4096),
    "retrieval.k": (1, 100),
    "retrieval.candidates": (1, 10_000),
    "retrieval.dense_weight": (0, 1),
    "retrieval.diversity": (0, 1),
    "retrieval.other_languages": (0, 100),
    "retrieval.reranked": (1, 1000),
    "answer.evidence": (0, 1),
    "answer.sentences": (1, 20),
    "answer.answer_tokens": (16, 1_000_000),
    "answer.temperature": (0, 2),
    "answer.first_token_seconds": (0.01, 3600),
    "answer.next_token_seconds": (0.01, 3600),
}


def load_settings(
    assignments: Iterable[str] = (),
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read the settings of this person, folder, environment and call.

    Args:
        assignments: ``GROUP.NAME=VALUE`` texts; the last one for a name wins.
        environment: The environment variables; those of the process if left out.
        folder: The folder whose ``rag.toml`` counts; the working folder if left out.

    Raises:
        SettingsError: A name is unknown, a value has the wrong type or is out of range, or
            a file is not TOML.
    """
    environment = os.environ if environment is None else environment
    settings = Settings()
    own = configuration_folder(environment) / FILE_NAME
    settings = apply_settings(settings, _read_file(own), str(own))
    found = (folder or Path()) / FILE_NAME
    if found.resolve() != own.resolve():
        settings = apply_settings(settings, _harmless(_read_file(found), found, own), str(found))
    settings = apply_settings(settings, _read_environment(environment), "the environment")
    return apply_settings(settings, _read_assignments(assignments), "the command line")


def _harmless(
    values: dict[str, dict[str, Any]], found: Path, own: Path
) -> dict[str, dict[str, Any]]:
    """Refuse a folder's settings that would send documents or keys somewhere.

    Folders of documents come from other people.
    """
    named = [f"{group}.*" for group in ("providers", "embedding") if group in values]
    named += ["answer.backend"] if _given(values, "answer", "backend") is not None else []
    # PROVIDER:MODEL is an endpoint. A name or a folder stays on this machine, whatever it holds.
    named += ["index.embedder"] if ":" in str(_given(values, "index", "embedder")) else []
    if named:
        raise SettingsError(
            f"{found} sets {' and '.join(named)}, which says who gets your documents.",
            f"Put that into {own}, the environment, or --set.",
        )
    return values


def _given(values: Mapping[str, Any], group: str, name: str) -> Any:
    """A single value of a file, or nothing; what is wrong with a file is told later."""
    inside = values.get(group)
    return inside.get(name) if isinstance(inside, Mapping) else None


def configuration_folder(environment: Mapping[str, str]) -> Path:
    """Where this person's own ``rag.toml`` lies; ``RAG_CONFIG_DIR`` moves it."""
    from platformdirs import user_config_path

    chosen = environment.get("RAG_CONFIG_DIR")
    return Path(chosen) if chosen else user_config_path("rag-chatbot")


def apply_settings(
    settings: Settings, values: Mapping[str, Mapping[str, Any]], origin: str
) -> Settings:
    """Replace single settings.

    Args:
        settings: Where to start from.
        values: By group, then by name. A text is read as the setting's own type.
        origin: Where the values come from, for the error message.

    Raises:
        SettingsError: A name is unknown, or a value is malformed or out of range.
    """
    groups: dict[str, Any] = {}
    for group, changes in values.items():
        current = getattr(settings, group, None)
        if group == "providers":
            groups[group] = _joined(settings.providers, changes, origin)
            continue
        if current is None or not isinstance(changes, Mapping):
            raise _unknown(group, [f.name for f in dataclasses.fields(Settings)], origin)
        types = get_type_hints(type(current))
        for name in changes:
            if name not in types:
                raise _unknown(f"{group}.{name}", [f"{group}.{known}" for known in types], origin)
        typed = {
            name: _typed(f"{group}.{name}", value, types[name], origin)
            for name, value in changes.items()
        }
        groups[group] = dataclasses.replace(current, **typed)
    return dataclasses.replace(settings, **groups)


def _joined(
    current: Mapping[str, Mapping[str, Any]], changes: Any, origin: str
) -> dict[str, Mapping[str, Any]]:
    """The tables of providers, with single fields of some replaced. What they hold is read later."""
    if not isinstance(changes, Mapping):
        raise SettingsError(f"{origin}: providers must hold a table for each provider.")
    joined = dict(current)
    for given, table in changes.items():
        # A variable of the environment can have no hyphen.
        name = given.strip().lower().replace("_", "-")
        if not isinstance(table, Mapping):
            raise SettingsError(
                f"{origin}: providers.{name} must be a table of fields.",
                "For example: providers.openai.models = gpt-5.6-terra.",
            )
        joined[name] = {**joined.get(name, {}), **table}
    return joined


def _unknown(name: str, known: list[str], origin: str) -> SettingsError:
    return SettingsError(
        f"There is no setting {name!r}, which {origin} gives.", f"Known: {', '.join(known)}."
    )


def _typed(name: str, value: Any, kind: type, origin: str) -> Any:
    if kind is bool:
        flag = as_boolean(value)
        if flag is None:
            raise SettingsError(f"{origin}: {name} must be true or false, not {value!r}.")
        return flag
    if kind is str:
        if isinstance(value, str) and not value.strip() and name in _MAY_BE_EMPTY:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise SettingsError(
                f"{origin}: {name} must be a text that is not empty, not {value!r}."
            )
        chosen, choices = value.strip(), _choices(name)
        if choices and chosen not in choices:
            raise SettingsError(
                f"{origin}: {name} must be one of {', '.join(choices)}, not {value!r}."
            )
        return chosen
    number = as_number(value, kind)
    if number is None:
        expected = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{origin}: {name} must be {expected}, not {value!r}.")
    low, high = _LIMITS[name]
    if not low <= number <= high:
        raise SettingsError(f"{origin}: {name} must be from {low:g} to {high:g}, not {value!r}.")
    return number


def _choices(name: str) -> tuple[str, ...]:
    """The texts that a setting may be; none where it may be any."""
    if name == "answer.language":
        from .language import languages

        return languages()
    return _CHOICES.get(name, ())


def as_boolean(value: Any) -> bool | None:
    """A value as true or false, or ``None``; texts are those that people write for it."""
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def as_number(value: Any, kind: type) -> int | float | None:
    """A value as a number of a kind, or ``None``; a fraction is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number: int | float = kind(value)
    except (ValueError, OverflowError):
        return None
    return None if isinstance(value, float) and number != value else number


def _read_file(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error


def _read_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for variable, value in environment.items():
        path = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and len(path) > 1:
            _put(values, path, value)
    return values


def _read_assignments(assignments: Iterable[str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        path = name.strip().split(".")
        if not equals or len(path) < 2:
            raise SettingsError(
                f"The setting {name.strip()!r} is not of the form GROUP.NAME=VALUE.",
                "For example: --set retrieval.k=8.",
            )
        _put(values, path, value)
    return values


def _put(values: dict[str, dict[str, Any]], path: list[str], value: str) -> None:
    """Lay a value where its name says; a provider's are one level further down."""
    group = values.setdefault(path[0], {})
    if path[0] == "providers" and len(path) > 2:
        inside = group.setdefault(path[1], {})
        if isinstance(inside, dict):  # if not, it is refused with the rest
            inside[".".join(path[2:])] = value
    else:
        group[".".join(path[1:])] = value
