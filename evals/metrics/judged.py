"""What only a language model can judge: whether texts bear a sentence out, whether an answer is right.

The judge is any backend of the chain's. Without one these metrics give no grade, and a reply that
is neither yes nor no gives none either. A judge that fails is a failure of the case.

Sources: groundedness as the faithfulness of Es et al. 2024, "RAGAS: Automated Evaluation of Retrieval
Augmented Generation", with sentences for statements; citation recall and precision after Gao et al.
2023 (``citations.py``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import lru_cache

from rag.evals.suite import Case
from rag.llm.backend import Backend, Request
from rag.markers import without_markers
from rag.messages import Message, render
from rag.types import Answer

from .citations import answer_of, recall_and_precision, statements
from .metric import Grade, Metric, Result

_NO_JUDGE = "there is no judge"
_UNCLEAR = "the judge said neither yes nor no"
_FIRST_WORD = re.compile(r"\W*(\w+)")
_VERDICTS = {"yes": True, "no": False}


def judged_metrics(judge: Backend | None) -> tuple[Metric, ...]:
    """Metrics that need a judge.

    Args:
        judge: Who judges; without one nothing is graded.

    Raises:
        BackendError: While grading, the judge failed.
    """
    asked = Judge(judge) if judge else None

    def metric(
        name: str, title: str, grade: Callable[[Judge, Case, Answer], Grade | None]
    ) -> Metric:
        def graded(case: Case, result: Result) -> Grade | None:
            if (answer := answer_of(result)) is None:
                return None
            if asked is None:
                return Grade(None, _NO_JUDGE)
            return grade(asked, case, answer)

        return Metric(name, title, graded)

    return (
        metric("groundedness", "sentences that the passages bear out (judged)", _groundedness),
        metric("judged_citation_recall", "citation recall (judged)", _recall),
        metric("judged_citation_precision", "citation precision (judged)", _precision),
        metric("judged_correct", "answer agrees with what is expected (judged)", _correct),
    )


class Judge:
    """Asks a language model questions of yes and no.

    Args:
        backend: The language model.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        # Recall and precision ask the same of one answer.
        self._verdict = lru_cache(maxsize=1024)(self._asked)

    def entails(self, texts: Sequence[str], sentence: str) -> bool | None:
        """Whether texts, taken together, bear a sentence out; ``None`` for an unclear reply."""
        return self._verdict(render("judge.entails", texts=texts, sentence=sentence))

    def agrees(self, question: str, answer: str, expected: Sequence[str]) -> bool | None:
        """Whether an answer says what is expected; ``None`` for an unclear reply."""
        prompt = render("judge.agrees", question=question, answer=answer, expected=expected)
        return self._verdict(prompt)

    def _asked(self, prompt: str) -> bool | None:
        messages: tuple[Message, ...] = ({"role": "user", "content": prompt},)
        reply = asyncio.run(self._reply(Request(prompt, "en", (), messages, lambda q, t: [])))
        first = _FIRST_WORD.match(reply)
        return _VERDICTS.get(first[1].lower()) if first else None

    async def _reply(self, request: Request) -> str:
        async with aclosing(self._backend.stream(request)) as parts:
            return "".join([part async for part in parts if isinstance(part, str)])


def _groundedness(judge: Judge, case: Case, answer: Answer) -> Grade | None:
    told = statements(answer)
    passages = [hit.passage.text for hit in answer.hits]
    verdicts = [judge.entails(passages, text) for text, _ in told]
    if not told or None in verdicts:
        return Grade(None, _UNCLEAR) if told else None
    bad = [text for (text, _), verdict in zip(told, verdicts, strict=True) if not verdict]
    return Grade(1 - len(bad) / len(told), bad[0] if bad else "")


def _recall(judge: Judge, case: Case, answer: Answer) -> Grade | None:
    recall, _ = recall_and_precision(statements(answer), judge.entails)
    return Grade(recall, "" if recall is not None else _UNCLEAR)


def _precision(judge: Judge, case: Case, answer: Answer) -> Grade | None:
    recall, precision = recall_and_precision(statements(answer), judge.entails)
    if recall is None:
        return Grade(None, _UNCLEAR)
    return Grade(precision or 0.0, "" if precision is not None else "nothing is cited")


def _correct(judge: Judge, case: Case, answer: Answer) -> Grade | None:
    wanted = [" / ".join(forms) for forms in case.answers]
    wanted = wanted or [one.quote for one in case.expected if one.quote]
    if not wanted:
        return None
    verdict = judge.agrees(case.question, without_markers(answer.text), wanted)
    return Grade(None, _UNCLEAR) if verdict is None else Grade(float(verdict))
