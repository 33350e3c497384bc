"""Keeping an index in step with folders as they change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

from rag.errors import DocumentError, IndexingError, IndexLocked
from rag.types import Failure, IngestReport

from .index import Index
from .ingest import OnProgress

# How often it is looked whether to stop, and whether another process has let go of the index.
_LOOK_MILLISECONDS = 500


def watch(
    index: Index,
    folders: Sequence[Path],
    on_report: Callable[[IngestReport], None],
    on_progress: OnProgress = lambda progress: None,
    on_wait: Callable[[IndexLocked], None] = lambda locked: None,
    stop: Event | None = None,
) -> None:
    """Mirror folders into an index, now and whenever something in them changes.

    Args:
        index: The index.
        folders: The folders.
        on_report: Called with what became of the documents whenever anything did.
        on_progress: Called with every step.
        on_wait: Called once when another process is changing the index; it is tried again
            until that is done.
        stop: Set it to end; otherwise this goes on until it is interrupted.

    Raises:
        DocumentError: A folder is not there, or is no longer. Nothing of it is forgotten.
        IndexingError: The system cannot tell of changes, for example of so many folders.
    """
    for folder in folders:
        if not folder.is_dir():
            raise DocumentError(f"There is no folder {folder}.", "Nothing was changed.")
    # Watching begins before the first look: what changes meanwhile is seen again.
    due: set[Path] | None = None  # where there is something to look at; at first everywhere
    waiting, told = False, frozenset[Failure]()
    for places in _changes(folders, index.folder.resolve(), stop):
        due = due if due is None else due | places
        if due is not None and not due:
            continue
        try:
            report = index.sync(folders, on_progress, changed=due)
            failed = frozenset(report.failed)
            if report.added or report.updated or report.removed or failed - told:
                on_report(report)
            told = failed if due is None else told | failed
            due, waiting = set(), False
        except IndexLocked as locked:
            if not waiting:
                on_wait(locked)
            waiting = True


def _changes(folders: Sequence[Path], own: Path, stop: Event | None) -> Iterator[set[Path]]:
    """Now and then, and at once when something changed, what did.

    The index may lie in a folder that is watched; what changes there is its own doing.
    """
    import watchfiles

    def counts(change: watchfiles.Change, path: str) -> bool:
        place = Path(path).resolve()
        return place != own and own not in place.parents

    try:
        for changes in watchfiles.watch(
            *(os.path.abspath(folder) for folder in folders),
            watch_filter=counts,
            stop_event=stop,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
        ):
            yield {Path(path) for _, path in changes}
    except (OSError, RuntimeError) as error:  # as the system and watchfiles say it
        raise IndexingError(
            f"The folders cannot be watched: {error}.", "Use --sync now and then instead."
        ) from error
