"""Where settings come from, which wins, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings, apply_settings, load_settings


@pytest.fixture
def person(tmp_path: Path) -> Path:
    folder = tmp_path / "person"
    folder.mkdir()
    return folder


@pytest.fixture
def working(tmp_path: Path) -> Path:
    folder = tmp_path / "working"
    folder.mkdir()
    return folder


def test_without_anything_settings_are_the_defaults(person: Path, working: Path) -> None:
    environment = {"RAG_CONFIG_DIR": str(person), "PATH": "/bin", "RAGTIME__X": "1"}
    assert load_settings(environment=environment, folder=working) == Settings()


def test_each_place_wins_over_those_before_it(person: Path, working: Path) -> None:
    lines = {"k": 2, "candidates": 22, "dense_weight": 0.2, "diversity": 0.2}
    written = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (person / "rag.toml").write_text(f"[retrieval]\n{written}\n", "utf-8")
    (working / "rag.toml").write_text(
        "[retrieval]\ncandidates = 33\ndense_weight = 0.3\ndiversity = 0.3\n", "utf-8"
    )
    environment = {
        "RAG_CONFIG_DIR": str(person),
        "RAG_RETRIEVAL__DENSE_WEIGHT": "0.4",
        "RAG_RETRIEVAL__DIVERSITY": "0.4",
    }
    assignments = ["retrieval.diversity=0.1", "retrieval.diversity=0.5"]
    retrieval = load_settings(assignments, environment=environment, folder=working).retrieval
    assert dataclasses.astuple(retrieval)[:4] == (2, 33, 0.4, 0.5)


def test_a_file_may_begin_with_a_byte_order_mark(person: Path, working: Path) -> None:
    (working / "rag.toml").write_text("\ufeff[answer]\nsentences = 5\n", "utf-8")
    environment = {"RAG_CONFIG_DIR": str(person)}
    assert load_settings(environment=environment, folder=working).answer.sentences == 5


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("retrieval.kk=8", "retrieval.k"),
        ("retreival.k=8", "Known: index, embedding, retrieval, answer, providers."),
        ("__class__.x=8", "__class__"),
        ("retrieval.k=eight", "a whole number"),
        ("retrieval.k=1.5", "a whole number"),
        ("retrieval.k=", "a whole number"),
        ("retrieval.k=0", "from 1 to 100"),
        ("retrieval.k=101", "from 1 to 100"),
        ("retrieval.dense_weight=nan", "from 0 to 1"),
        ("retrieval.dense_weight=inf", "from 0 to 1"),
        ("retrieval.dense_weight=-0.1", "from 0 to 1"),
        ("index.path= ", "not empty"),
        ("retrieval.k", "GROUP.NAME=VALUE"),
        ("passages=8", "GROUP.NAME=VALUE"),
        ("", "GROUP.NAME=VALUE"),
    ],
)
def test_a_wrong_assignment_is_a_plain_error(assignment: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings([assignment], environment={})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "k = true",
        "k = 8.5",
        "k = inf",
        "k = nan",
        "k = [8]",
        "k = 2024-01-01",
        "dense_weight = 1" + 400 * "0",
        "diversity = {}",
        "unknown = 1",
    ],
)
def test_a_wrong_value_in_a_file_names_the_file(line: str, person: Path, working: Path) -> None:
    (working / "rag.toml").write_text(f"[retrieval]\n{line}\n", "utf-8")
    with pytest.raises(SettingsError, match=r"rag\.toml"):
        load_settings(environment={"RAG_CONFIG_DIR": str(person)}, folder=working)


@pytest.mark.parametrize(
    "content", [b"[retrieval", b"retrieval = 5", b"[x]\ny = 1", b"\xff\xfe\x00"]
)
def test_a_malformed_file_is_a_plain_error(content: bytes, person: Path, working: Path) -> None:
    (person / "rag.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"rag\.toml"):
        load_settings(environment={"RAG_CONFIG_DIR": str(person)}, folder=working)


def test_a_folder_in_the_place_of_the_file_is_a_plain_error(person: Path, working: Path) -> None:
    (working / "rag.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(environment={"RAG_CONFIG_DIR": str(person)}, folder=working)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RAG_RETRIEVAL__PASSAGE", "8"), ("RAG_NOTHING__X", "8"), ("RAG_ANSWER__SENTENCES", "many")],
)
def test_a_wrong_variable_is_a_plain_error(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match="the environment"):
        load_settings(environment={variable: value})


def test_every_default_is_within_its_own_limits() -> None:
    defaults = dataclasses.asdict(Settings())
    assert apply_settings(Settings(), defaults, "the defaults") == Settings()
    as_texts = {
        group: {name: str(value) for name, value in values.items()}
        for group, values in defaults.items()
    }
    assert apply_settings(Settings(), as_texts, "the defaults") == Settings()


def test_a_setting_that_names_what_need_not_be_there_may_be_empty() -> None:
    given = ["retrieval.reranker=some/model", "retrieval.reranker= "]
    assert load_settings(given[:1], environment={}).retrieval.reranker == "some/model"
    assert load_settings(given, environment={}).retrieval.reranker == ""


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().retrieval.k = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "line",
    [
        "[providers.openai]\nbase_url = 'x'",
        "[answer]\nbackend = 'openai'",
        "[embedding]\nbase_url = 'x'",
        "[index]\nembedder = 'openai:text-embedding-3-small'",
        "[index]\nembedder = 'endpoint:x'",
    ],
)
def test_a_folder_may_not_say_who_gets_the_documents(tmp_path: Path, line: str) -> None:
    own, folder = tmp_path / "own", tmp_path / "folder"
    for place in (own, folder):
        place.mkdir()
        (place / "rag.toml").write_text(line, "utf-8")
    environment = {"RAG_CONFIG_DIR": str(own)}
    load_settings(environment=environment, folder=tmp_path)
    with pytest.raises(SettingsError, match="says who gets your documents"):
        load_settings(environment=environment, folder=folder)
