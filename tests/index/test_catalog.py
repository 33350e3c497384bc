from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamaged, IndexingError, IndexMissing
from rag.index.catalog import FILE_NAME, Catalog
from rag.index.changes import Writer
from rag.index.records import Fingerprint, content_hash
from rag.index.storage import encoded
from rag.types import Document, Passage

FINGERPRINT = Fingerprint("test", 4, "nfc-1", "sentences", 100)
TEXTS = ("Một đoạn văn.", "Another passage.", "第三段。")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.create(tmp_path, FINGERPRINT)


def put(writer: Writer, name: str, *texts: str, language: str = "en", day: str = "") -> None:
    """Store a document whose passages are these texts, each with a vector of its own."""
    whole = "\n\n".join(texts)
    passages = [
        Passage(0, whole.index(text), whole.index(text) + len(text), text) for text in texts
    ]
    contents = [content_hash(text) for text in texts]
    vectors = np.asarray([[len(text), 0, 0, 1] for text in texts], dtype=np.float32)
    published = dt.date.fromisoformat(day) if day else None
    document = Document(f"file:///papers/{name}", f"Title of {name}", language, whole, published)
    writer.store_vectors(contents, [encoded(row, "float32") for row in vectors])
    writer.put(document, b"hash of " + name.encode(), passages)


def dump(catalog: Catalog) -> list[str]:
    with closing(sqlite3.connect(catalog.path)) as connection:
        return list(connection.iterdump())


def stored_vectors(catalog: Catalog) -> set[bytes]:
    with closing(sqlite3.connect(catalog.path)) as connection:
        return {row[0] for row in connection.execute("SELECT content FROM vectors")}


def ids(catalog: Catalog) -> list[int]:
    with catalog.read() as reader:
        return [identifier for identifier, _, _ in reader.texts()]


def test_what_was_put_comes_back_exactly(catalog: Catalog) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", *TEXTS, language="vi", day="2024-02-29")
    with catalog.read() as reader:
        identifier = reader.find("file:///papers/a.txt")
        assert identifier is not None
        document = reader.documents([identifier])[identifier]
        known = [number for number, _, _ in reader.texts()]
        found = reader.passages(known)
        assert [text for _, _, text in reader.texts()] == list(TEXTS)
        assert [text for _, _, text in reader.texts(after=known[1])] == [TEXTS[2]]
        ((stored, matrix),) = reader.stored_vectors()
        assert reader.vectors([known[2]]).tolist() == [[len(TEXTS[2]), 0, 0, 1]]
        (entry,) = reader.entries()
        assert list(reader.problems()) == []
    assert document.text == "\n\n".join(TEXTS)
    assert document.published == dt.date(2024, 2, 29)
    assert [passage.text for passage, _ in found] == list(TEXTS)
    assert all(owner.text[p.start : p.end] == p.text for p, owner in found)
    assert stored.tolist() == known
    assert matrix.tolist() == [[len(text), 0, 0, 1] for text in TEXTS]
    assert (entry.name, entry.passages, entry.characters) == ("a.txt", 3, len(document.text))


def test_passages_without_a_vector_wait_the_shortest_first(catalog: Catalog) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", TEXTS[1])
        whole = "".join(TEXTS)
        passages = [
            Passage(0, whole.index(text), whole.index(text) + len(text), text) for text in TEXTS
        ]
        for name in "bc":
            writer.put(Document(f"file:///{name}", name, "en", whole), b"", passages)
        assert writer.count_waiting() == 2
        assert [text for _, text, _ in writer.waiting()] == [TEXTS[2], TEXTS[0]]


