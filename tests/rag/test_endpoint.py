"""Where a request would go, with which key: checked before anything is sent."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendSetup
from rag.llm.endpoint import Endpoint, endpoint, is_loopback
from rag.llm.providers import Provider, provider_of
from rag.settings import Settings

KEY = "sk-Proj_1234567890"


def server(base_url: str, **more: object) -> Provider:
    return Provider("mine", "Mine", base_url, **{"key_variables": ("MY_KEY",), **more})  # type: ignore[arg-type]


def taken(provider: Provider, environment: dict[str, str]) -> Endpoint | str:
    """The endpoint, or what is said of why there is none."""
    try:
        return endpoint(provider, environment)
    except BackendSetup as error:
        return str(error)


def test_the_first_variable_that_is_set_holds_the_key() -> None:
    both = server("https://example.com/v1", key_variables=("FIRST", "SECOND"))
    found = endpoint(both, {"FIRST": " ", "SECOND": f" {KEY}\n"})
    assert found == Endpoint("https://example.com/v1", "example.com", KEY, "SECOND", local=False)
    assert endpoint(both, {"FIRST": "1", "SECOND": "2"}).key_variable == "FIRST"
    assert KEY not in repr(found)


def test_a_server_here_needs_no_key_and_gets_its_own() -> None:
    here = server("http://127.0.0.1:8000/v1")
    assert endpoint(here, {"OPENAI_API_KEY": KEY}).key == ""
    assert endpoint(here, {"MY_KEY": KEY}).key == KEY
    assert endpoint(here, {}).local


def test_without_a_key_the_variable_is_named() -> None:
    with pytest.raises(BackendSetup) as caught:
        endpoint(server("https://example.com", key_variables=("ONE", "TWO")), {"OTHER": KEY})
    assert str(caught.value) == (
        "ONE or TWO is not set, so example.com cannot be asked. Set it to your key, or name "
        "another variable in providers.mine.key_variables."
    )
    assert endpoint(server("https://example.com", needs_key=False), {}).key == ""


@pytest.mark.parametrize(
    "key",
    [
        "a b",
        "a\nb",
        "a\tb",
        "khóa",
        "a\u200bb",
        "a\x00b",
        "a\u00a0b",
        "'ab'",
        '"ab"',
        "`ab`",
        "'ab",
        'ab"',
    ],
)
def test_a_malformed_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(BackendSetup) as caught:
        endpoint(server("http://127.0.0.1:1"), {"MY_KEY": key})
    assert "MY_KEY does not hold a key" in str(caught.value)
    assert key not in str(caught.value)


def test_a_key_does_not_go_unencrypted_to_another_machine_unless_that_is_allowed() -> None:
    there = server("http://192.168.1.5:8000/v1", needs_key=False)
    assert endpoint(there, {}).base_url == "http://192.168.1.5:8000/v1"
    with pytest.raises(BackendSetup, match=r"providers\.mine\.unencrypted = true") as caught:
        endpoint(there, {"MY_KEY": KEY})
    assert KEY not in str(caught.value)
    allowed = server("http://192.168.1.5:8000/v1", unencrypted=True)
    assert endpoint(allowed, {"MY_KEY": KEY}).key == KEY


@pytest.mark.parametrize(
    "base_url",
    [
        "nowhere",
        "",
        "https://",
        "ftp://example.com",
        "https://example.com:0",
        "https://example.com:99999",
        "https://exa mple.com",
        "https://example.com\n.evil.com",
        "https://example.com\\.evil.com",
        "https://exämple.com",
        "https://[::1",
        "https://-example.com",
        "http://127.0.0.1:1/{nothing}",
    ],
)
def test_what_is_no_address_is_refused(base_url: str) -> None:
    with pytest.raises(BackendSetup, match=r"providers\.mine\.base_url is not the address"):
        endpoint(server(base_url), {"MY_KEY": KEY})


@pytest.mark.parametrize(
    "base_url",
    [
        f"https://user:{KEY}@example.com",
        f"https://example.com?key={KEY}",
        f"https://example.com#{KEY}",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(base_url: str) -> None:
    with pytest.raises(BackendSetup, match="a name, a password or a query") as caught:
        endpoint(server(base_url), {"MY_KEY": "k"})
    assert KEY not in str(caught.value)


def test_azure_is_told_its_resource() -> None:
    azure = provider_of("azure", Settings())
    assert azure is not None
    keyed = {"AZURE_OPENAI_API_KEY": KEY}
    found = endpoint(azure, {**keyed, "AZURE_OPENAI_RESOURCE": "my-res"})
    assert found.base_url == "https://my-res.openai.azure.com/openai/v1/"
    with pytest.raises(BackendSetup, match="AZURE_OPENAI_RESOURCE is not set"):
        endpoint(azure, keyed)


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
    | st.from_regex(r"[\w.@/#?:-]{1,20}")
)
def test_what_fills_an_address_cannot_lead_it_elsewhere(resource: str) -> None:
    azure = provider_of("azure", Settings())
    assert azure is not None
    environment = {"AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_RESOURCE": resource}
    found = taken(azure, environment)
    if isinstance(found, str):
        assert "AZURE_OPENAI_RESOURCE" in found
        assert KEY not in found
    else:
        assert found.host == f"{resource.strip().lower()}.openai.azure.com"


@given(
    st.text(
        alphabet=string.ascii_letters + string.digits + "/\\:@?#[]%.-_ \t\n\x00é。", max_size=30
    )
)
def test_an_address_that_is_taken_means_the_same_to_the_client(rest: str) -> None:
    """The host that is checked is the host that the HTTP library asks."""
    found = taken(server(f"https://{rest}"), {"MY_KEY": KEY})
    if isinstance(found, str):
        assert KEY not in found
        return
    assert httpx2.URL(found.base_url).host == found.host
    assert urlsplit(found.base_url).hostname == found.host
    assert found.local is is_loopback(found.host)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "::"]
)
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)
