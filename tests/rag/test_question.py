"""A question, taken apart."""

from __future__ import annotations

import pytest

from rag.question import taken_apart


@pytest.mark.parametrize(
    ("question", "language", "kinds"),
    [
        ("Who founded Zhipu AI?", "en", {"person"}),
        ("How many free tokens are given to users who switch?", "en", {"amount"}),
        ("How long is the gap?", "en", {"duration"}),
        ("What is the price of a ticket?", "en", {"amount"}),
        ("Where was it presented?", "en", {"place"}),
        ("Why did OpenAI leave?", "en", {"reason"}),
        ("Which company is it?", "en", {"choice"}),
        ("How old was he when he won?", "en", {"amount"}),
        ("Tell me about Sora.", "en", {"identity"}),
        ("What is done?", "en", set()),
        ("Ai là nhà sáng lập?", "vi", {"person"}),
        ("Zhou Hongyi là CEO của công ty AI nào?", "vi", {"choice"}),
        ("ChatGPT ra mắt vào năm nào?", "vi", {"time"}),
        ("Mất bao lâu?", "vi", {"duration"}),
        ("Vì sao OpenAI rời Trung Quốc?", "vi", {"reason"}),
        ("vi sao openai roi trung quoc", "vi", {"reason"}),
        ("ky tuc xa co bao nhieu cho", "vi", {"amount"}),
        ("Anh ấy làm việc ở đâu?", "vi", {"place"}),
        ("Bà ấy nhậm chức hôm nào?", "vi", {"time"}),
        ("hop bao ngay may", "vi", {"time"}),
        ("Người đứng đầu hãng phim tên gì?", "vi", {"person"}),
        ("What is the name of the company's new director?", "en", {"person"}),
        ("When was the article about the dam published?", "en", {"published"}),
        ("Bài báo về con đập được đăng hôm nào?", "vi", {"published"}),
        ("When was the dam finished?", "en", {"time"}),
        ("Theo bài báo, Vinatech ra đời năm nào?", "vi", {"time"}),
        ("Thông tin vụ rò rỉ lộ ra khi nào?", "vi", {"time"}),
        ("When did the New York Post say Anna Roth first ran for office?", "en", {"time"}),
    ],
)
def test_the_kind_of_answer(question: str, language: str, kinds: set[str]) -> None:
    assert taken_apart(question, language).kinds == kinds


@pytest.mark.parametrize(
    ("question", "language", "names"),
    [
        ("Who is the CEO of SenseTime?", "en", {("sensetime",)}),
        ("Zhou Hongyi là ai?", "vi", {("zhou", "hongyi")}),
        ("OpenAI được định giá bao nhiêu?", "vi", {("openai",)}),
        ("Which Chinese companies left Kuala Lumpur?", "en", {("chinese",), ("kuala", "lumpur")}),
        ("What does it cost?", "en", set()),
        ("How do I pay in March, and what is No. 2?", "en", set()),
        ("Chiếc Halo giá bao nhiêu?", "vi", {("halo",)}),
        (
            "Who is April Jones, and who King Charles I?",
            "en",
            {("april", "jones"), ("king", "charles", "i")},
        ),
    ],
)
def test_names(question: str, language: str, names: set[tuple[str, ...]]) -> None:
    assert set(taken_apart(question, language).names) == names


def test_a_question_without_capitals_has_the_names_that_the_texts_write_with_one() -> None:
    texts = ["Then Sora came.", "Many know Sora, and the moment."]
    assert taken_apart("who made sora in a moment", "en", texts).names == (("sora",),)


def test_a_question_without_capitals_has_the_names_of_several_words_whole() -> None:
    texts = ["Công ty Lam Giang làm vắc xin.", "Ông Khuê nói của Lam Giang."]
    assert taken_apart("ceo cua lam giang la ai", "vi", texts).names == (("lam", "giang"),)


def test_a_word_with_diacritics_is_no_name_without_them() -> None:
    texts = ["Then Giang came, and Giang went."]
    assert taken_apart("ai bị luật giáng đòn", "vi", texts).names == ()


def test_a_question_with_a_capital_has_no_names_but_those_in_capitals() -> None:
    texts = ["The Insurance Fund paid.", "Of the Insurance and the Fund."]
    assert taken_apart("What did insurance pay?", "en", texts).names == ()


@pytest.mark.parametrize(
    ("question", "language", "compares"),
    [
        ("Which costs more, Halo or Glass?", "en", True),
        ("Halo và Glass mỗi chiếc giá bao nhiêu?", "vi", True),
        ("How much does Halo cost?", "en", False),
        ("Halo giá bao nhiêu?", "vi", False),
    ],
)
def test_whether_a_question_compares(question: str, language: str, compares: bool) -> None:
    assert taken_apart(question, language).compares is compares


def test_the_capital_that_opens_a_sentence_makes_no_name() -> None:
    texts = ["Unused days lapse. Unused books stay."]
    assert taken_apart("what happens to unused days", "en", texts).names == ()


def test_what_is_asked_about_a_name() -> None:
    asked = taken_apart("Who is the CEO of SenseTime?", "en")
    assert (asked.relation, asked.relations) == ("CEO", frozenset({"chief_executive"}))
    assert taken_apart("Ai là tổng giám đốc của SenseTime?", "vi").relations == asked.relations
    assert taken_apart("ai la tong giam doc cua sensetime", "vi").relations == asked.relations


@pytest.mark.parametrize(
    ("question", "language", "focus"),
    [
        ("Which company is it?", "en", "company"),
        ("How many free tokens are there?", "en", "free tokens"),
        ("Mỹ cấm những chip nào?", "vi", "chip"),
        ("Có bao nhiêu phiên bản?", "vi", "phiên bản"),
    ],
)
def test_what_the_answer_is_one_of(question: str, language: str, focus: str) -> None:
    assert taken_apart(question, language).focus == focus


def test_names_and_figures_are_known_in_every_language() -> None:
    english = taken_apart("What did China do in July 2024?", "en")
    vietnamese = taken_apart("Trung Quốc đã làm gì vào tháng 7.2024?", "vi")
    assert (
        english.keys
        == vietnamese.keys
        == {"territory:cn", "year:2024", "month:07", "month:2024-07"}
    )


def test_the_topic_is_without_what_asks_when_an_article_was_published() -> None:
    asked = taken_apart("When was the article by Trang about the dam published?", "en")
    assert asked.topic == "When was the by Trang about the dam"
    assert taken_apart("Who wrote the review?", "en").topic == "Who wrote the review?"
