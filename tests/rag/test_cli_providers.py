"""``rag providers``: who is listed and how, and what a server is asked by --check."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rag.evals.benchmarks.chat_server import chunk, head
from rag.llm.providers import providers
from rag.settings import Settings
from tests.rag.test_cli import failure, run

KEY = "sk-secret-123"
ANSWER = b"".join([head(), chunk("O"), chunk("K"), chunk(reason="stop")])
CUT = b"".join([head(), chunk("O"), chunk(reason="length")])
MODELS = head(kind="application/json") + json.dumps({"data": [{"id": "qwen3"}]}).encode()


def refusing(status: str, **error: Any) -> bytes:
    return head(status, "application/json") + json.dumps({"error": error}).encode()


BLOCKED = refusing("403 Forbidden", code="unsupported_country_region_territory", message="Not here")
NO_KEY = refusing("401 Unauthorized", code="invalid_api_key", message=f"Incorrect key {KEY}")


@dataclass
class Server:
    """A server on this machine: its address, and what it was asked."""

    url: str
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serving(*replies: bytes) -> Iterator[Server]:
    """A server with one model that gives each of these replies in turn, then the last one."""
    waiting = list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(f"GET {self.path}")
            self.wfile.write(MODELS)

        def do_POST(self) -> None:
            server.asked.append(f"POST {self.path} {self.headers['Authorization']}")
            server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.wfile.write(waiting.pop(0) if len(waiting) > 1 else waiting[0])

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{listening.server_port}/v1")
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def mine(server: Server, name: str = "mine", **fields: str) -> list[str]:
    """The arguments that make this server a provider."""
    given = {"base_url": server.url, "models": "m1", "key_variables": "MY_KEY", **fields}
    return [
        word
        for key, value in given.items()
        for word in ("--set", f"providers.{name}.{key}={value}")
    ]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No key of whoever runs this, no server that happens to listen here, a state of its own."""
    for provider in providers(Settings()):
        for variable in provider.key_variables:
            monkeypatch.delenv(variable, raising=False)
        if provider.local:
            name = f"RAG_PROVIDERS__{provider.name.upper()}__BASE_URL"
            monkeypatch.setenv(name, "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RAG_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("MY_KEY", KEY)
    return tmp_path / "state" / "rests.json"


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert run("providers", "--json", *arguments) == 0
    out = capsys.readouterr().out
    assert KEY not in out
    return {one["name"]: one for one in json.loads(out)}


def test_every_provider_is_listed_with_what_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys)
    assert set(found) == {one.name for one in providers(Settings())}
    openai, ollama = found["openai"], found["ollama"]
    assert (openai["place"], openai["models"]) == ("US", ["gpt-6-luna"])
    assert openai["lacks"] == "OPENAI_API_KEY is not set, so api.openai.com cannot be asked."
    assert ollama["lacks"].startswith("No server with a model to chat with answers at http://127.")
    assert not any(one["ready"] or one["chain"] for one in found.values())


def test_a_key_makes_a_provider_ready_and_not_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    gemini = listed(capsys)["gemini"]
    assert (gemini["ready"], gemini["key_variable"], gemini["chain"]) == (
        True,
        "GOOGLE_API_KEY",
        False,
    )
    chosen = listed(capsys, "--backend", "google:some-model, extractive")
    assert next(iter(chosen)) == "gemini"
    assert (chosen["gemini"]["chain"], chosen["gemini"]["models"]) == (True, ["some-model"])


def test_people_are_told_where_a_provider_is_and_who_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    assert run("providers", "--backend", "deepseek, moonshot, extractive") == 0
    out = capsys.readouterr().out
    asked, ready, missing = out.split("\n\n")[1:]
    assert out.startswith("The chain is: deepseek, moonshot, extractive\n")
    assert "deepseek         DeepSeek, China: deepseek-flash" in asked
    assert "MOONSHOT_API_KEY or KIMI_API_KEY is not set" in asked
    assert "the key is in GROQ_API_KEY" in ready
    assert "openai" in missing
    assert KEY not in out


