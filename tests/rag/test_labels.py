"""Dates before quotations."""

from __future__ import annotations

import datetime as dt

from rag.cite import cite
from rag.labels import labels, without_label
from rag.types import Support
from tests.rag.conftest import hit_of, lexical_evidence

OLD, NEW, NEWER = dt.date(2024, 3, 15), dt.date(2026, 1, 20), dt.date(2026, 2, 3)


def test_quotations_of_one_date_need_none() -> None:
    assert labels([NEW, NEW]) == ["", ""]
    assert labels([None, None]) == ["", ""]


def test_years_tell_quotations_apart_where_they_differ_and_days_where_not() -> None:
    assert labels([NEW, OLD]) == ["2026: ", "2024: "]
    assert labels([NEW, NEWER, None]) == ["2026-01-20: ", "2026-02-03: ", ""]


def test_a_label_is_no_part_of_what_is_claimed_and_another_date_is() -> None:
    assert without_label("2024: It was so.", [OLD]) == "It was so."
    assert without_label("2024-03-15: It was so.", [OLD]) == "It was so."
    assert without_label("2023: It was so.", [OLD]) == "2023: It was so."
    assert without_label("Not as the question has it: It was so.", []) == "It was so."
    note = "Of 30 documents, the newest 12:"
    assert without_label(f"{note} 2024: It was so.", [OLD], note) == "It was so."
    other = note.replace("30", "31")
    assert without_label(f"{other} It was so.", [OLD], note) == f"{other} It was so."


def test_a_sentence_behind_its_label_is_supported_and_behind_a_false_one_is_not() -> None:
    hit = hit_of("The company employs 340 people.", "en", 1)  # of 2024-07-01
    for label, support in (("2024: ", Support.SUPPORTED), ("2019: ", Support.UNSUPPORTED)):
        checked = cite(
            f"{label}“The company employs 340 people.” [1]", "en", [hit], lexical_evidence
        )
        assert checked.sentences[0].support is support
