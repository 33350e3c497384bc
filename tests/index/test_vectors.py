from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.errors import SettingsError
from rag.index import vectors as files
from rag.index.embed import Matrix
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


FACTORIES = ["Flat", "SQ8", "IVF16,Flat", "IVF16,SQ8", "HNSW16", "PCA16,IVF16,SQfp16"]


@pytest.mark.parametrize("factory", FACTORIES)
def test_what_came_and_what_went_counts_and_filters_are_inside(
    factory: str, tmp_path: Path
) -> None:
    count = 11_000
    ids, matrix = list(range(1, count + 1)), unit_vectors(count, 24)
    known, gone = count - 50, [2, 5, 11]
    assert factory_for(factory, 24, known) == factory
    sample = matrix[: training_size(factory, 24, known)]
    path = tmp_path / "vectors.faiss"
    files.write(build(factory, 24, [(ids[:known], matrix[:known])], sample), path)
    vectors = Vectors(files.read(path), exact(24, [(ids[known:], matrix[known:])]), gone)
    assert len(vectors) == count - 3
    query = unit_vectors(1, 24, seed=9)[0]
    # A newcomer is found, what is gone is not, and k passages come however few are allowed.
    assert vectors.search(matrix[-1], 1) == [count]
    assert not {2, 5, 11} & set(vectors.search(matrix[1], count))
    allowed = np.zeros(count + 1, dtype=bool)
    allowed[7::500] = True
    few = vectors.search(query, 10, allowed)
    assert len(few) == 10
    assert all(allowed[few])
    if factory == "Flat":
        rows = [row for row in range(count) if row + 1 not in gone]
        kept = [ids[row] for row in rows]
        assert vectors.search(query, 20) == nearest(kept, matrix[rows], query, 20)


@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8"])
def test_a_file_is_brought_up_without_training_again(factory: str, tmp_path: Path) -> None:
    ids, matrix = list(range(1, 2001)), unit_vectors(2000, 16)
    path = tmp_path / "vectors.faiss"
    files.write(build(factory, 16, [(ids, matrix)], matrix), path)
    index = files.updated(path, [1, 2], [([5000], matrix[:1])])
    assert index is not None
    assert index.ntotal == 1999
    assert Vectors(index).search(matrix[0], 1) == [5000]


def test_a_kind_that_cannot_forget_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    files.write(build("HNSW16", 8, [(IDS, MATRIX)], MATRIX), path)
    assert files.updated(path, [7], []) is None


def test_the_size_decides() -> None:
    assert factory_for(AUTO, 384, 50_000) == "Flat"
    assert factory_for(AUTO, 384, 200_000) == "IVF1024,SQ8"
    assert factory_for(AUTO, 384, 1_000_000) == "IVF2048,SQ8"
    # What must be trained is exact until there is enough to train it.
    assert factory_for("IVF256,Flat", 16, 256 * 39 - 1) == "Flat"
    assert factory_for("IVF256,Flat", 16, 256 * 39) == "IVF256,Flat"


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
