"""Suites of files: a folder with a ``suite.toml`` and JSONL files of cases.

``rag.evals.formats`` makes suites of files in other formats, and ``load_suite`` takes either.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.types import Turn

from . import fields
from .suite import Case, Expected, Suite

MANIFEST = "suite.toml"
SUITES = Path(__file__).parent / "suites"

_KEYS = (
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
)
_EXPECTED_KEYS = ("document", "quote", "part", "grade")
_MANIFEST_KEYS = (
    "name",
    "title",
    "cases",
    "documents",
    "index",
    "language",
    "languages",
    "licence",
)


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
        case, unanswerable = _case(row, split), fields.flag(row, "unanswerable")
    except fields.Malformed as error:
        raise EvaluationError(f"{where}: this is not a case: {error}.") from error
    if case.answerable == unanswerable:
        raise EvaluationError(
            f"{where}: a case has something expected, or is unanswerable.",
            'Fill in "expected", or say "unanswerable": true.',
        )
    return case


def is_draft(row: Any, where: str) -> bool:
    """Whether a line is a case that is not complete yet.

    Raises:
        EvaluationError: It does not say so with true or false.
    """
    try:
        return isinstance(row, dict) and fields.flag(row, "draft")
    except fields.Malformed as error:
        raise EvaluationError(f"{where}: this is not a case: {error}.") from error


def accepted(row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """What an answer must say: of each piece the wordings that are accepted.

    Raises:
        Malformed: It is something else than pieces that are a wording or a list of them.
    """
    pieces = fields.items(row, "answers", [])
    if [] in pieces:
        raise fields.Malformed("a piece of 'answers' has no wording")
    return tuple(
        tuple(fields.said(form, "answers") for form in (one if isinstance(one, list) else [one]))
        for one in pieces
    )


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
        except (ValueError, RecursionError) as error:
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
        manifest = fields.known(tomllib.loads(read_text(path)), _MANIFEST_KEYS)
        name = fields.text(manifest, "name")
        cases, drafts = _cases(_files(folder, manifest))
        named = manifest.get("documents", [])
        own = [named] if isinstance(named, str) else fields.texts(manifest, "documents")
        index = folder / fields.text(manifest, "index") if "index" in manifest else None
        suite = Suite(
            name=name,
            title=fields.text(manifest, "title", name),
            cases=cases,
            documents=documents or tuple(folder / one for one in own),
            index=None if documents else index,
            language=fields.text(manifest, "language", ""),
            languages=fields.table(manifest, "languages"),
            licence=fields.text(manifest, "licence", ""),
            drafts=drafts,
        )
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} is not the manifest of a suite: {error}.") from error
    return _with_documents(suite)


def _files(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Path]:
    """The files of cases by split; one that is named alone has none."""
    if isinstance(manifest.get("cases"), dict):
        return {split: folder / file for split, file in fields.table(manifest, "cases").items()}
    return {"": folder / fields.text(manifest, "cases")}


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
            if is_draft(row, where):
                drafts += 1
                continue
            case = parse_case(row, where, split)
            if case.id in cases:
                raise EvaluationError(f"{where}: there is a case {case.id!r} already.")
            cases[case.id] = case
    return tuple(cases.values()), drafts


def _case(row: Any, split: str) -> Case:
    fields.known(row, _KEYS)
    turns = [
        fields.known(turn, ("question", "answer"), "an exchange of 'history'")
        for turn in fields.items(row, "history", [])
    ]
    return Case(
        id=fields.text(row, "id"),
        question=fields.text(row, "question"),
        language=fields.text(row, "language"),
        expected=tuple(_expected(one) for one in fields.items(row, "expected", [])),
        answers=accepted(row),
        history=tuple(Turn(fields.text(t, "question"), fields.text(t, "answer")) for t in turns),
        tags=fields.texts(row, "tags"),
        split=fields.text(row, "split", split),
    )


def _expected(row: Any) -> Expected:
    fields.known(row, _EXPECTED_KEYS, "what is expected")
    return Expected(
        document=fields.text(row, "document"),
        quote=fields.text(row, "quote", ""),
        part=fields.whole(row, "part", 0, 0),
        grade=fields.whole(row, "grade", 1, 1),
    )
