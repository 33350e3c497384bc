"""Embeddings that are kept beside the catalog: none is made twice, and none is worth an error."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import IndexingError
from rag.evals.benchmarks.synthetic import HashingEmbedder, Language
from rag.index import cache as cache_module
from rag.index.arrays import Matrix
from rag.index.cache import FILE_NAME, EmbeddingCache
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.storage import encoded
from rag.settings import IndexSettings, Settings

SETTINGS = replace(Settings(), index=IndexSettings(batch_size=8))


class Breaking(HashingEmbedder):
    """Breaks off after some batches, as Ctrl+C does, until it is told not to."""

    left: int | None = None

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        if self.left is not None and not query:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
        return super().embed(texts, query=query)


@pytest.fixture
def embedder() -> Breaking:
    return Breaking(32, 256)


@pytest.fixture
def index(tmp_path: Path, embedder: Breaking) -> Index:
    return Index.create(tmp_path / "index", SETTINGS, embedder)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "paper.txt"
    path.write_text(Language().sentences(1000), "utf-8")
    return path


def interrupted(index: Index, embedder: Breaking, path: Path, batches: int = 3) -> int:
    """Begin to add a file and break off; how many passages were embedded in vain."""
    before, embedder.left = embedder.embedded, batches
    with pytest.raises(KeyboardInterrupt):
        index.add(path)
    embedder.left = None
    return embedder.embedded - before


def overwritten(path: Path) -> None:
    path.write_bytes(b"This was never a database. " * 1000)


def scribbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # the tables are there, their rows are not
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE embeddings (one, two)")


def too_short(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE embeddings SET vector = substr(vector, 1, 9)")


@pytest.mark.parametrize("damage", [overwritten, scribbled, cut, of_another_program, too_short])
def test_a_damaged_file_costs_time_and_nothing_else(
    index: Index, embedder: Breaking, paper: Path, damage: Callable[[Path], None]
) -> None:
    interrupted(index, embedder, paper)
    damage(index.folder / FILE_NAME)
    report = index.add(paper)
    assert len(report.added) == 1
    assert report.embedded == report.passages
    assert index.verify() == []
    assert not (index.folder / FILE_NAME).exists()


@pytest.mark.parametrize("damage", [overwritten, scribbled, of_another_program])
def test_a_file_that_is_damaged_between_two_batches_stops_nothing(
    index: Index, embedder: Breaking, damage: Callable[[Path], None]
) -> None:
    kept = EmbeddingCache(index.folder, index.fingerprint)
    vectors = [encoded(row, "int8") for row in embedder.embed(["river", "glacier"])]
    kept.put([b"1", b"2"], vectors)
    damage(index.folder / FILE_NAME)
    kept.put([b"2"], vectors[1:])
    assert list(kept.get([b"1", b"2"])) == [b"2"]
    assert kept.get([b"2"])[b"2"] == vectors[1]
    damage(index.folder / FILE_NAME)
    assert kept.get([b"1", b"2"]) == {}


def test_what_is_no_damage_is_not_taken_for_it(
    index: Index, embedder: Breaking, paper: Path
) -> None:
    interrupted(index, embedder, paper)
    journal = index.folder / f"{FILE_NAME}-journal"
    journal.mkdir()  # SQLite can change nothing, as where a disk is full
    with pytest.raises(IndexingError, match="cannot be used"):
        index.add(paper)
    journal.rmdir()
    report = index.add(paper)
    assert report.embedded == report.passages - 24


def test_a_change_in_between_does_not_cost_what_was_embedded_before(
    index: Index, embedder: Breaking, paper: Path, tmp_path: Path
) -> None:
    done = interrupted(index, embedder, paper)
    assert done == 24
    note = tmp_path / "note.txt"
    note.write_text("A glacier melted in the north.", "utf-8")
    assert index.add(note).embedded == 1
    report = index.add(paper)
    assert report.embedded == report.passages - done
    assert not (index.folder / FILE_NAME).exists(), "all of it is in the catalog"
    assert index.verify() == []


def test_what_a_kill_kept_from_being_deleted_is_deleted_by_the_next_change(
    index: Index, embedder: Breaking, paper: Path, tmp_path: Path
) -> None:
    interrupted(index, embedder, paper)
    kept = (index.folder / FILE_NAME).read_bytes()
    index.add(paper)
    (index.folder / FILE_NAME).write_bytes(kept)  # as if killed right after the commit
    (tmp_path / "note.txt").write_text("A glacier melted in the north.", "utf-8")
    index.add(tmp_path / "note.txt")
    assert not (index.folder / FILE_NAME).exists()


def test_to_undo_a_change_embeds_nothing(index: Index, paper: Path) -> None:
    text = paper.read_text("utf-8")
    first = index.add(paper)
    assert first.embedded == first.passages > 20
    index.remove(paper)
    assert index.add(paper).embedded == 0
    assert not (index.folder / FILE_NAME).exists()
    paper.write_text("A glacier melted in the north.", "utf-8")
    assert index.add(paper).embedded == 1
    paper.write_text(text, "utf-8")
    assert index.add(paper).embedded == 0
    paper.write_text("A glacier melted in the north.", "utf-8")
    assert index.add(paper).embedded == 0
    assert index.verify() == []
    again = Index.open(index.folder, SETTINGS, HashingEmbedder(32, 256))
    assert again.search("glacier", 1)[0].lexical > 0


def test_of_what_was_dropped_only_the_latest_is_kept(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 2 * 32)
    papers = [tmp_path / f"{number}.txt" for number in range(4)]
    for number, path in enumerate(papers):
        path.write_text(f"The violin of number {number} was sold.", "utf-8")
    assert index.add(papers).embedded == 4
    for path in papers:
        index.remove(path)
    assert index.add(papers[2:]).embedded == 0
    assert index.add(papers[:2]).embedded == 2
    index.remove(papers)
    assert index.add(papers).embedded == 2, "of many that go at once no more are kept"


def test_no_more_than_that_is_held_in_memory(index: Index, paper: Path) -> None:
    uri = index.add(paper).added[0]
    with Catalog(index.folder).write() as writer:
        writer.forget(uri)
        writer.finish(keep=3 * 32 + 31)
        assert len(writer.dropped) == 3


def test_a_large_file_becomes_small_again(embedder: Breaking, paper: Path, tmp_path: Path) -> None:
    short = replace(SETTINGS, index=IndexSettings(batch_size=64, passage_tokens=16))
    index = Index.create(tmp_path / "index", short, embedder)
    note = tmp_path / "papers" / "note.txt"
    note.parent.mkdir()
    note.write_text("A glacier melted in the north.", "utf-8")
    index.add(note)
    kept = index.folder / FILE_NAME
    interrupted(index, embedder, paper, 10)
    large = kept.stat().st_size
    index.remove(note)  # its vector is kept, so the file stays
    assert index.add(paper).embedded
    assert kept.stat().st_size < large / 2


def test_embedding_anew_takes_nothing_that_was_dropped(index: Index, paper: Path) -> None:
    """The model may be another one under the same name."""
    index.add(paper)
    index.remove(paper)
    (paper.with_name("copy.txt")).write_text("A glacier melted.", "utf-8")
    index.add(paper.with_name("copy.txt"))
    again = HashingEmbedder(32, 256)
    opened = Index.re_embed(index.folder, SETTINGS, again)
    assert again.embedded == 1
    report = opened.add(paper)
    assert report.embedded == report.passages


def test_a_file_that_moves_between_two_mirrored_folders_embeds_nothing(
    index: Index, tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "paper.txt").write_text(Language().sentences(200), "utf-8")
    assert index.sync([one, other]).embedded > 5
    (one / "paper.txt").rename(other / "paper.txt")
    revision = index.status()["revision"]
    report = index.sync([one, other])
    assert (len(report.added), len(report.removed), report.embedded) == (1, 1, 0)
    assert index.status()["revision"] == revision + 1
    assert not (index.folder / FILE_NAME).exists(), "nothing had to be kept for it"
    assert index.verify() == []
