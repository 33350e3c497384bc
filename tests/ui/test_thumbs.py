"""Thumbs in the real page: kept beside the index, and taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.feedback import read_feedback
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.settings import Settings

from .conftest import OpenWindow


@pytest.fixture
def index(tmp_path: Path, seeds_index: Index, settings: Settings, embedder: Embedder) -> Index:
    """A copy of the index of the seeds, to be written into."""
    shutil.copytree(seeds_index.folder, tmp_path / "index")
    return Index.open(tmp_path / "index", settings, embedder)


def test_a_thumb_is_kept_with_the_answer_it_was_given(
    open_window: OpenWindow, index: Index
) -> None:
    window = open_window(index)
    window.ask("Who is Winston Ma?")
    window.ask("OpenAI được định giá bao nhiêu?")
    answers = window.page.locator('#conversation [data-testid="bot"]')
    expect(answers).to_have_count(2)
    window.page.get_by_role("button", name="Dislike", exact=True).last.click()
    expect(window.page.locator("#notice")).to_contain_text("sent nowhere")
    (kept,) = read_feedback(index.folder)
    assert kept.good is False
    assert kept.answer["question"] == "OpenAI được định giá bao nhiêu?"
    assert [turn.question for turn in kept.history] == ["Who is Winston Ma?"]
    assert index.verify() == []


def test_a_thumb_can_be_changed_and_taken_back(open_window: OpenWindow, index: Index) -> None:
    window = open_window(index)
    window.ask("Who is Winston Ma?")
    like = window.page.locator('#conversation button[title*="ike"]')
    expect(like).to_have_count(2)
    notice = window.page.locator("#notice")
    like.last.click()
    expect(notice).to_contain_text("sent nowhere")
    assert [one.good for one in read_feedback(index.folder)] == [True]
    like.last.click()
    expect(notice).to_contain_text("taken back")
    assert read_feedback(index.folder) == []


def test_a_thumb_that_cannot_be_kept_is_said(open_window: OpenWindow, index: Index) -> None:
    (index.folder / "feedback.jsonl").mkdir()
    window = open_window(index)
    window.ask("Who is Winston Ma?")
    window.page.get_by_role("button", name="Like", exact=True).last.click()
    expect(window.page.locator("#notice")).to_contain_text("cannot be kept")
