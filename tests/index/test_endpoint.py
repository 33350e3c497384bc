"""Embeddings from a server, against a real one on this machine that also misbehaves."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexMismatch, ModelError, SettingsError
from rag.index.embed import embedder_for
from rag.index.endpoint import EndpointEmbedder
from rag.index.index import Index
from rag.index.models import Provider
from rag.index.status import status_of
from rag.settings import EmbeddingSettings, IndexSettings, Settings

from .embedding_server import Reply, numbers, serving, vectors

KEY = "sk-secret-123"


def embedder(url: str, model: str = "test-model", batch: int = 2) -> EndpointEmbedder:
    return EndpointEmbedder("endpoint:m", Provider(url, ("SOME_KEY",), batch), model, 3)


def settings_of(url: str, model: str = "test-model") -> Settings:
    chosen = IndexSettings(embedder=f"endpoint:{model}")
    return Settings(index=chosen, embedding=EmbeddingSettings(base_url=url))


def test_vectors_come_in_batches_in_order_and_of_length_1() -> None:
    texts = ["a", "bb", "ccc", "dddd", "eeeee"]
    with serving() as (url, heard):
        found = embedder(url).embed(texts)
        assert embedder(url).embed([]).shape == (0, 3)
    expected = np.array([numbers(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32
    assert [body["input"] for body in heard.bodies] == [texts[:2], texts[2:4], texts[4:]]
    assert {body["model"] for body in heard.bodies} == {"test-model"}
    assert set(heard.paths) == {"/v1/embeddings"}


def test_a_model_gets_its_prefixes() -> None:
    with serving() as (url, heard):
        model = embedder(url, "intfloat/multilingual-e5-small")
        model.embed(["Sora"], query=True)
        model.embed(["Sora"])
    assert [body["input"] for body in heard.bodies] == [["query: Sora"], ["passage: Sora"]]


def test_the_key_is_sent_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-you")
    with serving() as (url, heard):
        embedder(url).embed(["a"])
        monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
        embedder(url).embed(["a"])
    assert "authorization" not in heard.headers[0]
    assert heard.headers[1]["authorization"] == f"Bearer {KEY}"
    assert "not-for-you" not in str(heard.headers)


def test_what_is_for_this_machine_goes_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as (proxy, overheard), serving() as (url, heard):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.removesuffix("/v1"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        embedder(url).embed(["a"])
    assert (len(heard.bodies), overheard.bodies) == (1, [])


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "khóa", "a\x7fb"])
def test_a_missing_or_malformed_key_stops_before_any_connection(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    with serving() as (url, heard):
        # The same machine, under a name that is not known to be it.
        remote = url.replace("127.0.0.1", "127.0.0.1.")
        with pytest.raises(ModelError, match="SOME_KEY"):
            embedder(remote).embed(["a"])
    assert heard.bodies == []


def error(message: str, code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(401, error(f"Wrong key {KEY}.")), r"refused the key, which is from SOME_KEY.*Wrong"),
        (Reply(403, b"<html>no</html>"), "refused the key"),
        (Reply(404, error("no such model")), "has no embedding model 'test-model'.*no such model"),
        (Reply(400, json.dumps([{"error": {"message": "list"}}]).encode()), "HTTP 400.*list"),
        (Reply(400, b"[" * 100_000), "HTTP 400"),
        (Reply(429, error("no credit", "insufficient_quota")), "HTTP 429.*no credit"),
        (Reply(429, error("much later"), {"retry-after": "3600"}), "HTTP 429.*much later"),
        (Reply(200, b"<html>Welcome</html>"), "not vectors"),
        (Reply(200, b""), "not vectors"),
        (Reply(200, b"\xff\xfe"), "not vectors"),
        (Reply(200, b"[" * 100_000), "not vectors"),
        (Reply(200, b'{"data": {"a": 1}}'), "not vectors"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": "AACAPw=="}]}'), "not vectors"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": [NaN, 1, 2]}]}'), "not vectors"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": []}]}'), "not vectors"),
        (Reply(200, b'{"data": []}'), "0 vectors for 1 text"),
        (Reply(200, vectors(["a", "b"])), "2 vectors for 1 text"),
        (Reply(200, b'{"data": [{"index": 7, "embedding": [1, 2, 3]}]}'), "1 vectors for 1 text"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": [1, 2]}]}'), "2 numbers.*re-embed"),
    ],
)
def test_a_refusal_or_nonsense_is_a_plain_error(
    reply: Reply, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    with serving(reply) as (url, heard), pytest.raises(ModelError, match=said) as caught:
        embedder(url).embed(["a"])
    assert KEY not in str(caught.value)
    assert len(heard.bodies) == 1


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    with serving() as (other, overheard):
        away = Reply(308, b"", {"location": f"{other}/embeddings"})
        with serving(away) as (url, _), pytest.raises(ModelError, match="not followed"):
            embedder(url).embed(["a"])
    assert overheard.bodies == []


def test_a_busy_server_is_asked_again_when_it_says_and_not_forever() -> None:
    waited: list[float] = []

    def patient(url: str) -> EndpointEmbedder:
        return EndpointEmbedder("endpoint:m", Provider(url), "m", 3, waited.append)

    busy = [Reply(429, error("slow down"), {"retry-after": "7"}), Reply(503, b"loading")]
    with serving(*busy) as (url, heard):
        assert patient(url).embed(["a"]).shape == (1, 3)
    assert (waited, len(heard.bodies)) == ([7.0, 2.0], 3)

    waited.clear()
    with (
        serving(*[Reply(429, error("slow down"))] * 99) as (url, heard),
        pytest.raises(ModelError, match="slow down") as caught,
    ):
        patient(url).embed(["a"])
    assert caught.value.retry
    assert (waited, len(heard.bodies)) == ([1.0, 2.0, 4.0, 8.0], 5)


def test_a_server_that_is_not_there_is_a_plain_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match="No server of embeddings answers at"):
            embedder(url).embed(["a"])


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ModelError, match="not the address of a server"):
        embedder(url).embed(["a"])


def test_an_address_with_a_password_is_not_repeated() -> None:
    with pytest.raises(ModelError, match="holds a name or a password") as caught:
        embedder(f"http://me:{KEY}@127.0.0.1:9/v1").embed(["a"])
    assert KEY not in str(caught.value)


def test_an_unknown_provider_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'cohere'.*Known: .*openai.*endpoint:MODEL"):
        embedder_for(Settings(index=IndexSettings(embedder="cohere:embed-v4")))


def test_an_index_asks_for_the_dimension_once_and_its_status_asks_nobody(tmp_path: Path) -> None:
    folder, paper = tmp_path / "index", tmp_path / "paper.txt"
    paper.write_text("A glacier melted in the north.", "utf-8")
    with serving() as (url, heard):
        chosen = settings_of(url)
        index = Index.create(folder, chosen)
        assert (index.fingerprint.embedder, index.fingerprint.dimension) == (
            "endpoint:test-model",
            3,
        )
        assert len(heard.bodies) == 1
        index.add(paper)
        assert len(heard.bodies) == 2
        found = status_of(folder, chosen)
        assert found.facts["embedder_is"] == (
            "an endpoint at 127.0.0.1, which is sent passages and questions"
        )
        assert found.mismatch == ""
        assert Index.open(folder, chosen).search("glacier")
        assert [body["input"] for body in heard.bodies[2:]] == [["glacier"]]


def test_an_index_of_an_endpoint_is_not_opened_where_the_settings_name_another(
    tmp_path: Path,
) -> None:
    with serving() as (url, _):
        Index.create(tmp_path / "index", settings_of(url))
    with pytest.raises(IndexMismatch, match="endpoint:test-model"):
        Index.open(tmp_path / "index", Settings())
