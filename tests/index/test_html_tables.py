"""Tables of web pages: which value is of which column, and what is no table."""

from __future__ import annotations

from pathlib import Path

import lxml.etree
import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.formats.html_tables import write_out_tables
from rag.index.formats.web import blocks
from rag.index.load import load

PROSE = (
    "The company has offices in two cities, and each is led by somebody who was born there. " * 3
)


def row(*cells: str, tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def told(body: str) -> list[str]:
    """The paragraphs of a page between two of prose."""
    page = f"<html><body><article><p>{PROSE}</p>{body}<p>{PROSE}</p></article></body></html>"
    text = load(Path("/papers/a.html"), page.encode()).documents[0].text
    first, *between, last = text.split("\n\n")
    assert first == last == PROSE.strip()
    return between


OFFICES = row("City", "Opened", tag="th") + row("Hanoi", "2011") + row("Hue", "2016")
ROWS = ["City: Hanoi; Opened: 2011", "City: Hue; Opened: 2016"]


def table(rows: str) -> str:
    return f"<table>{rows}</table>"


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        (table(OFFICES), ROWS),
        (table(f"<thead>{OFFICES}</thead>"), ROWS),
        (table(f"<caption>All offices</caption>{OFFICES}"), ["All offices", *ROWS]),
        (table(f'<tr><th colspan="2">All offices</th></tr>{OFFICES}'), ["All offices", *ROWS]),
        (table(OFFICES.replace("th>", "td>").replace("City", "<b>City</b>").replace("Opened", "<b>Opened</b>")), ROWS),
        # No names of columns: what something is called, and what it is.
        (table(row("X-ray", "120 EUR") + row("Plaster", "35 EUR")), ["X-ray: 120 EUR", "Plaster: 35 EUR"]),
        (table("<tr><th>Country</th><td>Sweden</td></tr><tr><th>Founded</th><td>1347</td></tr>"),
         ["Country: Sweden", "Founded: 1347"]),
        (table(row("a", "b", "c") + row("d", "e", "f")), ["a; b; c", "d; e; f"]),
        # An empty corner.
        (table("<tr><td></td><th>Q1</th><th>Q2</th></tr><tr><th>Sales</th><td>5</td><td>6</td></tr>"),
         ["Sales; Q1: 5; Q2: 6"]),
        # Cells that span.
        (table(row("Line", "From", "km", tag="th")
               + '<tr><td rowspan="2">Red</td><td>Ulm</td><td>9</td></tr>' + row("Linz", "7")
               + '<tr><td colspan="2">All</td><td>16</td></tr>'),
         ["Line: Red; From: Ulm; km: 9", "Line: Red; From: Linz; km: 7", "Line / From: All; km: 16"]),
        (table('<tr><th rowspan="2">Film</th><th colspan="2">Time</th></tr>'
               + row("Sat", "Sun", tag="th") + row("Dunes", "7 pm", "8 pm")),
         ["Film: Dunes; Time Sat: 7 pm; Time Sun: 8 pm"]),
        # Two tables, with nothing between them and with something.
        (table(OFFICES) + table(row("Car", "Weight", tag="th") + row("Van", "5 t")), [*ROWS, "Car: Van; Weight: 5 t"]),
        (table(OFFICES) + "<p>And the cars that they have:</p>" + table(row("Car", "Weight", tag="th") + row("Van", "5 t")),
         [*ROWS, "And the cars that they have:", "Car: Van; Weight: 5 t"]),
        # Names and parts in other places.
        (table("<tfoot>" + row("All", "2") + "</tfoot><thead>" + row("City", "Opened") + "</thead><tbody>"
               + row("Hanoi", "2011") + "</tbody>"), ["City: Hanoi; Opened: 2011", "City: All; Opened: 2"]),
        (table(OFFICES + row("Car", "Weight", tag="th") + row("Van", "5 t")), [*ROWS, "Car: Van; Weight: 5 t"]),
        (table(OFFICES + '<tr><th colspan="2">Abroad</th></tr>' + row("Seoul", "2020")),
         [*ROWS, "Abroad", "City: Seoul; Opened: 2020"]),
        (table(row("Name:", "Le Hoa") + row("Born:", "1990")), ["Name: Le Hoa", "Born: 1990"]),
        # What stands around a table.
        (f"<div>Before {table(OFFICES)} Behind it.</div>", ["Before", *ROWS, "Behind it."]),
        (f"<figure>{table(OFFICES)}<figcaption>All offices.</figcaption></figure>", [*ROWS, "All offices."]),
        (table(OFFICES.replace("Hue", "Hu&#1;e<!-- no -->")), ROWS),
        (table(OFFICES.replace("Hue", "Hue<svg><title>X</title></svg><noscript>Y</noscript>")), ROWS),
        (table(OFFICES.replace("2016", "2016<sup>1</sup>")), [ROWS[0], "City: Hue; Opened: 2016¹"]),
        (table(row("a<br>b", "<p>c</p><p>d</p>", tag="td") + row("e", "f")), ["a b: c d", "e: f"]),
    ],
)  # fmt: skip
def test_each_value_is_behind_the_name_of_its_column(body: str, paragraphs: list[str]) -> None:
    assert told(body) == paragraphs


