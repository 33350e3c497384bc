"""A connection to one server: nothing meant for another is sent along, nothing is followed elsewhere."""

from __future__ import annotations

import email.utils
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from rag.errors import BackendSetup

from .endpoint import Endpoint

_CONNECT_SECONDS = 5.0
_NO_KEY = "no-key"


@asynccontextmanager
async def connected(place: Endpoint) -> AsyncGenerator[Any, None]:
    """A client of the openai package for one server, closed at the end.

    Raises:
        BackendSetup: The package cannot use the address.
    """
    import openai

    try:
        client = openai.AsyncOpenAI(
            # The package insists on one.
            api_key=place.key or _NO_KEY,
            base_url=place.base_url,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                # Reading has a clock of its own, see OpenAIBackend.
                timeout=openai.Timeout(None, connect=_CONNECT_SECONDS),
                # The passages go where the person said, and nowhere that a server points to.
                follow_redirects=False,
                # What is meant for this machine must not go to a proxy.
                trust_env=not place.local,
                verify=_certificates() if place.base_url.startswith("https:") else False,
                event_hooks={"request": [partial(_with_our_headers_alone, place)]},
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


async def _with_our_headers_alone(place: Endpoint, request: Any) -> None:
    """Send nothing of what the package adds.

    That is what ``OPENAI_CUSTOM_HEADERS``, ``OPENAI_ORG_ID`` and ``OPENAI_PROJECT_ID`` hold, which is
    for one provider and nothing to tell another, and what kind of machine this is.
    """
    length = {"Content-Length": str(len(request.content))} if request.content else {}
    key = {"Authorization": f"Bearer {place.key}"} if place.key else {}
    ours = {
        "Host": request.url.netloc.decode("ascii"),
        "Accept": "application/json, text/event-stream",
        "Accept-Encoding": "gzip, deflate",
        "Content-Type": "application/json",
        "User-Agent": "rag-chatbot",
        # The package looks at its own request for how to read the reply.
        "X-Stainless-Raw-Response": "true",
    }
    request.headers = type(request.headers)({**ours, **length, **key})


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
