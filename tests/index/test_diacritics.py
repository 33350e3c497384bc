"""Diacritics: nothing but them is added, to Vietnamese typed without any, and mostly the right ones."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag.index.diacritics as diacritics
from rag.index.diacritics import path_of, read_table, restored, with_diacritics
from rag.index.training.corpus import Corpus
from rag.index.training.diacritics import Least, write_tables
from rag.text import fold, lowered

MODEL = Path(diacritics.__file__).parent / "model"
TABLE = read_table(path_of(MODEL, "vi"))
SOME_WORDS = sorted(TABLE.forms)[::20]

QUESTIONS = [
    "Thủ đô của nước Pháp là thành phố nào?",
    "Ai là tổng thống đầu tiên của Việt Nam?",
    "Chiến tranh thế giới thứ hai kết thúc vào năm nào?",
    "Công ty nào đã ngừng cung cấp dịch vụ tại Trung Quốc?",
    "Hà Nội có bao nhiêu trường đại học?",
    "Vì sao giá dầu tăng mạnh trong tháng 3 năm 2008?",
    "Ngôn ngữ chính thức của Thụy Sĩ là gì?",
    "Mặt trăng cách trái đất bao xa?",
    "Trường đại học nào được thành lập sớm nhất?",
    "Điều gì xảy ra khi nước sôi?",
    "Bộ trưởng Bộ Ngoại giao đã nói gì về thỏa thuận này?",
    "Người dân thành phố Hồ Chí Minh sống bằng nghề gì?",
]


def as_typed(text: str) -> str:
    """A text without its diacritics, its capitals kept."""
    return "".join(
        bare.upper() if letter.isupper() else bare
        for letter, bare in zip(text, fold(text), strict=True)
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_get_their_diacritics_back(question: str) -> None:
    assert restored(as_typed(question)) == question
    assert restored(fold(question)) == lowered(question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_has_diacritics_is_left_alone(question: str) -> None:
    assert restored(question) is None


@pytest.mark.parametrize(
    "question",
    [
        "Who called Sora a Newton moment?",
        "When does the company leave China?",
        "How many long tons can the ship hang on to?",
        "Can Ban Ki-moon thank the men on the bus?",
        "OpenAI",
        "2024",
        "",
    ],
)
def test_other_languages_are_left_alone(question: str) -> None:
    assert restored(question) is None


def test_names_from_elsewhere_and_figures_stay() -> None:
    found = restored("Peyton Manning da choi o vi tri nao vao nam 2015, cho Super Bowl 50?")
    assert found == "Peyton Manning đã chơi ở vị trí nào vào năm 2015, cho Super Bowl 50?"


@given(st.text(max_size=80).filter(lambda text: fold(text) == lowered(text)))
def test_nothing_but_diacritics_is_added_to_any_text(text: str) -> None:
    found = with_diacritics(text, TABLE)
    assert fold(found) == fold(text)
    assert len(found) == len(text)


def test_a_long_text_is_no_trouble() -> None:
    found = with_diacritics("thu do cua nuoc Phap, " * 500, TABLE)
    assert found == "thủ đô của nước Pháp, " * 500


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SOME_WORDS),
            st.sampled_from([str, str.upper, str.capitalize]),
            st.sampled_from([" ", "  ", ", ", "-", "\n", " 1.250 ", "? ", "(", " 5G "]),
        ),
        max_size=12,
    )
)
def test_words_keep_their_capitals_marks_and_figures(
    typed: list[tuple[str, type[str], str]],
) -> None:
    text = "".join(f"{capitals(word)}{between}" for word, capitals, between in typed)
    found = with_diacritics(text, TABLE)
    assert fold(found) == fold(text)
    assert [one.isupper() for one in found] == [one.isupper() for one in text]
    assert re.sub(r"[^\W\d_]", "", found) == re.sub(r"[^\W\d_]", "", text)


def test_a_table_is_made_for_each_language_of_a_corpus(tmp_path: Path) -> None:
    vietnamese = [("The year 2008.", "Năm 2008 là một năm của những người trẻ.")] * 2
    more = [("Five people.", f"Có năm người trong nhà số {number}.") for number in range(6)]
    french = [
        ("A school.", f"Les élèves de cette école étaient où {n} filles dansent.") for n in range(6)
    ]
    corpora = [
        Corpus("vi", {"news": vietnamese + more}),
        Corpus("fr", {"livres": french}),
        Corpus("id", {"berita": [("A school.", "Anak-anak pergi ke sekolah.")]}),
        Corpus("en", articles=[["A café", "The café of the résumé is naïve."]]),
    ]
    least = Least(form=1, pair=1, plain=1)
    written = write_tables(corpora, tmp_path, least)
    assert written == [path_of(tmp_path, "vi"), path_of(tmp_path, "fr")]
    first = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in write_tables(corpora, tmp_path, least)] == first
    table = read_table(path_of(tmp_path, "vi"))
    # The repeated text counts once.
    assert [(form.text, form.count) for form in table.forms["nam"]] == [("năm", 8)]
    assert table.following(table.forms["nam"][0])["người"] == 6
    french_table = read_table(path_of(tmp_path, "fr"))
    assert with_diacritics("Les eleves de l'ecole", french_table) == "Les élèves de l'école"


def test_a_table_of_few_texts_lacks_figures_and_is_read(tmp_path: Path) -> None:
    written = write_tables([Corpus("fr", words=[("a pupil", "un élève")] * 9)], tmp_path)
    assert written == [], "nothing is frequent enough"
    french = Corpus(
        "fr", {"livres": [("", f"{word} élève") for word in ("un", "cet", "tel", "son")]}
    )
    (path,) = write_tables([french], tmp_path)
    assert with_diacritics("12 eleves, 1 eleve!", read_table(path)) == "12 eleves, 1 élève!"


def test_the_table_that_comes_with_the_program_is_small() -> None:
    packed = path_of(MODEL, "vi").read_bytes()
    assert len(packed) < 1.5 * 2**20
    assert packed[4:8] == bytes(4), "the time of writing would change the bytes"
    assert gzip.decompress(packed).count(b"\n") == sum(map(len, TABLE.forms.values()))
