"""Embeddings that the catalog does not hold, so that what was embedded once is not again.

A change of the catalog is one transaction: interrupted, it leaves nothing. What took the
time, the embedding, is kept here as it is done, by content and embedder, and found by the
next attempt; what has reached the catalog is deleted. What the catalog lets go is kept too,
the latest of it, so that to undo an edit costs nothing. All that losing this file costs is
time: a damaged one is deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from .catalog import FILE_NAME as CATALOG
from .records import Fingerprint
from .storage import row_bytes

FILE_NAME = "embeddings.sqlite"

# The most that is kept of what the catalog let go.
_MOST_BYTES = 64 * 2**20

# Of work in progress, and of what the catalog let go.
_TABLES = ("embeddings", "dropped")
_COLUMNS = "(embedder TEXT, content BLOB, vector BLOB NOT NULL, PRIMARY KEY (embedder, content))"

T = TypeVar("T")


class EmbeddingCache:
    """The embeddings of one embedder in an index's folder.

    Args:
        folder: The index's folder; the caller holds its writer lock.
        fingerprint: What its vectors depend on.
    """

    def __init__(self, folder: Path, fingerprint: Fingerprint) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        about = fingerprint
        self._key = "\n".join((about.embedder, str(about.dimension), about.windows, about.storage))
        self._bytes = row_bytes(about.dimension, about.storage)
        self.room = _MOST_BYTES

    def get(self, contents: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of some contents that are known, with their vectors as the catalog stores them."""

        def look(connection: sqlite3.Connection) -> dict[bytes, bytes]:
            found: dict[bytes, bytes] = {}
            for content in contents:
                row = connection.execute(
                    "SELECT vector FROM embeddings WHERE embedder = ?1 AND content = ?2 UNION ALL"
                    " SELECT vector FROM dropped WHERE embedder = ?1 AND content = ?2",
                    (self._key, content),
                ).fetchone()
                if row:
                    if not isinstance(row[0], bytes) or not row[0] or len(row[0]) % self._bytes:
                        raise sqlite3.DatabaseError("this is no vector")
                    found[content] = row[0]
            return found

        return self._do(look)

    def put(self, contents: Sequence[bytes], vectors: Sequence[bytes]) -> None:
        """Keep vectors, as the catalog stores them, until they are there."""
        rows = [(self._key, c, stored) for c, stored in zip(contents, vectors, strict=True)]
        self._do(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows
            )
        )

    def settle(self, dropped: Sequence[tuple[bytes, bytes]]) -> None:
        """Delete what the catalog holds now, and keep what it no longer holds.

        Args:
            dropped: Contents and vectors, as they were stored; the oldest of all that was ever
                dropped makes room for the latest.
        """
        if not dropped and not self._path.exists():
            return
        # A change is complete without this. A full disk may hold it up: the next one does it.
        with suppress(sqlite3.OperationalError):
            if not self._do(lambda connection: self._settled(connection, dropped)):
                self._forget()

    def forget_dropped(self) -> None:
        """Forget what the catalog let go: it is to be embedded anew."""
        if self._path.exists():
            self._do(
                lambda connection: connection.execute(
                    "DELETE FROM dropped WHERE embedder = ?", (self._key,)
                )
            )

    def _settled(
        self, connection: sqlite3.Connection, dropped: Sequence[tuple[bytes, bytes]]
    ) -> bool:
        """Do what ``settle`` says; whether anything is left. If not, the file is as it was."""
        connection.execute("ATTACH ? AS catalog", (str(self._folder / CATALOG),))
        there = "embedder = ? AND EXISTS (SELECT 1 FROM catalog.vectors AS v WHERE v.content = {})"
        reached = {name: there.format(f"{name}.content") for name in _TABLES}
        queries = " OR ".join(
            f"EXISTS (SELECT 1 FROM {name} WHERE NOT ({where}))" for name, where in reached.items()
        )
        (left,) = connection.execute(f"SELECT {queries}", [self._key] * len(reached)).fetchone()
        if not (left or dropped):
            return False
        for name, where in reached.items():
            connection.execute(f"DELETE FROM {name} WHERE {where}", (self._key,))
        connection.executemany(
            "INSERT OR REPLACE INTO dropped VALUES (?, ?, ?)",
            [(self._key, content, vector) for content, vector in dropped],
        )
        connection.execute(
            "DELETE FROM dropped WHERE rowid IN (SELECT rowid FROM (SELECT rowid,"
            " sum(length(vector)) OVER (ORDER BY rowid DESC) AS bytes FROM dropped)"
            " WHERE bytes > ?)",
            (self.room,),
        )
        return True

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file; one that is damaged is deleted, and it is done with none."""
        try:
            return self._once(work)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        self._forget()
        return self._once(work)

    def _once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA auto_vacuum = FULL")  # what is deleted takes no room
            for table in _TABLES:
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table} {_COLUMNS}")
            with connection:
                return work(connection)

    def _forget(self) -> None:
        for name in (FILE_NAME, FILE_NAME + "-journal"):
            with suppress(OSError):  # what is left over is found and used, or deleted, next time
                (self._folder / name).unlink(missing_ok=True)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether a file is at fault; not where, for example, the disk is full."""
    incomplete = str(error).startswith(("no such", "Could not decode", "table "))
    return incomplete or not isinstance(error, sqlite3.OperationalError)
