"""Texts into vectors by a server that speaks the OpenAI protocol. Nobody else is asked instead.

Vectors of one model mean nothing to another, so a server that fails is an error, not a reason to
go on elsewhere.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import ModelError
from rag.text import collapse

from .arrays import Matrix, of_length_1
from .models import Provider, prefixes_for

# How long a passage may be. Many models that are served locally read 512 tokens, and what a
# server counts is known only roughly.
_MAX_TOKENS = 384
# English has four bytes to a token, Vietnamese and Chinese about three.
_BYTES_PER_TOKEN = 3

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 120.0
# A server that is busy or starting is asked again, after what it says or 1, 2, 4, 8 seconds.
_ATTEMPTS = 5
_LONGEST_WAIT = 60.0
_BUSY = (429, 500, 502, 503, 504, 529)
# As busy as one may be, nothing will come of asking again.
_NO_CREDIT = "insufficient_quota"

# What reading a reply of another shape ends in.
_GARBLED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_KEY_REMEDY = "Set it to your key, or name another variable in embedding.key_variable."


class EndpointEmbedder:
    """An embedding model behind an OpenAI-compatible server.

    Args:
        name: What the fingerprint of an index records.
        provider: Where the server is, which variables may hold its key, how much it takes.
        model: The model's name at that server.
        dimension: The length of its vectors; if it is left out, the server is asked once.
        sleep: Waits for some seconds.

    Raises:
        ModelError: It had to be asked and gave no vector.
    """

    windows = False
    max_tokens = _MAX_TOKENS

    def __init__(
        self,
        name: str,
        provider: Provider,
        model: str,
        dimension: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._provider, self._model, self._sleep = provider, model, sleep
        self._prefixes = prefixes_for(model)
        self._expected = dimension
        self.dimension = dimension or self.embed(["A first text."]).shape[1]
        self._expected = self.dimension

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1.

        Raises:
            ModelError: The server cannot be asked, refuses, or sends something else.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        import httpx2

        prefix = self._prefixes.query if query else self._prefixes.passage
        prefixed = [prefix + text for text in texts]
        key, local = self._key(), self._hostname() in _LOOPBACK
        try:
            with httpx2.Client(
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
                follow_redirects=False,
                # What is meant for this machine must not go to a proxy.
                trust_env=not local,
            ) as client:
                parts = [
                    self._asked(client, prefixed[first : first + self._provider.batch])
                    for first in range(0, len(prefixed), self._provider.batch)
                ]
        except httpx2.InvalidURL as error:
            raise self._no_address() from error
        return np.concatenate(parts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """About how many tokens each text has; the server's own count is not to be had."""
        return [
            math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN) for text in texts
        ]

    def _asked(self, client: Any, texts: list[str]) -> Matrix:
        """The vectors of one batch; a busy server is asked again a few times."""
        import httpx2

        address = self._provider.base_url.rstrip("/") + "/embeddings"
        for attempt in range(_ATTEMPTS):
            try:
                reply = client.post(address, json={"model": self._model, "input": texts})
            except httpx2.TimeoutException as error:
                raise ModelError(
                    f"{self._hostname()} did not answer in time.", "Try again later.", retry=True
                ) from error
            except httpx2.ConnectError as error:
                raise ModelError(
                    f"No server of embeddings answers at {self._provider.base_url}.",
                    "Check that it runs, and the address in embedding.base_url.",
                    retry=True,
                ) from error
            except httpx2.HTTPError as error:
                raise ModelError(
                    f"{self._hostname()} broke off its answer.", "Try again.", retry=True
                ) from error
            wait = _wait(reply, attempt)
            if wait is None or attempt == _ATTEMPTS - 1:
                break
            self._sleep(wait)
        if reply.status_code != 200:
            raise self._refused(reply)
        return self._vectors(reply, len(texts))

    def _vectors(self, reply: Any, count: int) -> Matrix:
        """The vectors of a reply, checked and brought to length 1."""
        try:
            data = reply.json()["data"]
            # Which text each is for; without a word of it they come in order.
            rows = {int(one.get("index", n)): one["embedding"] for n, one in enumerate(data)}
            vectors = np.array([rows[place] for place in sorted(rows)], dtype=np.float64)
        except _GARBLED as error:
            raise self._garbled("something that is not vectors") from error
        if sorted(rows) != list(range(count)):
            raise self._garbled(f"{len(data)} vectors for {count} texts")
        if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise self._garbled("something that is not vectors")
        if self._expected and vectors.shape[1] != self._expected:
            raise ModelError(
                f"{self._hostname()} sent vectors of {vectors.shape[1]} numbers, and this index "
                f"has vectors of {self._expected}: {self._model!r} is another model now.",
                "Name the model it was made with, or embed it anew: rag index --re-embed.",
            )
        return of_length_1(vectors)

    def _refused(self, reply: Any) -> ModelError:
        status, host = reply.status_code, self._hostname()
        said = self._said(reply)
        told = f" It says: {said}" if said else ""
        if status in (401, 403):
            variables = " or ".join(self._provider.key_variables) or "no variable"
            return ModelError(
                f"{host} refused the key, which is from {variables} (HTTP {status}).{told}",
                "Check the key.",
            )
        if status == 404:
            return ModelError(
                f"{host} has no embedding model {self._model!r} (HTTP 404).{told}",
                "Check the model's name in index.embedder, and the server's address.",
            )
        if 300 <= status < 400:
            return ModelError(
                f"{self._provider.base_url} points elsewhere (HTTP {status}), which is not followed.",
                "Write the final address into embedding.base_url.",
            )
        return ModelError(
            f"{host} gave no vectors (HTTP {status}).{told}",
            "Try again later." if status in _BUSY else "",
            retry=status in _BUSY,
        )

    def _said(self, reply: Any) -> str:
        """What a server says of its refusal, as one line, never with the key it was sent."""
        try:
            body = reply.json()
        except (ValueError, RecursionError):
            return ""
        body = body[0] if isinstance(body, list) and body else body  # Gemini sends a list
        inner = body.get("error", body) if isinstance(body, dict) else body
        said = inner.get("message") if isinstance(inner, dict) else inner
        if not isinstance(said, str):
            return ""
        key = self._key()
        return collapse(said.replace(key, "…") if key else said)[:300]

    def _garbled(self, what: str) -> ModelError:
        return ModelError(
            f"{self._hostname()} sent {what}.",
            f"Check that {self._provider.base_url} serves embeddings.",
        )

    def _key(self) -> str:
        """The key, from the first variable that holds one; none is needed on this machine."""
        host = self._hostname()
        for variable in self._provider.key_variables:
            key = os.environ.get(variable, "").strip()
            if not key:
                continue
            if not (key.isascii() and key.isprintable()) or " " in key:
                raise ModelError(
                    f"{variable} does not hold a key: it has white space or letters outside ASCII.",
                    "Copy the key again.",
                )
            return key
        if host not in _LOOPBACK and self._provider.key_variables:
            variables = " or ".join(self._provider.key_variables)
            raise ModelError(f"{variables} is not set, so {host} cannot be asked.", _KEY_REMEDY)
        return ""

    def _hostname(self) -> str:
        try:
            address = urlsplit(self._provider.base_url)
            if address.username is not None:  # it would stand in errors
                raise ModelError(
                    f"The address of {address.hostname} holds a name or a password.",
                    "Leave it out, and name the variable with the key in embedding.key_variable.",
                )
            if address.scheme in ("http", "https") and address.hostname and address.port != 0:
                return address.hostname
        except ValueError:
            pass
        raise self._no_address()

    def _no_address(self) -> ModelError:
        return ModelError(
            f"{self._provider.base_url!r} is not the address of a server.",
            "embedding.base_url looks like http://127.0.0.1:11434/v1.",
        )


def _wait(reply: Any, attempt: int) -> float | None:
    """For how many seconds to wait before asking again; nothing where that is of no use."""
    if reply.status_code not in _BUSY or _NO_CREDIT in reply.text:
        return None
    try:
        seconds = float(reply.headers.get("retry-after", ""))
    except ValueError:  # there is none, or it is a date
        seconds = float(2**attempt)
    return seconds if 0 <= seconds <= _LONGEST_WAIT else None
