from __future__ import annotations

import datetime as dt

import pytest

from rag.index.dates import leading_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (" date 2026-02-12 Khi những “ông lớn” tụ họp", dt.date(2026, 2, 12)),
        ("July 3, 2024, 2:24 p.m.\n\n\n  • views:84", dt.date(2024, 7, 3)),
        ("Date: July 3, 2024\n\nText", dt.date(2024, 7, 3)),
        ("2024-07-03T14:24:00+07:00\nText", dt.date(2024, 7, 3)),
        ("3 Sept. 2024\nText", dt.date(2024, 9, 3)),
        ("Tiêu đề\n22/02/2024, 10:30 (GMT+7)\nText", dt.date(2024, 2, 22)),
        ("Ngày 5 tháng 12 năm 2023\nText", dt.date(2023, 12, 5)),
        ("31/31/2024\nJuly 3, 2024", dt.date(2024, 7, 3)),
        ("date 2026-02-12", dt.date(2026, 2, 12)),
        ("Published: July 3, 2024 by the company", dt.date(2024, 7, 3)),
        ("date: '2024-07-03'", dt.date(2024, 7, 3)),
        ("Ngày đăng: 03/07/2024", dt.date(2024, 7, 3)),
        ("Tin mới\nĐăng lúc 3/7/2024 10:30", dt.date(2024, 7, 3)),
        ("Posted on July 3, 2024 by Anna", dt.date(2024, 7, 3)),
        ("Đăng ký trước 3/7/2024", None),
        ("2024/07/03", dt.date(2024, 7, 3)),
        ("2024.7.3 14h24", dt.date(2024, 7, 3)),
        ("3 May 2024", dt.date(2024, 5, 3)),
        ("03 May, 2024 | 9:15 a.m.", dt.date(2024, 5, 3)),
        ("Sep 3 2024", dt.date(2024, 9, 3)),
        ("3-7-2024", dt.date(2024, 7, 3)),
        ("3.7.2024", dt.date(2024, 7, 3)),
        ("11 tháng 2 năm 2024", dt.date(2024, 2, 11)),
        ("11 tháng 2, năm 2024", dt.date(2024, 2, 11)),
        ("11 tháng 2, 2024", dt.date(2024, 2, 11)),
        ("ngày 11/2/2024 10h30", dt.date(2024, 2, 11)),
        ("(Hà Nội, 3/7/2024)", dt.date(2024, 7, 3)),
        ("Hà Nội, ngày 3 tháng 7 năm 2024", dt.date(2024, 7, 3)),
        ("Thứ Tư, 03/07/2024, 14:24 (GMT+7)", dt.date(2024, 7, 3)),
        ("Wednesday, July 3, 2024", dt.date(2024, 7, 3)),
    ],
)
def test_a_date_at_the_beginning_is_found(text: str, date: dt.date) -> None:
    assert leading_date(text) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("tháng 11.2023", dt.date(2023, 11, 1)),
        ("tháng 11/2023", dt.date(2023, 11, 1)),
        ("Tháng 11 - 2023", dt.date(2023, 11, 1)),
        ("Tạp chí Tia Sáng, tháng 11.2023", dt.date(2023, 11, 1)),
        ("date: tháng 11/2023", dt.date(2023, 11, 1)),
        ("November 2023", dt.date(2023, 11, 1)),
        ("The Economist | Nov. 2023", dt.date(2023, 11, 1)),
        ("The Economist, Sept. 2023", dt.date(2023, 9, 1)),
        ("Foreign Affairs – May, 2023", dt.date(2023, 5, 1)),
    ],
)
def test_a_month_stands_for_its_first_day(text: str, date: dt.date) -> None:
    assert leading_date(text) == date


@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_has_its_names(number: int) -> None:
    date = dt.date(2024, number, 5)
    for form in ("%B %d, %Y", "%b %d, %Y", "%b. %d, %Y", "%d %B %Y", "%d %b %Y"):
        assert leading_date(date.strftime(form)) == date
    assert leading_date(date.strftime("%B %Y")) == dt.date(2024, number, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "On July 3, 2024, the company said no.",
        "July 3, 2024 was the day on which the company said no.",
        "2024-07-03 and after: what changed",
        "30/02/2024",
        "Dates matter 2024",
        "We met in May 2024",
        "tháng 13/2023",
        "In a long talk, July 3, 2024 was named",
        "Article 3, May 2024: what changed in it",
        "12, 3/7/2024",
        "one\ntwo\nthree\nfour\nfive\nsix\nJuly 3, 2024",
        "12024-07-031",
    ],
)
def test_a_date_that_is_a_subject_or_impossible_or_late_is_not(text: str) -> None:
    assert leading_date(text) is None
