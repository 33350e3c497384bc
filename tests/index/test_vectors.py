from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.errors import SettingsError
from rag.index import vectors as files
from rag.index.arrays import Matrix
from rag.index.vectors import AUTO, Vectors, build, exact, factory_for, training_size

IDS = [7, 3, 1000, 2**40, 12]


def unit_vectors(count: int, dimension: int = 8, seed: int = 5) -> Matrix:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def nearest(ids: list[int], matrix: Matrix, query: Matrix, k: int) -> list[int]:
    """The same by comparing everything with numpy."""
    order = np.argsort(-(matrix @ query), kind="stable")[:k]
    return [ids[row] for row in order]


MATRIX = unit_vectors(len(IDS))


def test_the_nearest_come_first() -> None:
    vectors = Vectors(exact(8, [(IDS[:2], MATRIX[:2]), (IDS[2:], MATRIX[2:])]))
    assert vectors.search(MATRIX[1], 3) == nearest(IDS, MATRIX, MATRIX[1], 3)
    assert set(vectors.search(MATRIX[1], 99)) == set(IDS)


def test_an_index_without_vectors_finds_nothing() -> None:
    assert Vectors(exact(8, [])).search(MATRIX[0], 5) == []
    assert Vectors(exact(8, []), exact(8, [([4], MATRIX[:1])])).search(MATRIX[0], 5) == [4]


FACTORIES = [
    "Flat",
    "SQ8",
    "IVF16,Flat",
    "IVF16,SQ8",
    "IVF16,PQ8",
    "IVF16,PQ8x4fs",
    "HNSW16",
    "PCA16,IVF16,SQfp16",
    "PCA16,Flat",
    "PCA16,HNSW16",
    "RR16,SQfp16",
    "L2norm,Flat",
    "PCA16,IDMap,Flat",
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_what_came_and_what_went_counts_and_filters_are_inside(
    factory: str, tmp_path: Path
) -> None:
    count = 11_000
    # Ids that are no places, or a mistaken place would pass for an id.
    ids, matrix = [5 * row + 1000 for row in range(count)], unit_vectors(count, 24)
    known, gone = count - 50, ids[:4]
    assert factory_for(factory, 24, known) == factory
    sample = matrix[: training_size(factory, 24, known)]
    path = tmp_path / "vectors.faiss"
    files.write(build(factory, 24, [(ids[:known], matrix[:known])], sample), path)
    vectors = Vectors(files.read(path), exact(24, [(ids[known:], matrix[known:])]), gone)
    assert len(vectors) == count - 4
    query = unit_vectors(1, 24, seed=9)[0]
    # A newcomer is found, what is gone is not, and k passages come however few are allowed.
    assert vectors.search(matrix[-1], 1) == [ids[-1]]
    for row in range(4):
        found = vectors.search(matrix[row], 30)
        assert len(found) == 30
        assert not set(gone) & set(found)
        assert set(found) <= set(ids)
    allowed = np.zeros(ids[-1] + 1, dtype=bool)
    allowed[ids[7::500]] = True
    few = vectors.search(query, 10, allowed)
    assert len(few) == 10
    assert all(allowed[few])
    if factory == "Flat":
        rows = range(4, count)
        assert vectors.search(query, 20) == nearest(ids[4:], matrix[rows], query, 20)


KINDS = ["Flat,RFlat", "NSG16", "PQ8", "PQ8x4fs", "IVF16,Flat,RFlat", "IVF16,RQ4x8", "RQ4x8"]


@pytest.mark.parametrize("setting", [*KINDS, "IVF16,Flat,Refine(SQ8)", "IDMap,PCA16,Flat"])
@pytest.mark.parametrize("count", [3, 100_000])
def test_a_kind_that_cannot_leave_anything_out_is_refused_whatever_the_size(
    setting: str, count: int
) -> None:
    with pytest.raises(SettingsError, match=r"index\.vectors .* without filters"):
        factory_for(setting, 24, count)


def test_a_file_of_an_earlier_version_that_finds_what_it_should_not_is_not_read(
    tmp_path: Path,
) -> None:
    import faiss

    above = faiss.IndexIDMap(faiss.index_factory(8, "L2norm,Flat", faiss.METRIC_INNER_PRODUCT))
    above.add_with_ids(MATRIX, np.array(IDS))
    files.write(above, tmp_path / "vectors.faiss")
    assert files.read(tmp_path / "vectors.faiss") is None
    assert files.updated(tmp_path / "vectors.faiss", [], []) is None


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux says what is mapped")
@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8"])
def test_a_file_is_mapped_and_not_read(factory: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    matrix = unit_vectors(1000, 16)
    files.write(build(factory, 16, [(range(1000), matrix)], matrix), path)
    index = files.read(path)
    assert str(path) in Path("/proc/self/maps").read_text("utf-8")
    assert Vectors(index).search(matrix[7], 1) == [7]


@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8", "PCA8,Flat"])
def test_a_file_is_brought_up_without_training_again(factory: str, tmp_path: Path) -> None:
    ids, matrix = list(range(1, 2001)), unit_vectors(2000, 16)
    path = tmp_path / "vectors.faiss"
    files.write(build(factory, 16, [(ids, matrix)], matrix), path)
    updated = files.updated(path, [1, 2], [([5000], matrix[:1])])
    assert updated is not None
    index, left = updated
    assert (index.ntotal, left) == (1999, ())
    assert Vectors(index).search(matrix[0], 1) == [5000]


@pytest.mark.parametrize("factory", ["HNSW16", "PCA8,HNSW16"])
def test_a_kind_that_cannot_forget_grows_and_is_made_anew_when_too_much_is_gone(
    factory: str, tmp_path: Path
) -> None:
    ids, matrix = list(range(100)), unit_vectors(101, 16)
    path = tmp_path / "vectors.faiss"
    files.write(build(factory, 16, [(ids, matrix[:100])], matrix), path)
    for gone in ((), (7, 8)):
        updated = files.updated(path, gone, [([5000], matrix[100:])])
        assert updated is not None
        index, left = updated
        assert (index.ntotal, left) == (101, gone)
        assert Vectors(index, gone=left).search(matrix[100], 1) == [5000]
        assert (7 in Vectors(index, gone=left).search(matrix[7], 50)) == (not gone)
    assert files.updated(path, range(11), []) is None


def test_the_size_decides() -> None:
    assert factory_for(AUTO, 384, 100_000) == "SQfp16"
    assert factory_for(AUTO, 384, 200_000) == "IVF1024,SQ8"
    assert factory_for(AUTO, 384, 1_000_000) == "IVF2048,SQ8"
    # What must be trained is exact until there is enough to train it.
    assert factory_for("IVF256,Flat", 16, 256 * 39 - 1) == "Flat"
    assert factory_for("IVF256,Flat", 16, 256 * 39) == "IVF256,Flat"


def test_what_cannot_be_trained_yet_is_exact() -> None:
    assert [factory_for("PCA64,Flat", 384, count) for count in (63, 64)] == ["Flat", "PCA64,Flat"]
    assert factory_for("IVF16,Flat", 384, 100) == "Flat"


@pytest.mark.parametrize("setting", ["nonsense", "IVFx,Flat", "LSH", ""])
def test_what_faiss_does_not_know_is_a_plain_error(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"index\.vectors"):
        build(factory_for(setting, 8, 100_000), 8, [(IDS, MATRIX)], MATRIX)


def test_a_cut_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    files.write(exact(8, [(IDS, MATRIX)]), path)
    content = path.read_bytes()
    for length in (0, 3, 20, len(content) // 2):
        path.write_bytes(content[:length])
        assert files.read(path) is None
