"""What of the passages and the conversation goes into a prompt, so that a model reads all of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from rag.errors import BackendRefused, Fault
from rag.messages import answer_messages

from .backend import Request
from .tokens import Count

# The answer is kept at most this share of a window (one in four): a small window goes to the
# passages first.
_ANSWER_SHARE = 4


def answer_room(window: int, answer_tokens: int) -> int:
    """How many tokens of a window are kept for the answer, at most a quarter of it.

    Args:
        window: How many tokens prompt and answer may have together.
        answer_tokens: The most that an answer may have.
    """
    return max(1, min(answer_tokens, window // _ANSWER_SHARE))


def packed(request: Request, window: int, answer_tokens: int, count: Count) -> Request:
    """The request with a prompt that a model's window holds besides the answer.

    The instructions and the question are always in. Passages come first, in their order, so that
    they keep their numbers; the newest of the history takes the room that is left. A prompt
    without passages cannot be made smaller and is only measured.

    Args:
        request: What to ask; what its ``prompted`` leaves out stays out.
        window: How many tokens prompt and answer may have together.
        answer_tokens: The most that the answer may have, see ``answer_room``.
        count: The number of tokens of a prompt, or more.

    Raises:
        BackendRefused: Not even one passage fits, or the prompt without any; its fault is ``Fault.CONTEXT``.
    """
    room = window - answer_room(window, answer_tokens)
    if count(request.messages) <= room:
        return request
    passages = _most(
        prompted(request),
        lambda number: count(_asking(request, number, turns=0).messages) <= room,
    )
    if not passages:
        raise _too_long(window)
    turns = _most(
        len(request.history),
        lambda number: count(_asking(request, passages, number).messages) <= room,
    )
    return _asking(request, passages, turns)


def fewer(request: Request, shown: int) -> Request | None:
    """The request with a smaller prompt, for a server that says it is too long all the same.

    The history goes first, then half of the passages at a time.

    Args:
        request: What was asked.
        shown: How many passages the prompt held that was too long; it may have been packed.

    Returns:
        ``None`` where there is nothing left to leave out.
    """
    passages = min(shown, prompted(request))
    if passages and request.history and passages == prompted(request):
        return _asking(request, passages, turns=0)
    return _asking(request, passages // 2, turns=0) if passages > 1 else None


def prompted(request: Request) -> int:
    """How many passages a request's prompt holds."""
    return len(request.hits) if request.prompted is None else request.prompted


def _asking(request: Request, passages: int, turns: int) -> Request:
    """The request with a prompt of so many passages and the last turns.

    They are the first ones, which are the best, or of the newest documents; of one document that is to
    be summarized they lie evenly in it.
    """
    count = len(request.hits)
    evenly = request.of_documents == 1 and passages
    places = [place * count // passages for place in range(passages)] if evenly else range(passages)
    history = request.history[len(request.history) - turns :]
    messages = answer_messages(
        request.latest or request.question,
        request.language,
        request.hits,
        history,
        request.intent,
        request.of_documents,
        [place + 1 for place in places],
    )
    return replace(request, messages=messages, history=history, prompted=passages)


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to a limit that fits, where what fits is a beginning; 0 if none."""
    return bisect_right(range(1, limit + 1), 0, key=lambda number: int(not fits(number)))


def _too_long(window: int) -> BackendRefused:
    return BackendRefused(
        f"The shortest prompt for this question does not fit into the model's {window} tokens.",
        "Ask a model with a larger window, or ask a shorter question.",
        fault=Fault.CONTEXT,
    )
