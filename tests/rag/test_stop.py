"""Stopping a model's answer, at whatever instant."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest

from rag.chatbot import Chatbot
from rag.evals.benchmarks.chat_server import Serving, chunk, event, head, serving
from rag.index.index import Index
from rag.llm.rests import Rests
from rag.settings import AnswerSettings, Settings
from rag.types import Delta

_LISTED = b'{"data":[{"id":"tiny-chat","object":"model"}]}'


async def _serve(writer: asyncio.StreamWriter, streams: bool) -> None:
    if not streams:
        writer.write(head(kind="application/json") + _LISTED)
        return
    writer.write(head())
    for _ in range(100):
        writer.write(chunk("OpenAI "))
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write(chunk(reason="stop") + event("[DONE]"))


def _bot(index: Index, server: Serving) -> Chatbot:
    answer = AnswerSettings(backend="ollama", translate=False)
    settings = Settings(answer=answer, providers={"ollama": {"base_url": server.url}})
    return Chatbot(index, None, settings, Rests())


async def _stopped_at(index: Index, steps: int) -> int:
    """How many clients leave when an answer is stopped these steps after its next piece came."""
    async with serving(_serve) as server:
        begun = asyncio.Event()

        async def read() -> None:
            async with aclosing(_bot(index, server).astream("Who is Winston Ma?")) as events:
                async for one in events:
                    if isinstance(one, Delta):
                        begun.set()

        reading = asyncio.create_task(read())
        await begun.wait()
        # So that a piece has come when the loop goes on.
        time.sleep(0.03)
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    return server.left


@pytest.mark.parametrize("steps", range(12))
def test_a_stop_is_never_lost(steps: int, seeds_index: Index) -> None:
    assert asyncio.run(_stopped_at(seeds_index, steps)) == 1
