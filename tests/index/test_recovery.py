from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import xxhash

from rag.errors import IndexDamaged, IndexingError
from rag.evals.benchmarks.synthetic import HashingEmbedder, Language
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.lexical import FORM, Lexical
from rag.index.records import Reader
from rag.index.verify import verify
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


def put(path: Path, content: bytes) -> None:
    """Put another file in a file's place, as a bad restore does.

    Cut in place, it would end any process that has it mapped, as tantivy has for a moment after
    opening, in a thread of its own.
    """
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


def cut(path: Path) -> None:
    put(path, path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    put(path, content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])


def each_lexical_file(damage: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(place: Path) -> None:
        for path in (place / "lexical").glob("[!.]*.*"):
            damage(path)

    return change


def present(folder: Path) -> Path:
    """The one folder of search files that an index has."""
    (place,) = (folder / "derived").iterdir()
    return place


def lose_a_digit(place: Path) -> None:
    text = (place / "state.json").read_text("utf-8")
    (place / "state.json").write_text(text.replace('"gone": []', '"gone": [1]'), "utf-8")


def as_an_older_version_wrote(place: Path) -> None:
    """Everything in order, but of a form that knew nothing of names and figures."""
    body = json.loads((place / "state.json").read_text("utf-8"))["files"]
    assert body.pop("lexical_form") == FORM
    checksum = xxhash.xxh3_64_hexdigest(json.dumps(body, sort_keys=True).encode())
    stated = json.dumps({"files": body, "checksum": checksum})
    (place / "state.json").write_text(stated, "utf-8")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "vectors deleted": lambda place: (place / "vectors.faiss").unlink(),
    "vectors cut": lambda place: cut(place / "vectors.faiss"),
    "vectors flipped": lambda place: flip(place / "vectors.faiss"),
    "vectors empty": lambda place: put(place / "vectors.faiss", b""),
    "lexical deleted": lambda place: shutil.rmtree(place / "lexical"),
    "lexical cut": each_lexical_file(cut),
    "lexical flipped": each_lexical_file(flip),
    "managed deleted": lambda place: (place / "lexical" / ".managed.json").unlink(),
    "managed empty": lambda place: put(place / "lexical" / ".managed.json", b""),
    "managed garbage": lambda place: put(place / "lexical" / ".managed.json", b"\xff{]"),
    "lexical incomplete": lambda place: next((place / "lexical").glob("*.idx")).unlink(),
    "state deleted": lambda place: (place / "state.json").unlink(),
    "state garbage": lambda place: (place / "state.json").write_bytes(b"\xff{]"),
    "state of another kind": lambda place: (place / "state.json").write_text("[1]"),
    "state changed": lose_a_digit,
    "of an older version": as_an_older_version_wrote,
    "everything deleted": lambda place: shutil.rmtree(place.parent),
    "of another state": lambda place: place.rename(place.with_name("99-0000000000000000")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_derived_files_are_made_anew_without_embedding(
    seeds_index: Index, index: Index, counting: CountingEmbedder, damage: Callable[[Path], object]
) -> None:
    assert index.verify() == []
    damage(present(index.folder))
    assert index.verify() == ["The search files are missing or damaged."]
    found = index.search(QUESTION, 10)
    assert found == seeds_index.search(QUESTION, 10)
    assert counting.embedded == []
    assert index.verify() == []
    repaired = (present(index.folder) / "state.json").stat()
    again = Index.open(index.folder, index.settings, counting)
    assert again.search(QUESTION, 10) == found
    assert (present(index.folder) / "state.json").stat().st_mtime_ns == repaired.st_mtime_ns


@pytest.mark.parametrize(
    "damage",
    ["vectors deleted", "lexical flipped", "state deleted", "managed empty", "of an older version"],
)
def test_a_change_repairs_derived_files_too(
    tmp_path: Path, index: Index, counting: CountingEmbedder, damage: str
) -> None:
    index.search(QUESTION)
    DAMAGES[damage](present(index.folder))
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    index.add(tmp_path / "new.txt")
    assert counting.embedded == ["A glacier melted in the north."]
    again = Index.open(index.folder, index.settings, counting)
    assert "glacier" in again.search("glacier", 1)[0].passage.text
    assert "Yin Ye" in again.search(QUESTION, 1)[0].passage.text


def test_words_that_cannot_be_read_although_nothing_is_damaged_are_made_anew(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lexical, "read", lambda path: None)  # as where tantivy has another version
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    index.add(tmp_path / "new.txt")
    monkeypatch.undo()
    assert index.verify() == []
    assert "glacier" in index.search("glacier", 1)[0].passage.text


def test_a_small_change_links_what_it_does_not_change(tmp_path: Path, index: Index) -> None:
    def numbers(of: str) -> set[int]:
        return {path.stat().st_ino for path in present(index.folder).glob(of)}

    vectors, words = numbers("vectors.faiss"), numbers("lexical/*.store")
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    index.add(tmp_path / "new.txt")
    assert numbers("vectors.faiss") == vectors
    assert numbers("lexical/*.store") > words


def test_a_graph_that_cannot_forget_grows_and_leaves_out_what_is_gone(tmp_path: Path) -> None:
    graph = replace(Settings(), index=IndexSettings(vectors="HNSW16"))
    index = Index.create(tmp_path / "index", graph, HashingEmbedder(32, 64))
    papers, language = tmp_path / "papers", Language(seed=4)
    papers.mkdir()

    def after(added: int, removed: int) -> tuple[int, int, int]:
        """After a change: how many ids are left out, how many of them for good, of how many."""
        for path in sorted(papers.iterdir())[:removed]:
            path.unlink()
        for _ in range(added):
            (papers / f"{next(numbers):04}.txt").write_text(language.sentences(1, 9), "utf-8")
        index.sync(papers)
        assert index.verify() == []
        for path in papers.iterdir():
            assert index.search(path.read_text("utf-8"), 1)[0].document.name == path.name
        files = json.loads((present(index.folder) / "state.json").read_text("utf-8"))["files"]
        return len(files["gone"]), files["kept"], files["count"]

    numbers = iter(range(1000))
    assert after(added=200, removed=0) == (0, 0, 200)
    assert after(added=0, removed=15) == (15, 0, 200)
    assert after(added=80, removed=0) == (15, 15, 280)  # grown, not made anew
    assert after(added=60, removed=0) == (15, 15, 280)  # what is kept does not make it grow sooner
    assert after(added=0, removed=3) == (18, 15, 280)
    assert after(added=0, removed=60) == (0, 0, 262)  # too much is gone


CATALOG_DAMAGES = {
    "a text gone": "DELETE FROM texts WHERE document_id = 2",
    "all texts gone": "DELETE FROM texts",
    "a document gone": "DELETE FROM documents WHERE id = 2",
    "a vector cut": "UPDATE vectors SET vector = substr(vector, 5) WHERE id = 3",
    "a vector cut in bytes": "UPDATE vectors SET vector = substr(vector, 2) WHERE id = 3",
    "all vectors cut": "UPDATE vectors SET vector = substr(vector, 5)",
    "two vectors changed": "UPDATE vectors SET vector = iif(id = 3, substr(vector, 5),"
    " substr(vector, 1, 4) || vector) WHERE id IN (3, 4)",
}


@pytest.mark.parametrize("files", ["present", "missing"])
@pytest.mark.parametrize("damage", CATALOG_DAMAGES.values(), ids=CATALOG_DAMAGES.keys())
def test_damage_of_the_catalog_is_said_wherever_it_is_met(
    tmp_path: Path, index: Index, damage: str, files: str
) -> None:
    with closing(sqlite3.connect(index.folder / "catalog.sqlite")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(damage)
        connection.commit()
    if files == "missing":
        shutil.rmtree(index.folder / "derived")
    problems = index.verify()
    assert problems
    assert any(
        word in problem for problem in problems for word in ("damaged", "not whole", "belongs")
    )
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    said = []
    for use in (
        lambda: index.search(QUESTION, 100),
        lambda: [index.document(entry.uri) for entry in index.documents()],
        lambda: index.add(tmp_path / "new.txt"),
    ):
        try:
            use()
        except IndexDamaged as error:
            said.append(str(error))
    assert all("-wal and -shm" in sentence for sentence in said)
    assert said


def test_what_is_checked_beside_a_writer_is_in_order(index: Index, tmp_path: Path) -> None:
    """A change ends, and sweeps the files of the state before, just when these are looked at."""
    papers = iter(range(2))

    class Beside(Catalog):
        @contextmanager
        def read(self) -> Iterator[Reader]:
            with super().read() as reader:
                reader.state()  # from here on it sees this one
                number = next(papers, None)
                if number is not None:
                    path = tmp_path / f"{number}.txt"
                    path.write_text(f"Glacier {number} melted in the north.", "utf-8")
                    index.add(path)
                yield reader

    assert verify(Beside(index.folder), index.folder) == []
    assert next(papers, None) is None
    shutil.rmtree(index.folder / "derived")
    assert verify(Catalog(index.folder), index.folder) == [
        "The search files are missing or damaged."
    ]


def in_the_way(folder: Path) -> None:
    """Let no search files be written: a file lies where their folder belongs."""
    shutil.rmtree(folder / "derived")
    (folder / "derived").touch()


def test_search_files_that_cannot_be_written_do_not_stop_a_search(
    seeds_index: Index, index: Index
) -> None:
    in_the_way(index.folder)
    assert index.search(QUESTION) == seeds_index.search(QUESTION)


def test_a_change_whose_search_files_cannot_be_written_does_not_happen(
    tmp_path: Path, index: Index, counting: CountingEmbedder
) -> None:
    before = state(index)
    in_the_way(index.folder)
    (tmp_path / "new.txt").write_text("A glacier melted in the north.", "utf-8")
    with pytest.raises(IndexingError, match="The index is as it was"):
        index.add(tmp_path / "new.txt")
    assert state(index) == before
    (index.folder / "derived").unlink()
    assert len(index.add(tmp_path / "new.txt").added) == 1
    # What had been embedded in vain was kept.
    assert counting.embedded == ["A glacier melted in the north."]


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
    parts = [[f"Part {part} has words for the {n}th time." for n in range(40)] for part in range(6)]
    text = "\n\n".join(" ".join(part) for part in parts)
    (tmp_path / "big.txt").write_text(text, "utf-8")
    counting.fail_after = batches
    with pytest.raises(MemoryError):
        index.add(tmp_path / "big.txt")
    assert counting.batches == batches
    assert state(index) == before
    counting.fail_after = None
    report = index.add(tmp_path / "big.txt")
    assert len(report.added) == 1
    # What was embedded before the failure is not embedded again.
    assert len(counting.embedded) == len(set(counting.embedded)) > report.passages
    assert not (index.folder / "embeddings.sqlite").exists()


def test_a_failure_while_embedding_anew_leaves_the_index_as_it_was(
    index: Index, counting: CountingEmbedder, settings: Settings
) -> None:
    before = state(index)
    counting.fail_after = 0
    with pytest.raises(MemoryError):
        Index.re_embed(index.folder, settings, counting)
    assert state(index) == before
