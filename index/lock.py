"""Locks that end with their process: the right to change an index, and folders for scratch.

An index has one writer at a time, named in a file beside the lock.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import IndexingError, IndexLocked

# The lock of somebody who is at work in a scratch folder.
_ALIVE = "at-work.lock"


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


@contextmanager
def scratch_folder(place: Path, prefix: str) -> Iterator[Path]:
    """A new folder in a place, gone afterwards; so are those that killed processes left there.

    A process number says little on a disk that machines or containers share. So whoever is at
    work in such a folder holds the lock in it.

    Raises:
        OSError: The folder cannot be made.
    """
    from filelock import FileLock

    for left in place.glob(f"{prefix}*/{_ALIVE}"):
        # Not where somebody is at work, or what is left is not ours to delete.
        with suppress(OSError), FileLock(left, timeout=0):
            shutil.rmtree(left.parent)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    try:
        with FileLock(made / _ALIVE, timeout=0):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _holder(path: Path) -> str:
    try:
        return f"process {int(json.loads(path.read_text('utf-8'))['process'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
