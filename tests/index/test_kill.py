"""Killing a process in the middle of changing an index, hundreds of times."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from rag.index.index import Index

from .killed_worker import EVERYWHERE, SETTINGS, embedder, opened

KILLS = 200
SLOTS, VERSIONS = 6, 3
QUESTIONS = ("river of slot2 in version1", "glacier slot4", EVERYWHERE)

# Which version of each file there is, by the file's name.
State = dict[str, int]
# For a question and a passage's document, place and text its scores.
Found = dict[tuple[str, str, int, str], tuple[float, float, float]]


def content(name: str, version: int) -> str:
    """A file's text: most paragraphs are those of the other versions, some are its own."""
    slot = name.split("-")[0]
    shared = [
        f"{slot} part{part} {EVERYWHERE} of a river number {part * 7 + len(slot)} flows {slot}{part} "
        + " ".join(f"{slot}word{part}{extra}" for extra in range(9))
        for part in range(5)
    ]
    own = [
        f"{slot} version{version} {EVERYWHERE} glacier {slot}v{version}p{part} melts "
        + " ".join(f"v{version}word{part}{extra}{slot}" for extra in range(9))
        for part in range(2 + version)
    ]
    return "\n\n".join(f"{text}." for text in shared + own)


def write(folder: Path, wanted: State) -> None:
    """Make a folder hold exactly these files."""
    for path in folder.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, version in wanted.items():
        (folder / name).write_text(content(name, version), "utf-8")


def found(index: Index) -> Found:
    """What an index finds: for each question and passage its scores."""
    return {
        (question, hit.document.name, hit.passage.start, hit.passage.text): (
            hit.score,
            hit.lexical,
            hit.dense,
        )
        for question in QUESTIONS
        for hit in index.search(question, 100)
    }


def assert_same(one: Found, other: Found) -> None:
    """Sums of numbers of 32 bits depend on their order in the seventh digit."""
    assert one.keys() == other.keys()
    np.testing.assert_allclose(
        [one[key] for key in sorted(one)], [other[key] for key in sorted(one)], atol=1e-5
    )


