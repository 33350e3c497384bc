"""Thumbs into cases: what people thought of answers, as a suite of one's own index.

A thumb up makes a case: what the answer cited is expected, or, of an abstention, nothing. A thumb
down makes a draft: somebody has to say what would have been right.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import EvaluationError
from rag.feedback import Feedback, read_feedback
from rag.types import Intent, file_name

from . import fields
from .reading import MANIFEST, read_lines

_CASES = "cases.jsonl"
_MANIFEST = """\
# Made by 'rag eval feedback' of thumbs in the chat window.
name = {name}
title = "Questions from the chat window"
index = {index}    # asked as it is; or name documents = [...] instead
cases = "cases.jsonl"
"""


def export_feedback(index: Path, folder: Path) -> tuple[int, int]:
    """Make a suite of the thumbs in an index's folder, or add those that are new.

    Those on greetings, lists and summaries are left out.

    Cases that are there already stay as they are: they may have been edited.

    Args:
        index: The index's folder.
        folder: The suite's folder.

    Returns:
        How many cases and how many drafts were added.

    Raises:
        EvaluationError: There are no thumbs, or the suite cannot be written.
    """
    thumbs = list(filter(_is_of_documents, read_feedback(index)))
    if not thumbs:
        raise EvaluationError(
            f"There is no feedback in {index}.", "Give answers a thumb in the chat window first."
        )
    path = folder / _CASES
    known = _known(path) if path.is_file() else set()
    rows = [row for row in map(_row, thumbs) if row["id"] not in known]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MANIFEST).exists():
            name, place = json.dumps(folder.resolve().name), json.dumps(_place(index, folder))
            (folder / MANIFEST).write_text(_MANIFEST.format(name=name, index=place), "utf-8")
        with path.open("a+b") as file:
            file.write(_line_end(file))
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n".encode() for row in rows)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EvaluationError(f"The suite {folder} cannot be written: {reason}.") from error
    drafts = sum("draft" in row for row in rows)
    return len(rows) - drafts, drafts


def _known(path: Path) -> set[str]:
    """The ids of the cases and drafts that are there."""
    known = set()
    for where, row in read_lines(path):
        try:
            known.add(fields.text(row, "id"))
        except fields.Malformed as error:
            raise EvaluationError(f"{where}: this is not a case: {error}.") from error
    return known


def _place(index: Path, folder: Path) -> str:
    """The index seen from the suite, so that both can be moved; on another drive as it is."""
    there, here = index.resolve(), folder.resolve()
    return Path(os.path.relpath(there, here) if there.drive == here.drive else there).as_posix()


def _line_end(file: BinaryIO) -> bytes:
    """What ends the last line of a file: editors may leave it open."""
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read() == b"\n" else b"\n"


def _is_of_documents(thumb: Feedback) -> bool:
    """Whether a question was answered: greetings, lists and summaries are no cases."""
    return bool(thumb.answer.get("intent", Intent.ANSWER) == Intent.ANSWER)


def _row(thumb: Feedback) -> dict[str, Any]:
    answer = thumb.answer
    row: dict[str, Any] = {
        "id": hashlib.sha256(thumb.id.encode()).hexdigest()[:12],
        "question": answer["question"],
        "language": answer["language"],
        "tags": ["thumbs-up" if thumb.good else "thumbs-down"],
    }
    if thumb.history:
        row["history"] = [{"question": t.question, "answer": t.answer} for t in thumb.history]
    if thumb.good and not answer["abstained"] and answer["citations"]:
        row["expected"] = _expected(answer["citations"])
    elif thumb.good and answer["abstained"]:
        row["unanswerable"] = True
    else:
        row["draft"] = True
        row["expected"] = _expected(answer["citations"])
        row["answers"] = [[answer["text"]]]
    return row


def _expected(citations: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What an answer cited; each sentence's quote is a part of its own."""
    quotes = dict.fromkeys((file_name(c["document"]["uri"]), c["quote"]) for c in citations)
    return [
        {"document": document, "quote": quote, "part": part}
        for part, (document, quote) in enumerate(quotes)
    ]
