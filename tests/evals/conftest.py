"""Small suites, and a retriever that finds what it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.chatbot import Chatbot
from rag.evals.reading import load_suite
from rag.evals.suite import Case, Suite
from rag.index.index import Index
from rag.llm.scripted import ScriptedBackend
from rag.types import Hit
from rag.weighing import Weighing, by_words

GOOD = {"id": "1", "question": "Who?", "language": "en", "unanswerable": True}


def write_suite(folder: Path, rows: Sequence[Mapping[str, Any] | str], manifest: str = "") -> Path:
    """Write a suite's folder, with one document; a text among the rows is a line as it is."""
    (folder / "papers").mkdir(parents=True)
    (folder / "papers" / "a.txt").write_text("Ann wrote the report in May.", "utf-8")
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    default = 'name = "x"\ndocuments = "papers"\ncases = "cases.jsonl"\n'
    (folder / "suite.toml").write_text(manifest or default, "utf-8")
    return folder


@dataclass
class Remembered:
    """Finds for every question what an index found for it once, from a rank on."""

    found: Mapping[str, Sequence[Hit]]
    without_first: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def search(self, question: str, k: int | None = None, **filters: Any) -> list[Hit]:
        """What was found, without the best passage where the question is one of some."""
        self.asked.append(question)
        hits = list(self.found.get(question, ()))
        return hits[1 if question in self.without_first else 0 :][:k]

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """Nothing bears anything out."""
        return [(0.0, 0.0) for _ in texts]

    def weigh(self, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
        """Weigh texts by the words of each question that they hold."""
        return by_words(questions, texts)


@pytest.fixture(scope="session")
def seeds_suite() -> Suite:
    """The suite of the seeds."""
    return load_suite("seeds")


@pytest.fixture(scope="session")
def remembered(seeds_suite: Suite, seeds_index: Index) -> dict[str, list[Hit]]:
    """What the real index finds for every question of the seeds suite that stands alone."""
    alone = [case for case in seeds_suite.cases if not case.history]
    return {case.question: seeds_index.search(case.question, 10) for case in alone}


@pytest.fixture(scope="session")
def single_turn(seeds_suite: Suite) -> Suite:
    """The seeds suite without follow-ups."""
    return subset(seeds_suite, [case for case in seeds_suite.cases if not case.history])


def subset(suite: Suite, cases: Sequence[Case]) -> Suite:
    """A suite with only some cases."""
    import dataclasses

    return dataclasses.replace(suite, cases=tuple(cases))


def saying(*pieces: Any) -> ScriptedBackend:
    """A backend that says the same to everything."""
    return ScriptedBackend(list(pieces))


def bot_of(retriever: Any, backend: Any = None) -> Chatbot:
    """A chatbot over a retriever, with a backend that abstains unless another is given."""
    from rag.messages import NO_ANSWER

    return Chatbot(retriever, [backend or saying(NO_ANSWER)])
