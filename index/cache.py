"""Embeddings of work in progress, so that what was embedded once is not embedded again.

A change of the catalog is one transaction: interrupted, it leaves nothing. What took the
time, the embedding, is kept here as it is done, by content and embedder, and found by the
next attempt. When a change is complete its vectors are in the catalog, and the file goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from .embed import Matrix
from .records import vectors_from

FILE_NAME = "embeddings.sqlite"


class EmbeddingCache:
    """The embeddings of one embedder in an index's folder.

    Args:
        folder: The index's folder; the caller holds its writer lock.
        embedder: The embedder's name.
        dimension: The length of its vectors.
    """

    def __init__(self, folder: Path, embedder: str, dimension: int) -> None:
        self._path = folder / FILE_NAME
        self._key = f"{embedder}\n{dimension}"
        try:
            self._prepare()
        except sqlite3.DatabaseError:  # damaged; all it cost was time
            forget_embeddings(folder)
            self._prepare()

    def get(self, contents: Sequence[bytes]) -> dict[bytes, Matrix]:
        """Those of some contents that are known, with their vectors, shape (dimension,)."""
        found: dict[bytes, Matrix] = {}
        with closing(self._connection()) as connection:
            for content in contents:
                row = connection.execute(
                    "SELECT vector FROM embeddings WHERE embedder = ? AND content = ?",
                    (self._key, content),
                ).fetchone()
                if row:
                    found[content] = vectors_from([row[0]])[0]
        return found

    def put(self, contents: Sequence[bytes], vectors: Matrix) -> None:
        """Keep vectors, shape (number of contents, dimension)."""
        with closing(self._connection()) as connection, connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [(self._key, c, row.tobytes()) for c, row in zip(contents, vectors, strict=True)],
            )

    def _prepare(self) -> None:
        with closing(self._connection()) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (embedder TEXT, content BLOB,"
                " vector BLOB NOT NULL, PRIMARY KEY (embedder, content))"
            )
            connection.execute("SELECT 1 FROM embeddings LIMIT 1").fetchone()

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path)


def forget_embeddings(folder: Path) -> None:
    """Delete what is kept in an index's folder."""
    for name in (FILE_NAME, FILE_NAME + "-journal"):
        with suppress(OSError):  # what is left over is found and used, or deleted, next time
            (folder / name).unlink(missing_ok=True)
