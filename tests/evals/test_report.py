"""Reports: as text, Markdown, JSON, and one HTML page that a real browser opens."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from rag.chatbot import Chatbot
from rag.errors import BackendRefused
from rag.evals.comparison import compare
from rag.evals.pages import as_html, write_reports
from rag.evals.report import (
    as_json,
    as_markdown,
    as_text,
    comparison_markdown,
    comparison_text,
    misses,
)
from rag.evals.results import Run
from rag.evals.runner import run
from rag.evals.suite import Case, Expected, Suite
from rag.index.index import Index
from rag.llm.backend import Request
from rag.llm.extractive import ExtractiveBackend
from rag.llm.scripted import ScriptedBackend
from rag.settings import AnswerSettings
from rag.types import Turn

from .conftest import Remembered, bot_of, subset

HOSTILE = "<script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"


@pytest.fixture(scope="module")
def finished(single_turn: Suite, seeds_index: Index) -> Run:
    """Some answered cases of each kind, one with hostile text and one without an answer."""
    cases = [*single_turn.cases[:6], *single_turn.cases[60:70], *single_turn.cases[-4:]]
    hostile = (Expected("001_31d3efc9b029c984.txt", HOSTILE),)
    turns = (Turn(HOSTILE, HOSTILE),)
    cases.append(
        Case(
            "hostile",
            f"Who is Winston Ma? {HOSTILE}",
            "en",
            hostile,
            ((HOSTILE,),),
            turns,
            tags=(HOSTILE,),
        )
    )
    cases.append(Case("failing", "What fails?", "en"))
    real = ExtractiveBackend(AnswerSettings())

    class Sometimes:
        name = "sometimes"

        async def stream(self, request: Request) -> Any:
            if "fails" in request.question:
                raise BackendRefused(f"The server said no. {HOSTILE}")
            async for part in real.stream(request):
                yield part
            if "script" in request.question:
                yield f" {HOSTILE}"

    return run(subset(single_turn, cases), Chatbot(seeds_index, [Sometimes()]))


def test_the_table_says_value_interval_and_count(finished: Run) -> None:
    text = as_text(finished)
    (line,) = [line for line in text.splitlines() if line.startswith("recall@5 ")]
    one = next(one for one in finished.summaries() if one.name == "recall@5")
    assert one.mean is not None
    assert line.split()[1] == f"{100 * one.mean:.1f}%"
    assert line.split()[-1] == str(one.graded)
    assert "not graded: there is no judge" in text
    assert "1 cases got no answer: The server said no." in text
    assert "sometimes" in text


def test_misses_say_what_was_wanted_and_what_was_said(single_turn: Suite) -> None:
    few = subset(single_turn, single_turn.cases[:1])
    shown = misses(run(few, bot_of(Remembered({}))))
    assert single_turn.cases[0].expected[0].quote in shown
    assert single_turn.cases[0].question in shown


def test_markdown_and_json_hold_the_same_figures(finished: Run) -> None:
    plain = json.loads(json.dumps(as_json(finished)))
    found = {one["name"]: one for one in plain["metrics"]}
    assert found["groundedness"]["mean"] is None
    assert len(plain["cases"]) == len(finished.outcomes)
    text = as_markdown(finished)
    for one in finished.summaries():
        assert f"| {one.name} |" in text
    assert "| vi→vi |" in text
    assert "- failing: The server said no." in text
    assert "|  |" not in text.split("## By")[0].splitlines()[3]


def test_the_page_shows_every_case_with_its_quotes_marked(finished: Run, tmp_path: Path) -> None:
    page = as_html(finished)
    for one in finished.outcomes:
        assert f'id="case-{one.case.id}"' in page
        for citation in one.answer["citations"] if one.answer else ():
            assert citation["quote"] in unescape(page.replace("<mark>", "").replace("</mark>", ""))
    assert HOSTILE not in page
    marked = re.findall("<mark>(.*?)</mark>", page, re.DOTALL)
    quotes = [c["quote"] for o in finished.outcomes if o.answer for c in o.answer["citations"]]
    assert {unescape(one) for one in marked} & set(quotes)
    for one in marked:  # a quote or part of one, never the passage around it
        assert any(unescape(one) in quote for quote in quotes)
    assert {path.name for path in write_reports(finished, tmp_path)} == {
        "report.html",
        "report.md",
        "report.json",
    }


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_stands_alone_in_a_browser_and_fits_a_phone(
    browser: Browser, finished: Run, tmp_path: Path, width: int
) -> None:
    write_reports(finished, tmp_path)
    context = browser.new_context(viewport={"width": width, "height": 740})
    page = context.new_page()
    outside: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto((tmp_path / "report.html").as_uri())
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == finished.about["title"]
    assert page.locator("mark").count() > 5
    lengths = page.locator(".bar rect.value").evaluate_all(
        "all => all.map(one => one.getAttribute('width'))"
    )
    recall = next(one for one in finished.summaries() if one.name == "recall@5")
    assert len(lengths) > 5
    assert any(0 < float(length) <= 100 for length in lengths)
    assert recall.mean is not None
    cases = page.locator(".case:visible")
    assert cases.count() == len(finished.outcomes)
    page.fill("#search", "hostile")
    assert cases.count() == 1
    page.fill("#search", "")
    page.check("#misses")
    assert 0 < cases.count() < len(finished.outcomes)
    context.close()
    assert [url for url in outside if not url.startswith("file:")] == []
    assert wrong == []


def test_a_run_of_passages_alone_has_a_report_too(
    single_turn: Suite, remembered: dict[str, Any]
) -> None:
    few = subset(single_turn, single_turn.cases[:4])
    found = run(few, bot_of(Remembered(remembered)), answers=False)
    assert "recall@5" in as_html(found)
    assert "evidence_cited" not in as_text(found)


def test_a_comparison_names_what_changed(single_turn: Suite, remembered: dict[str, Any]) -> None:
    few = subset(single_turn, single_turn.cases[:8])
    before = run(few, bot_of(Remembered(remembered)), answers=False)
    lost = frozenset(case.question for case in few.cases)
    after = run(few, bot_of(Remembered(remembered, lost)), answers=False)
    found = compare(before, after)
    text = comparison_text(found)
    assert f"{len(found.changed)} cases changed:" in text
    assert "Cases in both: 8" in text
    assert few.cases[0].question in text
    assert "worse" in text
    assert "| recall@1 |" in comparison_markdown(found)


def test_a_backend_that_stepped_in_is_named(single_turn: Suite, seeds_index: Index) -> None:
    few = subset(single_turn, single_turn.cases[:2])
    failing = ScriptedBackend([BackendRefused("No.")], name="first")
    bot = Chatbot(seeds_index, [failing, ScriptedBackend(["Yin Ye. [1]"], name="second")])
    assert run(few, bot).backends() == {"second": 2}
