"""What people thought of answers: a line for every thumb, in the index's folder.

It never leaves that folder by itself; ``rag eval feedback`` makes a suite of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EvaluationError
from .serialization import to_dict, to_json, turn_from
from .types import Answer, Turn

FILE_NAME = "feedback.jsonl"
_LOCK = "feedback.lock"
# Seconds to wait for another thumb: writing one takes a moment.
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Feedback:
    """A thumb given to an answer.

    ``id`` names the answer: the last thumb it was given counts. ``good`` is up or down, ``None``
    where a thumb was taken back. ``answer`` is the answer as ``rag.to_dict`` gives it, without the
    passages it does not cite.
    """

    id: str
    good: bool | None
    answer: Mapping[str, Any]
    history: tuple[Turn, ...] = ()


def keep_feedback(
    folder: Path, identifier: str, good: bool | None, answer: Answer, history: Sequence[Turn]
) -> None:
    """Keep a thumb.

    Args:
        folder: The index's folder.
        identifier: What names the answer.
        good: Up, down, or taken back.
        answer: The answer.
        history: The exchanges before it, oldest first.

    Raises:
        EvaluationError: It cannot be written.
    """
    told = to_dict(answer)
    told.pop("hits")
    kept = Feedback(identifier, good, told, tuple(history))
    try:
        _append(folder / FILE_NAME, to_json(kept).encode() + b"\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise EvaluationError(f"The feedback cannot be kept in {folder}: {reason}.") from error


def read_feedback(folder: Path) -> list[Feedback]:
    """The thumbs that count: of each answer the last one, unless it was taken back.

    Raises:
        EvaluationError: The file cannot be read, or is damaged.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return []
    try:
        written = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise EvaluationError(f"The feedback in {folder} cannot be read: {reason}.") from error
    found: dict[str, Feedback] = {}
    # What follows the last line end is half a line, left by a crash, perhaps cut inside a letter.
    for number, line in enumerate(written.split(b"\n")[:-1], start=1):
        try:
            row = json.loads(line.decode())
            history = tuple(map(turn_from, row["history"]))
            one = Feedback(row["id"], row["good"], row["answer"], history)
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{path}:{number}: this is damaged: {error!r}.") from error
        found.pop(one.id, None)
        found[one.id] = one
    return [one for one in found.values() if one.good is not None]


def _append(path: Path, line: bytes) -> None:
    """Add a line, after what a crash left of the one before is taken away."""
    from filelock import FileLock

    # Without the lock, what another process is just writing would look like half a line.
    with FileLock(path.with_name(_LOCK), timeout=_PATIENCE), path.open("a+b") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line)
