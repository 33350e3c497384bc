"""How large, how quick and how exact an index of many passages is.

``python -m rag.evals.benchmarks.scale --passages 200000`` makes an index of passages in a made-up
language with made-up vectors (``synthetic.py``), six for each passage as sentence windows give,
opens it in a fresh process, searches it, and adds ten documents in another. What a model would take
to embed is in none of the figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from rag.index.arrays import Matrix
from rag.index.catalog import FILE_NAME as CATALOG
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.ingest import Ingest, change
from rag.index.verify import size_on_disk
from rag.settings import IndexSettings, RetrievalSettings, Settings
from rag.types import Document, Passage

from .synthetic import Language, clustered, windowed

DIMENSION = 384
PER_DOCUMENT = 20
# Of so many words each; windows are the passage and every two neighbours.
SENTENCES, WORDS, WINDOWS = 6, 17, 6
QUERIES = 200
ADDED = 10
DEPTH = 10
_GIB = 2**30

Figures = dict[str, float]

_AUTO = IndexSettings()


class Prepared:
    """An embedder whose vectors were made beforehand, so that it takes no time.

    Args:
        vectors: What passages get, one after the other.
        queries: What questions get.
    """

    name = "prepared"
    dimension = DIMENSION
    max_tokens = 512
    windows = True

    def __init__(self, vectors: Iterator[Matrix], queries: dict[str, Matrix] | None = None) -> None:
        self._rows = chain.from_iterable(vectors)
        self._queries = queries or {}

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors that were made for these texts, shape (number of texts, dimension)."""
        if query:
            return np.stack([self._queries[text] for text in texts])
        return np.stack([next(self._rows) for _ in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many words each text has."""
        return [len(text.split()) for text in texts]


def main() -> None:
    """Build, search and add, each in a process of its own, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m rag.evals.benchmarks.scale")
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="keep the index here, or use the one there")
    parser.add_argument("--vectors", default=_AUTO.vectors, help="the setting index.vectors")
    parser.add_argument("--storage", default=_AUTO.storage, help="the setting index.storage")
    parser.add_argument("--step", choices=list(STEPS), help="only this, on the index in --folder")
    given = parser.parse_args()
    kind = IndexSettings(vectors=given.vectors, storage=given.storage)
    if given.step:
        figures = STEPS[given.step](given.folder, given.passages, kind)
        print(json.dumps({**figures, "peak memory, GiB": _peak()}))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "index"
        for step in STEPS:
            if step == "build" and folder.exists():
                continue
            print(f"{step}:", flush=True)
            for name, value in _in_a_process(step, folder, given.passages, kind).items():
                print(f"  {name:48}{value:>12,.4g}", flush=True)


def built(folder: Path, passages: int, kind: IndexSettings = _AUTO) -> Figures:
    """Make an index: as ``Index.add`` does, but for reading and cutting files."""
    settings = _settings(kind)
    embedder = Prepared(windowed(clustered(passages, DIMENSION), WINDOWS))
    index, language = Index.create(folder, settings, embedder), Language()

    def fill(ingest: Ingest) -> None:
        for number, start in enumerate(range(0, passages, PER_DOCUMENT)):
            count = min(PER_DOCUMENT, passages - start)
            text = [language.sentences(SENTENCES, WORDS) for _ in range(count)]
            document, cut = _document(number, text)
            ingest.writer.put(document, number.to_bytes(32, "big"), cut)

    begun = time.perf_counter()
    change(Catalog(folder), lambda: embedder, index.fingerprint, settings.index, fill, _quiet)
    took = time.perf_counter() - begun
    with Catalog(folder).read() as reader:
        windows = reader.count_windows()
    return {
        "passages": passages,
        "vectors": windows,
        "seconds": took,
        "size on disk, GiB": size_on_disk(folder) / _GIB,
        "bytes for a passage, catalog": (folder / CATALOG).stat().st_size / passages,
        "bytes for a passage, FAISS": _size(folder, "vectors.faiss") / passages,
        "bytes for a passage, lexical": _size(folder, "lexical/*") / passages,
    }


def _size(folder: Path, name: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"derived/*/{name}"))


def searched(folder: Path, passages: int, kind: IndexSettings = _AUTO) -> Figures:
    """Open the index, ask it, and compare what it finds with all vectors."""
    questions, queries = _questions(folder)
    embedder = Prepared(iter(()), dict(zip(questions, queries, strict=True)))
    begun = time.perf_counter()
    index = Index.open(folder, _settings(kind), embedder)
    index.search(questions[0], DEPTH)
    first = time.perf_counter() - begun
    times = []
    for question in questions[1:]:
        begun = time.perf_counter()
        index.search(question, DEPTH)
        times.append(time.perf_counter() - begun)
    times.sort()
    few, most = _narrowed(index, questions, "vi"), _narrowed(index, questions, "en")
    nearest = Index.open(folder, _settings(kind, dense_weight=1.0), embedder)
    return {
        "open and first query, s": first,
        "query p50, ms": 1000 * statistics.median(times),
        "query p95, ms": 1000 * times[int(0.95 * len(times))],
        "... in a tenth of the documents, ms": 1000 * statistics.median(few),
        "... in nine tenths of the documents, ms": 1000 * statistics.median(most),
        "... asked there for the first time, ms": 1000 * most[0],
        "recall@10 of exact search": _recall(nearest, questions, queries),
        "... in a tenth of the documents": _recall(nearest, questions, queries, "vi"),
        "... in nine tenths of the documents": _recall(nearest, questions, queries, "en"),
    }


