"""What refusals mean: recorded ones through the whole client, and bodies that nobody recorded."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendError, BackendRefused, Fault
from rag.evals.benchmarks.chat_server import (
    Serve,
    chunk,
    event,
    head,
    replies,
    sends,
    serving,
    whole,
)
from rag.llm.backend import Finished, Part
from rag.llm.faults import refusal, says_error
from tests.rag.servers import backend_at
from tests.rag.test_openai import parts_of

RECORDED = json.loads(Path(__file__).with_name("error_bodies.json").read_text("utf-8"))

FAULTS = {
    "region": Fault.REGION,
    "auth": Fault.KEY,
    "balance": Fault.BALANCE,
    "model": Fault.MODEL,
    "rate": Fault.RATE,
    "overload": Fault.OVERLOAD,
    "filter": Fault.CONTENT,
    "context": Fault.CONTEXT,
    "param": Fault.PARAMETER,
}

# A field that a recorded server did not take is one of the dialect, as it was when it was recorded.
TAKEN = "max_completion_tokens"

each_recorded = pytest.mark.parametrize(
    "row",
    RECORDED,
    ids=[f"{number}-{row['p']}-{row['want']}" for number, row in enumerate(RECORDED)],
)
both_ways = pytest.mark.parametrize("in_pieces", [True, False], ids=["stream", "whole"])


def caught(serve: Serve, *, in_pieces: bool = True, **backend: Any) -> BackendError:
    """What is raised of a server's reply."""

    async def ask() -> None:
        async with serving(serve) as told:
            await parts_of(backend_at(told.url, in_pieces=in_pieces, **backend))

    with pytest.raises(BackendError) as error:
        asyncio.run(ask())
    return error.value


def line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def sent_with(body: Any) -> dict[str, Any]:
    """A provider whose requests hold the field that a body complains of."""
    field = TAKEN if TAKEN in json.dumps(body) and "max_tokens" not in json.dumps(body) else ""
    return {"dialect": dialect(length_field=field)} if field else {}


def dialect(**fields: Any) -> Any:
    from rag.llm.providers import Dialect

    return Dialect(**fields)


def test_every_class_of_fault_was_recorded() -> None:
    assert len(RECORDED) == 47
    assert {row["want"] for row in RECORDED} == set(FAULTS)


@both_ways
@each_recorded
def test_a_recorded_refusal_is_understood(row: dict[str, Any], in_pieces: bool) -> None:
    body = row["body"]
    kind = "text/html" if str(body).startswith("<") else "application/json"
    error = caught(
        replies(line(row["st"]), body, kind=kind), in_pieces=in_pieces, provider=sent_with(body)
    )
    assert isinstance(error, BackendRefused)
    assert error.fault is FAULTS[row["want"]]
    assert bool(error.parameter) is (row["want"] == "param")
    assert error.message


def tells_by_its_body(row: dict[str, Any]) -> bool:
    """Whether a recorded body says by itself what is the matter, without its status."""
    return refusal(row["body"]).fault is not Fault.REFUSED


NOT_BY_STATUS = [row for row in RECORDED if tells_by_its_body(row)]


def test_nearly_all_recorded_bodies_say_by_themselves_what_is_the_matter() -> None:
    other = [(row["p"], row["st"]) for row in RECORDED if row not in NOT_BY_STATUS]
    assert other == [("any", 503), ("any", 403)]


@both_ways
@pytest.mark.parametrize("row", NOT_BY_STATUS, ids=lambda row: f"{row['p']}-{row['want']}")
def test_a_recorded_refusal_that_comes_as_success_is_understood(
    row: dict[str, Any], in_pieces: bool
) -> None:
    error = caught(
        replies("200 OK", row["body"]), in_pieces=in_pieces, provider=sent_with(row["body"])
    )
    assert isinstance(error, BackendRefused)
    assert error.fault is FAULTS[row["want"]]


