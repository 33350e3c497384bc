"""Markdown, and tables of pages: each row can be understood alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chatbot import Chatbot
from rag.index.embed import Embedder
from rag.index.formats.markdown import with_rows
from rag.index.index import Index
from rag.index.load import load
from rag.settings import Settings

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
        "| a | b |\n|---|---|\n|  |  |\n",
        "| a | b |\n|---|---|\n| 1 | 2 | 3 |\n",
    ):
        assert with_rows(text) == text


def test_a_table_in_front_matter_is_none() -> None:
    blocks = told("a.md", "---\ntitle: On | bars\na | b\n--|--\n1 | 2\n---\n# Else\n")
    assert blocks[0].startswith("---\ntitle: On | bars\na | b\n--|--\n1 | 2\n---")


def test_bars_within_a_cell_and_tables_in_lists_are_read() -> None:
    text = "- Sizes\n\n  | a | b |\n  |---|---|\n  | 1 | 2 \\| 3 |\n  |  | 4 |\n"
    assert "a: 1; b: 2 | 3\n\nb: 4" in with_rows(text)


rows = st.lists(st.sampled_from(["a", "b", "1", "", "\\|", "`a|b`"]), max_size=4).map("|".join)
tables = st.tuples(rows, st.sampled_from(["-|-", "|-|", "|:-|-:|-|"]), st.lists(rows, max_size=3))


@given(
    st.text(st.sampled_from("|-:> \n\r\tab`*#1."))
    | tables.map(lambda parts: "\n".join([parts[0], parts[1], *parts[2]]))
)
def test_no_text_is_too_odd_and_no_word_is_lost(text: str) -> None:
    written = with_rows(text)
    for letter in "ab1":
        assert written.count(letter) >= text.count(letter)
    if "|" not in text:
        assert written == text


def page(table: str) -> str:
    return f"<html><body><article><p>{PROSE}</p><table>{table}</table><p>{PROSE}</p></article></body></html>"


def test_a_table_of_a_page_is_read_row_by_row() -> None:
    blocks = told(
        "a.html",
        page(
            "<tr><th>City</th><th>Manager</th><th>Opened</th></tr>"
            "<tr><td>Hanoi</td><td>Tran Van Binh</td><td>2011</td></tr>"
            "<tr><th>Da Nang</th><td>Le Thi Hoa</td><td>2016</td></tr>"
        ),
    )
    assert blocks == [PROSE.strip(), *ROWS, PROSE.strip()]


def test_headers_of_rows_are_no_names_of_columns() -> None:
    text = "\n".join(
        told(
            "a.html",
            page(
                "<tr><th>Country</th><td>Vietnam</td></tr><tr><th>People</th><td>8 million</td></tr>"
            ),
        )
    )
    assert "| People | 8 million |" in text
    assert "Country: People" not in text


def test_a_cell_of_a_table_answers(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "offices.md").write_text(OFFICES, "utf-8")
    (tmp_path / "prices.md").write_text(
        "| Product | Price (USD) | Stock | Weight (kg) |\n|---|---|---|---|\n"
        "| Laptop Air 13 | 1200 | 35 | 2 |\n| Laptop Pro 16 | 2400 | 12 | 3 |\n"
        "| Monitor 27 | 310 | 80 | 5 |\n",
        "utf-8",
    )
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add([tmp_path])
    bot = Chatbot(index, "extractive", Settings())
    for asked, row in (
        ("Who is the manager of the Da Nang office?", ROWS[1]),
        ("When was the Hanoi office opened?", ROWS[0]),
        ("Giá của Laptop Pro 16 là bao nhiêu?", "Laptop Pro 16; Price (USD): 2400"),
        ("How much is the Monitor 27?", "Monitor 27; Price (USD): 310"),
    ):
        assert row in bot.ask(asked).citations[0].quote
