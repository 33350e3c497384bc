"""Where settings come from, which wins, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import SettingsError
from rag.llm.providers import provider_of
from rag.serialization import to_json
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


def test_tables_of_providers_are_joined_field_by_field(person: Path, working: Path) -> None:
    (person / "rag.toml").write_text(
        "[providers.dashscope-intl]\nwindow = 1000\nlabel = 'a'\nmodels = ['x']\n"
        "[providers.mine]\nbase_url = 'http://127.0.0.1:1/v1'\nprices = { 'm.1' = { input = 1, output = 2 } }\n",
        "utf-8",
    )
    environment = {
        "RAG_CONFIG_DIR": str(person),
        "RAG_PROVIDERS__DASHSCOPE_INTL__LABEL": "b",
        "RAG_PROVIDERS__DASHSCOPE_INTL__MODELS": "y",
    }
    given = ["providers.DashScope-Intl.models=z, z.2", "providers.mine.window=600"]
    loaded = load_settings(given, environment=environment, folder=working)
    assert loaded.providers == {
        "dashscope-intl": {"window": 1000, "label": "b", "models": "z, z.2"},
        "mine": {
            "base_url": "http://127.0.0.1:1/v1",
            "prices": {"m.1": {"input": 1, "output": 2}},
            "window": "600",
        },
    }
    intl, mine = (provider_of(name, loaded) for name in ("dashscope-intl", "mine"))
    assert intl is not None
    assert (intl.window, intl.label, intl.models) == (1000, "b", ("z", "z.2"))
    assert mine is not None
    assert (mine.window, mine.prices["m.1"].output) == (600, 2)
    assert json.loads(to_json(loaded))["providers"] == loaded.providers


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("12,. ", max_size=4)), max_size=6))
def test_the_last_value_for_a_field_of_a_provider_wins(given: list[tuple[str, str]]) -> None:
    assignments = [f"providers.x.{name}={value}" for name, value in given]
    assert load_settings(assignments, environment={}, folder=Path("nowhere")).providers.get(
        "x", {}
    ) == dict(given)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("providers.openai=x", "providers.openai must be a table"),
        ("providers=x", "GROUP.NAME=VALUE"),
        ("answer.language=xx", "answer.language must be one of en, vi"),
        ("answer.translate=maybe", "answer.translate must be true or false"),
        ("answer.temperature=3", "from 0 to 2"),
        ("answer.first_token_seconds=0", "from 0.01"),
    ],
)
def test_a_wrong_setting_of_answers_is_a_plain_error(assignment: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings([assignment], environment={})
    assert said in str(caught.value)


@pytest.mark.parametrize("line", ["providers = 5", "[providers]\nopenai = 5"])
def test_a_provider_that_is_no_table_is_a_plain_error(person: Path, line: str) -> None:
    (person / "rag.toml").write_text(line, "utf-8")
    with pytest.raises(SettingsError, match=r"rag\.toml: providers"):
        load_settings(environment={"RAG_CONFIG_DIR": str(person)}, folder=person / "none")


@pytest.mark.parametrize(
    "variables",
    [
        {"RAG_PROVIDERS__X": "1", "RAG_PROVIDERS__X__Y": "2"},
        {"RAG_PROVIDERS__X__Y": "2", "RAG_PROVIDERS__X": "1"},
    ],
)
def test_a_variable_that_is_half_a_name_is_a_plain_error(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"the environment: providers\.x must be a table"):
        load_settings(environment=variables)


@pytest.mark.parametrize(
    ("text", "flag"),
    [("true", True), ("Yes", True), (" 1 ", True), ("FALSE", False), ("no", False), ("0", False)],
)
def test_a_flag_is_read_as_people_write_it(text: str, flag: bool) -> None:
    loaded = load_settings([f"answer.translate={text}"], environment={})
    assert loaded.answer.translate is flag
    assert load_settings(["answer.language=vi"], environment={}).answer.language == "vi"


def test_in_ones_own_configuration_folder_the_own_file_holds(person: Path) -> None:
    (person / "rag.toml").write_text('[answer]\nbackend = "openai, extractive"\n', "utf-8")
    found = load_settings(environment={"RAG_CONFIG_DIR": str(person)}, folder=person)
    assert found.answer.backend == "openai, extractive"
