"""What a question says of time, and how it moves passages."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.periods import Period, period_of, steered
from rag.types import Hit
from tests.rag.conftest import hit_of

TODAY = dt.date(2026, 2, 15)


def day(year: int, month: int = 1, number: int = 1) -> dt.date:
    return dt.date(year, month, number)


@pytest.mark.parametrize(
    ("question", "language", "since", "until"),
    [
        ("What happened in 2022?", "en", day(2022), day(2022, 12, 31)),
        ("Mỹ cấm chip nào vào tháng 11.2023?", "vi", day(2023, 11), day(2023, 11, 30)),
        ("Ai lãnh đạo công ty sau năm 2024?", "vi", day(2025), None),
        ("Which chips were sold before July 2024?", "en", None, day(2024, 6, 30)),
        ("Which chips were sold before July?", "en", None, day(2025, 6, 30)),
        ("Trước tháng 7.2024 thì sao?", "vi", None, day(2024, 6, 30)),
        ("What is blocked since July 9, 2024?", "en", day(2024, 7, 9), None),
        ("How was it from 2022 to 2024?", "en", day(2022), day(2024, 12, 31)),
        ("Từ năm 2022 đến năm 2024 thì sao?", "vi", day(2022), day(2024, 12, 31)),
        ("Between March 2023 and June 2024?", "en", day(2023, 3), day(2024, 6, 30)),
        ("Until the end of 2023?", "en", None, day(2023, 12, 31)),
        ("After the war, what was built in 2022?", "en", day(2022), day(2022, 12, 31)),
        ("Doanh thu năm ngoái là bao nhiêu?", "vi", day(2025), day(2025, 12, 31)),
        ("doanh thu nam ngoai la bao nhieu", "vi", day(2025), day(2025, 12, 31)),
        ("What was announced last month?", "en", day(2026), day(2026, 1, 31)),
        ("Hôm qua có gì mới?", "vi", day(2026, 2, 14), day(2026, 2, 14)),
        ("How many cars does it carry?", "en", None, None),
    ],
)
def test_a_period_is_read(
    question: str, language: str, since: dt.date | None, until: dt.date | None
) -> None:
    period = period_of(question, language, TODAY)
    assert (period.since, period.until) == (since, until)


@pytest.mark.parametrize(
    ("question", "language", "newest"),
    [
        ("What is the latest model?", "en", True),
        ("Hiện nay hãng có mấy nhân viên?", "vi", True),
        ("mau moi nhat la gi", "vi", True),
        ("Who knows the model?", "en", False),
    ],
)
def test_the_newest_is_asked_for(question: str, language: str, newest: bool) -> None:
    assert period_of(question, language, TODAY).newest is newest


def dated(number: int, published: dt.date | None, text: str = "Nothing of note.") -> Hit:
    hit = hit_of(text, "en", number)
    return replace(hit, document=replace(hit.document, published=published), score=0.5)


def test_newer_documents_come_first_where_the_newest_is_asked_for() -> None:
    hits = [dated(1, day(2023)), dated(2, None), dated(3, day(2025))]
    assert [hit.document.id for hit in steered(hits, Period(newest=True))] == [3, 2, 1]


def test_documents_of_a_period_and_those_that_tell_of_it_come_before_others() -> None:
    hits = [dated(1, day(2026)), dated(2, day(2024)), dated(3, day(2026), "It began in May 2024.")]
    moved = steered(hits, Period(day(2024), day(2024, 12, 31)))
    assert [hit.document.id for hit in moved] == [2, 3, 1]


@given(
    dates=st.lists(st.none() | st.dates(day(1990), day(2030)), max_size=6),
    since=st.none() | st.dates(day(1990), day(2030)),
    newest=st.booleans(),
)
def test_no_passage_is_lost(
    dates: list[dt.date | None], since: dt.date | None, newest: bool
) -> None:
    hits = [dated(number, date) for number, date in enumerate(dates, start=1)]
    moved = steered(hits, Period(since, None, newest))
    assert sorted(hit.document.id for hit in moved) == [hit.document.id for hit in hits]
    assert since or newest or moved == hits
