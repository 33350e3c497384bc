"""A server that nobody here wrote: transformers' own, with a model made in the test."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from rag.errors import BackendError, Fault
from rag.llm.backend import Finished, Part, Request
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Provider
from rag.llm.tokens import counter
from rag.messages import Message, answer_messages
from rag.settings import AnswerSettings
from tests.rag.conftest import hit_of, lexical_evidence
from tests.rag.tiny_model import make_model

ASKED: tuple[Message, ...] = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Vì sao?"},
)
REQUEST = Request("Vì sao?", "vi", (), ASKED, lexical_evidence)
MODEL = "some-body/tiny"
# Loading takes seconds, on a busy machine many.
_START_SECONDS = 180


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hub")
    cached = folder / "models--some-body--tiny"
    shutil.copytree(make_model(folder / "tiny", ends=True), cached / "snapshots" / ("0" * 40))
    shutil.rmtree(folder / "tiny")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0" * 40, "utf-8")
    port = free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {"HF_HUB_CACHE": str(folder), "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_for(port, process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers: it listens before it has loaded what it needs."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        try:
            connection.request("GET", "/v1/models")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    pytest.fail(f"The server did not start: {log.read_text('utf-8')[-2000:]}")


def backend_for(url: str, model: str = MODEL, answer_tokens: int = 200) -> OpenAIBackend:
    provider = Provider("own", "A server of one's own", url, needs_key=False, local=True)
    settings = AnswerSettings(answer_tokens=answer_tokens, first_token_seconds=_START_SECONDS)
    return OpenAIBackend(provider, model, settings)


def written(backend: OpenAIBackend, request: Request = REQUEST) -> list[Part]:
    async def ask() -> list[Part]:
        return [part async for part in backend.stream(request)]

    return asyncio.run(ask())


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def test_an_answer_comes_in_pieces_to_its_end(server: str) -> None:
    *pieces, finished = written(backend_for(server))
    assert len(pieces) > 5
    assert text_of(pieces).strip()
    assert isinstance(finished, Finished)
    assert finished.reason == "stop"
    assert finished.usage.output_tokens
    assert 9 <= finished.usage.output_tokens < 100


def test_the_prompt_has_no_more_tokens_than_it_was_counted_to_have(server: str) -> None:
    hits = tuple(
        hit_of("Ông Yin Ye gọi Sora là “khoảnh khắc Newton”. " * 9, "vi", n) for n in (1, 2)
    )
    messages = answer_messages("Ai?", "vi", hits)
    request = Request("Ai?", "vi", hits, messages, lexical_evidence, "Ai?")
    *_, finished = written(backend_for(server), request)
    assert isinstance(finished, Finished)
    assert finished.passages == 2
    assert finished.usage.input_tokens
    assert finished.usage.input_tokens <= counter("")(messages)


def test_the_model_is_found_where_none_is_named(server: str) -> None:
    backend = backend_for(server, model="")
    assert text_of(written(backend)).strip()
    assert backend.name == f"own/{MODEL}"


def test_an_answer_that_reaches_its_limit_is_not_taken_for_a_whole_one(server: str) -> None:
    with pytest.raises(BackendError) as caught:
        written(backend_for(server, answer_tokens=3))
    assert caught.value.fault is Fault.LENGTH


def test_a_model_that_it_does_not_have_is_an_error(server: str) -> None:
    with pytest.raises(BackendError) as caught:
        written(backend_for(server, model="some-body/else"))
    assert "\n" not in str(caught.value)
    assert text_of(written(backend_for(server))).strip()


def test_after_an_answer_was_stopped_the_next_one_is_whole(server: str) -> None:
    async def stop() -> None:
        async with aclosing(backend_for(server).stream(REQUEST)) as parts:
            await anext(parts)

    whole = text_of(written(backend_for(server)))
    asyncio.run(stop())
    assert text_of(written(backend_for(server))) == whole