@pytest.mark.parametrize("before", [[], [chunk("Half an ")]], ids=["first", "after a token"])
@pytest.mark.parametrize("name", ["", "error"])
@pytest.mark.parametrize("row", NOT_BY_STATUS, ids=lambda row: f"{row['p']}-{row['want']}")
def test_a_recorded_refusal_within_a_stream_is_understood(
    row: dict[str, Any], name: str, before: list[bytes]
) -> None:
    parts = [head(), *before, event(row["body"], name)]
    error = caught(sends(parts), provider=sent_with(row["body"]))
    assert isinstance(error, BackendRefused)
    assert error.fault is FAULTS[row["want"]]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        # OpenRouter's within a stream has the HTTP status for a code.
        ({"error": {"code": 502, "message": "Provider disconnected"}}, Fault.OVERLOAD),
        ({"error": {"code": "429", "message": "Slow"}}, Fault.RATE),
        # MiniMax numbers its errors in another way than Zhipu.
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, Fault.RATE),
        ({"base_resp": {"status_code": 1004, "status_msg": "log in again"}}, Fault.KEY),
        ({"base_resp": {"status_code": 1008, "status_msg": "x"}}, Fault.BALANCE),
        ({"error": {"code": "1002", "message": "x"}}, Fault.KEY),
    ],
)
def test_an_error_within_a_stream_says_by_its_code_what_it_is(body: Any, fault: Fault) -> None:
    assert caught(sends([head(), event(body)])).fault is fault
    assert caught(replies("200 OK", body), in_pieces=False).fault is fault


def test_what_went_well_is_no_error() -> None:
    well = {"base_resp": {"status_code": 0, "status_msg": ""}, "choices": None, "usage": {}}
    assert not says_error(well)
    assert not says_error({"choices": [{"delta": {"content": "error"}}], "error": None})
    assert not says_error({"choices": [], "usage": {"prompt_tokens": 1}, "error_code": 0})


@pytest.mark.parametrize("number", ["1301", "1113", "1302", "1261", "1211", "30011", "451001"])
def test_a_number_means_something_as_a_code_only(number: str) -> None:
    as_code = refusal({"error": {"code": number}}, 400).fault
    assert as_code is not Fault.REFUSED
    assert refusal({"error": {"code": int(number)}}, 400).fault is as_code
    for message in (number, f"Error {number}", f"code: {number}", f'{{"id": "{number}"}}'):
        assert refusal({"error": {"message": message}}, 400).fault is Fault.REFUSED
        assert refusal({"error": {"message": message, "param": number}}, 400).fault is Fault.REFUSED
    assert refusal({"error": {"request_id": number, "message": "No."}}, 400).fault is Fault.REFUSED


@pytest.mark.parametrize("number", ["1000", "1113", "1301", "30011"])
def test_a_number_of_another_vendor_does_not_hide_a_server_at_fault(number: str) -> None:
    for status in (500, 502, 503):
        said = refusal({"error": {"code": number, "message": "Internal error"}}, status)
        assert (said.fault, said.code) == (Fault.OVERLOAD, "")
    assert refusal({"error": {"code": "insufficient_quota"}}, 500).fault is Fault.BALANCE


@both_ways
@pytest.mark.parametrize(
    "reason",
    ["stop", "STOP", "eos_token", "EOS", "normal", "end_turn", "Completed", "stop_sequence"],
)
def test_an_answer_is_finished_by_whatever_word_a_server_has_for_it(
    reason: str, in_pieces: bool
) -> None:
    async def ask() -> list[Part]:
        serve = sends(
            [head(), chunk("Yin Ye.", reason=""), chunk(reason=reason)],
            [head(kind="application/json"), whole("Yin Ye.", reason)],
        )
        async with serving(serve) as told:
            return await parts_of(backend_at(told.url, in_pieces=in_pieces))

    text, finished = asyncio.run(ask())
    assert (text, finished) == ("Yin Ye.", Finished(reason))


@both_ways
@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("SAFETY", Fault.CONTENT),
        ("RECITATION", Fault.CONTENT),
        ("MAX_TOKENS", Fault.LENGTH),
        ("model_length", Fault.LENGTH),
        ("ERROR", Fault.OVERLOAD),
        ("", Fault.GARBLED),
        ("tool_calls", Fault.GARBLED),
        ("reasons", Fault.GARBLED),
    ],
)
def test_other_words_finish_none(reason: str, fault: Fault, in_pieces: bool) -> None:
    parts = [head(), chunk("Yin Ye."), chunk(reason=reason)]
    at_once = [head(kind="application/json"), whole("Yin Ye.", reason)]
    assert caught(sends(parts, at_once), in_pieces=in_pieces).fault is fault


