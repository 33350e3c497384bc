"""What is said beneath an answer, and figures as each language writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import Fault
from rag.types import Answer, Attempt, Usage
from rag.ui.formats import money
from rag.ui.record import attempts, facts, usage_text
from rag.ui.strings import fault_text, strings


@pytest.mark.parametrize(
    ("dollars", "language", "told"),
    [
        (0.000412, "en", "$0.00041"),
        (0.000412, "vi", "0,00041 US$"),
        (0.0113, "en", "$0.011"),
        (12.345, "en", "$12.35"),
        (1234.5, "vi", "1.234,50 US$"),
        (0.0, "en", "$0.00"),
    ],
)
def test_money_is_written_as_the_language_writes_it(
    dollars: float, language: str, told: str
) -> None:
    assert money(dollars, strings(language)).replace("\u00a0", " ") == told


@given(st.floats(min_value=1e-9, max_value=1e6))
def test_no_price_is_rounded_away(dollars: float) -> None:
    told = float(re.sub(r"[$,]", "", money(dollars, strings("en"))))
    assert told == pytest.approx(dollars, rel=0.05, abs=0)


def test_only_what_is_known_of_the_use_is_said() -> None:
    assert usage_text(Usage(), strings("en")) == ""
    assert usage_text(Usage(1812, 64, 0.5), strings("vi")).replace("\u00a0", " ") == (
        "1.812 + 64 token · 0,50 US$"
    )
    assert usage_text(Usage(None, 7), strings("en")) == "7 tokens written"
    assert usage_text(Usage(7, None), strings("en")) == "7 tokens read"


def _answer(*tried: Attempt, usage: Usage = Usage()) -> Answer:  # noqa: B008
    return Answer("Why?", "So.", "en", "openai/gpt", attempts=tried, usage=usage)


def test_the_use_of_the_conversation_is_said_from_the_second_answer_on() -> None:
    own = Usage(812, 64, 0.0004)
    answer = _answer(Attempt("openai/gpt", "answered", 1.24), usage=own)
    assert facts(answer, own, strings("en")) == ("openai/gpt · 1.2 s · 812 + 64 tokens · $0.0004")
    assert facts(answer, own + Usage(1000, 100, 0.0007), strings("en")) == (
        "openai/gpt · 1.2 s · 812 + 64 tokens · $0.0004 (conversation: 1,812 + 164 tokens, $0.0011)"
    )


def test_the_record_names_who_failed_who_rested_and_why_in_the_windows_language() -> None:
    answer = _answer(
        Attempt("deepseek/x", "skipped", 0.0, "Insufficient Balance.", fault="no credit left"),
        Attempt("openai/gpt", "rewritten", 0.5, usage=Usage(90, 20)),
        Attempt("qwen/y", "failed", 2.0, "It <b>stopped</b>\n# .", fault="fell silent", passages=6),
        Attempt("openai/gpt", "answered", 1.2, passages=4, usage=Usage(812, 64, 0.0004)),
    )
    lines = attempts(answer.attempts, strings("vi")).splitlines()
    assert [line for line in lines if line.startswith("1. ")] == [
        "1. **deepseek/x** — không hỏi, vì đang tạm nghỉ: đã hết tiền trong tài khoản  ",
        "1. **openai/gpt** — đã viết lại câu hỏi · 0,5 giây · 90 + 20 token",
        "1. **qwen/y** — thất bại: ngừng phản hồi · 2,0 giây · đã gửi 6 đoạn  ",
        "1. **openai/gpt** — đã trả lời · 1,2 giây · đã gửi 4 đoạn · 812 + 64 token · 0,0004\xa0US$",
    ]
    assert "   Insufficient Balance." in lines
    assert "   It &lt;b>stopped&lt;/b> # ." in lines


def test_there_is_no_record_where_nothing_went_wrong() -> None:
    answer = _answer(Attempt("a", "rewritten", 0.1), Attempt("a", "answered", 0.1))
    assert attempts(answer.attempts, strings("en")) == ""


def test_every_failure_has_a_name_in_every_language() -> None:
    for language in ("en", "vi"):
        told = {fault_text(fault.value, strings(language)) for fault in Fault}
        assert len(told) == len(Fault)