def test_a_server_on_this_machine_that_answers_is_in_the_default_chain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(ANSWER) as server:
        found = listed(capsys, "--set", f"providers.ollama.base_url={server.url}")
        own = listed(capsys, *mine(server))["mine"]
    assert (found["ollama"]["ready"], found["ollama"]["chain"]) == (True, True)
    assert found["ollama"]["models"] == ["qwen3"]
    # One that merely listens here has not been named.
    assert (own["ready"], own["chain"]) == (True, False)
    assert server.asked == ["GET /v1/models"]


def test_only_those_named_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(listed(capsys, "Alibaba Cloud", "Z.ai")) == ["dashscope", "zai"]
    assert run("providers", "azure") == 0
    assert "The model is the name of your deployment" in capsys.readouterr().out


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_name_of_nobody_is_a_plain_error(
    check: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("providers", *check, "nobody") == 1
    assert "'nobody'" in failure(capsys)
    assert run("providers", *check, "Meta") == 1
    assert "ollama:llama3.3" in failure(capsys)


def test_one_token_is_asked_for_and_no_passage_sent(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(CUT) as server:
        assert run("providers", "--check", "mine:m2", *mine(server)) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine/m2 ")
    assert "answered after" in out
    assert server.asked == [f"POST /v1/chat/completions Bearer {KEY}"]
    (body,) = server.bodies
    assert (body["model"], body["max_tokens"]) == ("m2", 1)
    assert body["messages"] == [{"role": "user", "content": "Say: OK"}]


def test_a_parameter_that_is_not_taken_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model."
    refused = refusing(
        "400 Bad Request", code="unsupported_parameter", param="max_tokens", message=said
    )
    with serving(refused, ANSWER) as server:
        assert run("providers", "--check", "--json", "mine", *mine(server)) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["backend"], result["answered"]) == ("mine/m1", True)
    assert ["max_tokens" in body for body in server.bodies] == [True, False]


def test_all_that_are_ready_are_asked_where_none_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(ANSWER) as good, serving(BLOCKED) as bad:
        arguments = [*mine(good, "good"), *mine(bad, "bad")]
        assert run("providers", "--check", "--json", *arguments) == 0
    results = {one["backend"]: one for one in json.loads(capsys.readouterr().out)}
    assert set(results) == {"good/m1", "bad/m1"}
    assert results["good/m1"]["answered"]
    assert results["bad/m1"]["fault"] == "country not served"
    assert "Not here" in results["bad/m1"]["reason"]


def test_a_deployment_without_a_name_keeps_nobody_from_being_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_RESOURCE", "mine")
    azure = listed(capsys)["azure"]
    assert not azure["ready"]
    assert azure["lacks"] == "The model is missing: name your deployment, azure:NAME."
    for named in (
        listed(capsys, "--backend", "azure:mine")["azure"],
        listed(capsys, "--set", "providers.azure.models=mine")["azure"],
    ):
        assert (named["ready"], named["models"]) == (True, ["mine"])
    with serving(ANSWER) as good:
        assert run("providers", "--check", "--json", *mine(good)) == 0
    assert [one["backend"] for one in json.loads(capsys.readouterr().out)] == ["mine/m1"]


def test_a_key_goes_to_another_site_only_where_that_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ANSWER) as here, serving(ANSWER) as abroad:
        sites = [
            *("--set", f"providers.moonshot.base_url={here.url}"),
            *("--set", f"providers.moonshot-intl.base_url={abroad.url}"),
        ]
        monkeypatch.setenv("MOONSHOT_API_KEY", KEY)
        found = listed(capsys, *sites)
        assert (found["moonshot"]["ready"], found["moonshot-intl"]["ready"]) == (True, False)
        assert found["moonshot-intl"]["lacks"] == (
            "The key in MOONSHOT_API_KEY may be for another site: moonshot-intl gets it only "
            "where it is named."
        )
        assert run("providers", "--check", "--json", *sites) == 0
        (result,) = json.loads(capsys.readouterr().out)
        assert result["backend"] == "moonshot/kimi-k3"
        assert abroad.asked == []
        named = listed(capsys, "--backend", "moonshot-intl", *sites)["moonshot-intl"]
        assert (named["ready"], named["key_variable"]) == (True, "MOONSHOT_API_KEY")
        assert run("providers", "--check", "moonshot-intl", *sites) == 0
        capsys.readouterr()
        assert abroad.asked == [f"POST /v1/chat/completions Bearer {KEY}"]
        monkeypatch.setenv("MOONSHOT_INTL_API_KEY", KEY)
        assert listed(capsys, *sites)["moonshot-intl"]["ready"]


