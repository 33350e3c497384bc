"""Putting a suite's questions to a chatbot, and counting what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rag.chatbot import Chatbot
from rag.types import Answer, Progress

from .suite import Case, Suite


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case.

    ``found``: a retrieved passage holds an expected quote. ``cited``: a cited one does.
    ``quoted``: a citation's quote overlaps it. ``exact``: every quote is what the document
    holds at its offsets. ``right``: cited for an answerable case, abstained for another.
    """

    case: Case
    answer: Answer
    found: bool
    cited: bool
    quoted: bool
    exact: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How many of how many cases."""

    name: str
    hits: int
    total: int

    @property
    def share(self) -> float | None:
        """The share in [0, 1], or ``None`` where there was no such case."""
        return self.hits / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Run:
    """A suite's outcomes, in the order of its cases."""

    suite: Suite
    outcomes: tuple[Outcome, ...]

    def scores(self) -> tuple[Score, ...]:
        """The figures the README states."""
        answerable = [one for one in self.outcomes if one.case.answerable]
        rows = []
        for tag in ("same-language", "without-diacritics", "cross-language"):
            tagged = [one for one in answerable if tag in one.case.tags]
            rows.append(_score(f"{tag}: passage found", (one.found for one in tagged)))
            rows.append(_score(f"{tag}: cited passage answers", (one.cited for one in tagged)))
            rows.append(_score(f"{tag}: quote answers", (one.quoted for one in tagged)))
        rest = [one for one in self.outcomes if not one.case.answerable]
        near = [one for one in rest if "near-miss" in one.case.tags]
        far = [one for one in rest if "near-miss" not in one.case.tags]
        rows.append(_score("unanswerable: said to be so", (one.right for one in rest)))
        rows.append(_score("of those, about something else", (one.right for one in far)))
        rows.append(_score("of those, near misses", (one.right for one in near)))
        rows.append(_score("quotes exact", (one.exact for one in self.outcomes)))
        return tuple(rows)


def run(
    suite: Suite, bot: Chatbot, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Run:
    """Ask every question of a suite.

    Args:
        suite: The suite; its documents are in the index that the chatbot asks.
        bot: The chatbot.
        on_progress: Called before every question.

    Raises:
        BackendError: No backend could answer; a run never counts that as a wrong answer.
    """
    outcomes = []
    for number, case in enumerate(suite.cases):
        on_progress(Progress("questions", number, len(suite.cases), case.question))
        outcomes.append(_outcome(case, bot.ask(case.question)))
    return Run(suite, tuple(outcomes))


def _outcome(case: Case, answer: Answer) -> Outcome:
    expected = {(one.document, one.quote) for one in case.expected}
    found = any(
        hit.document.name == name and quote in hit.passage.text
        for hit in answer.hits
        for name, quote in expected
    )
    cited = quoted = False
    for citation in answer.citations:
        for name, quote in expected:
            if citation.document.name == name and quote in citation.passage.text:
                cited = True
                at = citation.document.text.find(quote, citation.passage.start)
                quoted = quoted or (at < citation.end and citation.start < at + len(quote))
    exact = all(
        citation.document.text[citation.start : citation.end] == citation.quote
        for citation in answer.citations
    )
    right = cited and not answer.abstained if case.answerable else answer.abstained
    return Outcome(case, answer, found, cited, quoted, exact, right)


def _score(name: str, values: Iterable[bool]) -> Score:
    counted = list(values)
    return Score(name, sum(counted), len(counted))
