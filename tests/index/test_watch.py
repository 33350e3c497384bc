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
from rag.types import IngestReport, Progress

Report = IngestReport | IndexLocked | RagError
_PATIENCE = 60.0


@contextmanager
def watching(
    index: Index, *folders: Path, looked_at: queue.Queue[str] | None = None
) -> Iterator[queue.Queue[Report]]:
    """Watch folders in a thread; what is reported comes through a queue.

    ``looked_at`` gets the names of the files that are read, in turn.
    """
    reports: queue.Queue[Report] = queue.Queue()
    stop = threading.Event()

    def note(step: Progress) -> None:
        if step.stage == "documents" and step.name and looked_at is not None:
            looked_at.put(step.name)

    def run() -> None:
        try:
            watch(index, folders, reports.put, note, on_wait=reports.put, stop=stop)
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


def test_only_what_changed_is_read_again(empty_index: Index, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    (papers / "sub").mkdir(parents=True)
    for number in range(9):
        (papers / "sub" / f"{number}.txt").write_text(f"River number {number} flows.", "utf-8")
    looked_at: queue.Queue[str] = queue.Queue()
    with watching(empty_index, papers, looked_at=looked_at) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IngestReport)
        assert list(looked_at.queue) == [f"{number}.txt" for number in range(9)]
        (papers / "sub" / "new.txt").write_text("A volcano erupted.", "utf-8")
        added = reports.get(timeout=_PATIENCE)
        assert isinstance(added, IngestReport)
        assert (names(added.added), added.unchanged) == (["new.txt"], ())
        # As often as the system spoke of it, but nothing else.
        assert set(list(looked_at.queue)[9:]) == {"new.txt"}
        (papers / "sub").rename(tmp_path / "sub")
        removed = reports.get(timeout=_PATIENCE)
        assert isinstance(removed, IngestReport)
        assert len(removed.removed) == 10
        (tmp_path / "sub").rename(papers / "again")
        back = reports.get(timeout=_PATIENCE)
        assert isinstance(back, IngestReport)
        assert (len(back.added), back.embedded) == (10, 0)
    assert empty_index.verify() == []


def test_folders_that_are_watched_together_are_one_change(
    empty_index: Index, tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "paper.txt").write_text("A glacier melted.", "utf-8")
    with watching(empty_index, one, other) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IngestReport)
        (one / "paper.txt").rename(other / "paper.txt")
        moved = reports.get(timeout=_PATIENCE)
        assert isinstance(moved, IngestReport)
        assert (len(moved.added), len(moved.removed), moved.embedded) == (1, 1, 0)


def test_a_failure_is_told_once(empty_index: Index, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "bad.pdf").write_bytes(b"%PDF-1.4")
    looked_at: queue.Queue[str] = queue.Queue()
    with watching(empty_index, papers, looked_at=looked_at) as reports:
        first = reports.get(timeout=_PATIENCE)
        assert isinstance(first, IngestReport)
        assert [failure.uri for failure in first.failed] == [(papers / "bad.pdf").as_uri()]
        assert looked_at.get(timeout=_PATIENCE) == "bad.pdf"
        (papers / "bad.pdf").write_bytes(b"%PDF-1.5")
        assert looked_at.get(timeout=_PATIENCE) == "bad.pdf"
        (papers / "good.txt").write_text("A glacier melted.", "utf-8")
        news = reports.get(timeout=_PATIENCE)
        assert isinstance(news, IngestReport)
        assert names(news.added) == ["good.txt"]


@pytest.mark.parametrize("linked", [False, True])
def test_the_index_itself_may_lie_in_the_folder(
    empty_index: Index, tmp_path: Path, linked: bool
) -> None:
    papers = empty_index.folder.parent
    (papers / "one.txt").write_text("A glacier melted.", "utf-8")
    looked_at: queue.Queue[str] = queue.Queue()
    watched = papers
    if linked:
        watched = tmp_path.with_name(f"{tmp_path.name}-link")
        watched.symlink_to(papers)
    with watching(empty_index, watched, looked_at=looked_at) as reports:
        assert isinstance(reports.get(timeout=_PATIENCE), IngestReport)
        (papers / "two.txt").write_text("A volcano erupted.", "utf-8")
        report = reports.get(timeout=_PATIENCE)
        assert isinstance(report, IngestReport)
        assert names(report.added) == ["two.txt"]
        assert reports.empty()
    # Had its own writing counted as a change, everything would have been looked at again.
    assert list(looked_at.queue).count("one.txt") == 1


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
