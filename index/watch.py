"""Keeping an index in step with folders as they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from rag.errors import IndexLocked
from rag.types import IngestReport

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
    """
    import watchfiles

    own = index.folder.resolve()

    def counts(change: watchfiles.Change, path: str) -> bool:
        place = Path(path)
        return place != own and own not in place.parents

    # Watching begins before the first look: what changes meanwhile is seen again.
    due, waiting = True, False
    for changes in watchfiles.watch(
        *folders,
        watch_filter=counts,
        stop_event=stop,
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
    ):
        due = due or bool(changes)
        if not due:
            continue
        try:
            for folder in folders:
                report = index.sync(folder, on_progress)
                if report.added or report.updated or report.removed or report.failed:
                    on_report(report)
            due = waiting = False
        except IndexLocked as locked:
            if not waiting:
                on_wait(locked)
            waiting = True
