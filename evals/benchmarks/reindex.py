"""What it costs to index a folder again in which nothing, or one file, has changed.

``python -m rag.evals.benchmarks.reindex`` writes 10,000 text files in a made-up language and runs
``rag index`` over them as a person does, in a fresh process each time, with the default embedder:
the first time, again, and after one file was edited.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .synthetic import Language

SENTENCES = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One run of ``rag index``: how long it took, and what it reported."""

    name: str
    seconds: float
    report: dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m rag.evals.benchmarks.reindex")
    parser.add_argument("--files", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = measured(Path(scratch), given.files)
    print(f"{given.files} files, {runs[0].report['passages']} passages")
    for run in runs:
        share = run.seconds / runs[0].seconds
        counts = ", ".join(
            f"{len(run.report[name])} {name}" for name in ("added", "updated", "unchanged")
        )
        print(
            f"{run.name:20}{run.seconds:8.1f} s  {share:7.2%} of the first  "
            f"{run.report['embedded']:6} embedded  ({counts})"
        )


def measured(scratch: Path, files: int) -> list[Run]:
    """Write the files into a folder and index it three times."""
    folder, language = scratch / "documents", Language()
    folder.mkdir()
    for number in range(files):
        (folder / f"{number}.txt").write_text(language.sentences(SENTENCES), "utf-8")
    runs = [_indexed("first", scratch), _indexed("nothing changed", scratch)]
    edited = folder / "0.txt"
    edited.write_text(edited.read_text("utf-8") + " " + language.sentences(1), "utf-8")
    return [*runs, _indexed("one file edited", scratch)]


def _indexed(name: str, scratch: Path) -> Run:
    command = [sys.executable, "-m", "rag", "index", "documents", "--index", "index", "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stderr)
    return Run(name, seconds, json.loads(done.stdout))


if __name__ == "__main__":
    main()