@pytest.mark.parametrize("chain", ["local", "vllm"])
def test_a_server_here_gets_a_key_only_where_it_is_named(
    chain: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    with serving(ANSWER) as server:
        where = ["--backend", chain, "--set", f"providers.vllm.base_url={server.url}"]
        assert listed(capsys, *where)["vllm"]["chain"]
        assert run("providers", "--check", *where) == 0
    keyed = [f"POST /v1/chat/completions Bearer {KEY}"]
    posts = [one for one in server.asked if one.startswith("POST")]
    assert posts == (keyed if chain == "vllm" else ["POST /v1/chat/completions None"])


def test_all_models_of_the_chain_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(ANSWER) as server:
        chain = ["--backend", "mine:a, mine:b, extractive"]
        assert run("providers", "--check", "--json", *chain, *mine(server)) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["backend"] for one in results] == ["mine/a", "mine/b"]


def test_a_check_wakes_what_a_chain_names_without_a_model(
    own_state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = refusing("429 Too Many Requests", message="Slow down")
    with serving(busy, ANSWER) as server:
        where = ["--backend", "ollama", "--set", f"providers.ollama.base_url={server.url}"]
        for code, names in [(1, 1), (0, 0)]:
            assert run("providers", "--check", *where) == code
            assert len(json.loads(own_state.read_text("utf-8"))) == names
    assert "GET /v1/models" in server.asked


def test_one_that_fails_rests_and_one_that_answers_no_longer(
    own_state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(NO_KEY, ANSWER) as server:
        arguments = mine(server)
        assert run("providers", "--check", "mine", *arguments) == 1
        out = capsys.readouterr().out
        assert "failed after" in out
        assert "key refused" in out
        assert "MY_KEY" in out
        resting = listed(capsys, "mine", *arguments)["mine"]
        assert resting["rests_until"] > time.time()
        assert resting["rests_for"] == "Key refused (HTTP 401, invalid_api_key)."
        assert run("providers", "mine", *arguments) == 0
        shown = capsys.readouterr().out
        assert "rests until" in shown
        assert run("providers", "--check", "mine", *arguments) == 0
        assert "mine/m1 " in capsys.readouterr().out
        awake = listed(capsys, "mine", *arguments)["mine"]
    assert awake["rests_until"] is None
    assert KEY not in out + shown + own_state.read_text("utf-8")


def test_without_a_key_nothing_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_KEY")
    with serving(ANSWER) as server:
        arguments = mine(server, base_url="https://llm.example.com/v1")
        assert run("providers", "--check", "mine", *arguments) == 1
    assert "MY_KEY is not set, so llm.example.com cannot be asked." in capsys.readouterr().out
    assert server.asked == []
    assert run("providers", "--check") == 1
    assert capsys.readouterr().out == "No provider is ready: see rag providers.\n"


def test_what_has_no_server_is_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("providers", "--check", "extractive") == 1
    assert "extractive has no server" in failure(capsys)
