"""Markdown: each row of its tables can be understood alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.formats.markdown import with_rows
from rag.index.load import load
from tests.conftest import Quoting

OFFICES = """# Offices

| City | Manager | Opened |
|------|:-------:|-------:|
| Hanoi | Tran Van Binh | 2011 |
| Da Nang | Le Thi Hoa | 2016 |
The head office is in Hanoi.
"""
ROWS = [
    "City: Hanoi; Manager: Tran Van Binh; Opened: 2011",
    "City: Da Nang; Manager: Le Thi Hoa; Opened: 2016",
]
PROSE = (
    "The company has offices in two cities, and each is led by somebody who was born there. " * 3
)


def told(name: str, content: str) -> list[str]:
    text = load(Path("/papers") / name, content.encode()).documents[0].text
    return [block for block in text.split("\n\n") if block.strip()]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_row_has_the_names_of_its_columns(end: str) -> None:
    blocks = told("a.md", OFFICES.replace("\n", end))
    assert [block.strip() for block in blocks] == [
        "# Offices",
        *ROWS,
        "The head office is in Hanoi.",
    ]


def test_what_is_no_table_stays_as_it_is() -> None:
    for text in (
        "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n",
        "| only | a header |\n|---|---|\n",
        "A title\n---\n\nEither | or.\n",
        "| a | b |\n| 1 | 2 |\n",
        "```\n```py\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n",
        "| a | b |\n|---|---|\n|  |  |\n",
    ):
        assert with_rows(text) == text


def test_a_table_in_front_matter_is_none() -> None:
    blocks = told("a.md", "---\ntitle: On | bars\na | b\n--|--\n1 | 2\n---\n# Else\n")
    assert blocks[0].startswith("---\ntitle: On | bars\na | b\n--|--\n1 | 2\n---")


def test_bars_within_a_cell_and_tables_in_lists_are_read() -> None:
    text = "- Sizes\n\n  | a | b |\n  |---|---|\n  | 1 | 2 \\| 3 |\n  |  | 4 |\n"
    assert "a: 1; b: 2 | 3\n\nb: 4" in with_rows(text)


cells = st.lists(st.sampled_from(["ka", "lo", "1.5", "✓", ""]), min_size=1, max_size=4)


@given(cells, st.lists(cells, max_size=4), st.sampled_from(["", "> ", "  "]))
def test_no_cell_is_lost_and_each_is_behind_the_name_of_its_column(
    header: list[str], rows: list[list[str]], before: str
) -> None:
    lines = [header, ["---"] * len(header), *rows]
    text = "\n".join(f"{before}| {' | '.join(line)} |" for line in lines)
    written = with_rows(text)
    if not any(map(any, rows)):
        assert written == text
        return
    blocks = [block.strip() for block in written.split("\n\n") if block.strip()]
    filled = [row for row in rows if any(row)]
    assert len(blocks) == len(filled)
    for block, row in zip(blocks, filled, strict=True):
        names = [*header, *([""] * len(row))]
        pairs = zip(names, row, strict=False)
        told = [f"{name}: {value}" if name else value for name, value in pairs if value]
        assert block.replace(": ", "; ").split("; ") == "; ".join(told).replace(": ", "; ").split(
            "; "
        )


@given(st.text(st.sampled_from("|-:> \n\r\tab`*#1.\\")))
def test_no_text_is_too_odd(text: str) -> None:
    written = with_rows(text)
    if "|" not in text:
        assert written == text


def test_a_long_name_of_a_column_is_not_said_in_each_row() -> None:
    text = "| " + "long " * 1000 + "|\n|-|\n" + "| x |\n" * 1000
    assert len(with_rows(text)) < 2 * len(text)


def test_a_table_without_names_is_a_form() -> None:
    assert with_rows("|  |  |\n|--|--|\n| Director | Le Hoa |\n| City | Hue |\n").split() == [
        *("Director:", "Le", "Hoa"),
        *("City:", "Hue"),
    ]


def test_a_cell_of_a_table_answers(quoting: Quoting) -> None:
    prices = (
        "| Product | Price (USD) | Stock | Weight (kg) |\n|---|---|---|---|\n"
        "| Laptop Air 13 | 1200 | 35 | 2 |\n| Laptop Pro 16 | 2400 | 12 | 3 |\n"
        "| Monitor 27 | 310 | 80 | 5 |\n"
    )
    bot = quoting({"offices.md": OFFICES, "prices.md": prices})
    for asked, row in (
        ("Who is the manager of the Da Nang office?", ROWS[1]),
        ("When was the Hanoi office opened?", ROWS[0]),
        ("Giá của Laptop Pro 16 là bao nhiêu?", "Laptop Pro 16; Price (USD): 2400"),
        ("How much is the Monitor 27?", "Monitor 27; Price (USD): 310"),
    ):
        (citation,) = bot.ask(asked).citations  # and no other row
        assert row in citation.quote


def test_a_short_fact_answers(quoting: Quoting) -> None:
    town = (
        "|  |  |\n|--|--|\n| Country | Sweden |\n| Founded | 1347 |\n| Mayor | Lisa Ek |\n"
        "\nKungsbro is a town on the river Ljung, and known for its bridge.\n"
    )
    bot = quoting({"town.md": town})
    assert bot.ask("When was Kungsbro founded?").citations[0].quote == "Founded: 1347"
    assert bot.ask("Who is the mayor of Kungsbro?").citations[0].quote == "Mayor: Lisa Ek"