def test_what_is_hidden_in_a_table_stays_hidden() -> None:
    hidden = row("Seoul", "1999").replace("<tr>", '<tr style="display:none">')
    assert told(table(OFFICES + hidden)) == ROWS
    assert told(table(OFFICES.replace("Hue", "Hue<span hidden> or Hoi An</span>"))) == ROWS


@pytest.mark.parametrize("mark", ['style="display: none"', 'aria-hidden="true"', "hidden"])
def test_a_hidden_table_stays_hidden(mark: str) -> None:
    hidden = table(OFFICES).replace("<table", f"<table {mark}")
    assert told(f"<p>One.</p>{hidden} Two.<p>Three.</p>") == ["One.", "Two.", "Three."]


def test_a_table_that_would_be_far_larger_than_its_page_stays_as_it_is() -> None:
    far = "<table><tr>" + "<td>x" * 2000 + "<tr><td>y" * 2000
    tall = "<table><tr>" + "<td rowspan=999>abcdefghijklmnopqrst" * 200 + "<tr>" * 998
    for page in (far, tall * 8):
        tree = lxml.html.fromstring(f"<html><body>{page}</body></html>")
        write_out_tables(tree)
        assert tree.find(".//table") is not None
        assert len(tree.text_content()) < 6_000_000


def test_tables_of_books_are_written_out(tmp_path: Path) -> None:
    body = f"<p>Before.</p>{table(f'<caption>All</caption>{OFFICES}')}<p>After.</p>"
    assert blocks(lxml.etree.HTML(body)).split("\n\n") == ["Before.", "All", *ROWS, "After."]


def test_a_table_that_lays_out_a_page_is_none() -> None:
    page = f"<html><body>{table(row('Menu', PROSE * 5) + row('', PROSE * 4))}</body></html>"
    text = load(Path("/papers/a.html"), page.encode()).documents[0].text
    assert "led by somebody" in text
    assert f"Menu: {PROSE[:9]}" not in text
    assert "|" not in text


def test_tables_within_a_table_that_lays_out_a_page_are_written_out() -> None:
    inner = row("<h2>Offices</h2>" + table(OFFICES) + "Prices include delivery.")
    page = f"<html><body>{table(row('<h1>News</h1><p>' + PROSE + '</p>') + inner)}</body></html>"
    text = load(Path("/papers/a.html"), page.encode()).documents[0].text
    assert [one for one in text.split("\n\n") if one in ROWS] == ROWS
    assert "|" not in text
    assert text.index("led by") < text.index(ROWS[0]) < text.index("Prices include")


spans = st.sampled_from(
    ["", ' rowspan="2"', ' colspan="3"', ' rowspan="0"', ' colspan="999999999"', ' rowspan="x"']
)
odd_cells = st.tuples(
    st.sampled_from(["td", "th"]),
    spans,
    st.sampled_from(["ka", "lo", "", "<b>x</b>", "<table></table>"]),
)


@given(st.lists(st.lists(odd_cells, max_size=4), max_size=5))
def test_no_table_is_too_odd_and_no_cell_is_lost(rows: list[list[tuple[str, str, str]]]) -> None:
    body = "".join(
        f"<tr>{''.join(f'<{tag}{span}>{text}</{tag}>' for tag, span, text in cells)}</tr>"
        for cells in rows
    )
    page = f"<html><body><article><p>{PROSE}</p><table>{body}</table><p>{PROSE}</p></article></body></html>"
    text = load(Path("/papers/a.html"), page.encode()).documents[0].text
    for word in ("ka", "lo"):
        if any(word == text for cells in rows for tag, _, text in cells if tag == "td"):
            assert word in text.split(PROSE.strip())[1]