@pytest.mark.parametrize(
    ("body", "dropped"),
    [
        ({"error": {"code": "unsupported_parameter", "param": "temperature"}}, "temperature"),
        (
            {"error": {"code": "unsupported_value", "param": "stream_options.include_usage"}},
            "stream_options",
        ),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"]}
                ]
            },
            "stream_options",
        ),
        (
            {"error": {"message": "Unrecognized request argument supplied: thinking"}},
            "thinking",
        ),
        (
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'."
                }
            },
            "max_tokens",
        ),
        # Fields that a request cannot do without, and those that were not sent.
        ({"error": {"code": "unsupported_parameter", "param": "messages"}}, ""),
        ({"error": {"code": "unsupported_parameter", "param": "tools"}}, ""),
    ],
)
def test_the_field_that_is_not_taken_is_found(body: Any, dropped: str) -> None:
    sent = {"dialect": dialect(body={"thinking": {"type": "disabled"}})}
    error = caught(replies("400 Bad Request", body), provider=sent)
    assert error.parameter == dropped
    assert error.fault is (Fault.PARAMETER if dropped else Fault.REFUSED)


# -- what nobody recorded -------------------------------------------------------------------------

NAMES = [
    *("error", "errors", "message", "msg", "code", "type", "status", "param", "loc", "detail"),
    *("details", "metadata", "raw", "base_resp", "status_code", "status_msg", "error_code"),
    *("error_msg", "choices", "object"),
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["{", "[", '{"error": {"code": 1301}}', "\ud83d", "model not found", "1301"])
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(anything, st.none() | st.integers(-1, 1000))
def test_no_body_is_too_odd(body: object, status: int | None) -> None:
    said = refusal(body, status)
    assert isinstance(said.fault, Fault)
    said.message.encode()
    assert isinstance(says_error(body), bool)
    # As text, as it comes from outside, it means something as well.
    if not isinstance(body, str):
        assert isinstance(refusal(json.dumps(body), status).fault, Fault)


@given(st.text() | st.binary().map(lambda told: told.decode("latin-1")))
def test_no_text_is_too_odd(body: str) -> None:
    refusal(body, 500).message.encode()


def nested(depth: int, name: str = "error") -> Any:
    body: Any = "no"
    for _ in range(depth):
        body = {name: body}
    return body


ODD = {
    "deep": nested(200),
    "deep lists": "[" * 50_000 + "]" * 50_000,
    "deep text": '{"error": ' * 50_000,
    "text in text": json.dumps({"error": json.dumps({"error": json.dumps({"code": "1113"})})}),
    "huge": {"error": {"message": "x" * 2_000_000}},
    "many": {"error": [{"code": number} for number in range(10_000)]},
    "a long number": '{"error": {"code": ' + "9" * 10_000 + "}}",
    "a list": [1, [2, [None]], {"error": []}],
    "a number": 7,
    "null": "null",
    "nothing": "",
    "not JSON": "}{",
    "half a character": '{"error": {"message": "\\ud83d", "code": "\\ud83d"}}',
}


@both_ways
@pytest.mark.parametrize("status", [200, 400, 429, 500])
@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_an_odd_body_is_a_plain_failure(body: Any, status: int, in_pieces: bool) -> None:
    error = caught(replies(line(status), body), in_pieces=in_pieces)
    str(error).encode()
    assert len(str(error)) < 600
    assert "\n" not in str(error)


@pytest.mark.parametrize("part", ["a", "<title", "<title ", "<h1>", "<title> ", "</title"])
def test_a_page_of_a_million_letters_is_told_at_once(part: str) -> None:
    said = refusal("<html><title>" + part * (1_000_000 // len(part)), 502)
    assert said.fault is Fault.OVERLOAD
