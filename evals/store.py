"""A run's folder: what it is, and a line for every case as it comes.

```
my-run/
  run.json       what was asked how: suite, settings, versions, revision, seed, metrics
  cases.jsonl    a line for each case that has been asked
  run.lock       held by the process that writes there
```
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from rag.errors import EvaluationError
from rag.evals.metrics.metric import Grade
from rag.serialization import to_dict, turn_from

from .results import Outcome, Run, Told
from .suite import Case, Expected, Suite

ABOUT = "run.json"
CASES = "cases.jsonl"
_LOCK = "run.lock"

# What may differ between an interrupted run and the one that goes on with it.
_MAY_DIFFER = ("parallel",)
# What people call the facts about a run.
_CALLED = {
    "digest": "questions",
    "cases": "number of questions",
    "texts": "documents",
    "documents": "number of documents",
    "answers": "choice of answers or passages only",
    "revision": "version of the program",
}


class Store:
    """The folder of a run that is under way; it is this process's until ``close``.

    Args:
        folder: The folder, which is made if there is none.

    Raises:
        EvaluationError: Another process writes there, the folder holds something else than a
            run, or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()) and not (
                (folder / ABOUT).exists() or (folder / _LOCK).exists()
            ):
                raise EvaluationError(
                    f"{folder} holds something else than a run.", "Name a new folder with --out."
                )
            self._lock = FileLock(folder / _LOCK)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise EvaluationError(f"Another process writes the run in {folder}.") from error
        except OSError as error:
            raise _unwritten(folder, error) from error

    def close(self) -> None:
        """Let others write there."""
        self._lock.release()

    def expect(self, about: Mapping[str, Any]) -> None:
        """Refuse to go on with a run of which any of some facts is another.

        Raises:
            EvaluationError: One is.
        """
        if not (self.folder / ABOUT).is_file():
            return
        before = _read_about(self.folder / ABOUT)["about"]
        told = json.loads(json.dumps(about))
        differing = [
            name for name in told if name not in _MAY_DIFFER and told[name] != before.get(name)
        ]
        if differing:
            raise EvaluationError(
                f"The run in {self.folder} was begun otherwise: there differ its "
                f"{' and '.join(_CALLED.get(name, name) for name in differing)}.",
                "Name another folder, or repeat what it was begun with, --split and --set as well.",
            )

    def begin(self, about: Mapping[str, Any], metrics: tuple[Told, ...]) -> None:
        """Note what the run is, or check that it is the one that was begun here.

        Raises:
            EvaluationError: It is another one.
        """
        self.expect(about)
        if (self.folder / ABOUT).is_file():
            return
        body = {"about": about, "metrics": [dataclasses.asdict(one) for one in metrics]}
        _write(self.folder / ABOUT, json.dumps(body, ensure_ascii=False, indent=2))

    def append(self, outcome: Outcome) -> None:
        """Keep the outcome of a case; half a line, as a crash leaves it, is not counted."""
        line = json.dumps(to_dict(_stored(outcome)), ensure_ascii=False)
        try:
            with (self.folder / CASES).open("ab+") as file:
                if file.tell() and _last_byte(file) != b"\n":
                    file.truncate(_after_last_line(file))
                file.write(f"{line}\n".encode())
        except OSError as error:
            raise _unwritten(self.folder, error) from error

    def outcomes(self, suite: Suite) -> dict[str, Outcome]:
        """What is known of a suite's cases; those that got no answer are asked again."""
        cases = {case.id: case for case in suite.cases}
        found: dict[str, Outcome] = {}
        for outcome in _read_outcomes(self.folder / CASES):
            case = cases.get(outcome.case.id)
            if case and not outcome.error:
                # Tags may have been edited since: they are no part of what was asked.
                found[case.id] = dataclasses.replace(outcome, case=case, pair=suite.pair(case))
        return found

    def finish(self, run: Run) -> None:
        """Write the cases in the order of the suite, each once."""
        lines = [json.dumps(to_dict(_stored(one)), ensure_ascii=False) for one in run.outcomes]
        _write(self.folder / CASES, "".join(f"{line}\n" for line in lines))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text, "utf-8")
        new.replace(path)
    except OSError as error:
        raise _unwritten(path.parent, error) from error


def _unwritten(folder: Path, error: OSError) -> EvaluationError:
    return EvaluationError(f"The run cannot be kept in {folder}: {error.strerror or error}.")


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _after_last_line(file: BinaryIO) -> int:
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def load_run(folder: Path) -> Run:
    """Read a run.

    Raises:
        EvaluationError: There is none in the folder, or it is damaged.
    """
    path = folder / ABOUT
    if not path.is_file():
        raise EvaluationError(
            f"There is no run in {folder}.", "Make one: rag eval SUITE --out FOLDER."
        )
    body = _read_about(path)
    try:
        metrics = tuple(Told(**one) for one in body["metrics"])
    except (KeyError, TypeError) as error:
        raise EvaluationError(f"{path} is damaged: {error!r}.") from error
    outcomes: dict[str, Outcome] = {}
    for outcome in _read_outcomes(folder / CASES):
        outcomes[outcome.case.id] = outcome
    return Run(body["about"], metrics, tuple(outcomes.values()))


def _read_about(path: Path) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(path.read_text("utf-8"))
        body["about"]["suite"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path} is damaged: {error!r}.") from error
    return body


def _read_outcomes(path: Path) -> list[Outcome]:
    if not path.is_file():
        return []
    try:
        # What follows the last line end is half a line: a process ended, or is writing it now.
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror or error}.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_outcome(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{path}:{number}: this is damaged: {error!r}.") from error
    return found


def _stored(outcome: Outcome) -> dict[str, Any]:
    return {
        "case": outcome.case,
        "pair": outcome.pair,
        "grades": {name: dataclasses.asdict(grade) for name, grade in outcome.grades.items()},
        "answer": outcome.answer,
        "error": outcome.error,
    }


def case_from(row: Mapping[str, Any]) -> Case:
    """A case from what ``rag.to_dict`` made of it."""
    return Case(
        **{
            **row,
            "expected": tuple(Expected(**one) for one in row["expected"]),
            "answers": tuple(tuple(forms) for forms in row["answers"]),
            "history": tuple(map(turn_from, row["history"])),
            "tags": tuple(row["tags"]),
        }
    )


def _outcome(row: dict[str, Any]) -> Outcome:
    grades = {name: Grade(**grade) for name, grade in row["grades"].items()}
    return Outcome(case_from(row["case"]), row["pair"], grades, row["answer"], row["error"])
