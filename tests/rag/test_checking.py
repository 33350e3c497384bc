"""An answer that is checked while it grows comes out as one that is checked whole."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.checking import Checking
from rag.cite import cite
from rag.evidence import Judging, entailment
from rag.types import Reason, ReasonKind, Support
from rag.verify import Verdict
from tests.rag.conftest import hit_of, lexical_evidence
from tests.rag.test_cite import ANSWERS, DOCUMENTS

Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")
PROSE = st.lists(
    st.sampled_from(
        [
            "Yin Ye called Sora a Newton moment. ",
            "OpenAI was valued at 1.5 billion dollars in 11.2023 [1]. ",
            "Khoảng cách là 1,5 năm [2]. ",
            "PGS. TS. Nguyễn Văn A ở TP. HCM nói: “Chưa thể.” ",
            "索拉是新的。它很大。",
            "\n\n- one thing [1]\n- another [9]\n",
            "\n[1] It is new.\r\n",
            'He said "It is new. It is large." [1]',
            "“Khoảng cách là 1,5 năm. 索拉是新的。” [2]\n\n",
            "2024: “It is new. It is “large” [1]. ",
            "e\u0301\u0323 ",
            "\u200bمرحبا ",
            "[1",
            "](x) ",
            "😀 ",
        ]
    )
).map("".join)


def cuts(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(
    PROSE | ANSWERS,
    st.lists(st.integers(0, 10_000), max_size=12),
    st.sampled_from(["en", "vi", "zh"]),
)
def test_however_an_answer_is_cut_it_is_checked_the_same(
    text: str, places: list[int], language: str
) -> None:
    hits = [
        hit_of("Yin Ye called Sora a Newton moment. It is new in 11.2023.", "en", 1),
        hit_of("Khoảng cách là 1,5 năm. 索拉是新的。", "vi", 2),
    ]
    whole = cite(text, language, hits, lexical_evidence)
    checking = Checking(language, hits, Judging(lexical_evidence))
    came = [one for piece in cuts(text, places) for one in checking.feed(piece)]
    grown = checking.finish()
    assert grown == whole
    assert tuple(came) == whole.sentences[: len(came)]


@settings(max_examples=200, deadline=None)
@given(ANSWERS, st.lists(DOCUMENTS, min_size=1, max_size=3), st.sampled_from(FORMS))
def test_quotes_are_exact_in_any_unicode_while_an_answer_grows(
    text: str, documents: list[tuple[str, str, int]], form: Form
) -> None:
    hits = [
        hit_of(content, own, number, start=min(begin, len(content) - 1))
        for number, (content, own, begin) in enumerate(documents, start=1)
    ]
    checking = Checking("vi", hits, Judging(lexical_evidence))
    for letter in unicodedata.normalize(form, text):
        checking.feed(letter)
    for sentence in checking.finish().sentences:
        for one in sentence.citations:
            assert one.document.text[one.start : one.end] == one.quote


def test_a_sentence_comes_before_the_answer_ends() -> None:
    hits = [hit_of("Sora makes videos.", "en")]
    checking = Checking("en", hits, Judging(lexical_evidence))
    assert checking.feed("Sora makes videos. [1] Baidu sells") == []
    (first,) = checking.feed(" maps of all cities and of the countryside.")
    assert (first.text, first.support) == ("Sora makes videos. [1]", Support.SUPPORTED)
    assert len(checking.finish().sentences) == 2


WORDING = Verdict(Support.PARTLY, (Reason(ReasonKind.WORDING, "bought"),), 0.8)
FIGURE = Verdict(Support.UNSUPPORTED, (Reason(ReasonKind.FIGURE, "80"),), 0.8)


@pytest.mark.parametrize(
    ("judged", "given_", "support"),
    [
        (WORDING, (0.9, 0.0), Support.SUPPORTED),
        (WORDING, (0.5, 0.1), Support.PARTLY),
        (WORDING, (0.0, 0.9), Support.CONTRADICTED),
        (FIGURE, (0.99, 0.0), Support.UNSUPPORTED),
        (Verdict(Support.SUPPORTED, (), 1.0), (0.0, 0.95), Support.CONTRADICTED),
    ],
)
def test_an_entailment_model_judges_wording_and_no_figures(
    judged: Verdict, given_: tuple[float, float], support: Support
) -> None:
    assert entailment(judged, given_).support is support
