"""Providers as data: what ships, what a person changes, and what is refused."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendSetup, SettingsError
from rag.llm.endpoint import is_loopback
from rag.llm.providers import (
    RESERVED,
    Dialect,
    Price,
    Provider,
    endpoint,
    pointer,
    provider_of,
    providers,
    while_unnamed,
)
from rag.settings import Settings, load_settings

SHIPPED = providers(Settings())
NAMES = [one.name for one in SHIPPED]

# Whom the articles in seeds/ name as a company with language models, as they write it.
IN_THE_SEEDS = {
    "OpenAI": "openai",
    "Baidu": "qianfan",
    "SenseTime": "sensenova",
    "SenseNova": "sensenova",
    "Tencent Cloud": "tencent",
    "Tencent": "tencent",
    "Zhipu AI (Z.ai)": "zai",
    "Alibaba": "dashscope",
    "Qwen": "dashscope",
    "DeepSeek": "deepseek",
    "Google": "gemini",
    "Gemini": "gemini",
    "Anthropic": "anthropic",
    "Claude": "anthropic",
    "360 Security Technology": "ai360",
    "Hugging Face": "huggingface",
    "OpenRouter": "openrouter",
}


def of(name: str, *assignments: str, **tables: dict[str, Any]) -> Provider:
    found = provider_of(
        name,
        load_settings(assignments, environment={}) if assignments else Settings(providers=tables),
    )
    assert found is not None
    return found


def test_the_asked_for_providers_are_there() -> None:
    asked = (
        "openai azure anthropic gemini deepseek dashscope dashscope-intl zhipu zai qianfan tencent "
        "sensenova moonshot minimax ai360 mistral groq together openrouter huggingface siliconflow "
        "ollama llamacpp vllm sglang lmstudio"
    )
    assert set(asked.split()) <= set(NAMES)


@pytest.mark.parametrize("one", SHIPPED, ids=NAMES)
def test_a_shipped_provider_is_whole(one: Provider) -> None:
    environment = dict.fromkeys(one.key_variables, "k-1")
    server = endpoint(one, environment | {"AZURE_OPENAI_RESOURCE": "mine"})
    assert server.base_url.startswith("http://127.0.0.1:" if one.local else "https://")
    assert server.local is one.local
    assert one.label
    assert one.name not in RESERVED
    assert bool(one.place) is not one.local
    assert one.needs_key is not one.local
    assert bool(one.key_variables) or not one.needs_key
    assert one.models or one.local or one.name == "azure"
    assert set(one.prices) <= set(one.models)
    json.dumps(one.dialect.body)


def test_no_key_variable_is_that_of_another_company() -> None:
    """The sites of one company may share a variable; then its host is the only one to see it."""
    owners: dict[str, set[str]] = {}
    for one in SHIPPED:
        for variable in one.key_variables:
            owners.setdefault(variable, set()).add(one.name.removesuffix("-intl"))
    shared = {variable: names for variable, names in owners.items() if len(names) > 1}
    assert shared == {"ZAI_API_KEY": {"zhipu", "zai"}}


def test_a_key_is_ready_for_one_address_alone_while_nobody_is_named() -> None:
    """Whatever variable is set, at most one of the hosts that could take it may see it unasked."""
    for variable in {name for one in SHIPPED for name in one.key_variables}:
        others = [while_unnamed(one, SHIPPED) for one in SHIPPED]
        hosts = {one.base_url for one in others if variable in one.key_variables}
        assert len(hosts) <= 1


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("dashscope", ("DASHSCOPE_API_KEY",)),
        ("dashscope-intl", ("DASHSCOPE_INTL_API_KEY",)),
        ("zhipu", ("ZHIPUAI_API_KEY", "ZHIPU_API_KEY")),
        ("zai", ("ZAI_API_KEY",)),
        ("siliconflow", ("SILICONFLOW_CN_API_KEY",)),
        ("gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY")),
        ("ollama", ()),
    ],
)
def test_a_key_that_may_be_anothers_is_not_a_providers_own(name: str, own: tuple[str, ...]) -> None:
    assert while_unnamed(of(name), SHIPPED).key_variables == own


@pytest.mark.parametrize(("written", "name"), IN_THE_SEEDS.items())
def test_who_is_named_in_the_seeds_can_be_chosen(written: str, name: str) -> None:
    assert of(written).name == name
    product = re.sub(r" \(.*", "", written)
    assert any(product in path.read_text("utf-8") for path in Path("seeds").glob("*.txt"))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Microsoft Azure", "azure"),
        ("Zhipu AI", "zhipu"),
        ("z.ai", "zai"),
        ("GLM", "zhipu"),
        ("ernie", "qianfan"),
        ("hunyuan", "tencent"),
        ("Kimi", "moonshot"),
        ("Moonshot AI", "moonshot"),
        ("llama.cpp", "llamacpp"),
        ("LM Studio", "lmstudio"),
        ("DashScope Intl", "dashscope-intl"),
        ("360", "ai360"),
    ],
)
def test_spelling_does_not_matter(written: str, name: str) -> None:
    assert of(written).name == name


@pytest.mark.parametrize(
    "written", ["Meta", "meta llama", "Llama", "Kunlun", "Kunlun Tech", "Skywork"]
)
def test_who_has_no_endpoint_is_documented_with_the_way_to_its_models(written: str) -> None:
    assert provider_of(written, Settings()) is None
    way = pointer(written)
    assert way is not None
    named = re.findall(r"\b([a-z]+):[A-Za-z]", way)
    assert named
    assert set(named) <= {*NAMES, "transformers"}


@pytest.mark.parametrize("written", ["", " ", "-", "nobody", "local", "extractive"])
def test_other_words_are_nobody(written: str) -> None:
    assert provider_of(written, Settings()) is None
    assert pointer(written) is None


@given(st.data())
def test_every_name_leads_to_one_provider_however_it_is_written(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(SHIPPED))
    name = data.draw(st.sampled_from([one.name, *one.aliases]))
    gaps = data.draw(
        st.lists(st.sampled_from(["", " ", "-", "."]), min_size=len(name), max_size=len(name))
    )
    written = "".join(letter + gap for letter, gap in zip(name, gaps, strict=True))
    shouted = data.draw(st.sampled_from([written, written.upper(), written.title()]))
    assert of(shouted).name == one.name


def test_single_fields_are_changed() -> None:
    changed = of(
        "openai",
        "providers.openai.models=gpt-5.6-terra, other/model-1.5:free",
        "providers.openai.window=8000",
        "providers.openai.needs_key=no",
    )
    before = of("openai")
    assert changed.models == ("gpt-5.6-terra", "other/model-1.5:free")
    assert (changed.window, changed.needs_key) == (8000, False)
    assert (changed.label, changed.dialect, changed.prices) == (
        before.label,
        before.dialect,
        before.prices,
    )


def test_one_is_added() -> None:
    table = {
        "base_url": "https://llm.example.com/v1",
        "label": "Our own",
        "place": "VN",
        "key_variables": ["OUR_KEY"],
        "models": ["m"],
        "dialect": {"like": "deepseek", "temperature": False},
        "prices": {"m": {"input": 1, "output": 2.5}},
        "aliases": ["ours"],
    }
    added = of("OURS", **{"our-server": table})
    body = {"thinking": {"type": "disabled"}}
    assert added.dialect == Dialect(temperature=False, body=body)
    assert added.prices == {"m": Price(1, 2.5)}
    assert (added.name, added.place, added.window) == ("our-server", "VN", 32_768)
    assert endpoint(added, {"OUR_KEY": " k \n"}).key == "k"
    assert added in providers(Settings(providers={"our-server": table}))


def test_like_takes_over_the_protocol_and_no_key() -> None:
    added = of("mine", mine={"base_url": "https://example.com", "like": "Alibaba"})
    model = of("dashscope")
    assert (added.dialect, added.models) == (model.dialect, model.models)
    assert (added.key_variables, added.place, added.label) == ((), "", "mine")
    with pytest.raises(BackendSetup, match=r"providers\.mine\.key_variables"):
        endpoint(added, {"DASHSCOPE_API_KEY": "k"})


def test_a_table_of_a_dialect_changes_single_fields_of_it() -> None:
    changed = of("deepseek", deepseek={"dialect": {"stream": "no"}})
    assert changed.dialect == Dialect(stream=False, body=of("deepseek").dialect.body)
    assert of("deepseek", deepseek={"dialect": "plain"}).dialect == Dialect()


def test_who_stands_behind_another_address_is_not_known() -> None:
    moved = of("openai", openai={"base_url": "https://proxy.example.com/v1"})
    assert (moved.place, moved.prices) == ("", {})
    told = of("openai", openai={"base_url": "https://proxy.example.com/v1", "place": "FR"})
    assert told.place == "FR"
    same = of("openai", openai={"base_url": "https://api.openai.com/v2"})
    assert (same.place, same.prices) == ("US", of("openai").prices)


@pytest.mark.parametrize(
    ("name", "table", "window", "tokenizer"),
    [
        ("openai", {"base_url": "https://proxy.example.com/v1"}, 32_768, ""),
        ("openai", {"base_url": "http://127.0.0.1:4000/v1", "window": 9000}, 9000, ""),
        (
            "openai",
            {"base_url": "https://proxy.example.com/v1", "tokenizer": "cl100k_base"},
            32_768,
            "cl100k_base",
        ),
        ("openai", {"base_url": "https://api.openai.com/v2"}, 131_072, "o200k_base"),
        ("mine", {"base_url": "https://example.com/v1", "like": "openai"}, 32_768, ""),
        (
            "mine",
            {"base_url": "https://api.openai.com/v1", "like": "openai"},
            131_072,
            "o200k_base",
        ),
        ("mine", {"base_url": "https://x.com", "like": "openai", "window": 200_000}, 200_000, ""),
        # What is small stays small: Ollama cuts a longer prompt in silence.
        ("ollama", {"base_url": "http://192.168.1.5:11434/v1"}, 4096, ""),
        ("mine", {"base_url": "http://192.168.1.5:8000/v1", "like": "vllm"}, 8192, ""),
        ("groq", {"like": "openai"}, 32_768, ""),
    ],
)
def test_what_another_host_reads_is_not_known(
    name: str, table: dict[str, Any], window: int, tokenizer: str
) -> None:
    changed = of(name, **{name: table})
    assert (changed.window, changed.tokenizer) == (window, tokenizer)


def test_the_sites_of_one_company_read_as_much() -> None:
    for one in SHIPPED:
        if one.name.endswith("-intl"):
            assert one.window == of(one.name.removesuffix("-intl")).window
    assert of("zai").window == of("zhipu").window
    assert of("groq", groq={"like": "openai"}).place == "US"


@pytest.mark.parametrize(
    ("table", "local"),
    [
        ({"base_url": "http://localhost:5/v1"}, True),
        ({"base_url": "http://[::1]:5/v1"}, True),
        ({"base_url": "http://192.168.1.5:11434/v1"}, False),
        ({"local": False}, False),
    ],
)
def test_local_are_only_servers_on_this_machine(table: dict[str, Any], local: bool) -> None:
    assert of("ollama", ollama=table).local is local
    # A server that merely listens here may pass on what it is sent: it has to be named.
    assert of("mine", mine={"base_url": "http://127.0.0.1:4000"}).local is False
    assert of("openai", openai={"base_url": "http://127.0.0.1:4000"}).local is False


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("openai", {"bas_url": "x"}, "There is no setting providers.openai.bas_url. Known: label"),
        ("openai", {"name": "x"}, "There is no setting providers.openai.name"),
        ("openai", {"window": "many"}, "providers.openai.window must be a whole number"),
        ("openai", {"window": 10}, "from 512"),
        ("openai", {"window": True}, "providers.openai.window"),
        ("openai", {"needs_key": "perhaps"}, "providers.openai.needs_key must be true or false"),
        ("openai", {"needs_key": 1}, "providers.openai.needs_key"),
        ("openai", {"models": 5}, "providers.openai.models must be a list"),
        ("openai", {"models": [5]}, "providers.openai.models must be a text"),
        ("openai", {"place": "USA"}, "providers.openai.place"),
        ("openai", {"label": 5}, "providers.openai.label must be a text"),
        ("openai", {"dialect": "nonsense"}, "providers.openai.dialect is no dialect. Known: plain"),
        ("openai", {"dialect": {"like": "x"}}, "providers.openai.dialect.like"),
        ("openai", {"dialect": {"body": "x"}}, "providers.openai.dialect.body must be a table"),
        ("openai", {"dialect": {"x": "x"}}, "There is no setting providers.openai.dialect.x"),
        ("openai", {"like": "nobody"}, "providers.openai.like names no provider"),
        (
            "openai",
            {"prices": {"m": 5}},
            "providers.openai.prices.m must be a table with input and output",
        ),
        (
            "openai",
            {"prices": {"m": {"input": -1, "output": 1}}},
            "providers.openai.prices.m.input",
        ),
        ("openai", {"prices": "5"}, "providers.openai.prices must be a table"),
        ("openai", {"base_url": " "}, "providers.openai.base_url is missing"),
        ("ollama", {"base_url": "http://h/v1", "local": True}, "providers.ollama.local"),
        ("mine", {"label": "x"}, "providers.mine.base_url is missing"),
        (
            "mine",
            {"base_url": "http://h", "aliases": ["Claude"]},
            "'Claude' is a name of anthropic",
        ),
        ("alibaba", {"base_url": "http://h"}, "Call the table providers.dashscope."),
        ("open-ai", {"window": 600}, "Call the table providers.openai."),
        ("local", {"base_url": "http://h"}, "cannot be called 'local'"),
        ("a:b", {"base_url": "http://h"}, "cannot be called 'a:b'"),
        ("", {"base_url": "http://h"}, "cannot be called ''"),
    ],
)
def test_a_malformed_table_is_a_plain_error(name: str, table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        providers(Settings(providers={name: table}))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "field", ["key", "api_key", "key_variables", "base_url", "window", "place"]
)
def test_a_key_in_the_wrong_place_is_not_repeated(field: str) -> None:
    secret = "sk-Proj_1234567890"  # noqa: S105 - of nobody
    value = f"https://user:{secret}@example.com" if field == "base_url" else secret
    with pytest.raises((SettingsError, BackendSetup)) as caught:
        endpoint(of("mine", mine={"base_url": "https://example.com", field: value}), {})
    assert secret not in str(caught.value)
    assert "providers.mine" in str(caught.value)


@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        st.sampled_from([*Provider.__dataclass_fields__, "like", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=8), inner, max_size=3)
            ),
            max_leaves=4,
        ),
        max_size=4,
    ),
)
def test_whatever_a_table_holds_is_taken_or_refused_in_words(
    name: str, table: dict[str, Any]
) -> None:
    refused = ""
    try:
        found = providers(Settings(providers={name: table}))
    except SettingsError as error:
        found, refused = (), str(error)
    if refused:
        assert f"providers.{name}" in refused
        return
    one = next(one for one in found if one.name == name)
    assert [other for other in found if other.name != name] == [
        other for other in SHIPPED if other.name != name
    ]
    assert not one.local or is_loopback(endpoint(one, {}).host)


def test_the_readme_lists_every_provider_as_it_is() -> None:
    readme = Path("README.md").read_text("utf-8")
    for one in SHIPPED:
        keys = ", ".join(f"`{variable}`" for variable in one.key_variables) or "none"
        where = "this machine" if one.local else one.place
        assert f"| `{one.name}` | {one.label} | {where} | {keys} |" in readme


def test_the_readme_shows_settings_that_work() -> None:
    readme = Path("README.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    tables = next(tomllib.loads(block) for block in blocks if "[providers." in block)
    changed = of("our-server", **tables["providers"])
    assert endpoint(changed, {"BASEMENT_KEY": "k"}).host == "llm.example.com"
    assert changed.dialect.length_field == "max_completion_tokens"
    assert changed.dialect.body == of("vllm").dialect.body
