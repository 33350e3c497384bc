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
    ],
)
def test_a_date_at_the_beginning_is_found(text: str, date: dt.date) -> None:
    assert leading_date(text) == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "On July 3, 2024, the company said no.",
        "July 3, 2024 was the day on which the company said no.",
        "2024-07-03 and after: what changed",
        "30/02/2024",
        "Dates matter 2024",
        "one\ntwo\nthree\nfour\nfive\nsix\nJuly 3, 2024",
        "12024-07-031",
    ],
)
def test_a_date_that_is_a_subject_or_impossible_or_late_is_not(text: str) -> None:
    assert leading_date(text) is None
