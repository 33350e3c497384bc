"""An index of an older layout goes on; one of an unknown layout is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import IndexLocked, IndexMismatch
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.catalog import Catalog
from rag.index.chunk import CHUNKER
from rag.index.index import Index
from rag.index.lock import writer_lock
from rag.index.migrate import to_present_layout
from rag.settings import Settings

OPEN = """
import sys
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.index import Index
from rag.settings import Settings
index = Index.open(sys.argv[1], Settings(), HashingEmbedder(8, 64))
print(index.search("river", 1)[0].document.name)
"""

OLD = Path(__file__).parent / "layout1"
SECOND = Path(__file__).parent / "layout2"
THIRD = Path(__file__).parent / "layout3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The old layout, as if its passages had been cut by the present chunker."""
    return as_if_cut_now(Path(shutil.copytree(OLD, tmp_path / "old")))


def as_if_cut_now(folder: Path) -> Path:
    """Say of an index that the present chunker cut it."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        chunker = json.dumps(CHUNKER)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'chunker'", (chunker,))
    return folder


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


def test_one_that_an_older_chunker_cut_goes_on_once_it_is_embedded_anew(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLD, tmp_path / "old"))
    with pytest.raises(IndexMismatch, match=r"sentences-1.*--re-embed"):
        opened(folder)
    index = Index.re_embed(folder, Settings(), HashingEmbedder(8, 64))
    assert index.search("river", 1)[0].document.name == "rivers.txt"
    assert index.verify() == []


def test_nothing_is_embedded_for_it(folder: Path) -> None:
    embedder = HashingEmbedder(8, 64)
    Index.open(folder, Settings(), embedder).search("river")
    assert embedder.embedded == 0


def test_an_index_of_the_second_layout_goes_on(tmp_path: Path) -> None:
    folder = as_if_cut_now(Path(shutil.copytree(SECOND, tmp_path / "old")))
    packed = tmp_path / "packed.zip"
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


def test_an_index_of_the_third_layout_goes_on_with_one_vector_for_a_passage(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(THIRD, tmp_path / "old"))
    as_if_cut_now(folder)
    embedder = HashingEmbedder(8, 64, windows=True)
    index = Index.open(folder, Settings(), embedder)
    assert [name for name in index.search("sông băng", 2) if name.document.name == "bang.txt"]
    (hit,) = index.search("The river rises in the hills.", 1)
    assert (hit.document.name, hit.window, embedder.embedded) == ("rivers.txt", None, 0)
    status = index.status()
    assert (status["windows"], status["storage"], status["revision"]) == ("", "float32", 1)
    assert index.verify() == []
    (tmp_path / "new.txt").write_text("A volcano erupted. Ash fell. It was grey.", "utf-8")
    assert len(index.add(tmp_path / "new.txt").added) == 1
    assert index.remove("file:///tmp/papers/rivers.txt").removed
    assert index.verify() == []
    again = Index.re_embed(folder, Settings(), embedder)
    assert (again.status()["windows"], again.status()["storage"]) == ("windows-1", "int8")
    assert again.verify() == []


def test_it_is_not_waited_for_ever_and_nothing_is_harmed(folder: Path) -> None:
    before = (folder / "catalog.sqlite").read_bytes()
    with writer_lock(folder), pytest.raises(IndexLocked):
        to_present_layout(Catalog(folder), patience=0.2)
    assert (folder / "catalog.sqlite").read_bytes() == before
    assert opened(folder).search("river")


def test_many_may_open_it_at_once(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool, writer_lock(folder):
        opening = [pool.submit(opened, folder) for _ in range(4)]
        assert not wait(opening, timeout=1).done  # nobody gives up while it is locked
        Catalog(folder).migrate(1)
        # They wait for the layout, not for the lock.
        found = [one.result(60).search("river", 1)[0].document.name for one in opening]
    assert found == ["rivers.txt"] * 4


def test_all_processes_that_open_it_at_once_get_it(folder: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(folder)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in running] == ["rivers.txt\n"] * 4


def test_what_a_crash_left_of_the_first_layout_is_swept(folder: Path) -> None:
    Catalog(folder).migrate(1)
    assert {"lexical", "vectors.faiss", "derived.json"} & {p.name for p in folder.iterdir()}
    opened(folder)
    assert not {"lexical", "vectors.faiss", "derived.json"} & {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("layout", [0, 99])
def test_a_layout_nobody_knows_is_refused_with_the_way_out(folder: Path, layout: object) -> None:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'layout'", (str(layout),))
    with pytest.raises(IndexMismatch, match="Use the version that made it"):
        opened(folder)
