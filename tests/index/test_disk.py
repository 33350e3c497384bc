"""A disk that is full and a folder that cannot be written: plain errors, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rag.errors import IndexingError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.settings import Settings

# A process of its own that may not write a file beyond a size, as on a full disk, or that is a
# user who may write nothing: then even root's tests see what a user sees.
CHILD = """
import os, resource, sys
from pathlib import Path
from rag.errors import IndexingError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.index import Index
from rag.settings import Settings

kind, folder, paper, other = sys.argv[1:]
warm = Index.open(other, Settings(), HashingEmbedder(32, 64))
warm.add(paper)
warm.search("violin")
if kind == "nobody" and os.geteuid() == 0:
    os.seteuid(65534)
elif kind != "nobody":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(kind), int(kind)))
index = Index.open(folder, Settings(), HashingEmbedder(32, 64))
print("found", index.search("glacier", 1)[0].document.name)
try:
    print("added", index.add(paper))
except IndexingError as error:
    print("refused", error.retry, error)
print("found", index.search("glacier", 1)[0].document.name)
print("problems", index.verify())
"""


def embedder() -> HashingEmbedder:
    return HashingEmbedder(32, 64)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def paper(place: Path) -> Path:
    """A text of some hundred passages."""
    path = place / "violins.txt"
    lines = [f"The violin of number {number} was sold in the morning." for number in range(2000)]
    path.write_text("\n\n".join(lines), "utf-8")
    return path


@pytest.fixture
def index(place: Path) -> Index:
    text = place / "glaciers.txt"
    text.write_text("A glacier melted in the north.", "utf-8")
    index = Index.create(place / "index", Settings(), embedder())
    index.add(text)
    index.search("glacier")
    return index


def run(kind: str, index: Index, paper: Path, other: Path) -> list[str]:
    """What the child said, line by line."""
    Index.create(other, Settings(), embedder())
    command = [sys.executable, "-c", CHILD, kind, str(index.folder), str(paper), str(other)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, but for what only says who changes it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("writer.")
    }


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits as Unix has them")
@pytest.mark.parametrize("room", [0, 20_000, 60_000, 100_000, 150_000, 200_000, 250_000])
def test_a_full_disk_leaves_the_index_as_it_was(
    index: Index, paper: Path, tmp_path: Path, room: int
) -> None:
    before = [hit.passage.text for hit in index.search("violin glacier", 9)]
    first, result, last, problems = run(str(room), index, paper, tmp_path / "other")
    assert (first, last) == ("found glaciers.txt", "found glaciers.txt")
    assert result.startswith("refused "), result
    assert problems == "problems []"
    fresh = Index.open(index.folder, Settings(), embedder())
    assert [hit.passage.text for hit in fresh.search("violin glacier", 9)] == before
    assert fresh.verify() == []
    # With room again, what failed goes through.
    assert len(fresh.add(paper).added) == 1
    assert fresh.search("violin", 1)[0].document.name == "violins.txt"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two mebibytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    assert not shutil.disk_usage(disk).free


@pytest.mark.parametrize("files", ["present", "missing"])
def test_a_disk_that_is_really_full_can_be_searched(
    small_disk: Path, paper: Path, tmp_path: Path, files: str
) -> None:
    text = tmp_path / "glaciers.txt"
    text.write_text("A glacier melted in the north.", "utf-8")
    folder = small_disk / "index"
    Index.create(folder, Settings(), embedder()).add(text)
    if files == "missing":
        shutil.rmtree(folder / "derived")
    fill(small_disk)
    index = Index.open(folder, Settings(), embedder())
    for _ in range(2):
        assert index.search("glacier", 1)[0].document.name == "glaciers.txt"
    with pytest.raises(IndexingError):
        index.add(paper)
    index.export(tmp_path / "exported.zip")
    assert index.status()["documents"] == 1
    (small_disk / "filler").unlink()
    (tmp_path / "violin.txt").write_text("A violin was sold.", "utf-8")
    assert len(index.add(tmp_path / "violin.txt").added) == 1
    assert index.search("violin", 1)[0].document.name == "violin.txt"
    assert index.verify() == []


def test_a_full_disk_hides_no_commit_that_only_the_log_has(
    small_disk: Path, tmp_path: Path
) -> None:
    text = tmp_path / "glaciers.txt"
    text.write_text("A glacier melted in the north.", "utf-8")
    index = Index.create(small_disk / "index", Settings(), embedder())
    with Catalog(index.folder).read() as reader:
        reader.state()
        index.add(text)
        shutil.copytree(index.folder, small_disk / "crashed")  # with its log, as a crash leaves it
    (small_disk / "crashed" / "catalog.sqlite-shm").unlink()
    assert (small_disk / "crashed" / "catalog.sqlite-wal").stat().st_size
    fill(small_disk)
    with pytest.raises(IndexingError, match="has room on its disk"):
        Index.open(small_disk / "crashed", Settings(), embedder()).status()
    (small_disk / "filler").unlink()
    assert Index.open(small_disk / "crashed", Settings(), embedder()).status()["documents"] == 1


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users as Unix has them")
def test_a_folder_that_cannot_be_written_can_be_searched(
    index: Index, paper: Path, place: Path, tmp_path: Path
) -> None:
    for path in (index.folder, *index.folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = contents(index.folder)
    first, result, last, problems = run("nobody", index, paper, tmp_path / "other")
    assert (first, last) == ("found glaciers.txt", "found glaciers.txt")
    assert result.startswith("refused ")
    assert str(index.folder) in result
    assert problems == "problems []"
    assert contents(index.folder) == before


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users as Unix has them")
def test_it_can_be_searched_even_where_its_search_files_are_gone(
    index: Index, paper: Path, tmp_path: Path
) -> None:
    shutil.rmtree(index.folder / "derived")
    index.folder.chmod(0o555)
    first, _, last, problems = run("nobody", index, paper, tmp_path / "other")
    assert (first, last) == ("found glaciers.txt", "found glaciers.txt")
    assert "search files are missing" in problems
