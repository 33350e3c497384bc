from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.index.catalog import Catalog
from rag.index.discover import discover
from rag.index.index import Index
from rag.index.load import load
from rag.types import Document, Failure


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"The text of {path.name}.", "utf-8")


def test_a_folder_is_walked_in_order_and_other_types_are_reported(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a.MD", "sub/c.html", "picture.png")
    found = discover([tmp_path])
    assert [path.name for path in found.files] == ["a.MD", "b.txt", "c.html"]
    assert [path.name for path in found.skipped] == ["picture.png"]
    assert found.failed == ()


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", ".hidden.txt", ".git/b.txt")
    found = discover([tmp_path])
    assert [path.name for path in found.files] == ["a.txt"]
    assert (found.skipped, found.failed) == ((), ())


def test_an_index_is_no_folder_of_documents_and_said_to_be_left_out(
    tmp_path: Path, empty_index: Index
) -> None:
    write(tmp_path, "a.txt", "index/c.txt")
    found = discover([tmp_path])
    assert [path.name for path in found.files] == ["a.txt"]
    assert [(failure.uri, failure.reason) for failure in found.failed] == [
        (empty_index.folder.as_uri(), "index holds an index, not documents.")
    ]
    assert empty_index.sync(tmp_path).failed == ()  # its own folder goes without saying ...
    assert empty_index.sync(empty_index.folder).failed == found.failed  # ... unless it is named
    old = Path(__file__).parent / "layout1"
    assert discover([old]).failed == (
        Failure(old.as_uri(), "layout1 holds an index, not documents."),
    )


def test_another_program_s_catalog_hides_no_documents(tmp_path: Path, empty_index: Index) -> None:
    papers = tmp_path / "papers"
    write(papers, "a.txt", "sub/b.txt")
    assert len(empty_index.sync(papers).added) == 2
    write(papers, "catalog.sqlite")
    with closing(sqlite3.connect(papers / "sub" / "catalog.sqlite")) as other, other:
        other.execute("CREATE TABLE photos (name TEXT)")
    report = empty_index.sync(papers)
    assert (len(report.unchanged), report.removed, report.failed) == (2, (), ())
    assert len(report.skipped) == 2


def test_mirroring_keeps_what_lies_in_a_folder_that_became_an_index(
    tmp_path: Path, empty_index: Index
) -> None:
    papers = tmp_path / "papers"
    write(papers, "a.txt", "sub/b.txt")
    empty_index.sync(papers)
    shutil.copy(empty_index.folder / "catalog.sqlite", papers / "sub")
    report = empty_index.sync(papers)
    assert (len(report.unchanged), report.removed) == (1, ())
    assert [failure.reason for failure in report.failed] == ["sub holds an index, not documents."]


def test_a_link_to_a_folder_is_reported_and_followed_only_where_it_is_named(
    tmp_path: Path,
) -> None:
    write(tmp_path, "elsewhere/a.txt", "papers/b.txt")
    (tmp_path / "papers" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "papers" / "circle").symlink_to(tmp_path / "papers")
    (tmp_path / "papers" / "c.txt").symlink_to(tmp_path / "elsewhere" / "a.txt")
    found = discover([tmp_path / "papers"])
    assert [path.name for path in found.files] == ["b.txt", "c.txt"]
    assert [failure.reason.partition(":")[0] for failure in found.failed] == [
        "circle is a link to a folder",
        "link is a link to a folder",
    ]
    named = discover([tmp_path / "papers" / "link"])
    assert [path.name for path in named.files] == ["a.txt"]
    assert named.failed == ()


def test_a_file_named_twice_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    assert len(discover([tmp_path, tmp_path / "a.txt", tmp_path / "sub/../a.txt"]).files) == 1


@pytest.mark.parametrize("name", ["nowhere.txt", "x" * 300, "a\0b"], ids=["absent", "long", "NUL"])
def test_a_path_that_cannot_exist_fails_alone(name: str, tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    found = discover([tmp_path / name, tmp_path / "a.txt"])
    assert len(found.files) == 1
    assert [failure.reason[:12] for failure in found.failed] == ["There is no "]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (path,) = discover([tmp_path]).files
    with pytest.raises(DocumentError, match="not an ordinary file"):
        load(path)


def too_deep(folder: Path) -> None:
    """Make folders in folders until the path to the last is longer than the system reads."""
    where = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=where)
        inner = os.open("x" * 250, os.O_RDONLY, dir_fd=where)
        os.close(where)
        where = inner
    os.close(where)


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    too_deep(tmp_path)
    found = discover([tmp_path])
    assert [path.name for path in found.files] == ["a.txt"]
    assert ["cannot be read" in failure.reason for failure in found.failed] == [True]


def test_mirroring_keeps_what_lies_in_a_folder_that_cannot_be_read(
    tmp_path: Path, empty_index: Index
) -> None:
    papers = tmp_path / "papers"
    write(papers, "a.txt", "b.txt")
    too_deep(papers)
    (unread,) = discover([papers]).failed
    empty_index.add(papers / "b.txt")
    # As if it had been indexed in a time when its folder could be read.
    earlier = Document(unread.uri + "/c.txt", "c.txt", "en", "text")
    with Catalog(empty_index.folder).write() as writer:
        writer.put(earlier, b"", ())
    (papers / "b.txt").unlink()
    report = empty_index.sync(papers)
    assert report.removed == ((papers / "b.txt").as_uri(),)
    assert empty_index.document(earlier.uri).text == "text"
