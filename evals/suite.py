"""Suites: questions with what a good answer finds, cites and says, as data.

``reading`` makes them of files.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import EvaluationError
from rag.serialization import to_json
from rag.types import Turn


@dataclass(frozen=True, slots=True)
class Expected:
    """Something that a good answer rests on.

    ``document`` is the name of a document and ``quote`` words of it; without a quote any passage
    of the document will do. What has the same ``part`` are alternatives: one of them is enough.
    Different parts are all needed. ``grade`` says how relevant it is, as in TREC's judgements.
    """

    document: str
    quote: str = ""
    part: int = 0
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One question. A case without anything expected is one that no document answers.

    ``answers`` are what the answer must say: for each piece of it the accepted wordings.
    ``split`` tells cases that may be tuned on, ``dev``, from those that may not, ``test``.
    """

    id: str
    question: str
    language: str
    expected: tuple[Expected, ...] = ()
    answers: tuple[tuple[str, ...], ...] = ()
    history: tuple[Turn, ...] = ()
    tags: tuple[str, ...] = ()
    split: str = ""

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return bool(self.expected)

    @property
    def parts(self) -> dict[int, tuple[Expected, ...]]:
        """What is expected, by part."""
        numbers = sorted({one.part for one in self.expected})
        return {n: tuple(one for one in self.expected if one.part == n) for n in numbers}

    @property
    def digest(self) -> str:
        """What changes when anything but the tags and the split of the case changes."""
        told = dataclasses.replace(self, tags=(), split="")
        return hashlib.sha256(to_json(told).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases, and the documents that they ask about.

    The documents are ``documents``, files and folders, and ``texts`` by file name; or they are
    what the index in the folder ``index`` holds. ``languages`` are those of the documents by
    name, ``language`` that of the others; empty where nobody has said it. ``drafts`` are cases that are not complete yet, which
    are not asked.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    documents: tuple[Path, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    index: Path | None = None
    language: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    drafts: int = 0

    @property
    def digest(self) -> str:
        """What changes when a case or a text of the suite changes."""
        told = [case.digest for case in self.cases]
        told += [f"{name}\n{text}" for name, text in sorted(self.texts.items())]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    def pair(self, case: Case) -> str:
        """The languages of a question and of what answers it: ``en→vi``; empty without answer.

        A question mark stands for a language that nobody has said.
        """
        named = {self.languages.get(e.document, self.language) for e in case.expected}
        told = sorted(language or "?" for language in named)
        return f"{case.language}→{'+'.join(told)}" if told else ""

    def only(self, split: str) -> Suite:
        """The cases of one split.

        Raises:
            EvaluationError: There are none.
        """
        cases = tuple(case for case in self.cases if case.split == split)
        if not cases:
            known = ", ".join(sorted({case.split for case in self.cases} - {""})) or "none"
            raise EvaluationError(
                f"The suite {self.name!r} has no split {split!r}.", f"It has: {known}."
            )
        return dataclasses.replace(self, cases=cases)
