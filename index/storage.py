"""Vectors as the catalog stores them: those of a passage one after the other, in few bytes.

A unit vector says nothing but a direction, so eight bits need no scale beside them: the largest
number of a row becomes 127, and dividing a row by its length gives the direction back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from .arrays import Matrix

_TYPES: dict[str, DTypeLike] = {"int8": np.int8, "float16": np.float16, "float32": np.float32}
_LARGEST = 127


def row_bytes(dimension: int, storage: str) -> int:
    """How many bytes one vector takes.

    Args:
        dimension: The length of a vector.
        storage: The type of its numbers, as the setting ``index.storage`` names it.

    Raises:
        ValueError: There is no such type.
    """
    return dimension * _type(storage).itemsize


def encoded(vectors: Matrix, storage: str) -> bytes:
    """The vectors of one passage as they are stored.

    Args:
        vectors: One for each of its windows, shape (number of windows, dimension).
        storage: As for ``row_bytes``.
    """
    kind = _type(storage)
    if kind == np.int8:
        largest = np.abs(vectors).max(axis=-1, keepdims=True)
        vectors = np.rint(vectors / np.maximum(largest, np.finfo(np.float32).tiny) * _LARGEST)
    return vectors.astype(kind).tobytes()


def decoded(blobs: Sequence[bytes], dimension: int, storage: str) -> Matrix:
    """What ``encoded`` gave for some passages, one below the other.

    Returns:
        Shape (number of windows of all, dimension); rows of length 1, if they were so before.

    Raises:
        ValueError: One of them holds no vector, or a part of one, or there is no such type.
    """
    size, kind = row_bytes(dimension, storage), _type(storage)
    if any(not blob or len(blob) % size for blob in blobs):
        raise ValueError("a vector has another length")
    rows = np.frombuffer(b"".join(blobs), dtype=kind).reshape(-1, dimension).astype(np.float32)
    if kind != np.float32:
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        rows /= np.maximum(lengths, np.finfo(np.float32).tiny)[:, None]
    return rows


def _type(storage: str) -> np.dtype[np.generic]:
    if storage not in _TYPES:
        raise ValueError(f"there is no storage {storage!r}")
    return np.dtype(_TYPES[storage])
