"""An index of an older layout goes on; one of an unknown layout is refused."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import IndexLocked, IndexMismatch
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.lock import writer_lock
from rag.settings import Settings

OLD = Path(__file__).parent / "layout1"
SECOND = Path(__file__).parent / "layout2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def opened(folder: Path) -> Index:
    return Index.open(folder, Settings(), HashingEmbedder(8, 64))


def test_an_index_of_the_first_layout_goes_on(folder: Path, tmp_path: Path) -> None:
    index = opened(folder)
    (hit,) = index.search("river", 1)
    assert (hit.document.name, hit.document.language) == ("rivers.txt", "en")
    assert hit.passage.text == hit.document.text[hit.passage.start : hit.passage.end]
    assert "Sông băng" in index.search("sông băng", 1)[0].passage.text
    assert index.verify() == []
    assert not {"vectors.faiss", "lexical", "derived.json"} & {p.name for p in folder.iterdir()}
    (tmp_path / "new.txt").write_text("A volcano erupted.", "utf-8")
    assert len(index.add(tmp_path / "new.txt").added) == 1
    assert opened(folder).status()["documents"] == 3
    assert index.remove("file:///tmp/papers/rivers.txt").removed
    assert index.verify() == []


def test_nothing_is_embedded_for_it(folder: Path) -> None:
    embedder = HashingEmbedder(8, 64)
    Index.open(folder, Settings(), embedder).search("river")
    assert embedder.embedded == 0


def test_an_index_of_the_second_layout_goes_on(tmp_path: Path) -> None:
    folder, packed = Path(shutil.copytree(SECOND, tmp_path / "old")), tmp_path / "packed.zip"
    (folder / packed.name).rename(packed)
    with Catalog(folder).read() as reader:
        state = reader.state()
    index = opened(folder)
    assert "Sông băng" in index.search("sông băng", 1)[0].passage.text
    assert index.verify() == []
    with Catalog(folder).write() as writer:
        assert writer.state() == state, "what derived from it before still fits"
        writer.relocate("file:///tmp/papers/", f"{tmp_path.as_uri()}/")
    # What was wrong with a file was not noted then, so it is read once more, and said.
    report = index.add(packed)
    assert [one.reason for one in report.failed] == ["In packed.zip: empty.txt is empty."]
    assert [uri.rpartition("#")[2] for uri in report.unchanged] == ["violin.txt"]
    assert (report.passages, index.status()["revision"]) == (0, 1)
    assert opened(folder).add(packed) == report


def test_it_waits_for_nobody_and_harms_nobody(folder: Path) -> None:
    before = (folder / "catalog.sqlite").read_bytes()
    with writer_lock(folder), pytest.raises(IndexLocked):
        opened(folder)
    assert (folder / "catalog.sqlite").read_bytes() == before
    assert opened(folder).search("river")


@pytest.mark.parametrize("layout", [0, 99])
def test_a_layout_nobody_knows_is_refused_with_the_way_out(folder: Path, layout: object) -> None:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'layout'", (str(layout),))
    with pytest.raises(IndexMismatch, match="Use the version that made it"):
        opened(folder)
