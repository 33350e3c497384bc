"""Suites: questions with what a good answer finds, cites and says, as data.

A suite is a folder with a ``suite.toml`` and JSONL files of cases. ``rag.evals.formats`` makes
suites of files in other formats, and ``load_suite`` takes either.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.types import Turn, to_json

MANIFEST = "suite.toml"
SUITES = Path(__file__).parent / "suites"

_KEYS = {
    "id",
    "question",
    "language",
    "expected",
    "answers",
    "unanswerable",
    "history",
    "tags",
    "split",
    "draft",
}


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
    name, ``language`` that of the others. ``drafts`` are cases that are not complete yet, which
    are not asked.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    documents: tuple[Path, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    index: Path | None = None
    language: str = "en"
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
        """The languages of a question and of what answers it: ``en→vi``; empty without answer."""
        told = sorted({self.languages.get(e.document, self.language) for e in case.expected})
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


def load_suite(name: str | Path, documents: tuple[Path, ...] = ()) -> Suite:
    """Read a suite.

    Args:
        name: The name of a suite of the project, a folder with a ``suite.toml``, or a file or
            folder in a format that people have: see ``rag.evals.formats``.
        documents: The files and folders of its documents, in place of those it names.

    Raises:
        EvaluationError: There is no such suite, a line of it is malformed, or its documents
            are not there.
    """
    place = folder_of(name)
    if (place / MANIFEST).is_file():
        return _native(place, documents)
    if place.exists():
        from .formats import foreign_suite

        return foreign_suite(place, documents)
    known = ", ".join(sorted(path.parent.name for path in SUITES.glob(f"*/{MANIFEST}")))
    raise EvaluationError(
        f"There is no suite {str(name)!r}.",
        f"Known: {known}; or give a folder with a {MANIFEST}, or a file of questions.",
    )


def folder_of(name: str | Path) -> Path:
    """The folder or file of a suite: its own, or that of the project's suite of this name."""
    place = Path(name)
    ours = SUITES / place / MANIFEST
    return ours.parent if not (place / MANIFEST).is_file() and ours.is_file() else place


def parse_case(row: Any, where: str, split: str = "") -> Case:
    """A case from its JSON.

    Args:
        row: The parsed line.
        where: The file and line, for the error message.
        split: The split it belongs to, unless the line says another.

    Raises:
        EvaluationError: It is not a case.
    """
    try:
        case = _case(row, split)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
        raise EvaluationError(f"{where}: this is not a case: {reason}.") from error
    if case.answerable == bool(row.get("unanswerable")):
        raise EvaluationError(
            f"{where}: a case has something expected, or is unanswerable.",
            'Fill in "expected", or say "unanswerable": true.',
        )
    return case


def read_lines(path: Path) -> list[tuple[str, Any]]:
    """The JSON values of a JSONL file, each with its file and line.

    Raises:
        EvaluationError: The file cannot be read, or a line is not JSON.
    """
    rows = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            rows.append((where, json.loads(line)))
        except ValueError as error:
            raise EvaluationError(f"{where}: this is not JSON: {error}.") from error
    return rows


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        EvaluationError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}.") from error


def _native(folder: Path, documents: tuple[Path, ...]) -> Suite:
    path = folder / MANIFEST
    try:
        manifest = tomllib.loads(read_text(path))
        files = manifest["cases"]
        splits = files if isinstance(files, dict) else {"": files}
        cases, drafts = _cases({split: folder / str(name) for split, name in splits.items()})
        named = manifest.get("documents", [])
        own = [folder / one for one in ([named] if isinstance(named, str) else named)]
        suite = Suite(
            name=str(manifest["name"]),
            title=str(manifest.get("title", manifest["name"])),
            cases=cases,
            documents=documents or tuple(own),
            index=folder / manifest["index"] if "index" in manifest and not documents else None,
            language=str(manifest.get("language", "en")),
            languages=dict(manifest.get("languages", {})),
            licence=str(manifest.get("licence", "")),
            drafts=drafts,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise EvaluationError(f"{path} is not the manifest of a suite: {error}.") from error
    return _with_documents(suite)


def _with_documents(suite: Suite) -> Suite:
    missing = [path for path in suite.documents if not path.exists()]
    if missing or not (suite.documents or suite.index):
        where = f" in {missing[0]}" if missing else ", for it names none"
        raise EvaluationError(
            f"The documents of the suite {suite.name!r} are not there{where}.",
            "Run it from a clone of the repository, or name their folder with --documents.",
        )
    return suite


def _cases(files: Mapping[str, Path]) -> tuple[tuple[Case, ...], int]:
    """The cases of some files by split, and how many drafts are among them."""
    cases: dict[str, Case] = {}
    drafts = 0
    for split, path in files.items():
        for where, row in read_lines(path):
            if isinstance(row, dict) and row.get("draft"):
                drafts += 1
                continue
            case = parse_case(row, where, split)
            if case.id in cases:
                raise EvaluationError(f"{where}: there is a case {case.id!r} already.")
            cases[case.id] = case
    return tuple(cases.values()), drafts


def _case(row: Any, split: str) -> Case:
    if unknown := set(row) - _KEYS:
        raise ValueError(f"it has {', '.join(sorted(unknown))}, known are {', '.join(_KEYS)}")
    question = row["question"]
    if not isinstance(question, str) or not question.strip():
        raise ValueError("the question is empty")
    expected = [
        Expected(_text(e["document"]), _text(e.get("quote", "")), *_whole_numbers(e))
        for e in row.get("expected", [])
    ]
    answers = [[one] if isinstance(one, str) else one for one in row.get("answers", [])]
    return Case(
        id=_text(row["id"]),
        question=question,
        language=_text(row["language"]),
        expected=tuple(expected),
        answers=tuple(tuple(_text(form) for form in forms) for forms in answers),
        history=tuple(
            Turn(_text(turn["question"]), _text(turn["answer"])) for turn in row.get("history", [])
        ),
        tags=tuple(_text(tag) for tag in row.get("tags", [])),
        split=_text(row.get("split", split)),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _whole_numbers(expected: Mapping[str, Any]) -> tuple[int, int]:
    return int(expected.get("part", 0)), int(expected.get("grade", 1))
