from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.index.embed import Matrix
from rag.index.vectors import Vectors

IDS = [7, 3, 1000, 2**40, 12]


def unit_vectors(count: int, dimension: int = 8) -> Matrix:
    rows = np.random.default_rng(5).normal(size=(count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


MATRIX = unit_vectors(len(IDS))


@pytest.fixture
def vectors() -> Vectors:
    made = Vectors.empty(8)
    made.add(IDS, MATRIX)
    return made


def test_the_nearest_come_with_their_cosines(vectors: Vectors) -> None:
    found = vectors.search(MATRIX[1], 3)
    cosines = MATRIX @ MATRIX[1]
    best = sorted(zip(cosines.tolist(), IDS, strict=True), reverse=True)[:3]
    assert list(found) == [passage for _, passage in best]
    assert list(found.values()) == pytest.approx([cosine for cosine, _ in best], abs=1e-6)
    assert found[3] == pytest.approx(1)


def test_only_allowed_passages_are_searched(vectors: Vectors) -> None:
    assert set(vectors.search(MATRIX[1], 5, [12, 2**40, 999])) == {12, 2**40}
    assert vectors.search(MATRIX[1], 5, []) == {}


def test_removed_vectors_are_gone_and_the_rest_stay(vectors: Vectors) -> None:
    vectors.remove([3, 999])
    assert len(vectors) == 4
    assert set(vectors.search(MATRIX[1], 10)) == set(IDS) - {3}
    np.testing.assert_array_equal(vectors.get([2**40, 7]), MATRIX[[3, 0]])


def test_the_centre_is_the_mean(vectors: Vectors) -> None:
    np.testing.assert_allclose(vectors.center(), MATRIX.mean(axis=0), atol=1e-6)
    assert not Vectors.empty(8).center().any()


def test_an_index_without_vectors_finds_nothing() -> None:
    empty = Vectors.empty(8)
    assert empty.search(MATRIX[0], 5) == {}
    assert empty.get([]).shape == (0, 8)


def test_a_written_file_reads_the_same(vectors: Vectors, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    vectors.write(path)
    read = Vectors.read(path)
    assert read is not None
    np.testing.assert_array_equal(read.get(IDS), MATRIX)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_missing_or_cut_file_is_not_read(vectors: Vectors, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    assert Vectors.read(path) is None
    vectors.write(path)
    content = path.read_bytes()
    for length in (0, 3, 20, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert Vectors.read(path) is None
