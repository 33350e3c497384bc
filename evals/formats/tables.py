"""Tables of questions and answers: CSV and TSV with a header, or JSONL.

Columns: ``question``, and any of ``answer``, ``language``, ``document``, ``quote``, ``id``, ``tags``
and ``unanswerable``. ``answer`` is one piece that an answer must say, ``|`` stands between its accepted
wordings; it stands between tags too.

In JSONL ``answers`` may take the place of ``answer``, and means what it means in a case of a suite:
pieces, each a wording or a list of them. ``tags`` may be a list. A line with ``expected``,
``history``, ``draft`` or ``"unanswerable": true`` is a case of a suite, whose ``id`` and ``language`` may
be left out as in every table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals import fields
from rag.evals.reading import accepted, is_draft, parse_case, read_lines, read_text
from rag.evals.suite import Case, Expected, Suite
from rag.language import detect_language
from rag.text import normalize

_COLUMNS = ("question", "answer", "language", "document", "quote", "id", "tags", "unanswerable")
_JSON_COLUMNS = (*_COLUMNS, "answers")
_CASE_KEYS = {"expected", "history", "draft"}
_YES = ("true", "yes", "1", "x")
_NO = ("false", "no", "0")


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
    drafts = 0
    for number, (where, row) in enumerate(rows, start=1):
        if is_draft(row, where):
            drafts += 1
            continue
        case = _case(row, where, number)
        if case.id in cases:
            raise EvaluationError(f"{where}: there is a case {case.id!r} already.")
        cases[case.id] = case
    if not cases:
        raise EvaluationError(f"{path} holds no questions.")
    told = tuple(cases.values())
    return Suite(path.stem, path.name, told, documents=documents, drafts=drafts)


def _table(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = read_text(path)
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
    # Not by str.splitlines, which ends a line at many a mark that a cell may hold.
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    try:
        reader.fieldnames = _names(reader.fieldnames or (), f"{path}:1")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row:
                raise EvaluationError(f"{where}: this line has more columns than the header.")
            yield where, row
    except csv.Error as error:
        raise EvaluationError(f"{path}:{reader.reader.line_num}: {error}.") from error


def _names(header: Iterable[str | None], where: str) -> list[str]:
    names = [(name or "").strip().lower() for name in header]
    if "question" not in names or set(names) - set(_COLUMNS):
        raise EvaluationError(
            f"{where}: the header must name question, and of the others only known columns.",
            f"Known: {', '.join(_COLUMNS)}.",
        )
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise EvaluationError(f"{where}: the header names {', '.join(twice)} twice.")
    return names


def _separator(text: str) -> str:
    """What separates the columns of a header: spreadsheets write semicolons in many countries."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _case(row: Any, where: str, number: int) -> Case:
    try:
        # An empty cell is one that is left out.
        cells = fields.known(row, row).items()
        told = {name: cell for name, cell in cells if cell is not None and str(cell).strip()}
        question = fields.text(told, "question")
        told = {"id": str(number), "language": detect_language(question), **told}
        if told.keys() & _CASE_KEYS or told.get("unanswerable") is True:
            return parse_case(told, where)
        return _of_columns(fields.known(told, _JSON_COLUMNS))
    except fields.Malformed as error:
        raise EvaluationError(f"{where}: this is not a question: {error}.") from error


def _of_columns(row: Mapping[str, Any]) -> Case:
    if "answer" in row and "answers" in row:
        raise fields.Malformed("it has both 'answer' and 'answers'")
    answers = (_parts(row, "answer"),) if "answer" in row else accepted(row)
    document, quote = fields.text(row, "document", ""), fields.text(row, "quote", "")
    unanswerable = _unanswerable(row)
    if not (unanswerable or answers or document):
        raise fields.Malformed(
            "it has neither an answer nor a document, and does not say that it is unanswerable"
        )
    return Case(
        id=fields.identifier(row, "id"),
        question=fields.text(row, "question"),
        language=fields.text(row, "language"),
        # Without a document any passage counts as expected: the case is answerable all the same.
        expected=() if unanswerable else (Expected(document, normalize(quote)),),
        answers=() if unanswerable else answers,
        tags=_parts(row, "tags") if isinstance(row.get("tags"), str) else fields.texts(row, "tags"),
    )


def _unanswerable(row: Mapping[str, Any]) -> bool:
    if not isinstance(said := row.get("unanswerable", False), str):
        return fields.flag(row, "unanswerable")
    if (folded := said.strip().lower()) not in (*_YES, *_NO, ""):
        raise fields.Malformed(f"'unanswerable' is {said!r}, known are {', '.join(_YES + _NO)}")
    return folded in _YES


def _parts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts between the bars of a cell."""
    parts = [part.strip() for part in fields.text(row, name).split("|")]
    if not any(parts):
        raise fields.Malformed(f"{name!r} is empty")
    return tuple(part for part in parts if part)
