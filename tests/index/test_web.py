"""Pages: dates that they state of themselves, and pages of a few words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from rag.index.load import load

PROSE = "The harbour was rebuilt after the flood of 12 May 1999, and again in the year 2003. " * 4


def page(folder: Path, head: str, body: str) -> Path:
    path = folder / "page.html"
    path.write_text(f"<html><head>{head}</head><body>{body}</body></html>", "utf-8")
    return path


def test_a_date_in_the_prose_of_a_page_is_not_its_own(tmp_path: Path) -> None:
    path = page(tmp_path, "<title>Harbour</title>", f"<article><p>{PROSE}</p></article>")
    assert load(path).documents[0].published is None


def test_a_date_that_a_page_states_is_its_own(tmp_path: Path) -> None:
    head = '<meta property="article:published_time" content="2024-07-03T10:00:00Z">'
    path = page(tmp_path, head, f"<article><p>{PROSE}</p></article>")
    assert load(path).documents[0].published == dt.date(2024, 7, 3)


@pytest.mark.parametrize("text", ["<p>tiny</p>", "tiny", "<html><body>tiny</body></html>"])
def test_a_page_of_one_word_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tiny.html"
    path.write_text(text, "utf-8")
    assert load(path).documents[0].text.strip() == "tiny"
