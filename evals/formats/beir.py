"""BEIR's folders: ``corpus.jsonl``, ``queries.jsonl`` and judgements in ``qrels/``.

Source: Thakur et al. 2021, "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of
Information Retrieval Models".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from rag.errors import EvaluationError
from rag.evals import fields
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
    texts = _texts(folder / CORPUS)
    judged = _judgements(folder, texts)
    cases: dict[str, Case] = {}
    for where, row in read_lines(folder / _QUERIES):
        try:
            identifier = fields.text(row, "_id")
            if identifier in cases:
                raise EvaluationError(f"{where}: there is a query {identifier!r} already.")
            if identifier in judged:  # others are of another split, or have nothing relevant
                question = fields.text(row, "text")
                language = detect_language(question)
                cases[identifier] = Case(identifier, question, language, judged[identifier])
        except fields.Malformed as error:
            raise EvaluationError(f"{where}: this is not a query: {error}.") from error
    if not cases:
        raise EvaluationError(f"No query of {folder / _QUERIES} has a relevant document.")
    languages = {name: detect_language(text, "") for name, text in texts.items()}
    return Suite(folder.name, folder.name, tuple(cases.values()), texts=texts, languages=languages)


def _texts(path: Path) -> dict[str, str]:
    """The documents of a corpus, by the names of their files."""
    texts: dict[str, str] = {}
    for where, row in read_lines(path):
        try:
            identifier = fields.text(row, "_id")
            told = fields.text(row, "text", empty=True)
            untitled = row.get("title") is None
            title = "" if untitled else fields.text(row, "title", empty=True)
        except fields.Malformed as error:
            raise EvaluationError(f"{where}: this is not a document: {error}.") from error
        if (name := _name(identifier)) in texts:
            raise EvaluationError(f"{where}: there is a document {identifier!r} already.")
        texts[name] = normalize(f"{title}\n\n{told}".strip()) or "-"
    return texts


def _judgements(folder: Path, texts: Mapping[str, str]) -> dict[str, tuple[Expected, ...]]:
    """The relevant documents of each query that has any."""
    paths = [folder / "qrels" / name for name in _QRELS if (folder / "qrels" / name).is_file()]
    if not paths:
        raise EvaluationError(f"There are no judgements in {folder / 'qrels'}.")
    judged: dict[str, dict[str, int]] = {}
    for number, line in enumerate(read_text(paths[0]).split("\n"), start=1):
        columns, where = line.split("\t"), f"{paths[0]}:{number}"
        if not line.strip() or (number == 1 and columns[-1].strip() == "score"):
            continue
        try:
            query, document, grade = columns
            relevance = int(grade)
        except ValueError as error:
            raise EvaluationError(
                f"{where}: this is not a query, a document and a grade."
            ) from error
        if relevance > 0:
            if _name(document) not in texts:
                raise EvaluationError(f"{where}: {document!r} is not in {folder / CORPUS}.")
            judged.setdefault(query, {})[_name(document)] = relevance
    return {
        query: tuple(
            Expected(document, part=part, grade=grade)
            for part, (document, grade) in enumerate(graded.items())
        )
        for query, graded in judged.items()
    }


def _name(identifier: str) -> str:
    """A document's id as the name of a file."""
    safe = quote(identifier, safe=" ")
    if len(safe) > _LONGEST_NAME:
        raise EvaluationError(f"The document id {identifier[:40]!r}… is too long.")
    return f"{safe}.txt"
