"""Running a suite from the command line: a fresh index, the questions, a table."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from rag.chatbot import Chatbot
from rag.index.index import Index
from rag.settings import Settings
from rag.types import Progress, to_dict

from .run import Outcome, Run, run
from .suite import load_suite


def measure(
    suite_name: str,
    settings: Settings,
    backend: str | None,
    documents: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    verbose: bool = False,
    as_json: bool = False,
) -> str:
    """Index a suite's documents in a temporary folder, ask its questions, report.

    Args:
        suite_name: The name of a suite, or its folder.
        settings: Settings of the index, retrieval and backends.
        backend: The chain that answers, in place of the one in the settings.
        documents: The folder of the documents, in place of the suite's own.
        on_progress: Called with every document, passage and question.
        verbose: Whether each case that did not come out right is shown.
        as_json: Whether everything is given as JSON instead of a table.

    Raises:
        SettingsError: There is no such suite, or its documents are not there.
        BackendError: No backend could answer.
    """
    suite = load_suite(suite_name, documents)
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as folder:
        index = Index.create(folder, settings)
        index.add(suite.documents, on_progress)
        finished = run(suite, Chatbot(index, backend, settings), on_progress)
    return _as_json(finished) if as_json else _as_table(finished, verbose=verbose)


def _as_table(finished: Run, *, verbose: bool) -> str:
    lines = [f"{finished.suite.title}: {len(finished.outcomes)} questions", ""]
    for score in finished.scores():
        share = "-" if score.share is None else f"{100 * score.share:.1f}%"
        lines.append(f"{score.name:45} {score.hits:4} of {score.total:4}  {share:>6}")
    if verbose:
        lines.append("")
        lines += [_described(one) for one in finished.outcomes if not one.right]
    return "\n".join(lines)


def _described(outcome: Outcome) -> str:
    wanted = " | ".join(one.quote for one in outcome.case.expected) or "no answer"
    said = " ".join(outcome.answer.text.split())
    return f"{outcome.case.id}: {outcome.case.question}\n  wanted: {wanted}\n  said:   {said}"


def _as_json(finished: Run) -> str:
    cases = [
        {
            "id": one.case.id,
            "found": one.found,
            "cited": one.cited,
            "quoted": one.quoted,
            "exact": one.exact,
            "right": one.right,
            "answer": to_dict(one.answer),
        }
        for one in finished.outcomes
    ]
    scores = [{**dataclasses.asdict(one), "share": one.share} for one in finished.scores()]
    report = {"suite": finished.suite.name, "scores": scores, "cases": cases}
    return json.dumps(report, ensure_ascii=False, indent=2)
