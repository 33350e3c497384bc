"""How quick the embedder is, on one core: ``python -m rag.evals.benchmarks.embedding [MODEL …]``.

Prints, for the embedder that comes with the program and for each value of the setting
``index.embedder`` that is named, how long loading takes, how many passages of 200 of its own
tokens it embeds in a second, and how long one question takes. All of it in processor time of one
core, so that other work on the machine does not count.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import resources

_TOKENS = 200
_PASSAGES = 400
_QUESTIONS = 500
_LOADED = 5
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def measured(setting: str) -> dict[str, float]:
    """Load and use an embedder in this process, which has one thread.

    Returns:
        Milliseconds to load it once its libraries are imported, passages in a second, and
        milliseconds for a question.
    """
    from rag.index.embed import embedder_for
    from rag.settings import Settings

    settings = Settings()
    settings = dataclasses.replace(
        settings, index=dataclasses.replace(settings.index, embedder=setting)
    )
    embedder_for(settings)  # imports what it needs, and brings its files into memory
    loading = []
    for _ in range(_LOADED):
        begun = time.process_time()
        embedder = embedder_for(settings)
        loading.append(time.process_time() - begun)
    passages = _passages(embedder.count_tokens)
    embedder.embed(passages[:8])
    begun = time.process_time()
    for first in range(0, len(passages), 32):
        embedder.embed(passages[first : first + 32])
    embedding = time.process_time() - begun
    questions = [f"{passage[:60]}?" for passage in passages]
    begun = time.process_time()
    for number in range(_QUESTIONS):
        embedder.embed([questions[number % len(questions)]], query=True)
    asking = time.process_time() - begun
    return {
        "load, ms": 1000 * min(loading),
        "passages in a second": len(passages) / embedding,
        "question, ms": 1000 * asking / _QUESTIONS,
    }


def _passages(count: Callable[[Sequence[str]], list[int]]) -> list[str]:
    """Texts of the test suite's size in both languages, each of about 200 tokens."""
    folder = resources.files("rag.evals") / "suites" / "seeds"
    lines = (folder / "dev.jsonl").read_text("utf-8").splitlines()
    texts = [str(json.loads(line).get("question", "")) for line in lines]
    passages: list[str] = []
    place = 0
    while len(passages) < _PASSAGES:
        parts: list[str] = []
        while sum(count(parts)) < _TOKENS:
            parts.append(texts[place % len(texts)])
            place += 7
        passages.append(" ".join(parts))
    return passages


def main() -> None:
    """Measure each embedder in a process of its own, and print."""
    if sys.argv[1:2] == ["--in-process"]:
        sys.stdout.write(json.dumps(measured(sys.argv[2])))
        return
    for setting in ["bundled", *sys.argv[1:]]:
        command = [sys.executable, "-m", "rag.evals.benchmarks.embedding", "--in-process", setting]
        done = subprocess.run(
            command, env=os.environ | _ONE_THREAD, stdout=subprocess.PIPE, check=True, text=True
        )
        figures = json.loads(done.stdout)
        print(f"{setting:30}" + "  ".join(f"{name} {value:.2f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
