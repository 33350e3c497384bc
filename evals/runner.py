"""Putting a suite's questions to a chatbot, several at a time, and grading what comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from rag.chatbot import Chatbot
from rag.errors import BackendError, EvaluationError
from rag.evals.metrics.every import metrics as all_metrics
from rag.evals.metrics.metric import Grade, Metric, Result
from rag.evals.metrics.retrieval import depth
from rag.index.index import Index
from rag.llm.backend import Backend
from rag.serialization import to_dict
from rag.settings import Settings
from rag.types import Answer, Delta, Done, Hit, Progress

from .about import about, about_documents
from .reading import load_suite
from .results import Outcome, Run, Told
from .store import Store
from .suite import Case, Suite

OnProgress = Callable[[Progress], None]

# When so many cases in a row get no answer, the rest would not either.
_MOST_FAILURES = 5
_AT_ONCE = 4


def run(
    suite: Suite | str | Path,
    bot: Chatbot,
    *,
    judge: Backend | None = None,
    answers: bool = True,
    parallel: int = _AT_ONCE,
    seed: int = 0,
    folder: Path | None = None,
    store: Store | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Run:
    """Ask every question of a suite, and grade what comes back.

    Args:
        suite: The suite, or its name; its documents are in the index that the chatbot asks
            (``indexed`` makes such an index).
        bot: The chatbot.
        judge: Who grades what only a language model can; without one that is not graded.
        answers: Whether answers are written; without them only passages are sought.
        parallel: How many questions are asked at a time.
        seed: The seed of the intervals.
        folder: Where the run is kept as it goes. One that was interrupted there goes on.
        store: The same folder, where the caller has taken it already.
        on_progress: Told about every case.

    Raises:
        EvaluationError: There is no such suite, or the folder holds another run.
        BackendError: Five cases in a row got no answer. Fewer are in ``Run.failed``: a failure
            is never counted as a wrong answer.
    """
    from anyio.from_thread import start_blocking_portal

    asked = suite if isinstance(suite, Suite) else load_suite(suite)
    metrics = all_metrics(judge)
    told = tuple(Told(m.name, m.title, m.better, m.unit) for m in metrics)
    given = {"answers": answers, "parallel": parallel, "seed": seed}
    facts = about(asked, bot.settings, bot.backends, judge, **given)  # type: ignore[arg-type]
    facts |= about_documents(bot.retriever)
    own = Store(folder) if folder and not store else None
    store = store or own
    try:
        if store:
            store.begin(facts, told)
        known = store.outcomes(asked) if store else {}
        asking = _Asking(asked, bot, metrics, known, store, on_progress, answers=answers)
        # A thread with its own event loop, so that this works inside a notebook's loop too.
        with start_blocking_portal() as portal:
            portal.call(asking.all, max(1, parallel))
        finished = Run(facts, told, tuple(known[case.id] for case in asked.cases))
        if store:
            store.finish(finished)
    finally:
        if own:
            own.close()
    return finished


def indexed(
    suite: Suite,
    folder: Path,
    settings: Settings,
    on_progress: OnProgress = lambda progress: None,
) -> Index:
    """An index of a suite's documents.

    Args:
        suite: The suite. One that names an index gets that one, as it is.
        folder: Where the index is made, or was made before.
        settings: Its settings.
        on_progress: Told about every document and passage.

    Raises:
        EvaluationError: A document cannot be read.
    """
    if suite.index:
        return Index.open(suite.index, settings)
    paths = list(suite.documents)
    if suite.texts:
        written = folder.with_name(folder.name + "-documents")
        written.mkdir(parents=True, exist_ok=True)
        for name, text in suite.texts.items():
            (written / name).write_text(text, "utf-8", newline="")
        paths.append(written)
    index = Index.open_or_create(folder, settings)
    report = index.add(paths, on_progress)
    if report.failed:
        raise EvaluationError(
            f"A document of the suite {suite.name!r} cannot be read: {report.failed[0].reason}"
        )
    return index


class _Asking:
    """The cases of one run that are not answered yet, being asked."""

    def __init__(
        self,
        suite: Suite,
        bot: Chatbot,
        metrics: Sequence[Metric],
        known: dict[str, Outcome],
        store: Store | None,
        on_progress: OnProgress,
        *,
        answers: bool,
    ) -> None:
        self._suite, self._bot, self._metrics = suite, bot, metrics
        self._known, self._store, self._on_progress = known, store, on_progress
        self._answers = answers
        self._failures = 0  # in a row
        self._given_up: BackendError | None = None

    async def all(self, parallel: int) -> None:
        """Ask all of them, so many at a time."""
        self._told("")
        waiting = iter([case for case in self._suite.cases if case.id not in self._known])
        await asyncio.gather(*(self._some(waiting) for _ in range(parallel)))
        if self._given_up:
            raise self._given_up

    async def _some(self, waiting: Iterator[Case]) -> None:
        for case in waiting:
            if self._given_up:
                return
            try:
                result = await self._result(case)
                grades = await asyncio.to_thread(self._graded, case, result)
                answer: Any = to_dict(result.answer) if result.answer else None
                outcome = Outcome(case, self._suite.pair(case), grades, answer)
                self._failures = 0
            except BackendError as error:
                self._failures += 1
                self._given_up = error if self._failures >= _MOST_FAILURES else self._given_up
                outcome = Outcome(case, self._suite.pair(case), {}, error=str(error))
            self._known[case.id] = outcome
            if self._store:
                self._store.append(outcome)
            self._told(case.question)

    async def _result(self, case: Case) -> Result:
        if not self._answers:
            return Result(await self._ranking(case))
        begun, first = time.monotonic(), None
        answer: Answer | None = None
        async with aclosing(self._bot.astream(case.question, case.history)) as events:
            async for event in events:
                if isinstance(event, Delta) and first is None:
                    first = time.monotonic() - begun
                elif isinstance(event, Done):
                    answer = event.answer
        seconds = time.monotonic() - begun
        # Behind the answer, which would otherwise find the question embedded already.
        return Result(await self._ranking(case), answer, seconds, first)

    async def _ranking(self, case: Case) -> tuple[Hit, ...]:
        found = self._bot.retrieve
        return tuple(await asyncio.to_thread(found, case.question, case.history, k=depth(case)))

    def _graded(self, case: Case, result: Result) -> dict[str, Grade]:
        grades = {metric.name: metric.grade(case, result) for metric in self._metrics}
        return {name: grade for name, grade in grades.items() if grade is not None}

    def _told(self, question: str) -> None:
        self._on_progress(Progress("questions", len(self._known), len(self._suite.cases), question))
