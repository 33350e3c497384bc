"""Folders that are kept in step: the real file system tells, nothing is slept for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.errors import DocumentError, IndexLocked, RagError
from rag.index.index import Index
from rag.index.lock import writer_lock
from rag.index.watch import watch
from rag.types import IngestReport

Report = IngestReport | IndexLocked | RagError
_PATIENCE = 60.0


@contextmanager
def watching(index: Index, *folders: Path) -> Iterator[queue.Queue[Report]]:
    """Watch folders in a thread; what is reported comes through a queue."""
    reports: queue.Queue[Report] = queue.Queue()
    stop = threading.Event()

    def run() -> None:
        try:
            watch(index, folders, reports.put, on_wait=reports.put, stop=stop)
        except RagError as error:
            reports.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield reports
    finally:
        stop.set()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def names(uris: tuple[str, ...]) -> list[str]:
    return sorted(uri.rpartition("/")[2] for uri in uris)


def test_a_folder_is_mirrored_as_it_changes(empty_index: Index, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "one.txt").write_text("A glacier melted.", "utf-8")
    with watching(empty_index, papers) as reports:
        first = reports.get(timeout=_PATIENCE)
        assert isinstance(first, IngestReport)
        assert names(first.added) == ["one.txt"]
        (papers / "two.txt").write_text("A volcano erupted.", "utf-8")
        added = reports.get(timeout=_PATIENCE)
        assert isinstance(added, IngestReport)
        assert names(added.added) == ["two.txt"]
        (papers / "one.txt").unlink()
        removed = reports.get(timeout=_PATIENCE)
        assert isinstance(removed, IngestReport)
        assert names(removed.removed) == ["one.txt"]
    assert [entry.name for entry in empty_index.documents()] == ["two.txt"]


def test_the_index_itself_may_lie_in_the_folder(empty_index: Index) -> None:
    papers = empty_index.folder.parent
    (papers / "one.txt").write_text("A glacier melted.", "utf-8")
    with watching(empty_index, papers) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IngestReport)
        (papers / "two.txt").write_text("A volcano erupted.", "utf-8")
        report = reports.get(timeout=_PATIENCE)
        assert isinstance(report, IngestReport)
        assert names(report.added) == ["two.txt"]
        assert reports.empty()


def test_it_waits_while_another_process_changes_the_index(
    empty_index: Index, tmp_path: Path
) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "one.txt").write_text("A glacier melted.", "utf-8")
    with writer_lock(empty_index.folder), watching(empty_index, papers) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IndexLocked)
    with watching(empty_index, papers) as reports:
        report = reports.get(timeout=_PATIENCE)
        assert isinstance(report, IngestReport)
        assert names(report.added) == ["one.txt"]


def test_a_folder_that_goes_away_ends_it_and_forgets_nothing(
    empty_index: Index, tmp_path: Path
) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "one.txt").write_text("A glacier melted.", "utf-8")
    with watching(empty_index, papers) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IngestReport)
        papers.rename(tmp_path / "moved")
        error = reports.get(timeout=_PATIENCE)
        assert isinstance(error, DocumentError)
    assert [entry.name for entry in empty_index.documents()] == ["one.txt"]


def test_there_must_be_a_folder(empty_index: Index, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no folder"):
        watch(empty_index, [tmp_path / "missing"], lambda report: None)
