"""Any server that speaks the OpenAI chat protocol. The only module that imports openai."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import Any

from rag.errors import (
    BackendError,
    BackendGarbled,
    BackendRefused,
    BackendStalled,
    BackendUnreachable,
)
from rag.settings import AnswerSettings
from rag.text import collapse
from rag.types import Usage

from .backend import Finished, Request
from .providers import Provider, endpoint

# A server on this machine needs no key, but the client insists on sending one.
_NO_KEY = "no-key"


class OpenAIBackend:
    """A model behind an OpenAI-compatible server.

    Args:
        provider: Where the server is, and which variables may hold its key.
        settings: How long to wait.
        model: The model's name at that server.
    """

    def __init__(self, provider: Provider, settings: AnswerSettings, model: str) -> None:
        self.name = f"{provider.name}/{model}"
        self._provider, self._settings = provider, settings
        self._model = model

    async def stream(self, request: Request) -> AsyncGenerator[str | Finished, None]:
        """Write the answer.

        Raises:
            BackendSetup: The key is missing or malformed, or the address is.
            BackendUnreachable: No server answers.
            BackendRefused: The server said no.
            BackendStalled: No token came for too long.
            BackendGarbled: The stream broke, or ended without an answer.
        """
        import openai

        client = self._client()
        text, reason, usage = "", "", Usage()
        clock = asyncio.get_running_loop().time
        patience = self._settings.first_token_seconds
        deadline = clock() + patience
        stream: Any = None
        try:
            stream = await self._in_time(self._open(client, request), deadline - clock(), patience)
            while True:
                try:
                    chunk = await self._in_time(anext(stream), deadline - clock(), patience)
                except StopAsyncIteration:
                    break
                usage = _usage(chunk) or usage
                for choice in chunk.choices[:1]:
                    reason = choice.finish_reason or reason
                    piece = (choice.delta and choice.delta.content) or ""
                    text += piece
                    if piece:
                        yield piece
                if _is_progress(chunk):
                    patience = self._settings.next_token_seconds
                    deadline = clock() + patience
        except openai.APIConnectionError as error:
            raise self._unreachable(started=bool(text)) from error
        except openai.APIStatusError as error:
            raise self._refused(error.body, str(error), error.status_code) from error
        except openai.APIError as error:
            raise self._refused(error.body, str(error), None) from error
        except (ValueError, TypeError, AttributeError, openai.OpenAIError) as error:
            # Not JSON, not UTF-8, or JSON of another shape: the client does not check it.
            raise self._garbled("sent something that is not an answer") from error
        finally:
            if stream is not None:
                await stream.close()
            await client.close()
        if reason == "content_filter":
            raise BackendRefused(f"{self.name} withheld its answer: content filter.")
        if reason == "length":
            raise self._garbled("reached the most it may write and broke off")
        if not text.strip() or reason != "stop":
            raise self._garbled("ended without a finished answer")
        yield Finished(reason, usage)

    def _client(self) -> Any:
        import openai

        server = endpoint(self._provider, os.environ)
        # Reading has a clock of our own, see _in_time.
        timeout = openai.Timeout(None, connect=5.0)
        withheld: Any = openai.Omit()
        return openai.AsyncOpenAI(
            api_key=server.key or _NO_KEY,
            # Not from the environment: those of one provider are nothing to tell another.
            organization=None,
            project=None,
            base_url=server.base_url,
            default_headers={"OpenAI-Organization": withheld, "OpenAI-Project": withheld},
            timeout=timeout,
            max_retries=0,
        )

    async def _open(self, client: Any, request: Request) -> Any:
        return await client.chat.completions.create(
            model=self._model,
            messages=list(request.messages),
            stream=True,
            stream_options={"include_usage": True},
        )

    async def _in_time(self, step: Any, seconds: float, patience: float) -> Any:
        """Await one step; what keeps a connection alive without a token is no progress."""
        try:
            return await asyncio.wait_for(step, max(0.001, seconds))
        except TimeoutError as error:
            raise BackendStalled(
                f"{self.name} sent nothing for {patience:g} seconds.",
                "Try again later.",
            ) from error

    def _unreachable(self, *, started: bool) -> BackendError:
        if started:
            return self._garbled("broke off in the middle")
        return BackendUnreachable(
            f"No server answers at {self._provider.base_url}.",
            f"Check providers.{self._provider.name}.base_url, and that the server runs.",
        )

    def _refused(self, body: object, text: str, status: int | None) -> BackendRefused:
        inner = body.get("error", body) if isinstance(body, dict) else body
        said = inner.get("message") if isinstance(inner, dict) else inner
        where = f" (HTTP {status})" if status else ""
        # A server may repeat the key it was sent, and what it says is shown and kept.
        said = said if isinstance(said, str) and said.strip() else text
        said = said.replace(endpoint(self._provider, os.environ).key or _NO_KEY, "…")
        return BackendRefused(f"{self.name} refused{where}: {collapse(said)[:300]}")

    def _garbled(self, what: str) -> BackendGarbled:
        return BackendGarbled(f"{self.name} {what}.", "Try again.")


def _is_progress(chunk: Any) -> bool:
    """Whether a chunk brings anything: text, reasoning, a finish, or the token counts."""
    choices = chunk.choices[:1]
    return bool(chunk.usage) or any(
        choice.finish_reason or any(choice.delta.model_dump(exclude={"role"}).values())
        for choice in choices
        if choice.finish_reason or choice.delta
    )


def _usage(chunk: Any) -> Usage | None:
    if not chunk.usage:
        return None
    return Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
