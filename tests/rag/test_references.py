"""Sentences that point back, and to what."""

from __future__ import annotations

import pytest

from rag.references import antecedent, points_back
from rag.text import sentences


@pytest.mark.parametrize(
    ("sentence", "language", "back"),
    [
        ("He said so.", "en", True),
        ("They’re rolling out new offers.", "en", True),
        ("Instead, they have left.", "en", True),
        ("Mr. Zhou said so.", "en", True),
        ("Mr. Zhou Hongyi said so.", "en", False),
        ("OpenAI said so.", "en", False),
        ("Ông Zhou cho biết như vậy.", "vi", True),
        ("Theo ông Han, khoảng cách không lớn.", "vi", True),
        ("Ông nói lý do là thiếu kỹ sư.", "vi", True),
        ("Đội ngũ này có nhiệm vụ kiểm tra.", "vi", True),
        ("Ông Justin Lin nhận định như vậy.", "vi", False),
        ("Sora rất mới.", "vi", False),
    ],
)
def test_an_opening_points_back_or_not(sentence: str, language: str, back: bool) -> None:
    assert points_back(sentence, language) is back


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Fang Han là CEO. Công ty lớn mạnh. Theo ông Han, khoảng cách nhỏ.", "vi", 0),
        ("Ông Tám đến. Ông nói nước cạn.", "vi", None),
        ("Adeyemi spoke first. He was tired. He proposed more.", "en", 0),
        ("Adeyemi spoke first. The board listened.", "en", None),
        ("He spoke first.", "en", None),
    ],
)
def test_the_sentence_that_says_who(text: str, language: str, found: int | None) -> None:
    spans = sentences(text, language)
    assert antecedent(text, spans, len(spans) - 1, language) == found
