"""Numbers and dates, read the same in both languages."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dates import date_keys
from rag.figures import figures, readings

LANGUAGES = st.sampled_from(["en", "vi"])


def keys(text: str, language: str | None = None) -> set[str]:
    return {key for figure in figures(text, language) for key in figure.keys}


@pytest.mark.parametrize(
    ("english", "vietnamese", "expected"),
    [
        ("1.5 years", "1,5 năm", {"number:1.5"}),
        ("80 billion", "80 tỉ", {"number:80000000000"}),
        ("$80bn", "80 tỷ", {"number:80000000000"}),
        ("80B", "80 tỷ", {"number:80000000000"}),
        ("$80m", "80 triệu", {"number:80000000"}),
        ("80 thousand", "80 ngàn", {"number:80000"}),
        ("80 trillion", "80 nghìn tỷ", {"number:80000000000000"}),
        ("3 hundred million", "3 trăm triệu", {"number:300000000"}),
        ("1,200 people", "1.200 người", {"number:1200"}),
        ("1,234,567.89", "1.234.567,89", {"number:1234567.89"}),
        ("5%", "5 phần trăm", {"percent:5"}),
        ("5-10 percent", "5-10%", {"percent:5", "percent:10"}),
        ("80 to 90 billion", "80 đến 90 tỉ", {"number:80000000000", "number:90000000000"}),
        ("twenty-five years", "hai mươi lăm năm", {"number:25"}),
        ("ten years", "mười năm", {"number:10"}),
        ("five million", "năm triệu", {"number:5000000"}),
        ("two hundred and five thousand", "hai trăm lẻ năm nghìn", {"number:205000"}),
        ("two or three", "hai hoặc ba", {"number:2", "number:3"}),
        ("July 9", "9 tháng 7", {"month:07", "day:07-09"}),
        ("9 July", "ngày 9/7", {"month:07", "day:07-09"}),
        ("July 9th", "ngày 9-7", {"month:07", "day:07-09"}),
        ("November 2023", "tháng 11 năm 2023", {"month:11", "month:2023-11", "year:2023"}),
        ("Nov. 2023", "tháng 11/2023", {"month:11", "month:2023-11", "year:2023"}),
        ("in May", "tháng năm", {"month:05"}),
        ("December", "tháng mười hai", {"month:12"}),
        ("the 19th century", "thế kỷ XIX", {"century:19"}),
        ("nineteenth century", "thế kỉ thứ mười chín", {"century:19"}),
        ("19th and 20th centuries", "thế kỷ 19, thế kỷ 20", {"century:19", "century:20"}),
        ("the 1990s", "thập niên 1990", {"decade:1990"}),
        ("the 1990's", "những năm 90", {"decade:1990"}),
        ("Monday", "thứ Hai", {"weekday:1"}),
        ("the fifth", "thứ năm", {"ordinal:5"}),
        ("1914-1918", "1914–1918", {"number:1914", "number:1918", "year:1914", "year:1918"}),
    ],
)
def test_a_figure_is_the_same_in_both_languages(
    english: str, vietnamese: str, expected: set[str]
) -> None:
    assert keys(english, "en") == expected
    assert keys(vietnamese, "vi") >= expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80 ti usd", {"number:80000000000"}),
        ("thang 7", {"month:07"}),
        ("ngay 9 thang 7 nam 2024", set(date_keys(2024, 7, 9))),
        ("the ky 19", {"century:19"}),
        ("thap nien 1990", {"decade:1990"}),
    ],
)
def test_vietnamese_without_diacritics(text: str, expected: set[str]) -> None:
    assert keys(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "năm nay và năm tới",
        "he may march on",
        "phiên bản 10.5.3",
        "the H100",
        "thắng lợi",
        "one of a kind",
        "quận Ba Đình",
        "Hai Bà Trưng",
        "hundreds of people",
        "hàng trăm người",
    ],
)
def test_what_is_no_figure(text: str) -> None:
    assert keys(text) == set()


def test_a_date_is_read_both_ways_where_it_can_be() -> None:
    both = set(date_keys(2024, 7, 9)) | set(date_keys(2024, 9, 7))
    assert keys("9/7/2024", "vi") == set(date_keys(2024, 7, 9))
    assert keys("9/7/2024", "en") == keys("9/7/2024") == both
    assert keys("7/19/2024", "en") == set(date_keys(2024, 7, 19))
    assert keys("2024-07-09") == set(date_keys(2024, 7, 9))
    assert keys("11.2023", "vi") == {"year:2023", "month:11", "month:2023-11"}


@pytest.mark.parametrize(
    ("figure", "language", "expected"),
    [
        ("1.200", "vi", ["1200"]),
        ("1.200", "en", ["1.200"]),
        ("1.200", None, ["1200", "1.200"]),
        ("1,200", "en", ["1200"]),
        ("1,200", None, ["1200", "1.200"]),
        ("1,5", None, ["1.5"]),
        ("0.125", "vi", ["0.125"]),
        ("1.2.3", None, []),
        ("1.200.000", "en", ["1200000"]),
    ],
)
def test_a_separator_has_the_readings_it_can_have(
    figure: str, language: str | None, expected: list[str]
) -> None:
    assert readings(figure, language) == [Decimal(value) for value in expected]


@given(st.decimals(0, 10**12, places=3) | st.integers(0, 10**15), LANGUAGES)
def test_a_number_in_the_format_of_a_language_is_read_back(
    number: Decimal | int, language: str
) -> None:
    from babel.numbers import format_decimal

    value = Decimal(number)
    plain = format(value.normalize(), "f") if value % 1 else str(int(value))
    assert f"number:{plain}" in keys(format_decimal(value, locale=language), language)


@given(
    st.dates(dt.date(1969, 1, 1), dt.date(2068, 12, 31)),
    LANGUAGES,
    st.sampled_from(["full", "long", "medium", "short"]),
)
def test_a_date_in_the_format_of_a_language_is_read_back(
    date: dt.date, language: str, style: str
) -> None:
    from babel.dates import format_date

    written = format_date(date, style, locale=language)
    found = keys(written, language)
    expected = set(date_keys(date.year, date.month, date.day))
    assert expected <= found
    if style == "full":
        assert found == expected | {f"weekday:{date.isoweekday()}"} | {
            key for key in found if key.startswith("ordinal:")
        }
    elif style != "short":
        assert found == expected


@given(st.text() | st.text("0123456789.,/-– $%tháng7năm hai mươi trăm tỉ bnkm½²٣"), LANGUAGES)
def test_figures_lie_in_order_in_any_text(text: str, language: str) -> None:
    reached = 0
    for figure in figures(text, language):
        assert reached <= figure.start < figure.end <= len(text)
        assert figure.keys
        assert not any(character.isspace() for key in figure.keys for character in key)
        reached = figure.end
