from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.index.catalog import Catalog
from rag.index.discover import discover
from rag.index.index import Index
from rag.index.load import load
from rag.types import Document


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


def test_hidden_files_and_index_folders_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", ".hidden.txt", ".git/b.txt", "index/catalog.sqlite", "index/c.txt")
    assert [path.name for path in discover([tmp_path]).files] == ["a.txt"]


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
