"""The ways in which a server of language models can fail.

Each of ``MISBEHAVIOURS`` is served whole or in pieces, as it is asked for.
``rag.evals.benchmarks.failover`` and the tests put every one of them in the way of an answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import Fault
from rag.llm.policy import POLICIES

from .chat_server import Serve, chunk, event, head, replies, sends, whole

ANSWER = ("Yin Ye called ", "Sora a Newton ", "moment. [1]")
# What a server has sent that fails in the middle: no part of any other answer.
BEGUN = ("Sora was ", "unveiled by ")


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A way to fail.

    ``fault`` is what it is to be taken for, ``calls`` how often one question asks a backend that
    fails so, ``then`` what it is taken for when it is asked again. ``begins`` is whether text comes
    first, where it is asked for in pieces. ``timed`` is whether only the client's clock tells.
    ``secure`` is whether the address promises TLS, ``listens`` whether anything is there. ``waits``
    is for how many seconds it wants to be left alone before it is asked again.
    """

    name: str
    fault: Fault
    serve: Serve
    calls: int = 1
    begins: bool = False
    timed: bool = False
    secure: bool = False
    listens: bool = True
    then: Fault | None = None
    waits: float = 0.0

    def faults(self, *, in_pieces: bool) -> list[Fault]:
        """What it is taken for, at each time that one question asks it."""
        asked = self.asked(in_pieces=in_pieces)
        return [self.fault, *[self.then or self.fault] * (asked - 1)]

    def shown(self, *, in_pieces: bool) -> bool:
        """Whether a person has seen some text when it fails: a whole answer is checked first."""
        return self.begins and in_pieces

    def asked(self, *, in_pieces: bool) -> int:
        """How often one question asks a backend that fails so."""
        if not self.begins or in_pieces:
            return self.calls
        return 2 if POLICIES[self.fault].again else 1


def _error(status: str, more: str = "", **error: Any) -> Serve:
    return replies(status, {"error": error}, more)


def _ends(*pieces: bytes, at_once: bytes | None = None) -> Serve:
    """A stream of pieces after the head, or the same said at once."""
    return sends([head(), *pieces], [head(kind="application/json"), at_once or b""])


def answers(text: Sequence[str] = ANSWER) -> Serve:
    """A server that does what it should."""
    usage = {"prompt_tokens": 70, "completion_tokens": 9, "total_tokens": 79}
    counted = event({"id": "1", "choices": [], "usage": usage})
    pieces = [chunk(piece) for piece in text]
    return _ends(
        *pieces, chunk(reason="stop"), counted, event("[DONE]"), at_once=whole("".join(text))
    )


def _silent(*pieces: bytes) -> Serve:
    """A server that sends something and then nothing, without leaving."""

    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        writer.writelines(pieces if in_pieces else pieces[:1])
        await writer.drain()
        await asyncio.Event().wait()

    return serve


