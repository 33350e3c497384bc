"""A run's folder: what it is, and a line for every case as it comes.

```
my-run/
  run.json       what was asked how: suite, settings, versions, revision, seed, metrics
  cases.jsonl    a line for each case that has been asked
```
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals.metrics.metric import Grade
from rag.types import Turn, to_dict

from .results import Outcome, Run, Told
from .suite import Case, Expected, Suite

ABOUT = "run.json"
CASES = "cases.jsonl"

# What may differ between an interrupted run and the one that goes on with it.
_MAY_DIFFER = ("parallel",)


class Store:
    """The folder of a run that is under way.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path, about: Mapping[str, Any], metrics: tuple[Told, ...]) -> Store:
        """Begin a run in a new or empty folder, or go on with the one that is there.

        Raises:
            EvaluationError: Another run is there, or the folder cannot be written.
        """
        told = json.loads(json.dumps(about))
        path = folder / ABOUT
        if path.is_file():
            before = _read_about(path)["about"]
            differing = [
                name for name in told if name not in _MAY_DIFFER and told[name] != before.get(name)
            ]
            if differing:
                raise EvaluationError(
                    f"{folder} holds a run with another {' and '.join(differing)}.",
                    "Name another folder, or repeat what that run was started with.",
                )
            return cls(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            body = {"about": told, "metrics": [dataclasses.asdict(one) for one in metrics]}
            path.write_text(json.dumps(body, ensure_ascii=False, indent=2), "utf-8")
        except OSError as error:
            raise EvaluationError(
                f"The run cannot be kept in {folder}: {error.strerror or error}."
            ) from error
        return cls(folder)

    def append(self, outcome: Outcome) -> None:
        """Keep the outcome of a case; a line is whole or, after a crash, not counted."""
        line = json.dumps(to_dict(_stored(outcome)), ensure_ascii=False)
        with (self.folder / CASES).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def outcomes(self, suite: Suite) -> dict[str, Outcome]:
        """What is known of a suite's cases; those that got no answer are asked again."""
        cases = {case.id: case for case in suite.cases}
        found: dict[str, Outcome] = {}
        for outcome in _read_outcomes(self.folder / CASES):
            if outcome.case.id in cases and not outcome.error:
                found[outcome.case.id] = outcome
        return found

    def finish(self, run: Run) -> None:
        """Write the cases in the order of the suite, each once."""
        lines = [json.dumps(to_dict(_stored(one)), ensure_ascii=False) for one in run.outcomes]
        new = self.folder / f"{CASES}.new"
        new.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        new.replace(self.folder / CASES)


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
    *whole, unfinished = path.read_text("utf-8").split("\n")
    if unfinished:  # the process ended in the middle of this line
        path.write_text("".join(f"{line}\n" for line in whole), "utf-8")
    found = []
    for number, line in enumerate(whole, start=1):
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
            "history": tuple(Turn(**turn) for turn in row["history"]),
            "tags": tuple(row["tags"]),
        }
    )


def _outcome(row: dict[str, Any]) -> Outcome:
    grades = {name: Grade(**grade) for name, grade in row["grades"].items()}
    return Outcome(case_from(row["case"]), row["pair"], grades, row["answer"], row["error"])
