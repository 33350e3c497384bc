"""Whether a sentence tells the kind of thing that is asked for."""

from __future__ import annotations

import dataclasses

import pytest

from rag.answer_types import fits, shown, values
from rag.question import taken_apart


@pytest.mark.parametrize(
    ("question", "language", "fit", "unfit"),
    [
        ("Who called it a Newton moment?", "en", "Yin Ye, the CEO of BGI, did.", "It was called so."),
        ("When was it blocked?", "en", "It was blocked on July 9, 2024.", "It was blocked at once."),
        ("At what time does it close?", "en", "It closes at 4 p.m.", "It closes early."),
        ("How long is the gap?", "en", "It is 1.5 years.", "It is 20 percent."),
        ("How many tokens are free?", "en", "50 million tokens are.", "All of them are."),
        ("What is the price?", "en", "It is 60 euros.", "It weighs 60 kilograms."),
        ("Where was it shown?", "en", "It was shown in Shanghai.", "It was shown to all."),
        ("Who is Winston Ma?", "en", "Experts like Winston Ma, a professor, agree.", "Winston Ma said so."),
        ("Tang Jie là ai?", "vi", "Ông Tang Jie, nhà sáng lập Zhipu AI, nói vậy.", "Tang Jie nói vậy."),
        ("Why was it blocked?", "en", "Because of a law.", "It was blocked."),
        ("Ai nói vậy?", "vi", "Ông Tang Jie nói vậy.", "Họ nói vậy."),
        ("Khi nào?", "vi", "Vào tháng 11.2023.", "Vào lúc đó."),
        ("Bao lâu?", "vi", "Khoảng 1,5 năm.", "Khoảng 20%."),
        ("Giá bao nhiêu?", "vi", "Giá là 9 tỉ đồng.", "Có 9 chiếc."),
        ("Vì sao?", "vi", "Vì nước quá nông.", "Nước rất nông."),
        ("When does it arrive?", "en", "Train: 13; arr.: 14:55", "Train: 13; ratio: 1:200"),
        ("How much does it cost?", "en", "Fee: free", "Fee: not told"),
        ("Giá bao nhiêu?", "vi", "Lệ phí: miễn phí.", "Lệ phí: chưa rõ."),
        # Rows of tables: the currency is in the name of the column, and a cell is of its own column.
        ("What is the price?", "en", "Part: Air 13; Price (USD): 1200", "Part: Air 13; Stock: 1200; Price (USD): none"),
        ("What is the price?", "en", "Price: EUR 40", "Paid in EUR; 40 people came"),
        ("How heavy is it?", "en", "Weight: 2 kg", "Size: 13; kg: none"),
        ("How many employees are there?", "en", "Opened: 2011; Employees: 140", "Opened: 2011; Employees: some"),
    ],
)  # fmt: skip
def test_what_answers_shows_it(question: str, language: str, fit: str, unfit: str) -> None:
    asked = taken_apart(question, language)
    assert fits(shown(fit, language), asked) == 1.0
    assert fits(shown(unfit, language), asked) < 0.5


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How long did it take?", "In many years the train left at 10:45."),
        ("How many employees are there?", "The employees of the old mill said this: 12 dogs came."),
        ("What did it cost?", "The firm paid 5 USD – 300 people work there."),
        ("What did it cost?", "It brought 5 USD: 300 people came."),
        ("What is the price?", "In 2020 dollars were banned in the shop."),
    ],
)
def test_a_figure_takes_no_label_or_sign_of_another(question: str, text: str) -> None:
    last = [one for one in shown(text, "en").concepts if one.key.startswith("number:")][-1]
    only = dataclasses.replace(shown(text, "en"), concepts=tuple(
        one for one in shown(text, "en").concepts if one is last or not one.key.startswith("number:")
    ))  # fmt: skip
    assert fits(only, taken_apart(question, "en")) < 1.0


def test_a_question_that_asks_for_nothing_that_shows_is_neither_met_nor_missed() -> None:
    assert fits(shown("It is so.", "en"), taken_apart("Tell me about it.", "en")) == 0.5


def test_what_the_question_holds_is_no_answer_to_it() -> None:
    asked = taken_apart("Doanh thu của Nvidia năm 2023 là bao nhiêu?", "vi")
    assert values(shown("Năm 2023 Nvidia bán nhiều chip.", "vi"), asked) == set()
    asked = taken_apart("Who is Winston Ma?", "en")
    assert values(shown("It was Winston Ma.", "en"), asked) == set()


def test_values_are_the_same_in_every_language() -> None:
    asked = taken_apart("How much is it worth?", "en")
    english = values(shown("It is worth 80 billion dollars.", "en"), asked)
    assert english == values(shown("Nó trị giá 80 tỉ USD.", "vi"), asked) == {"number:80000000000"}
