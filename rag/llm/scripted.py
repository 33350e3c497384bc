"""A backend that says what it is told to: for tests, and for trying out the chat window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from rag.errors import BackendError
from rag.types import Reasoning

from .backend import Finished, Part, Request

Script = Callable[[Request], Sequence[str | Reasoning | BackendError]]


class ScriptedBackend:
    """Plays back pieces of text; an error among them is raised where it stands.

    Args:
        script: The pieces, or a function that makes them from the request.
        name: What it calls itself.
        delay: Seconds before each piece.
        rewriting: What it says when it is asked to rewrite a question; without, it is not asked.
    """

    def __init__(
        self,
        script: Sequence[str | Reasoning | BackendError] | Script,
        *,
        name: str = "scripted",
        delay: float = 0.0,
        rewriting: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.rewrites = bool(rewriting)
        self._rewriting = rewriting
        self.requests: list[Request] = []
        self.stopped = False
        self._script = script
        self._delay = delay

    async def stream(self, request: Request) -> AsyncGenerator[Part, None]:
        """Play the script; ``stopped`` tells afterwards whether it was cut short."""
        self.requests.append(request)
        pieces = self._script(request) if callable(self._script) else self._script
        if self.rewrites and not request.hits:
            pieces = self._rewriting
        self.stopped = True
        for piece in pieces:
            await asyncio.sleep(self._delay)
            if isinstance(piece, BackendError):
                raise piece
            yield piece
        self.stopped = False
        yield Finished()
