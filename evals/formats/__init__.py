"""Questions in the formats that people have: SQuAD's JSON, BEIR's folders, CSV and JSONL.

| what is given | is read as |
|---|---|
| a folder with ``corpus.jsonl`` and ``queries.jsonl`` | BEIR |
| a ``.json`` file | SQuAD 1.1 or 2.0, XQuAD, MLQA, UIT-ViQuAD |
| a ``.csv``, ``.tsv`` or ``.jsonl`` file | questions and answers, with documents of one's own |
"""

from __future__ import annotations

from pathlib import Path

from rag.errors import EvaluationError
from rag.evals.suite import Suite


def foreign_suite(place: Path, documents: tuple[Path, ...] = ()) -> Suite:
    """Make a suite of a file or folder, by what it looks like.

    Args:
        place: The file or folder.
        documents: Where the documents are: for tables of questions files and folders, for
            SQuAD other files of its kind, whose paragraphs are asked in place of its own.

    Raises:
        EvaluationError: It is in none of these formats, or malformed.
    """
    if place.is_dir():
        from .beir import CORPUS, load_beir

        if (place / CORPUS).is_file():
            return load_beir(place)
        raise EvaluationError(
            f"{place} is no suite: it has neither a suite.toml nor a {CORPUS}.",
            "See evals/README.md for what a suite is.",
        )
    suffix = place.suffix.lower()
    if suffix == ".json":
        from .squad import load_squad

        return load_squad(place, documents)
    if suffix in (".csv", ".tsv", ".jsonl"):
        from .tables import load_table

        return load_table(place, documents)
    raise EvaluationError(
        f"{place} is no suite: files of type {suffix or 'without a suffix'} hold no questions.",
        "Give a folder with a suite.toml, or a .json (SQuAD), .jsonl, .csv or .tsv file.",
    )
