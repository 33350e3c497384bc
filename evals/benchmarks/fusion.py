"""Ranking quality by the share of the embedder: ``python -m rag.evals.benchmarks.fusion FOLDER``.

FOLDER holds XQuAD as published: ``xquad.en.json`` and ``xquad.vi.json`` (Artetxe et al. 2020;
1,190 questions on 240 paragraphs in each language; CC BY-SA 4.0; not part of this project).
Prints MRR@10 of the right paragraph for each language alone and for both in one pool, for
several values of the setting ``retrieval.dense_weight``; 0 is the words alone (those that
a passage holds and, with an embedder that has vectors of pieces, those that it meets) and 1 the
nearest sentences alone. Across languages ``bilingual`` measures.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from rag.index.embed import CachedEmbedder
from rag.index.index import Index
from rag.settings import RetrievalSettings, Settings

_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_LANGUAGES = ("en", "vi")
_DEPTH = 10

Question = tuple[str, str]


def _read(source: Path, language: str, target: Path) -> list[Question]:
    """Write one file for each paragraph; the questions, each with the file that answers it."""
    questions: list[Question] = []
    articles = json.loads((source / f"xquad.{language}.json").read_text("utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    for number, paragraph in enumerate(paragraphs):
        name = f"{language}-{number:03}.txt"
        (target / name).write_text(paragraph["context"], "utf-8")
        questions += [(asked["question"], name) for asked in paragraph["qas"]]
    return questions


def _mean_reciprocal_rank(index: Index, questions: list[Question], language: str | None) -> float:
    """MRR@10; several passages of one paragraph count as one."""
    total = 0.0
    for question, name in questions:
        hits = index.search(question, 2 * _DEPTH, language=language)
        order = list(dict.fromkeys(hit.document.name for hit in hits))[:_DEPTH]
        total += 1 / (order.index(name) + 1) if name in order else 0.0
    return total / len(questions)


def main() -> None:
    """Measure and print. A second argument asks only every n-th question."""
    source, step = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        documents.mkdir()
        asked = {language: _read(source, language, documents) for language in _LANGUAGES}
        index = Index.create(Path(folder) / "index")
        index.add(documents)
        embedder = CachedEmbedder(index.embedder())
        print(
            "dense_weight  "
            + "  ".join(f"{c:>12}" for c in ("en", "vi", "en in both", "vi in both"))
        )
        for weight in _WEIGHTS:
            retrieval = RetrievalSettings(dense_weight=weight, diversity=0.0)
            settings = dataclasses.replace(Settings(), retrieval=retrieval)
            opened = Index.open(index.folder, settings, embedder)
            scores = [
                _mean_reciprocal_rank(opened, asked[code][::step], code if alone else None)
                for alone in (True, False)
                for code in _LANGUAGES
            ]
            print(f"{weight:12.1f}  " + "  ".join(f"{score:12.3f}" for score in scores))


if __name__ == "__main__":
    main()