def _narrowed(index: Index, questions: Sequence[str], language: str) -> list[float]:
    """How long questions take that are asked in the documents of one language, in seconds."""
    times = []
    for question in questions[1:50]:
        begun = time.perf_counter()
        index.search(question, DEPTH, language=language)
        times.append(time.perf_counter() - begun)
    return times


def added(folder: Path, passages: int, kind: IndexSettings = _AUTO) -> Figures:
    """Add ten documents, while somebody has the index open."""
    questions, queries = _questions(folder)
    known = dict(zip(questions, queries, strict=True))
    language = Language(seed=2)
    lasting = Index.open(folder, _settings(kind), Prepared(iter(()), known))
    lasting.search(questions[0], DEPTH)
    index = Index.open(folder, _settings(kind), Prepared(clustered(50_000, DIMENSION, seed=3)))
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as documents:
        for when in ("first", "second"):
            for number in range(ADDED):
                paragraphs = [language.sentences(10, 10) for _ in range(PER_DOCUMENT)]
                Path(documents, f"{when}{number}.txt").write_text("\n\n".join(paragraphs), "utf-8")
            begun = time.perf_counter()
            index.add(documents)
            figures[f"adding {ADDED} documents, {when} time, s"] = time.perf_counter() - begun
        begun = time.perf_counter()
        lasting.search(questions[1], DEPTH)
        figures["query of an open index after it, ms"] = 1000 * (time.perf_counter() - begun)
        begun = time.perf_counter()
        index.remove(documents)
        figures[f"removing {2 * ADDED} documents, s"] = time.perf_counter() - begun
    return figures


STEPS = {"build": built, "search": searched, "add": added}


def _settings(kind: IndexSettings, **retrieval: float) -> Settings:
    plain = replace(RetrievalSettings(diversity=0.0, other_languages=0), **retrieval)  # type: ignore[arg-type]
    return replace(Settings(), index=replace(kind, batch_size=1024), retrieval=plain)


def _document(number: int, texts: Sequence[str]) -> tuple[Document, list[Passage]]:
    """A document of these passages; every tenth one is Vietnamese by its label."""
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 2
    cut = [
        Passage(0, start, start + len(text), text)
        for start, text in zip(starts, texts, strict=True)
    ]
    label = "en" if number % 10 else "vi"
    return Document(f"made:{number}", f"Document {number}", label, "\n\n".join(texts)), cut


def _questions(folder: Path) -> tuple[list[str], Matrix]:
    """Questions of six words, and vectors that lie near some of the index (cosine about 0.8)."""
    language = Language(seed=1)
    questions = [" ".join(language.draw(6)) + f" {number}" for number in range(QUERIES)]
    with Catalog(folder).read() as reader:
        near = reader.sample_windows(QUERIES * WINDOWS)[::WINDOWS]
    noise = np.random.default_rng(1).standard_normal((QUERIES, DIMENSION)) * 0.75 * DIMENSION**-0.5
    mixed = near[np.arange(QUERIES) % len(near)] + noise
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return questions, np.asarray(mixed / lengths, dtype=np.float32)


def _recall(index: Index, questions: list[str], queries: Matrix, only: str | None = None) -> float:
    """The share of the ten passages nearest by their best windows that is found."""
    best = np.full((len(queries), DEPTH), -np.inf, dtype=np.float32)
    ids = np.zeros((len(queries), DEPTH), dtype=np.int64)
    with Catalog(index.folder).read() as reader:
        spans = reader.matching(language=only)
        allowed = np.zeros(reader.last_passage() + 1, dtype=bool)
        for span in spans:
            allowed[span.first : span.first + span.passages] = True
        for owners, matrix in reader.stored_vectors():
            numbers, firsts = np.unique(owners, return_index=True)
            scores = np.maximum.reduceat(queries @ matrix.T, firsts, axis=1)
            scores = np.where(allowed[numbers], scores, -np.inf)
            scores = np.concatenate([best, scores], axis=1)
            known = np.concatenate([ids, np.tile(numbers, (len(queries), 1))], axis=1)
            order = np.argpartition(-scores, DEPTH - 1, axis=1)[:, :DEPTH]
            best, ids = np.take_along_axis(scores, order, 1), np.take_along_axis(known, order, 1)
    shares = []
    for question, wanted in zip(questions, ids.tolist(), strict=True):
        found = {hit.passage.id for hit in index.search(question, DEPTH, language=only)}
        shares.append(len(found & set(wanted)) / DEPTH)
    return statistics.mean(shares)


def _in_a_process(step: str, folder: Path, passages: int, kind: IndexSettings) -> Figures:
    command = [sys.executable, "-m", "rag.evals.benchmarks.scale", "--step", step]
    command += ["--folder", str(folder), "--passages", str(passages)]
    command += ["--vectors", kind.vectors, "--storage", kind.storage]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


def _peak() -> float:
    """The most memory that this process had, in GiB."""
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * (1 if sys.platform == "darwin" else 1024) / _GIB


def _quiet(progress: object) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    main()
