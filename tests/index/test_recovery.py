from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import IndexingError
from rag.index.index import Index
from rag.settings import IndexSettings, Settings

from .conftest import CountingEmbedder

QUESTION = "Ai gọi Sora là khoảnh khắc Newton?"


@pytest.fixture
def index(tmp_path: Path, seeds_index: Index, counting: CountingEmbedder) -> Index:
    """A copy of the index of the seeds, with an embedder that counts."""
    folder = tmp_path / "copy"
    seeds_index.search(QUESTION)
    shutil.copytree(seeds_index.folder, folder)
    return Index.open(folder, seeds_index.settings, counting)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])


def each_lexical_file(damage: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        for path in (folder / "lexical").glob("[!.]*.*"):
            damage(path)

    return change


def replace_by_folder(folder: Path) -> None:
    (folder / "vectors.faiss").unlink()
    (folder / "vectors.faiss").mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "vectors deleted": lambda folder: (folder / "vectors.faiss").unlink(),
    "vectors cut": lambda folder: cut(folder / "vectors.faiss"),
    "vectors flipped": lambda folder: flip(folder / "vectors.faiss"),
    "vectors empty": lambda folder: (folder / "vectors.faiss").write_bytes(b""),
    "lexical deleted": lambda folder: shutil.rmtree(folder / "lexical"),
    "lexical cut": each_lexical_file(cut),
    "lexical flipped": each_lexical_file(flip),
    "lexical incomplete": lambda folder: next((folder / "lexical").glob("*.pos")).unlink(),
    "state deleted": lambda folder: (folder / "derived.json").unlink(),
    "state garbage": lambda folder: (folder / "derived.json").write_bytes(b"\xff{]"),
    "state of another kind": lambda folder: (folder / "derived.json").write_text("[1]"),
    "state of another revision": lambda folder: (folder / "derived.json").write_text(
        '{"revision": 99}'
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_derived_files_are_made_anew_without_embedding(
    seeds_index: Index, index: Index, counting: CountingEmbedder, damage: Callable[[Path], object]
) -> None:
    damage(index.folder)
    found = index.search(QUESTION, 10)
    assert found == seeds_index.search(QUESTION, 10)
    assert counting.embedded == []
    repaired = (index.folder / "derived.json").read_bytes()
    again = Index.open(index.folder, index.settings, counting)
    assert again.search(QUESTION, 10) == found
    assert (index.folder / "derived.json").read_bytes() == repaired


@pytest.mark.parametrize("damage", ["vectors deleted", "lexical flipped", "state deleted"])
def test_a_change_repairs_derived_files_too(
    tmp_path: Path, index: Index, counting: CountingEmbedder, damage: str
) -> None:
    index.search(QUESTION)
    DAMAGES[damage](index.folder)
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    index.add(tmp_path / "new.txt")
    assert counting.embedded == ["A glacier melted in the north."]
    again = Index.open(index.folder, index.settings, counting)
    assert "glacier" in again.search("glacier", 1)[0].passage.text
    assert "Yin Ye" in again.search(QUESTION, 1)[0].passage.text


def test_search_files_that_cannot_be_written_do_not_stop_a_search(
    seeds_index: Index, index: Index
) -> None:
    replace_by_folder(index.folder)
    assert index.search(QUESTION) == seeds_index.search(QUESTION)


def test_a_change_whose_search_files_cannot_be_written_is_kept(
    tmp_path: Path, index: Index
) -> None:
    replace_by_folder(index.folder)
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    with pytest.raises(IndexingError, match="The documents are safe"):
        index.add(tmp_path / "new.txt")
    assert "glacier" in index.search("glacier", 1)[0].passage.text
    (index.folder / "vectors.faiss").rmdir()
    assert len(index.add(tmp_path / "new.txt").unchanged) == 1


def state(index: Index) -> tuple[list[str], object]:
    with closing(sqlite3.connect(index.folder / "catalog.sqlite")) as connection:
        return list(connection.iterdump()), index.search(QUESTION, 10)


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_failure_in_the_middle_of_a_change_leaves_the_index_as_it_was(
    tmp_path: Path, index: Index, counting: CountingEmbedder, batches: int
) -> None:
    index = Index.open(
        index.folder, replace(index.settings, index=IndexSettings(batch_size=2)), counting
    )
    before = state(index)
    text = "\n\n".join(f"Part {number} " + "has its own words. " * 40 for number in range(6))
    (tmp_path / "big.txt").write_text(text, "utf-8")
    counting.fail_after = batches
    with pytest.raises(MemoryError):
        index.add(tmp_path / "big.txt")
    assert counting.batches == batches
    assert state(index) == before
    counting.fail_after = None
    assert len(index.add(tmp_path / "big.txt").added) == 1


def test_a_failure_while_embedding_anew_leaves_the_index_as_it_was(
    index: Index, counting: CountingEmbedder, settings: Settings
) -> None:
    before = state(index)
    counting.fail_after = 0
    with pytest.raises(MemoryError):
        Index.re_embed(index.folder, settings, counting)
    assert state(index) == before
