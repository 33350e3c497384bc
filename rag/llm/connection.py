"""A connection to one server: nothing meant for another is sent along, nothing is followed elsewhere."""

from __future__ import annotations

import email.utils
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from rag.errors import BackendSetup

from .endpoint import Endpoint

_CONNECT_SECONDS = 5.0
# The client insists on sending a key.
_NO_KEY = "no-key"


@asynccontextmanager
async def connected(place: Endpoint) -> AsyncGenerator[Any, None]:
    """A client of the openai package for one server, closed at the end.

    Raises:
        BackendSetup: The package cannot use the address.
    """
    import openai

    withheld: Any = openai.Omit()
    try:
        client = openai.AsyncOpenAI(
            api_key=place.key or _NO_KEY,
            # Not from the environment: those of one provider are nothing to tell another.
            organization=None,
            project=None,
            base_url=place.base_url,
            default_headers={"OpenAI-Organization": withheld, "OpenAI-Project": withheld},
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                # Reading has a clock of its own, see OpenAIBackend.
                timeout=openai.Timeout(None, connect=_CONNECT_SECONDS),
                # The passages go where the person said, and nowhere that a server points to.
                follow_redirects=False,
                # What is meant for this machine must not go to a proxy.
                trust_env=not place.local,
                verify=_certificates() if place.base_url.startswith("https:") else False,
            ),
        )
    except Exception as error:
        # The client has no error of its own for an address that it cannot use.
        raise BackendSetup(f"{place.base_url!r} is not the address of a server.") from error
    # What the package loads at first use takes no time of the server's.
    _ = client.chat.completions, client.models
    try:
        yield client
    finally:
        await client.close()


def warm_up() -> None:
    """Load what the first connection needs, which takes longer than to ask."""
    import openai  # noqa: F401

    _certificates()


@cache
def _certificates() -> Any:
    """The certificates that servers are checked against; to read them takes longer than to ask."""
    import httpx2

    return httpx2.create_ssl_context()


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """For how many seconds a server asks to be left alone, by its ``Retry-After`` (RFC 9110, 10.2.3)."""
    told = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
