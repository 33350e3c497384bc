"""The right to change an index: one writer at a time, named in a file beside the lock."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexingError, IndexLocked


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the right to change an index.

    Raises:
        IndexLocked: Another process, or another object of this one, holds it; the message
            names the process.
        IndexingError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    holder = folder / "writer.json"
    lock = FileLock(folder / "writer.lock", timeout=0)
    try:
        lock.acquire()
        holder.write_text(json.dumps({"process": os.getpid()}), "utf-8")
    except Timeout:
        raise IndexLocked(
            f"The index in {folder} is being changed by {_holder(holder)}.",
            "Wait until it is done, then try again.",
            retry=True,
        ) from None
    except OSError as error:
        lock.release()
        reason = error.strerror or str(error)
        raise IndexingError(f"The index in {folder} cannot be changed: {reason}.") from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return f"process {int(json.loads(path.read_text('utf-8'))['process'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