def _keeping_alive(*pieces: bytes) -> Serve:
    """A server that sends nothing but comments after some pieces."""

    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        writer.writelines([head(), *pieces] if in_pieces else [head(kind="application/json")])
        while True:
            writer.write(b": keep-alive\n\n" if in_pieces else b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    return serve


def _cut(*pieces: bytes) -> Serve:
    """A reply in HTTP chunks whose connection is reset before the last one."""

    async def serve(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
        kind = "text/event-stream" if in_pieces else "application/json"
        plain = head(kind=kind).replace(b"Connection: close", b"Transfer-Encoding: chunked")
        body = b"".join(pieces) if in_pieces else whole("".join(BEGUN))[:60]
        writer.write(plain + f"{len(body) + 40:x}\r\n".encode() + body)
        await writer.drain()
        await asyncio.sleep(0.02)  # what has been sent is read before the connection is gone
        writer.transport.abort()

    return serve


async def _resets(writer: asyncio.StreamWriter, in_pieces: bool) -> None:
    writer.transport.abort()


_BEGINNING = tuple(map(chunk, BEGUN))
_BEGUN = "".join(BEGUN)
_BLOCKED = {
    "code": "unsupported_country_region_territory",
    "message": "Country, region, or territory not supported",
}

MISBEHAVIOURS = (
    # -- refusals, as vendors write them ------------------------------------------------------
    Misbehaviour("region 403", Fault.REGION, _error("403 Forbidden", **_BLOCKED)),
    Misbehaviour(
        "region 400, as a list",
        Fault.REGION,
        replies(
            "400 Bad Request",
            [
                {
                    "error": {
                        "code": 400,
                        "message": "User location is not supported for the API use.",
                    }
                }
            ],
        ),
    ),
    Misbehaviour(
        "region, nested",
        Fault.REGION,
        _error(
            "403 Forbidden",
            message="Provider returned error",
            code=403,
            metadata={"raw": json.dumps({"error": _BLOCKED})},
        ),
    ),
    Misbehaviour("region 451", Fault.REGION, replies("451 Unavailable", {"error": "Not here"})),
    Misbehaviour(
        "key 401", Fault.KEY, _error("401 Unauthorized", message="Incorrect API key provided: sk-1")
    ),
    Misbehaviour(
        "key 403, HTML", Fault.KEY, replies("403 Forbidden", "<html>no</html>", kind="text/html")
    ),
    Misbehaviour(
        "balance 402", Fault.BALANCE, _error("402 Payment Required", message="Insufficient Balance")
    ),
    Misbehaviour(
        "balance 429",
        Fault.BALANCE,
        _error("429 Too Many Requests", code="insufficient_quota", message="Quota exceeded"),
    ),
    Misbehaviour("balance 400", Fault.BALANCE, _error("400 Bad Request", code="Arrearage")),
    Misbehaviour(
        "balance 500",
        Fault.BALANCE,
        _error("500 Internal Server Error", message="insufficient balance (1008)"),
    ),
    Misbehaviour(
        "balance in 200",
        Fault.BALANCE,
        replies("200 OK", {"error_code": 17, "error_msg": "Open api daily request limit reached"}),
    ),
    Misbehaviour(
        "model 404", Fault.MODEL, _error("404 Not Found", code="model_not_found", message="Gone")
    ),
    Misbehaviour(
        "model 400", Fault.MODEL, _error("400 Bad Request", code="1211", message="模型不存在")
    ),
    Misbehaviour(
        "rate 429", Fault.RATE, _error("429 Too Many Requests", code="rate_limit_exceeded")
    ),
    Misbehaviour(
        "rate 429, wait a moment",
        Fault.RATE,
        _error("429 Too Many Requests", "Retry-After: 0.05\r\n", code="1302"),
        calls=2,
        waits=0.05,
    ),
    Misbehaviour(
        "rate 429, wait a minute",
        Fault.RATE,
        _error("429 Too Many Requests", "Retry-After: 60\r\n", code="rate_limit_exceeded"),
    ),
    Misbehaviour(
        "overload 429",
        Fault.OVERLOAD,
        _error("429 Too Many Requests", type="engine_overloaded_error"),
        calls=2,
    ),
    Misbehaviour("overload 500, empty", Fault.OVERLOAD, replies("500 Oops", ""), calls=2),
    Misbehaviour(
        "overload 502, HTML",
        Fault.OVERLOAD,
        replies("502 Bad Gateway", "<html>bad gateway</html>", kind="text/html"),
        calls=2,
    ),
    Misbehaviour("overload 503", Fault.OVERLOAD, _error("503 Busy", message="x"), calls=2),
    Misbehaviour(
        "overload 529", Fault.OVERLOAD, _error("529 Overloaded", type="overloaded_error"), calls=2
    ),
    Misbehaviour("overload 408", Fault.OVERLOAD, replies("408 Timeout", ""), calls=2),
    Misbehaviour(
        "content 400", Fault.CONTENT, _error("400 Bad Request", code="data_inspection_failed")
    ),
    Misbehaviour(
        "content, in words", Fault.CONTENT, _error("400 Bad Request", message="Content Exists Risk")
    ),
    Misbehaviour(
        "content 451", Fault.CONTENT, _error("451 No", code="451001", type="content_filter_error")
    ),
    Misbehaviour(
        "context 400",
        Fault.CONTEXT,
        _error("400 Bad Request", code="context_length_exceeded", message="too long"),
        calls=2,  # once more with the other of two passages left out
    ),
    Misbehaviour(
        "parameter 400",
        Fault.PARAMETER,
        _error("400 Bad Request", code="unsupported_parameter", param="temperature"),
        calls=2,
        then=Fault.REFUSED,  # the parameter has been dropped
    ),
    Misbehaviour(
        "parameter 422",
        Fault.PARAMETER,
        replies(
            "422 Unprocessable Entity",
            {"message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "max_tokens"]}]}},
        ),
        calls=2,
        then=Fault.REFUSED,  # the parameter has been dropped
    ),
    Misbehaviour("another 400", Fault.REFUSED, _error("400 Bad Request", message="No.")),
    Misbehaviour(
        "elsewhere 307",
        Fault.SETUP,
        replies("307 Temporary Redirect", "", "Location: http://127.0.0.1:9/v1\r\n"),
    ),
    # -- connections ----------------------------------------------------------------------------
    Misbehaviour("nobody listens", Fault.NETWORK, _resets, calls=2, listens=False),
    Misbehaviour("reset", Fault.NETWORK, _resets, calls=2),
    Misbehaviour("no TLS", Fault.NETWORK, answers(), calls=2, secure=True),
    Misbehaviour("not HTTP", Fault.NETWORK, sends([b"hello\r\n"], [b"hello\r\n"]), calls=2),
    Misbehaviour("cut before a token", Fault.NETWORK, _cut(), calls=2),
    Misbehaviour(
        "cut within a token", Fault.NETWORK, _cut(*_BEGINNING, b'data: {"cho'), begins=True
    ),
    # -- silence --------------------------------------------------------------------------------
    Misbehaviour("no head", Fault.STALLED, _silent(), timed=True),
    Misbehaviour("silence after the head", Fault.STALLED, _silent(head()), timed=True),
    Misbehaviour(
        "stalled after tokens", Fault.STALLED, _silent(head(), *_BEGINNING), begins=True, timed=True
    ),
    Misbehaviour("keep-alive only", Fault.STALLED, _keeping_alive(), timed=True),
    Misbehaviour(
        "keep-alive after tokens",
        Fault.STALLED,
        _keeping_alive(*_BEGINNING),
        begins=True,
        timed=True,
    ),
    Misbehaviour("empty pieces only", Fault.STALLED, _silent(head(), *[chunk()] * 5), timed=True),
    # -- answers that are none --------------------------------------------------------------------
    Misbehaviour(
        "HTML 200",
        Fault.GARBLED,
        replies("200 OK", "<html>Log in</html>", kind="text/html"),
        calls=2,
    ),
    Misbehaviour(
        "error in 200",
        Fault.OVERLOAD,
        replies("200 OK", {"error": {"message": "overloaded"}}),
        calls=2,
    ),
    Misbehaviour(
        "error in the stream",
        Fault.OVERLOAD,
        _ends(
            event({"error": {"type": "overloaded_error"}}),
            at_once=b'{"error": {"type": "overloaded_error"}}',
        ),
        calls=2,
    ),
    Misbehaviour(
        "error event without a name for it",
        Fault.OVERLOAD,
        _ends(
            event({"message": "The engine is overloaded"}, "error"),
            at_once=b'{"message": "The engine is overloaded"}',
        ),
        calls=2,
    ),
    Misbehaviour(
        "error after tokens",
        Fault.BALANCE,
        _ends(
            *_BEGINNING,
            event({"error": {"code": "insufficient_quota"}}),
            at_once=b'{"error": {"code": "insufficient_quota"}}',
        ),
        begins=True,
    ),
    Misbehaviour(
        "malformed JSON", Fault.GARBLED, _ends(event("{not json"), at_once=b"{not json"), calls=2
    ),
    Misbehaviour(
        "malformed JSON after tokens",
        Fault.GARBLED,
        _ends(*_BEGINNING, event("{not json"), at_once=b"{not json"),
        begins=True,
    ),
    Misbehaviour(
        "not UTF-8", Fault.GARBLED, _ends(b"data: \xff\xfe\n\n", at_once=b"\xff\xfe\x00"), calls=2
    ),
    Misbehaviour(
        "another shape",
        Fault.GARBLED,
        _ends(event({"choices": None}), at_once=b'{"choices": 7}'),
        calls=2,
    ),
    Misbehaviour("empty stream", Fault.GARBLED, _ends(), calls=2),
    Misbehaviour(
        "end without a beginning", Fault.GARBLED, _ends(event("[DONE]"), at_once=b"{}"), calls=2
    ),
    Misbehaviour(
        "reason without a text",
        Fault.GARBLED,
        _ends(chunk(reason="stop"), at_once=whole("")),
        calls=2,
    ),
    Misbehaviour(
        "white space",
        Fault.GARBLED,
        _ends(chunk(" \n"), chunk(reason="stop"), at_once=whole(" \n")),
        calls=2,
    ),
    Misbehaviour(
        "reasoning only",
        Fault.GARBLED,
        _ends(
            chunk(reasoning_content="Hm. "),
            chunk("<think>Hm.</think>"),
            chunk(reason="stop"),
            at_once=whole("<think>Hm.</think>", reasoning_content="Hm."),
        ),
        calls=2,
    ),
    Misbehaviour(
        "no finish reason",
        Fault.GARBLED,
        _ends(*_BEGINNING, event("[DONE]"), at_once=whole(_BEGUN, None)),
        begins=True,
    ),
    Misbehaviour(
        "another finish reason",
        Fault.GARBLED,
        _ends(*_BEGINNING, chunk(reason="tool_calls"), at_once=whole(_BEGUN, "tool_calls")),
        begins=True,
    ),
    Misbehaviour(
        "content filter in the middle",
        Fault.CONTENT,
        _ends(*_BEGINNING, chunk(reason="content_filter"), at_once=whole(_BEGUN, "content_filter")),
        begins=True,
    ),
    Misbehaviour(
        "sensitive in the middle",
        Fault.CONTENT,
        _ends(*_BEGINNING, chunk(reason="sensitive"), at_once=whole(_BEGUN, "sensitive")),
        begins=True,
    ),
    Misbehaviour(
        "broken off at its length",
        Fault.LENGTH,
        _ends(*_BEGINNING, chunk(reason="length"), at_once=whole(_BEGUN, "length")),
        begins=True,
    ),
    Misbehaviour(
        "network error for a reason",
        Fault.OVERLOAD,
        _ends(*_BEGINNING, chunk(reason="network_error"), at_once=whole(_BEGUN, "network_error")),
        begins=True,
    ),
)
