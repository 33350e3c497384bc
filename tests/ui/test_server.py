"""The server around the page: who may reach it, and what its answers allow."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from rag.chatbot import Chatbot
from rag.errors import SettingsError
from rag.index.index import Index
from rag.settings import Settings
from rag.ui.server import serve
from tests.ui.conftest import running


@pytest.fixture(scope="module")
def address(seeds_index: Index) -> Iterator[str]:
    with running(seeds_index, Chatbot(seeds_index)) as address:
        yield address


def _get(address: str, **headers: str) -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


def test_the_page_forbids_itself_every_other_host(address: str) -> None:
    status, headers, _ = _get(address)
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_a_request_under_another_name_is_refused(address: str) -> None:
    assert _get(address, Host="documents.example")[0] == 400


def test_there_is_no_public_list_of_functions(address: str) -> None:
    status, _, body = _get(f"{address}/gradio_api/info")
    assert status == 200
    assert json.loads(body) == {"named_endpoints": {}, "unnamed_endpoints": {}}
    assert _get(f"{address}/docs")[0] == 404


def test_files_outside_the_page_are_not_served(address: str) -> None:
    for path in (
        "/gradio_api/file=/etc/passwd",
        "/file=/etc/passwd",
        "/static/../../../etc/passwd",
    ):
        status, _, body = _get(address + path)
        assert status >= 400
        assert "root:" not in body


def test_the_catalog_cannot_be_fetched(address: str, seeds_index: Index) -> None:
    catalog = (seeds_index.folder / "catalog.sqlite").absolute()
    assert _get(f"{address}/gradio_api/file={catalog}")[0] >= 400


def test_a_port_in_use_is_a_plain_error(seeds_index: Index, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=r"cannot be listened on.*--port"):
            serve(seeds_index, settings, port=port, browser=False)