class Worker:
    """The process that forks a child for every change."""

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).with_name("killed_worker.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # its children end with it
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # a pool of threads survives no fork
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def begin(self, folder: Path, operation: str, *paths: Path) -> int:
        """Start a change; the child's process id."""
        assert self.process.stdin is not None
        command = [str(folder), operation, [str(path) for path in paths]]
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        child = self.line()
        assert operation == "watch" or self.line() == "begun", child
        return int(child.split()[1])

    def end(self) -> tuple[bool, float]:
        """Whether the change was completed, and when it ended."""
        line = self.line()
        if line == "done":
            at = time.monotonic()
            assert self.line() == "ended"
            return True, at
        assert line == "ended", line
        return False, time.monotonic()


@contextmanager
def worker(folder: Path) -> Iterator[Worker]:
    started = Worker(folder)
    try:
        yield started
    finally:
        os.killpg(started.process.pid, signal.SIGKILL)
        started.process.communicate()


class Watcher:
    """A process that searches all the while; it notes every state it saw."""

    def __init__(self, worker: Worker, folder: Path) -> None:
        self.child = worker.begin(folder, "watch")
        self.worker = worker
        self.lines: list[str] = []
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        assert self.worker.process.stdout is not None
        self.lines.extend(line.strip() for line in self.worker.process.stdout)

    def stop(self) -> list[str]:
        os.kill(self.child, signal.SIGKILL)
        self.worker.process.kill()
        self.thread.join()
        return self.lines


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_a_killed_process_never_loses_or_mixes_anything(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same instants each time
    folder, documents = tmp_path / "index", tmp_path / "documents"
    documents.mkdir()
    write(documents, {f"slot{slot}-a.txt": 0 for slot in range(SLOTS - 1)})
    Index.create(folder, SETTINGS, embedder()).add(documents)
    lasting = opened(str(folder))
    references: dict[str, tuple[Found, list[str]]] = {}

    def reference(state: State) -> tuple[Found, list[str]]:
        """What a freshly built index of a state finds, and its passages."""
        key = json.dumps(state, sort_keys=True)
        if key not in references:
            place = tmp_path / f"reference{len(references)}"
            place.mkdir()
            write(place, state)
            fresh = Index.create(tmp_path / f"fresh{len(references)}", SETTINGS, embedder())
            fresh.add(place)
            hits = found(fresh)
            references[key] = (
                hits,
                sorted(text for question, _, _, text in hits if question == EVERYWHERE),
            )
        return references[key]

    indexed: State = {path.name: 0 for path in documents.iterdir()}
    kills: Counter[str] = Counter()
    durations: dict[str, float] = {}
    with worker(tmp_path) as working, worker(tmp_path) as other:
        watcher = Watcher(other, folder)
        reference(indexed)
        while sum(kills.values()) < KILLS:
            before = indexed
            operation, after = changed(before, chance)
            if operation == "remove":
                (gone,) = before.keys() - after.keys()
                target = documents / gone
            else:
                write(documents, after)
                target = documents
            child = working.begin(folder, operation, target)
            begun = time.monotonic()
            completes = operation not in durations or chance.random() < 0.1
            if not completes:
                time.sleep(1.15 * chance.random() ** 0.5 * durations[operation])
                with suppress(ProcessLookupError):  # it was done in time
                    os.kill(child, signal.SIGKILL)
            done, ended = working.end()
            if completes:
                took = ended - begun
                durations[operation] = (durations.get(operation, took) + took) / 2
            fresh = opened(str(folder))
            names = {entry.name for entry in fresh.documents()}
            texts = {name: text_of(fresh, documents / name) for name in names}
            fits = [
                state
                for state in (before, after)
                if texts == {name: content(name, version) for name, version in state.items()}
            ]
            assert fits, f"neither before nor after {operation}: {names}"
            if not done:
                kills[f"{operation}: {'after' if fits[0] is after else 'before'}"] += 1
            else:
                assert fits[0] == after
            indexed = fits[0]
            assert_same(found(fresh), reference(indexed)[0])
            assert_same(found(lasting), reference(indexed)[0])
            assert fresh.verify() == []
        lines = watcher.stop()
    print(dict(sorted(kills.items())))  # noqa: T201 - shown by pytest -s
    assert len(lines) > 10
    whole = [passages for _, passages in references.values()]
    assert all(json.loads(line)[1] in whole for line in lines if line.startswith("[")), "mixed"
    assert not [line for line in lines if line.startswith("failed")]


def changed(state: State, chance: random.Random) -> tuple[str, State]:
    """A change that makes a difference, and what a folder holds after it."""
    after = dict(state)
    names = sorted(after)
    absent = [slot for slot in range(SLOTS) if not any(n.startswith(f"slot{slot}-") for n in names)]
    possible = ["update", "sync"]
    possible += ["add"] if absent else []
    possible += ["remove"] if len(names) > 2 else []
    operation = chance.choice(possible)
    if operation == "remove":
        del after[chance.choice(names)]
    if operation in ("update", "sync"):
        for name in chance.sample(names, 2):
            after[name] = (after[name] + 1) % VERSIONS
    if operation == "sync":  # a moved file, and sometimes a deleted one
        moved = chance.choice(names)
        after[f"{moved.split('-')[0]}-{'b' if '-a' in moved else 'a'}.txt"] = after.pop(moved)
        if len(after) > 2 and chance.random() < 0.5:
            del after[chance.choice(sorted(after))]
    if operation == "add" or (operation == "sync" and absent and chance.random() < 0.5):
        after[f"slot{chance.choice(absent)}-a.txt"] = chance.randrange(VERSIONS)
    return operation, after


def text_of(index: Index, path: Path) -> str:
    return index.document(path.as_uri()).text
