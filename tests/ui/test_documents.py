"""The documents tab's work: uploads are kept, replaced and deleted with the index."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from rag.index.exchange import UPLOADS
from rag.index.index import Index
from rag.index.lock import writer_lock
from rag.types import Progress
from rag.ui import documents
from rag.ui.strings import strings

TEXTS = strings("en")


def _quiet(progress: Progress) -> None:
    assert progress.done <= progress.total


def _upload(folder: Path, name: str, text: str) -> str:
    path = folder / "upload" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return str(path)


def _kept(index: Index) -> list[str]:
    return sorted(path.name for path in (index.folder / UPLOADS).iterdir())


def test_a_new_version_of_a_file_replaces_the_old_one(empty_index: Index, tmp_path: Path) -> None:
    first = _upload(tmp_path, "note.txt", "The old door code is 4711.")
    assert documents.add(empty_index, [first], TEXTS, _quiet).startswith("Added: 1.")
    second = _upload(tmp_path, "note.txt", "The new door code is 4712.")
    assert documents.add(empty_index, [second], TEXTS, _quiet).startswith("Added: 0. Updated: 1.")
    assert _kept(empty_index) == ["note.txt"]
    (entry,) = empty_index.documents()
    assert "4712" in empty_index.document(entry.uri).text


def test_what_is_refused_or_removed_leaves_no_file_behind(
    tmp_path: Path, empty_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    index = Index(Path("../index"), empty_index.settings, empty_index.embedder())
    good, bad = _upload(tmp_path, "a.txt", "Some text."), _upload(tmp_path, "b.txt", "")
    report = documents.add(index, [good, bad], TEXTS, _quiet)
    assert report == "Added: 1. Updated: 0. Unchanged: 0.\n⚠ Not added: b.txt is empty."
    assert _kept(index) == ["a.txt"]
    (entry,) = index.documents()
    assert documents.remove(index, [entry.uri], TEXTS) == "Removed: 1."
    assert _kept(index) == []


def test_an_upload_while_another_process_writes_is_said_and_not_kept(
    empty_index: Index, tmp_path: Path
) -> None:
    upload = _upload(tmp_path, "a.txt", "Some text.")
    with writer_lock(empty_index.folder):
        report = documents.add(empty_index, [upload], TEXTS, _quiet)
    assert report.startswith("⚠ Not added: The index in")
    assert _kept(empty_index) == []


def test_files_elsewhere_are_never_deleted(empty_index: Index, tmp_path: Path) -> None:
    own = tmp_path / "mine.txt"
    own.write_text("My own text.", "utf-8")
    empty_index.add(own)
    assert documents.remove(empty_index, [own.as_uri()], TEXTS) == "Removed: 1."
    assert own.exists()
    assert documents.remove(empty_index, [], TEXTS) == TEXTS["nothing_chosen"]
    assert documents.remove(empty_index, [own.as_uri()], TEXTS).startswith("⚠ The index holds no")


def test_what_else_lies_in_the_folder_of_uploads_is_left_alone(
    empty_index: Index, tmp_path: Path
) -> None:
    folder = empty_index.folder / UPLOADS
    folder.mkdir()
    (folder / "diary.txt").write_text("Not uploaded, not indexed.", "utf-8")
    documents.add(empty_index, [_upload(tmp_path, "a.txt", "Some text.")], TEXTS, _quiet)
    (entry,) = empty_index.documents()
    documents.remove(empty_index, [entry.uri], TEXTS)
    assert _kept(empty_index) == ["diary.txt"]


def test_an_archive_is_kept_while_a_document_of_it_is_there(
    empty_index: Index, tmp_path: Path
) -> None:
    archive = tmp_path / "papers.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("one.txt", "A glacier melted.")
        packed.writestr("two.txt", "A volcano erupted.")
        packed.writestr("three.exe", b"MZ")
    report = documents.add(empty_index, [str(archive)], TEXTS, _quiet)
    assert report.splitlines() == [
        "Added: 2. Updated: 0. Unchanged: 0.",
        "⚠ Left out, of types that cannot be read: three.exe",
    ]
    assert _kept(empty_index) == ["papers.zip"]
    first, second = empty_index.documents()
    assert documents.remove(empty_index, [first.uri], TEXTS) == "Removed: 1."
    assert _kept(empty_index) == ["papers.zip"]
    assert documents.remove(empty_index, [second.uri], TEXTS) == "Removed: 1."
    assert _kept(empty_index) == []


def test_several_documents_are_removed_in_one_change(empty_index: Index, tmp_path: Path) -> None:
    uploads = [_upload(tmp_path, f"{n}.txt", f"Text number {n}.") for n in range(4)]
    documents.add(empty_index, uploads, TEXTS, _quiet)
    revision = empty_index.status()["revision"]
    chosen = [entry.uri for entry in empty_index.documents()[:3]]
    assert documents.remove(empty_index, chosen, TEXTS) == "Removed: 3."
    assert empty_index.status()["revision"] == revision + 1
    assert _kept(empty_index) == ["3.txt"]
