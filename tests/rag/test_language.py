"""Which language a question is in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language import detect_language, language_name, question_kinds


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Who called Sora a Newton moment?", "en"),
        ("What is AI?", "en"),
        ("Why?", "en"),
        ("When did OpenAI block China?", "en"),
        ("Ai gọi Sora là khoảnh khắc Newton?", "vi"),
        ("AI là gì?", "vi"),
        ("Vì sao?", "vi"),
        ("OpenAI được định giá bao nhiêu?", "vi"),
        ("Ai goi Sora la khoanh khac Newton?", "vi"),
        ("cong ty nao bi cat dich vu", "vi"),
        ("OpenAI dinh gia bao nhieu", "vi"),
        ("Pourquoi OpenAI a-t-il bloqué la Chine ?", "fr"),
        ("OpenAI为什么封锁中国？", "zh"),
        ("Warum hat OpenAI China gesperrt?", "de"),
        ("Le conseil de la ville a décidé de fermer l'école.", "fr"),
        ("Elle a dit que la loi ne change pas. Il a de la chance.", "fr"),
        ("La ville de Paris est la capitale.", "fr"),
        ("La casa de la playa es grande.", "es"),
        ("A casa da praia é grande e a cidade é bonita.", "pt"),
        ("Orașul este mare și ploaia cade în fiecare seară.", "ro"),
        ("Thu do cua nuoc Phap la thanh pho nao?", "vi"),
        ("Nam nay gia dinh toi ve que an Tet.", "vi"),
        # Names do not vote where anything else does.
        ("Summarize the CV of Trần Minh Khôi", "en"),
        ("Where did Trần Minh Khôi study?", "en"),
        ("Where does Nguyễn Văn An live?", "en"),
        ("How old is Hoàng Văn Minh?", "en"),
        ("Does Đỗ Quang Huy speak French?", "en"),
        ("Where is Hà Nội?", "en"),
        ("Hà Nội ở đâu?", "vi"),
        ("Trần Minh Khôi làm việc ở đâu?", "vi"),
        ("Tóm tắt CV Trần Minh Khôi", "vi"),
        ("Đặng Đình Áng", "vi"),
        ("Hợp Đồng Lao Động", "vi"),
        ("Где Москва?", "ru"),
        ("Кто победил?", "ru"),
        ("首都", "zh"),
        ("Guten Tag", "de"),
        ("Bonjour", "fr"),
        ("Wo liegt Zürich?", "de"),
    ],
)
def test_short_questions_are_told_apart(question: str, language: str) -> None:
    assert detect_language(question) == language
    assert detect_language(unicodedata.normalize("NFD", question)) == language


@pytest.mark.parametrize(
    "text", ["Sora", "OpenAI", "Sam Altman", "Nvidia H20", "2023", "", "😀", "?!", "blah blah"]
)
@pytest.mark.parametrize("default", ["en", "vi", "ko"])
def test_a_text_that_shows_nothing_is_in_the_default_language(text: str, default: str) -> None:
    assert detect_language(text, default) == default


@given(st.text() | st.text(st.characters()))
def test_any_text_has_a_language_with_a_name(text: str) -> None:
    assert language_name(detect_language(text)) != ""


def test_documents_are_told_apart_by_their_language_not_their_names() -> None:
    english = "OpenAI, Baidu, SenseTime and Tencent Cloud are seizing the opportunity in China."
    assert detect_language(english, default="vi") == "en"


@pytest.mark.parametrize(
    ("question", "language", "kinds"),
    [
        ("Who said so?", "en", {"person"}),
        ("When was it?", "en", {"time"}),
        ("Bao nhiêu?", "vi", {"amount"}),
        ("bao nhieu", "vi", {"amount"}),
        ("Ai nói?", "vi", {"person"}),
        ("Mất bao lâu?", "vi", {"duration"}),
        ("Công ty AI lớn ở đâu?", "vi", set()),
    ],
)
def test_a_question_word_says_what_kind_of_thing_is_asked_for(
    question: str, language: str, kinds: set[str]
) -> None:
    assert question_kinds(question, language) == kinds


def test_a_question_without_a_question_word_asks_for_no_kind() -> None:
    assert question_kinds("Tell me about Sora.", "en") == set()
    assert question_kinds("谁说的？", "zh") == set()


def test_a_language_that_is_not_listed_is_named_by_its_code() -> None:
    assert language_name("vi") == "Vietnamese"
    assert language_name("xx") == "xx"
