"""A suite from its documents to a finished run in a folder: index, chatbot, questions, reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

from rag.chatbot import Chatbot
from rag.errors import EvaluationError
from rag.index.index import Index
from rag.llm.backend import Backend
from rag.llm.chain import LocalServers, backends
from rag.settings import Settings
from rag.types import Progress

from .about import about
from .checking import checked_suite
from .pages import write_reports
from .results import Run
from .runner import indexed, run
from .store import Store
from .suite import Suite

# Nobody else has folders of this name, and these are deleted when the run is finished.
_INDEX = ".rag-eval-index"


def asked(
    suite: Suite,
    settings: Settings,
    folder: Path,
    *,
    backend: str | None = None,
    judge: str | None = None,
    index: Path | None = None,
    answers: bool = True,
    parallel: int = 4,
    seed: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Run:
    """Index a suite's documents, ask its questions, and write the reports.

    Args:
        suite: The suite.
        settings: Settings of the index, retrieval and backends.
        folder: Where the run is kept. The index of the documents lies there while it lasts.
        backend: The chain that answers, in place of the one in the settings.
        judge: The backend that grades what only a language model can.
        index: An index to ask, in place of one of the suite's documents.
        answers: Whether answers are written; without them only passages are sought.
        parallel: How many questions are asked at a time.
        seed: The seed of the intervals.
        on_progress: Told about every document, passage and question.

    Raises:
        EvaluationError: A document cannot be read, or the folder holds another run.
        BackendError: Five cases in a row got no answer.
    """
    judges = backends(judge, settings) if judge else ()
    if len(judges) > 1 or any(isinstance(judge, LocalServers) for judge in judges):
        raise EvaluationError("There is one judge, or none.", "Name one backend with --judge.")
    decider = cast(Backend, judges[0]) if judges else None
    chain = backends(backend or settings.answer.backend, settings)
    store = Store(folder)
    try:
        given = {"answers": answers, "parallel": parallel, "seed": seed}
        store.expect(about(suite, settings, chain, decider, **given))  # type: ignore[arg-type]
        own = folder / _INDEX
        opened = (
            Index.open(index, settings) if index else indexed(suite, own, settings, on_progress)
        )
        checked = checked_suite(suite, opened)
        bot = Chatbot(opened, chain, settings)
        finished = run(checked, bot, judge=decider, store=store, on_progress=on_progress, **given)  # type: ignore[arg-type]
        write_reports(finished, folder)
        for path in (own, folder / f"{_INDEX}-documents"):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        store.close()
    return finished
