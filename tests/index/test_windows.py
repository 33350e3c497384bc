"""Windows of sentences: which there are, how they are stored, and that a passage's best one counts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexMismatch, SettingsError
from rag.evals.benchmarks.synthetic import HashingEmbedder, Language
from rag.index import vectors as files
from rag.index.arrays import Ids, Matrix
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.storage import decoded, encoded, row_bytes
from rag.index.vectors import Vectors, build, exact, training_size
from rag.index.windows import MOST_WINDOWS, windows
from rag.serialization import to_dict
from rag.settings import IndexSettings, Settings, load_settings
from rag.text import sentences

from .test_vectors import unit_vectors

STORAGES = ["int8", "float16", "float32"]

some_sentences = st.lists(
    st.one_of(
        st.sampled_from(
            ["Sông băng tan.", "The river rises!", "Ai nói?", "- one item\n", "第三段。"]
        ),
        st.text("abc XYZ.\n", min_size=1, max_size=40),
        st.integers(300, 700).map(lambda length: "x" * length + "."),
    ),
    min_size=1,
    max_size=150,
).map(lambda parts: " ".join(parts).strip())


@given(some_sentences.filter(bool), st.sampled_from(["en", "vi", "xx"]), st.booleans())
def test_windows_lie_in_order_cover_every_sentence_and_are_few(
    text: str, language: str, singles: bool
) -> None:
    found = windows(text, language, singles=singles)
    assert found == windows(text, language, singles=singles)
    assert found[0] == (0, len(text))
    assert len(set(found)) == len(found) <= MOST_WINDOWS
    assert found[1:] == sorted(found[1:])
    for start, end in found:
        assert 0 <= start < end <= len(text)
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
    parts = found[1:] or found
    for start, end in sentences(text, language):
        assert any(first <= start and end <= last for first, last in parts)


def cut(text: str, *, singles: bool = False) -> list[str]:
    return [text[start:end] for start, end in windows(text, "en", singles=singles)]


def test_windows_are_of_two_neighbours_and_a_long_sentence_stands_alone() -> None:
    one, two, three, long = "One rises.", "Two falls.", "Three ends.", f"It {'went on ' * 80}so."
    assert cut(one) == [one]
    assert cut(f"{one} {two}") == [f"{one} {two}"]
    text = f"{one} {two} {three}"
    assert cut(text) == [text, f"{one} {two}", f"{two} {three}"]
    assert cut(text, singles=True) == [text, one, f"{one} {two}", two, f"{two} {three}", three]
    text = f"{one} {long} {two} {three}"
    assert cut(text) == [text, one, long, f"{two} {three}"]


def test_of_many_sentences_neighbours_are_joined() -> None:
    text = " ".join(f"Sentence {number} is here." for number in range(200))
    found = cut(text)
    assert 40 < len(found) <= MOST_WINDOWS
    assert found[1].count(".") == 8
    assert len(cut(text, singles=True)) <= MOST_WINDOWS


@given(st.integers(0, 10_000), st.integers(1, 7), st.sampled_from(STORAGES))
def test_stored_vectors_keep_their_direction(seed: int, count: int, storage: str) -> None:
    matrix = unit_vectors(count, 48, seed)
    blob = encoded(matrix, storage)
    assert len(blob) == count * row_bytes(48, storage)
    rows = decoded([blob, encoded(matrix[0], storage)], 48, storage)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert ((rows[:-1] * matrix).sum(axis=1) > 0.999).all()
    np.testing.assert_array_equal(rows[-1], rows[0])
    if storage != "float16":  # what was read can be stored again without loss
        assert encoded(rows[:-1], storage) == blob


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_no_vector_is_refused(storage: str) -> None:
    assert decoded([], 8, storage).shape == (0, 8)
    zero = encoded(np.zeros((1, 8), np.float32), storage)
    assert not decoded([zero], 8, storage).any()
    for blob in (b"", zero[:-1], zero + b"1"):
        with pytest.raises(ValueError, match="length"):
            decoded([zero, blob], 8, storage)
    with pytest.raises(ValueError, match="int4"):
        row_bytes(8, "int4")


def best_of(owners: Ids, matrix: Matrix, query: Matrix, k: int) -> list[int]:
    """Passages by their best windows, by comparing everything."""
    scores: dict[int, float] = {}
    for passage, score in zip(owners.tolist(), (matrix @ query).tolist(), strict=True):
        scores[passage] = max(score, scores.get(passage, -1.0))
    return sorted(scores, key=lambda passage: -scores[passage])[:k]


@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8", "HNSW16", "PCA16,IVF16,SQfp16"])
def test_passages_come_by_their_best_windows(factory: str, tmp_path: Path) -> None:
    counts = np.random.default_rng(3).integers(1, MOST_WINDOWS + 1, 400)
    counts[7] = MOST_WINDOWS
    owners = np.repeat(np.arange(1000, 5000, 10), counts)
    matrix, query = unit_vectors(len(owners), 24), unit_vectors(1, 24, seed=9)[0]
    # All windows of one passage are nearer than any other's.
    matrix[owners == 1070] = query
    known, later = owners < 4800, owners >= 4800
    path = tmp_path / "vectors.faiss"
    sample = matrix[: training_size(factory, 24, len(matrix))]
    files.write(build(factory, 24, [(owners[known], matrix[known])], sample), path)
    recent = exact(24, [(owners[later], matrix[later])])
    vectors = Vectors(files.read(path), recent, [1010, 1020], 400)
    assert len(vectors) == 398
    left = [pair for pair in vectors.windows() if pair[0] == 4990]
    assert left == [(4990, number) for number in range(counts[-1])]
    assert not {1010, 1020} & {passage for passage, _ in vectors.windows()}
    found = vectors.search(query, 50)
    assert found[0] == 1070
    assert len(set(found)) == 50
    assert not {1010, 1020} & set(found)
    allowed = np.zeros(5000, dtype=bool)
    allowed[1070:4900:50] = True
    few = vectors.search(query, 20, allowed)
    assert few[0] == 1070
    assert len(set(few)) == 20
    assert allowed[few].all()
    if factory == "Flat":
        there = (owners != 1010) & (owners != 1020)
        assert found == best_of(owners[there], matrix[there], query, 50)
        there = allowed[owners]
        assert few == best_of(owners[there], matrix[there], query, 20)


@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8"])
def test_all_windows_of_a_passage_go_with_it(factory: str, tmp_path: Path) -> None:
    owners = np.repeat(np.arange(1, 501), 5)
    matrix, path = unit_vectors(len(owners), 16), tmp_path / "vectors.faiss"
    files.write(build(factory, 16, [(owners, matrix)], matrix), path)
    updated = files.updated(path, [1, 500], [([900] * 3, matrix[:3])])
    assert updated is not None
    index, left = updated
    assert (index.ntotal, left) == (2500 - 10 + 3, ())
    assert [pair for pair in Vectors(index).windows() if pair[0] > 499] == [
        (900, 0),
        (900, 1),
        (900, 2),
    ]
    assert Vectors(index, passages=499).search(matrix[1], 1) == [900]


# -- an index of windows ------------------------------------------------------------------------

PAPER = (
    "The river rises in the hills of the north. It falls into the sea after three days. "
    "Nobody has counted its bridges. A violin was sold in Vienna for a million. "
    "The buyer stayed unknown. He plays it every evening."
)


def settings(storage: str = "int8") -> Settings:
    return replace(Settings(), index=IndexSettings(storage=storage))


def embedder(*, embeds_windows: bool = True) -> HashingEmbedder:
    return HashingEmbedder(64, 256, windows=embeds_windows)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "papers" / "paper.txt"
    path.parent.mkdir()
    path.write_text(PAPER, "utf-8")
    (path.parent / "note.txt").write_text("A glacier melted.", "utf-8")
    return path


@pytest.mark.parametrize("storage", STORAGES)
def test_a_hit_says_which_sentences_are_nearest(storage: str, paper: Path, tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", settings(storage), embedder())
    report = index.add(paper.parent)
    assert (report.passages, report.embedded) == (2, 2)
    status = index.status()
    assert (status["windows"], status["storage"]) == ("windows-1", storage)
    (found,) = index.search("a violin was sold in Vienna the buyer stayed", 1)
    assert found.window is not None
    start, end = found.window
    assert found.document.text[start:end] == (
        "A violin was sold in Vienna for a million. The buyer stayed unknown."
    )
    assert to_dict(found)["window"] == [start, end]
    (note,) = index.search("glacier", 1)
    assert (note.document.name, note.window) == ("note.txt", None)
    assert index.verify() == []
    with Catalog(index.folder).read() as reader:
        ids = [passage for passage, _, _ in reader.texts()]
        matrix, owners = reader.window_vectors(ids[::-1])
        assert owners.tolist() == [0, 0, 0, 0, 0, 0, 1]
        np.testing.assert_array_equal(reader.vectors(ids), matrix[[6, 0]])
        assert reader.count_windows() == 7
    expected = embedder().embed([PAPER, PAPER[: PAPER.index(" Nobody")]])
    assert ((matrix[:2] * expected).sum(axis=1) > 0.999).all()


def test_an_embedder_without_windows_gives_one_vector(paper: Path, tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", settings(), embedder(embeds_windows=False))
    index.add(paper)
    assert index.status()["windows"] == ""
    assert index.search("violin", 1)[0].window is None
    with Catalog(index.folder).read() as reader:
        assert reader.count_windows() == 1
    # It stays so, whoever opens it, until it is embedded anew.
    opened = Index.open(index.folder, settings("float16"), embedder())
    (paper.parent / "third.txt").write_text(PAPER.replace("violin", "cello"), "utf-8")
    opened.add(paper.parent)
    assert opened.search("cello", 1)[0].window is None
    assert (opened.status()["storage"], opened.verify()) == ("int8", [])
    again = Index.re_embed(index.folder, settings("float16"), embedder())
    assert again.search("cello", 1)[0].window is not None
    assert (again.status()["storage"], again.verify()) == ("float16", [])


def test_other_windows_are_not_mixed_with_these(paper: Path, tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", settings(), embedder())
    with closing(sqlite3.connect(index.folder / "catalog.sqlite")) as connection, connection:
        older = json.dumps("windows-0")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'windows'", (older,))
    with pytest.raises(IndexMismatch, match=r"windows-0.*--re-embed"):
        Index.open(index.folder, settings(), embedder())


def test_undoing_and_exporting_keep_all_windows(paper: Path, tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", settings(), embedder())
    index.add(paper.parent)
    before = index.search("violin in Vienna", 2)
    index.remove(paper)
    assert index.add(paper).embedded == 0
    assert [hit.window for hit in index.search("violin in Vienna", 2)] == [
        hit.window for hit in before
    ]
    index.export(tmp_path / "index.zip")
    other = Index.restore(tmp_path / "index.zip", tmp_path / "other", settings(), embedder())
    assert [(hit.window, hit.score) for hit in other.search("violin in Vienna", 2)] == [
        (hit.window, hit.score) for hit in index.search("violin in Vienna", 2)
    ]
    assert other.verify() == []


def test_changes_come_to_the_same_as_an_index_made_anew(tmp_path: Path) -> None:
    language = Language(500)
    papers = [tmp_path / "papers" / f"{number}.txt" for number in range(40)]
    papers[0].parent.mkdir()
    for path in papers:
        path.write_text(language.sentences(12), "utf-8")
    index = Index.create(tmp_path / "index", settings(), embedder())
    index.add(papers[:20])
    index.add(papers[20:])  # more than is kept beside the file of vectors
    index.remove(papers[:3])
    papers[5].write_text(language.sentences(30), "utf-8")
    index.add(papers[5:7])
    assert index.verify() == []
    fresh = Index.create(tmp_path / "fresh", settings(), embedder())
    fresh.add(papers[3:])
    for number in range(10):
        question = language.sentences(1) + f" {number}"
        found, expected = index.search(question, 5), fresh.search(question, 5)
        assert [(hit.document.uri, hit.window) for hit in found] == [
            (hit.document.uri, hit.window) for hit in expected
        ]


@pytest.mark.parametrize("damage", ["substr(vector, 2)", "zeroblob(0)", "zeroblob(64 * 64)"])
def test_a_damaged_row_of_vectors_is_told(damage: str, paper: Path, tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", settings(), embedder())
    index.add(paper)
    with closing(sqlite3.connect(index.folder / "catalog.sqlite")) as connection, connection:
        connection.execute(f"UPDATE vectors SET vector = {damage}")
    assert any("missing or damaged" in problem for problem in index.verify())


def test_a_storage_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"index\.storage must be one of int8, float16"):
        load_settings(["index.storage=int4"], environment={})
