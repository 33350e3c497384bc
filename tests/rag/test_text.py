"""Words and sentences, for any text."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import fold, is_row, names, normalize, sentences, word_spans, words

# Everything Unicode has, halves of characters too, and what segmenters trip over.
ANY = st.text() | st.text(st.characters())
_PARTS = [*'?.!“”"«»…。([#|-é😀\u200b\ufeff\x00\ud800 \r\n', "\r\n", "1. ", "TP. ", "e\u0301"]
TRICKY = st.lists(st.sampled_from([*_PARTS, "Sora", "1,5", "11.2023", "谁说的", "مرحبا"])).map(
    "".join
)
LANGUAGES = st.sampled_from(["en", "vi", "zh", "ar", "xx"])


def cut(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@given(ANY | TRICKY, LANGUAGES)
def test_sentences_lie_in_order_and_cover_everything_but_white_space(
    text: str, language: str
) -> None:
    reached, between = 0, ""
    for start, end in sentences(text, language):
        assert reached <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        between += text[reached:start]
        reached = end
    assert not (between + text[reached:]).strip()


@given(ANY | TRICKY)
def test_words_stand_where_their_spans_say(text: str) -> None:
    for word, start, end in word_spans(text):
        assert 0 <= start < end <= len(text)
        assert word == unicodedata.normalize("NFC", text[start:end].casefold())


@given(ANY | TRICKY)
def test_words_do_not_depend_on_unicode_composition(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert words(composed) == words(decomposed) == words(text)
    assert fold(composed) == fold(decomposed)


@given(ANY | TRICKY)
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\r" not in once
    assert "\x00" not in once
    assert not once.startswith("\ufeff")
    once.encode("utf-8")


def test_line_ends_are_unified() -> None:
    assert normalize("\ufeffa\r\nb\rc\nd") == "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("with_marks", "without"),
    [
        ("Trí tuệ nhân tạo", "tri tue nhan tao"),
        ("Đường đến Đà Nẵng", "duong den da nang"),
        ("Các tài liệu không có câu trả lời", "CAC TAI LIEU KHONG CO CAU TRA LOI"),
        ("ƯƠNG ướng ẵ ỹ", "uong uong a y"),
    ],
)
def test_vietnamese_with_and_without_diacritics_folds_to_the_same_words(
    with_marks: str, without: str
) -> None:
    assert words(fold(with_marks)) == words(fold(without))
    assert words(fold(unicodedata.normalize("NFD", with_marks))) == words(fold(without))
    assert words(with_marks) != words(without)


def test_a_number_is_found_whole_and_in_its_parts() -> None:
    assert words("Tháng 11.2023, 1,5 năm") == [
        "tháng",
        "11.2023",
        "11",
        "2023",
        "1,5",
        "1",
        "5",
        "năm",
    ]


def test_chinese_is_read_in_pairs_of_characters() -> None:
    assert words("谁说的 Sora") == ["谁说", "说的", "sora"]
    assert words("谁") == ["谁"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Dr. Smith met Mr. Fox on Jan. 5.", "The U.S. paid $3.5 million.", "He left!"]),
        ("en", ["He asked “Why?”", "She left.", "Who knows?"]),
        ("vi", ["PGS. TS. Nguyễn Văn A ở TP. HCM phát biểu.", "Ông đồng ý."]),
        ("vi", ["Khoảng cách là 1,5 năm.", "Tháng 11.2023 có tin mới.", "Hết."]),
        ("zh", ["OpenAI发布了Sora。", "它很大！", "估值为1.5亿美元，在2023年11月。"]),
        ("zh", ["Dr. Wang在OpenAI工作。", "他说：“很好。”"]),
        ("en", ["It cost $1.5bn, i.e. a lot.", "See Fig. 3.", "Done...", "Really?!", "Yes."]),
        ("vi", ["Giá tăng 1,5 lần (xem tr. 5).", "Tháng 11.2023.", "Năm 2024 thì khác."]),
        ("vi", ["“Dưới 20%”, ông Justin Lin nói.", "“Chưa thể.”", "Ông cười."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str, expected: list[str]) -> None:
    assert cut(("" if language == "zh" else " ").join(expected), language) == expected


@pytest.mark.parametrize("mark", ["“", "‘", "«"])
def test_a_quotation_mark_that_is_never_closed_swallows_nothing(mark: str) -> None:
    text = f"{mark}The first sentence. The second sentence. The third sentence."
    assert cut(text) == [
        f"{mark}The first sentence.",
        "The second sentence.",
        "The third sentence.",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["# Heading", "Text under it."],
        ["- one thing", "- another thing", "* a third"],
        ["1. Sora is new.", "2. Sora is large."],
        ["| a | b |", "| c | d |"],
        ["12) twelve", "13) thirteen"],
    ],
)
def test_headings_list_items_and_table_rows_stand_alone(lines: list[str]) -> None:
    assert cut("\n".join(lines)) == lines


def test_the_number_of_a_list_item_is_no_sentence() -> None:
    assert cut("1. Sora is a model. It is new.") == ["1. Sora is a model.", "It is new."]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is Winston Ma?", ["Winston Ma"]),
        ("OpenAI cut off China?", ["OpenAI", "China"]),
        ("H100 hay A800 mạnh hơn?", ["H100", "A800"]),
        ("Hà Nội ở đâu, Đà Nẵng ở đâu?", ["Nội", "Đà Nẵng"]),
        ("who called it that?", []),
        ("", []),
    ],
)
def test_names_are_the_capitals_but_for_the_first_word(question: str, expected: list[str]) -> None:
    assert names(question) == expected


def test_a_very_long_word_is_read_once() -> None:
    assert names("a" * 200_000) == []


def test_a_mark_without_a_letter_is_no_word() -> None:
    assert words("\u0301 a\u0301 \u0301b") == ["á", "b"]


def test_a_row_of_a_table_is_one_sentence_whatever_its_cells_say() -> None:
    row = "TT.: 2; Bài: Filters? Yes!; Đọc: ch. 2. Rồi ghi chép.; Thầy: Dr. Lee"
    text = f"Đầu. Giữa.\n\n{row}\n\nCuối cùng. Hết."
    found = [text[start:end] for start, end in sentences(text, "vi")]
    assert found == ["Đầu.", "Giữa.", row, "Cuối cùng.", "Hết."]
    assert is_row(row)
    assert not is_row("He said: no; she said nothing.")
    law = "Article 5: the rent is due on the first day; the rule: no pets. It ends in May. Notice is written."
    assert len(sentences(law)) > 1


@given(st.lists(st.sampled_from(["a: b", "; ", "c", ": ", "\n", ". ", "Mr. X", "? "]), max_size=30))
def test_rows_lose_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    spans = sentences(text)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(
        text.split()
    )
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Error codes\nE10: no water comes in now.", ["Error codes", "E10: no water comes in now."]),
        ("Bảo hành\nMáy được bảo hành hai năm.", ["Bảo hành", "Máy được bảo hành hai năm."]),
        # Running text, whose lines are as long as others, or go on in the next.
        ("It was sold to Ann and\nBob Smith in 1990.", ["It was sold to Ann and\nBob Smith in 1990."]),
        ("It was built by\nAnn and Bob Smith together.", ["It was built by\nAnn and Bob Smith together."]),
        ("The warranty\nlasts two years from the day.", ["The warranty\nlasts two years from the day."]),
        # Who speaks, whom or what a line tells of, and when.
        ("Rivera\nI began in 1998 as a diver.", ["Rivera\nI began in 1998 as a diver."]),
        ("Dr Paul Rivers\nHead of the department of the sea.", ["Dr Paul Rivers\nHead of the department of the sea."]),
        ("From 09:00\nOpening by the mayor of the town.", ["From 09:00\nOpening by the mayor of the town."]),
        ("Owner of it\nPetra Zupan, a lawyer in the town", ["Owner of it\nPetra Zupan, a lawyer in the town"]),
        ("All ends here. The\nCompany was sold in the spring.",
         ["All ends here.", "The\nCompany was sold in the spring."]),
    ],
)  # fmt: skip
def test_a_short_line_over_a_longer_one_is_a_heading(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.mark.parametrize("space", "\u00a0\u2003\u2028\u202f\u3000")
def test_any_white_space_may_stand_before_a_full_stop(space: str) -> None:
    text = f"Phần A{space}. Tiếp theo là phần B."
    assert "".join(text[start:end] for start, end in sentences(text)).endswith("phần B.")
