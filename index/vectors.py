"""Vectors in FAISS. The only module that imports faiss.

A file of vectors is derived from the catalog: it can be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .embed import Matrix

# How many vectors the centre of an index is estimated from.
_SAMPLE = 4096


class Vectors:
    """An exact inner-product index over passage vectors, keyed by passage id.

    Vectors have length 1, so an inner product is a cosine.
    """

    def __init__(self, index: Any) -> None:
        self._index = index
        self._center: Matrix | None = None

    @classmethod
    def empty(cls, dimension: int) -> Vectors:
        """An index without vectors."""
        import faiss

        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)))

    @classmethod
    def read(cls, path: Path) -> Vectors | None:
        """The vectors in a file, or ``None`` where there is no file or it is damaged."""
        import faiss

        if not path.exists():
            return None
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError:
            return None

    def write(self, path: Path) -> None:
        """Replace a file, so that at any instant it is whole: the old one or the new one."""
        import faiss

        fresh = path.with_suffix(".new")
        faiss.write_index(self._index, str(fresh))
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: Sequence[int], vectors: Matrix) -> None:
        """Add vectors, shape (number of ids, dimension)."""
        if ids:
            self._index.add_with_ids(vectors, np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Forget some vectors; ids that are not there do not matter."""
        import faiss

        if ids:
            self._index.remove_ids(faiss.IDSelectorBatch(np.asarray(ids, dtype=np.int64)))

    def search(
        self, query: Matrix, k: int, allowed: Sequence[int] | None = None
    ) -> dict[int, float]:
        """The passages nearest to a query vector, shape (dimension,), with their cosines.

        Args:
            query: A vector of length 1.
            k: How many passages at most.
            allowed: Only these passage ids are searched, if given.
        """
        import faiss

        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
            make: Any = faiss.SearchParameters
            parameters = make(sel=selector)
        k = min(k, len(self))
        if not k:
            return {}
        scores, ids = self._index.search(query[None, :], k, params=parameters)
        found = zip(ids[0].tolist(), scores[0].tolist(), strict=True)
        return {passage: score for passage, score in found if passage >= 0}

    def center(self) -> Matrix:
        """The mean of the stored vectors, or of an even sample of them, shape (dimension,)."""
        if self._center is None:
            ids = np.unique(np.linspace(0, len(self) - 1, _SAMPLE).astype(np.int64))
            inner = self._index.index
            sample = [inner.reconstruct(int(row)) for row in ids] if len(self) else []
            flat = np.asarray(sample, dtype=np.float32).reshape(-1, self._index.d)
            self._center = flat.mean(axis=0) if sample else np.zeros(self._index.d, np.float32)
        return self._center

    def get(self, ids: Sequence[int]) -> Matrix:
        """The stored vectors of passages, shape (number of ids, dimension)."""
        vectors = [self._index.reconstruct(int(passage)) for passage in ids]
        return np.asarray(vectors, dtype=np.float32).reshape(len(ids), self._index.d)