def test_an_exception_leaves_everything_as_it_was(catalog: Catalog) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", *TEXTS)
    before = dump(catalog)

    def fail() -> None:
        with catalog.write() as writer:
            put(writer, "a.txt", "Something else.")
            put(writer, "b.txt", "And more.")
            writer.drop_vectors(Fingerprint("other", 8, "nfc-1", "other", 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert dump(catalog) == before


@pytest.mark.parametrize("name", [FILE_NAME, FILE_NAME + ".new"])
def test_the_log_of_a_deleted_catalog_is_not_applied_to_a_new_one(
    catalog: Catalog, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    with catalog.read() as reader:
        reader.state()
        with catalog.write() as writer:
            put(writer, "a.txt", "Of the deleted one.")
            writer.finish()
        for ending in ("-wal", "-shm"):  # a reader holds up what would empty the log
            log = catalog.path.with_name(FILE_NAME + ending)
            assert log.stat().st_size
            shutil.copyfile(log, folder / (name + ending))
    other = Fingerprint("other", 8, "nfc-1", "pages", 7)
    with Catalog.create(folder, other).read() as reader:
        assert reader.fingerprint() == other
        assert reader.counts() == (0, 0)
        assert list(reader.problems()) == []


def test_a_commit_waits_for_the_disk(catalog: Catalog) -> None:
    with catalog.write() as writer:
        assert writer._sql("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_each_change_counts_one_revision_and_has_a_mark_of_its_own(catalog: Catalog) -> None:
    def revision() -> int:
        with catalog.read() as reader:
            marks.add(reader.state().mark)
            return reader.state().revision

    marks: set[str] = set()
    assert revision() == 0
    with catalog.write() as writer:
        put(writer, "a.txt", "One.")
        put(writer, "b.txt", "Two.")
        writer.finish()
    assert revision() == 1
    with catalog.write() as writer:
        assert not writer.forget("file:///papers/absent.txt")
        assert not writer.changed
    assert revision() == 1
    with catalog.write() as writer:
        assert writer.forget("file:///papers/a.txt")
        assert writer.changed
        writer.finish()
    assert revision() == 2
    assert len(marks) == 3


def test_a_reader_sees_one_state_while_a_writer_changes_it(catalog: Catalog) -> None:
    with catalog.read() as reader:
        assert reader.state().revision == 0
        with catalog.write() as writer:
            put(writer, "a.txt", "One.")
            writer.finish()
        assert reader.state().revision == 0
        assert reader.entries() == []


def test_an_update_replaces_passages_and_drops_vectors_nobody_needs(catalog: Catalog) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", "Shared.", "Only in a.")
        put(writer, "b.txt", "Shared.")
        writer.finish()
    first = ids(catalog)
    with catalog.write() as writer:
        put(writer, "a.txt", "New in a.")
        writer.finish()
    assert writer.removed == first[:2]
    assert ids(catalog)[0] == first[2]
    assert not set(ids(catalog)[1:]) & set(first)
    assert stored_vectors(catalog) == {content_hash("Shared."), content_hash("New in a.")}
    with catalog.write() as writer:
        writer.forget("file:///papers/b.txt")
        writer.finish()
    assert stored_vectors(catalog) == {content_hash("New in a.")}


def test_the_fingerprint_is_kept_and_replaced(catalog: Catalog) -> None:
    with catalog.read() as reader:
        assert reader.fingerprint() == FINGERPRINT
    other = Fingerprint("other", 8, "nfc-1", "pages", 7)
    with catalog.write() as writer:
        put(writer, "a.txt", "One.")
        writer.drop_vectors(other)
    with catalog.read() as reader:
        assert reader.fingerprint() == other
    assert stored_vectors(catalog) == set()


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"language": "vi"}, ["b", "c"]),
        ({"since": dt.date(2024, 7, 3)}, ["a", "b"]),
        ({"until": dt.date(2024, 7, 3)}, ["a"]),
        ({"since": dt.date(2024, 7, 4), "until": dt.date(2026, 1, 1)}, ["b"]),
        ({"source": "BÁO CÁO"}, ["c"]),
        ({"source": "ba\u0301o ca\u0301o"}, ["c"]),
        ({"source": "title of a"}, ["a"]),
        ({"source": "/papers/"}, ["a", "b", "c"]),
        ({"source": "nowhere"}, []),
        ({"folder": "file:///papers"}, ["a", "b", "c"]),
        ({"folder": "file:///papers/b.txt"}, ["b"]),
        ({"folder": "file:///pap"}, []),
        ({"language": "en", "since": dt.date(2025, 1, 1)}, []),
    ],
)
def test_conditions_choose_documents(
    catalog: Catalog, conditions: dict[str, object], names: list[str]
) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", "Text of a.", day="2024-07-03")
        put(writer, "b.txt", "Text of b.", language="vi", day="2025-01-01")
        put(writer, "b%C3%A1o%20c%C3%A1o.txt", "Text of c.", language="vi")
    with catalog.read() as reader:
        spans = reader.matching(**conditions)  # type: ignore[arg-type]
        firsts = reader.passages([span.first for span in spans])
        found = [passage.text for passage, _ in firsts]
    assert all(span.passages == 1 for span in spans)
    assert found == [f"Text of {name}." for name in names]


def test_no_catalog_is_a_missing_index(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        Catalog(tmp_path)


def test_a_catalog_deleted_meanwhile_is_not_made_anew(catalog: Catalog) -> None:
    catalog.path.unlink()
    with pytest.raises(IndexingError), catalog.read() as reader:
        reader.state()
    assert not catalog.path.exists()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_catalog_is_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(IndexDamaged, match="backup"), Catalog(tmp_path).read() as reader:
        reader.fingerprint()


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "text"])
def test_a_catalog_damaged_in_the_middle_says_so(catalog: Catalog, damage: str) -> None:
    with catalog.write() as writer:
        put(writer, "a.txt", *(f"Passage {number} with words." for number in range(2000)))
    content = catalog.path.read_bytes()
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "overwritten":
        content = content[:100] + b"\xff" * (len(content) - 100)
    else:
        content = content.replace(b"Passage 1000 with", b"Passage \xff\xff\xff\xff with")
    catalog.path.write_bytes(content)

    def read_all() -> None:
        with catalog.read() as reader:
            reader.fingerprint()
            list(reader.texts())

    with pytest.raises(IndexDamaged):
        read_all()


@pytest.mark.parametrize("name", ["tệp #1 50%?", "caf\udce9"])
def test_any_folder_name_works(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with Catalog.create(folder, FINGERPRINT).write() as writer:
        put(writer, "a.txt", "One.")
    with Catalog(folder).read() as reader:
        assert reader.counts() == (1, 1)
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE meta SET value = 'garbage' WHERE key = 'revision'",
        "UPDATE meta SET value = '[]' WHERE key = 'revision'",
        "DELETE FROM meta WHERE key = 'revision'",
        "DELETE FROM meta WHERE key = 'embedder'",
        "UPDATE documents SET pages = 'x'",
        "UPDATE documents SET published = 'x'",
    ],
)
def test_what_cannot_be_made_out_is_called_damaged(tmp_path: Path, change: str) -> None:
    catalog = Catalog.create(tmp_path, Fingerprint("model", 2, "nfc-1", "chunker", 8))
    with catalog.write() as writer:
        writer.put(Document("file:///a", "a", "en", "text"), b"hash", [])
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.execute(change)
        connection.commit()
    with catalog.read() as reader:
        reads = (reader.state, reader.fingerprint, lambda: reader.documents([1]))
        assert any(_is_damaged(read) for read in reads)


def _is_damaged(read: Callable[[], object]) -> bool:
    try:
        read()
    except IndexDamaged:
        return True
    return False
