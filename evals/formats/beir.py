"""BEIR's folders: ``corpus.jsonl``, ``queries.jsonl`` and judgements in ``qrels/``.

Source: Thakur et al. 2021, "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of
Information Retrieval Models".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.errors import EvaluationError
from rag.evals.reading import read_lines, read_text
from rag.evals.suite import Case, Expected, Suite
from rag.language import detect_language
from rag.text import normalize

CORPUS = "corpus.jsonl"
_QUERIES = "queries.jsonl"
# Which judgements are taken where there are several.
_QRELS = ("test.tsv", "dev.tsv", "train.tsv")
_LONGEST_NAME = 200


def load_beir(folder: Path) -> Suite:
    """Queries with judged documents; each relevant document is a part of what is expected.

    Raises:
        EvaluationError: A file is missing or malformed.
    """
    texts: dict[str, str] = {}
    for where, row in read_lines(folder / CORPUS):
        title, text = _field(row, "title", where, ""), _field(row, "text", where)
        name = _name(_field(row, "_id", where))
        texts[name] = normalize(f"{title}\n\n{text}".strip()) or "-"
    judged = _judgements(folder)
    cases = []
    for where, row in read_lines(folder / _QUERIES):
        identifier = _field(row, "_id", where)
        relevant = judged.get(identifier)
        if relevant is None:
            continue  # a query of another split
        expected = tuple(
            Expected(_name(document), part=part, grade=grade)
            for part, (document, grade) in enumerate(relevant.items())
            if grade > 0
        )
        question = _field(row, "text", where)
        cases.append(Case(identifier, question, detect_language(question), expected))
    if not cases:
        raise EvaluationError(f"No query of {folder / _QUERIES} has a judgement.")
    unknown = [e for case in cases for e in case.expected if e.document not in texts]
    if unknown:
        raise EvaluationError(
            f"{len(unknown)} judged documents are not in {folder / CORPUS}, "
            f"such as {unknown[0].document}."
        )
    languages = {name: detect_language(text) for name, text in texts.items()}
    return Suite(folder.name, folder.name, tuple(cases), texts=texts, languages=languages)


def _judgements(folder: Path) -> dict[str, dict[str, int]]:
    """The grade of each judged document, by query."""
    paths = [folder / "qrels" / name for name in _QRELS if (folder / "qrels" / name).is_file()]
    if not paths:
        raise EvaluationError(f"There are no judgements in {folder / 'qrels'}.")
    judged: dict[str, dict[str, int]] = {}
    for number, line in enumerate(read_text(paths[0]).splitlines(), start=1):
        columns = line.split("\t")
        if not line.strip() or (number == 1 and columns[-1].strip() == "score"):
            continue
        try:
            query, document, grade = columns
            judged.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            raise EvaluationError(
                f"{paths[0]}:{number}: this is not a query, a document and a grade."
            ) from error
    return judged


def _field(row: Any, name: str, where: str, default: str | None = None) -> str:
    value = row.get(name, default) if isinstance(row, dict) else None
    if not isinstance(value, str):
        raise EvaluationError(f"{where}: {name!r} is missing, or not a text.")
    return value


def _name(identifier: str) -> str:
    """A document's id as the name of a file."""
    safe = quote(identifier, safe=" ")
    if len(safe) > _LONGEST_NAME:
        raise EvaluationError(f"The document id {identifier[:40]!r}… is too long.")
    return f"{safe}.txt"
