"""The kinds of arrays that go from one module to another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Vectors, a row for each, or one number for each of something.
Matrix = NDArray[np.float32]
# Numbers that stand for something: pieces of texts, passages, rows.
Ids = NDArray[np.int64]


def of_length_1(vectors: NDArray[np.floating[Any]]) -> Matrix:
    """Vectors brought to length 1, along the last axis; one of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
