"""Names and figures of a text, the same in both languages."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.concepts import concepts
from rag.known_names import Need, known_names


def keys(text: str) -> set[str]:
    return {one.key for one in concepts(text)}


@pytest.mark.parametrize(
    ("english", "vietnamese", "key"),
    [
        ("China", "Trung Quốc", "territory:cn"),
        ("the Chinese market", "thị trường trung quốc", "territory:cn"),
        ("the US", "ở Mỹ", "territory:us"),
        ("the U.S. market", "Hoa Kỳ", "territory:us"),
        ("America", "hoa ky", "territory:us"),
        ("Britain", "nước Anh", "territory:gb"),
        ("Sweden", "Thuỵ Điển", "territory:se"),
        ("Sweden", "Thụy Điển", "territory:se"),
        ("Germany", "tại Đức và Pháp", "territory:de"),
        ("North Korea", "Triều Tiên", "territory:kp"),
        ("EU", "Liên minh châu Âu", "territory:eu"),
        ("Europe", "châu Âu", "territory:150"),
        ("80 billion dollars", "80 tỉ USD", "currency:usd"),
        ("$5", "5 đô la", "currency:usd"),
        ("VND", "50.000đ", "currency:vnd"),
        ("5 kilometres", "5 km", "unit:kilometre"),
        ("30 °C", "30 độ C", "unit:celsius"),
        ("in Vietnamese", "tiếng Việt", "language:vi"),
        ("Polish language", "tiếng Ba Lan", "language:pl"),
        ("London", "Luân Đôn", "name:london"),
        ("Moscow", "Mát-xcơ-va", "name:moscow"),
        ("the Pacific Ocean", "thai binh duong", "name:pacific-ocean"),
        ("World War II", "Chiến tranh thế giới thứ hai", "name:world-war-2"),
        ("the United Nations", "Liên Hợp Quốc", "name:united-nations"),
        ("Muslims", "Hồi giáo", "name:islam"),
        ("the Romans", "La Mã", "name:rome"),
    ],
)
def test_a_name_is_the_same_in_both_languages(english: str, vietnamese: str, key: str) -> None:
    assert key in keys(english)
    assert key in keys(vietnamese)


@pytest.mark.parametrize(
    ("sentence", "territories"),
    [
        ("Mỹ cấm bán chip cho Trung Quốc.", {"us", "cn"}),
        ("Anh ấy nói rằng ông không biết.", set()),
        ("Anh, Pháp và Đức cùng ký.", {"gb", "fr", "de"}),
        ("Anh và Pháp cùng ký.", {"gb", "fr"}),
        ("Tôi gặp Tuấn Anh và Mỹ Linh hôm qua.", set()),
        ("Ông Đức Phật", set()),
        ("Tổng thống Nga đến Lào.", {"ru", "la"}),
        ("Nga tấn công Ukraina.", {"ru", "ua"}),
        ("Cô ấy rất mỹ lệ, anh nói.", set()),
        ("Ý là như vậy. Áo dài rất đẹp.", set()),
        ("Quan hệ Mỹ-Trung căng thẳng.", {"us", "cn"}),
        ("Nhật - Hàn ký kết.", {"jp", "kr"}),
        ("Ở Anh có mưa. Tại Úc thì không.", {"gb", "au"}),
        ("They told us to buy a turkey and china.", {"cn"}),
        ("Nhà máy thủy điện, thuy dien", set()),
        ("Ba Lan và ba lan", {"pl"}),
        ("nguoi My, nuoc My, hoa ky", {"us"}),
    ],
)
def test_short_and_ambiguous_names_count_only_where_they_are_clear(
    sentence: str, territories: set[str]
) -> None:
    found = {key for key in keys(sentence) if key.startswith("territory:")}
    assert found == {f"territory:{code}" for code in territories}


def test_what_stands_within_a_name_does_not_count() -> None:
    assert keys("Chiến tranh thế giới thứ hai") == {"name:world-war-2"}
    assert keys("Bắc Mỹ") == {"territory:003"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_offsets_are_those_of_the_text_as_it_is(form: str) -> None:
    text = unicodedata.normalize(
        "NFD" if form == "NFD" else "NFC", "Ở Trung Quốc năm 2023, 80 tỉ đô la"
    )
    found = {
        one.key: unicodedata.normalize("NFC", text[one.start : one.end]) for one in concepts(text)
    }
    assert found == {
        "territory:cn": "Trung Quốc",
        "year:2023": "2023",
        "number:2023": "2023",
        "number:80000000000": "80 tỉ",
        "currency:usd": "đô la",
    }


def test_keys_are_terms_without_spaces() -> None:
    names, _ = known_names()
    assert not any(" " in key for name in names.values() for key in name.keys)


PIECES = st.lists(st.sampled_from([*known_names()[0]]) | st.text(max_size=5), max_size=8)


@given(
    st.text() | st.text(st.characters()) | PIECES.map(" ".join),
    st.sampled_from([None, "en", "vi", "xx"]),
)
def test_concepts_stand_in_the_text(text: str, language: str | None) -> None:
    found = concepts(text, language)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert found == sorted(found, key=lambda one: one.start)
    assert len(found) == len(set(found))


def test_every_name_is_found_where_it_stands_in_capitals() -> None:
    for written, name in known_names()[0].items():
        words = [word[0].upper() + word[1:] for word in written.split()]
        form = written.upper() if name.need is Need.CAPITALS else " ".join(words)
        found = {
            one.key
            for one in concepts(f"w {form}, w")
            if (one.start, one.end) == (2, 2 + len(form))
        }
        assert found >= set(name.keys), form
