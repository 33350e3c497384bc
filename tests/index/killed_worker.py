"""A process that changes an index so that a test can kill it.

It loads everything once and then forks for every change: a fork takes milliseconds where a
fresh interpreter takes a second. Commands and answers are lines of JSON and of text.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index import ingest
from rag.index.index import Index
from rag.settings import IndexSettings, RetrievalSettings, Settings

SETTINGS = replace(
    Settings(),
    index=IndexSettings(passage_tokens=40, batch_size=4),
    retrieval=RetrievalSettings(diversity=0.0),
)
# A word that every passage holds.
EVERYWHERE = "everywhere"


def embedder() -> HashingEmbedder:
    """A quick embedder that takes a moment for each batch, as real ones do."""
    return HashingEmbedder(dimension=32, max_tokens=64, seconds=0.001, windows=True)


def opened(folder: str) -> Index:
    """The index in a folder."""
    return Index.open(folder, SETTINGS, embedder())


def say(line: str) -> None:
    """Answer the test."""
    os.write(sys.stdout.fileno(), line.encode() + b"\n")


def change(folder: str, operation: str, paths: list[str]) -> None:
    """Do what the test asked for; it is told when it begins and when it is done."""
    index = opened(folder)
    say("begun")
    if operation == "sync":
        index.sync(paths[0])
    elif operation == "remove":
        index.remove(paths[0])
    else:
        index.add(paths)
    say("done")


def watch(folder: str) -> None:
    """Search without end, and say what states of the documents were seen."""
    index = opened(folder)
    last = ""
    while True:
        hits = index.search(EVERYWHERE, 100)
        for hit in hits:
            assert hit.document.text[hit.passage.start : hit.passage.end] == hit.passage.text
        seen = sorted({hit.passage.text.split()[0] for hit in hits})
        passages = sorted(hit.passage.text for hit in hits)
        line = json.dumps([seen, passages])
        if line != last:
            say(line)
            last = line
        time.sleep(0.002)  # or the changes get too little of two cores


def main() -> None:
    """Fork for every command, and wait for each child."""
    with tempfile.TemporaryDirectory() as scratch:  # what a child needs is loaded before it is
        text = Path(scratch, "text.txt")
        text.write_text("Rivers flow. They never stop.", "utf-8")
        warm = Index.create(Path(scratch, "index"), SETTINGS, embedder())
        warm.add(text)
        warm.search("rivers")
    ingest._SECONDS_BETWEEN_KEEPING = 0.0  # kills must hit that too
    say("ready")
    for line in sys.stdin:
        folder, operation, paths = json.loads(line)
        child = os.fork()
        if not child:
            try:
                say(f"child {os.getpid()}")
                if operation == "watch":
                    watch(folder)
                else:
                    change(folder, operation, paths)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must know
                say(f"failed {error!r}")
                os._exit(1)
            os._exit(0)
        if operation != "watch":
            os.waitpid(child, 0)
            say("ended")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True)
    main()
