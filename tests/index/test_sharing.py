from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import IndexLocked, IndexMismatch
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.settings import Settings
from rag.types import Progress

from .conftest import CountingEmbedder

LOCK_AND_WAIT = """
import sys
from pathlib import Path
from rag.index.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def index(tmp_path: Path, seeds_index: Index, embedder: Embedder) -> Index:
    folder = tmp_path / "copy"
    shutil.copytree(seeds_index.folder, folder)
    return Index.open(folder, seeds_index.settings, embedder)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "glacier.txt"
    path.write_text("A glacier melted in the north.", "utf-8")
    return path


def test_another_process_that_is_changing_the_index_is_named(index: Index, paper: Path) -> None:
    command = [sys.executable, "-c", LOCK_AND_WAIT, str(index.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(IndexLocked, match=f"process {process.pid}") as caught:
            index.add(paper)
        assert caught.value.retry
        shutil.rmtree(index.folder / "derived")
        assert index.search("Sora")
        assert not (index.folder / "derived").exists()
        process.communicate()
    assert len(index.add(paper).added) == 1


def test_a_writer_that_was_killed_leaves_no_lock(index: Index, paper: Path) -> None:
    command = [sys.executable, "-c", LOCK_AND_WAIT, str(index.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    assert len(index.add(paper).added) == 1


def test_an_index_sees_what_another_one_changed(
    index: Index, paper: Path, embedder: Embedder
) -> None:
    other = Index.open(index.folder, index.settings, embedder)
    other.search("glacier")
    index.add(paper)
    assert other.search("glacier", 1)[0].passage.text == "A glacier melted in the north."
    other.remove(paper)
    assert index.search("glacier", 1)[0].lexical == 0
    index.add(paper)
    assert index.search("glacier", 3) == other.search("glacier", 3)


def test_what_was_made_in_memory_is_never_taken_for_files(
    index: Index, paper: Path, embedder: Embedder
) -> None:
    other = Index.open(index.folder, index.settings, embedder)

    def search_meanwhile(progress: Progress) -> None:
        if progress.stage == "index" and progress.done == 0:
            other.search("glacier")  # the files are behind, and being written

    index.add(paper, search_meanwhile)
    paper.write_text("A bakery opened in the south.", "utf-8")
    other.add(paper)
    again = Index.open(index.folder, index.settings, embedder)
    assert again.search("bakery", 1)[0].lexical > 0
    assert again.search("bakery", 3) == other.search("bakery", 3)


def test_questions_are_answered_while_documents_are_embedded(
    index: Index, paper: Path, tmp_path: Path
) -> None:
    before = index.search("Sora", 3)
    answers: list[object] = []

    def ask(progress: Progress) -> None:
        if progress.stage == "passages":
            asking = threading.Thread(target=lambda: answers.append(index.search("Sora", 3)))
            asking.start()
            asking.join(timeout=60)

    index.add(paper, ask)
    assert len(answers) == 2  # before the first batch and after the last
    assert answers == [before, before]


def test_many_threads_may_search_while_one_changes_the_index(index: Index, tmp_path: Path) -> None:
    for number in range(4):
        text = f"Report {number}. " + "Sora and OpenAI and China are the subject. " * 40
        (tmp_path / f"{number}.txt").write_text(text, "utf-8")
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                hits = index.search("Who can use Sora in China?", 5)
                assert len(hits) == 5
                for hit in hits:
                    text = hit.document.text[hit.passage.start : hit.passage.end]
                    assert text == hit.passage.text
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        path = tmp_path / f"{number}.txt"
        assert not index.add(path).failed
        path.write_text(path.read_text("utf-8").replace("Report", "Notice"), "utf-8")
        assert len(index.add(path).updated) == 1
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_counting_and_embedding_in_two_threads_do_not_disturb_each_other(
    embedder: Embedder,
) -> None:
    long = "hello world " * 300
    expected = embedder.count_tokens([long])
    failures: list[BaseException] = []
    done = threading.Event()

    def count() -> None:
        try:
            while not done.is_set():
                assert embedder.count_tokens([long]) == expected
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            assert embedder.embed([long, "a"]).shape == (2, embedder.dimension)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_another_embedder_is_refused_with_the_way_out(
    index: Index, counting: CountingEmbedder
) -> None:
    counting.name = "other/model"
    with pytest.raises(IndexMismatch, match=r"rag index --re-embed .*index\.embedder=other/model"):
        Index.open(index.folder, index.settings, counting)


def test_an_index_is_embedded_anew_from_its_own_texts(
    index: Index, counting: CountingEmbedder, settings: Settings
) -> None:
    before, passages = index.search("Sora", 3), index.status()["passages"]
    counting.name, counting.max_tokens = "other/model", 60
    again = Index.re_embed(index.folder, settings, counting)
    assert again.fingerprint.embedder == "other/model"
    assert len(counting.embedded) >= again.status()["passages"] > passages
    assert max(map(len, counting.embedded)) < max(len(hit.passage.text) for hit in before)
    assert again.search("Sora", 3)
    with pytest.raises(IndexMismatch, match="Open it again"):
        index.search("Sora")
    with pytest.raises(IndexMismatch, match="Open it again"):
        index.add(__file__)


def test_passages_of_another_chunker_are_not_mixed(index: Index, embedder: Embedder) -> None:
    with closing(sqlite3.connect(index.folder / "catalog.sqlite")) as connection:
        connection.execute("""UPDATE meta SET value = '"pages-0"' WHERE key = 'chunker'""")
        connection.commit()
    with pytest.raises(IndexMismatch, match=r"pages-0.*--re-embed"):
        Index.open(index.folder, index.settings, embedder)
    assert Index.re_embed(index.folder, index.settings, embedder).search("Sora")


def test_a_slower_creator_does_not_overwrite_an_index(
    tmp_path: Path, paper: Path, settings: Settings, counting: CountingEmbedder
) -> None:
    folder = tmp_path / "new"

    class Slow(CountingEmbedder):
        """While it is asked what it is, somebody else makes the index."""

        @property
        def max_tokens(self) -> int:
            if not folder.exists():
                Index.create(folder, settings, counting).add(paper)
            return 254

        @max_tokens.setter
        def max_tokens(self, value: int) -> None:
            pass

    index = Index.open_or_create(folder, settings, Slow(counting))
    assert [entry.name for entry in index.documents()] == ["glacier.txt"]
