"""Tables of questions and answers: CSV and TSV with a header, or JSONL.

Columns: ``question``, and any of ``answer`` (``answers`` in JSONL, a list), ``language``,
``document``, ``quote``, ``id``, ``tags`` and ``unanswerable``. A line of JSONL may also be a case as
in a suite of the project.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals.reading import parse_case, read_lines, read_text
from rag.evals.suite import Case, Expected, Suite
from rag.language import detect_language
from rag.text import normalize

_COLUMNS = (
    "question",
    "answer",
    "answers",
    "language",
    "document",
    "quote",
    "id",
    "tags",
    "unanswerable",
)
_TRUE = ("true", "yes", "1", "x")


def load_table(path: Path, documents: tuple[Path, ...]) -> Suite:
    """Questions about documents of one's own.

    Where a line names no document, only what the answer says can be graded, not what it cites.

    Args:
        path: The file.
        documents: The files and folders of the documents.

    Raises:
        EvaluationError: No documents are named, or a line is malformed.
    """
    if not documents:
        raise EvaluationError(
            f"{path} holds questions, but no documents.", "Name their folder with --documents."
        )
    missing = [str(one) for one in documents if not one.exists()]
    if missing:
        raise EvaluationError(f"There is no file or folder {missing[0]}.")
    rows = read_lines(path) if path.suffix.lower() == ".jsonl" else _table(path)
    cases: dict[str, Case] = {}
    for number, (where, row) in enumerate(rows, start=1):
        case = _case(row, where, number)
        if case.id in cases:
            raise EvaluationError(f"{where}: there is a case {case.id!r} already.")
        cases[case.id] = case
    if not cases:
        raise EvaluationError(f"{path} holds no questions.")
    return Suite(path.stem, path.name, tuple(cases.values()), documents=documents)


def _table(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = read_text(path)
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in names if name not in _COLUMNS]
    if "question" not in names or unknown:
        raise EvaluationError(
            f"{path}:1: the header must name question, and of the others only known columns.",
            f"Known: {', '.join(_COLUMNS)}.",
        )
    reader.fieldnames = names
    try:
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row:
                raise EvaluationError(f"{where}: this line has more columns than the header.")
            yield where, {name: value for name, value in row.items() if value}
    except csv.Error as error:
        raise EvaluationError(f"{path}:{reader.reader.line_num}: {error}.") from error


def _separator(text: str) -> str:
    """What separates the columns of a header: spreadsheets write semicolons in many countries."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _case(row: Any, where: str, number: int) -> Case:
    if not isinstance(row, dict):
        raise EvaluationError(f"{where}: this is not a question.")
    if "expected" in row:
        return parse_case(row, where)
    question = row.get("question")
    if not isinstance(question, str) or not question.strip():
        raise EvaluationError(f"{where}: the question is missing.")
    if unknown := [name for name in row if name not in _COLUMNS]:
        raise EvaluationError(
            f"{where}: {unknown[0]!r} is not known.", f"Known: {', '.join(_COLUMNS)}."
        )
    forms = _list(row.get("answers") or row.get("answer") or ())
    unanswerable = str(row.get("unanswerable", "")).strip().lower() in _TRUE
    document, quote = str(row.get("document", "")), normalize(str(row.get("quote", "")))
    if not unanswerable and not (forms or document):
        raise EvaluationError(
            f"{where}: neither an answer nor a document is given.",
            "Give one, or say that the question is unanswerable.",
        )
    return Case(
        id=str(row.get("id") or number),
        question=question,
        language=str(row.get("language") or detect_language(question)),
        # Without a document any passage counts as expected: the case is answerable all the same.
        expected=() if unanswerable else (Expected(document, quote),),
        answers=(tuple(forms),) if forms and not unanswerable else (),
        tags=tuple(_list(row.get("tags") or ())),
    )


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split("|") if part.strip()]
    return [str(one) for one in value] if isinstance(value, Iterable) else [str(value)]
