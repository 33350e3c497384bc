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
import sys
import tempfile
from pathlib import Path

from rag.index.embed import CachedEmbedder
from rag.index.index import Index
from rag.settings import RetrievalSettings, Settings

from .bilingual import Asked, index_of, paragraphs_and_questions, ranks, reciprocal

_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_LANGUAGES = ("en", "vi")


def _mean_reciprocal_rank(index: Index, code: str, asked: list[Asked], alone: bool) -> float:
    """MRR@10 of one language's questions, in its own documents alone or in all."""
    within = code if alone else None
    found = [ranks(index, one.text, [f"{code}-{one.paragraph:03}"], within)[0] for one in asked]
    return reciprocal(found)


def main() -> None:
    """Measure and print. A second argument asks only every n-th question."""
    source, step = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    read = {code: paragraphs_and_questions(source / f"xquad.{code}.json") for code in _LANGUAGES}
    named = {
        f"{code}-{number:03}": text
        for code, (paragraphs, _) in read.items()
        for number, text in enumerate(paragraphs)
    }
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder), named, Settings(), None)
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
                _mean_reciprocal_rank(opened, code, read[code][1][::step], alone)
                for alone in (True, False)
                for code in _LANGUAGES
            ]
            print(f"{weight:12.1f}  " + "  ".join(f"{score:12.3f}" for score in scores))


if __name__ == "__main__":
    main()
