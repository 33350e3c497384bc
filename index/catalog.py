"""The catalog: one SQLite file that is the truth about an index.

It holds documents with their text, passages as spans of it, vectors by the content they
belong to, the fingerprint and the revision. Every change is one transaction. Readers take a
connection of their own and see one revision whole; nothing is shared between threads.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from rag.errors import IndexDamaged, IndexingError, IndexMissing

from .records import LAYOUT, Fingerprint, Reader, Writer, as_meta

FILE_NAME = "catalog.sqlite"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    published TEXT,
    pages TEXT NOT NULL,
    hash BLOB NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document_id, "start");
CREATE INDEX passages_by_content ON passages (content);
CREATE TABLE vectors (content BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
"""


class Catalog:
    """The catalog file of one index.

    Args:
        folder: The index's folder.

    Raises:
        IndexMissing: There is no catalog in it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        if not self.path.is_file():
            raise IndexMissing(
                f"There is no index in {folder}.",
                f"Make one first: rag index FOLDER-OR-FILE --index {shlex.quote(str(folder))}.",
            )

    @classmethod
    def create(cls, folder: Path, fingerprint: Fingerprint) -> Catalog:
        """Make an empty catalog; it appears under its name only when it is whole."""
        unfinished = folder / (FILE_NAME + ".new")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.executescript(_SCHEMA)
            catalog_meta = {"layout": LAYOUT, "revision": 0, **as_meta(fingerprint)}
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in catalog_meta.items()],
            )
        unfinished.replace(folder / FILE_NAME)
        return cls(folder)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent view of the catalog.

        Raises:
            IndexDamaged: The file is not a catalog that can be read.
        """
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One transaction: everything in the block happens, or, on any error, nothing.

        The caller holds the index's writer lock.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                writer = Writer(connection)
                yield writer
                if writer.changed:
                    writer.finish()
            except BaseException:
                if connection.in_transaction:  # SQLite ends it by itself when the disk is full
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT" if writer.changed else "ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            # A URI that does not create: a catalog deleted meanwhile is missing, not empty.
            uri = f"file:{quote(os.fsencode(self.path))}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except sqlite3.DatabaseError as error:
            incomplete = str(error).startswith(("no such", "Could not decode"))
            if isinstance(error, sqlite3.OperationalError) and not incomplete:
                raise IndexingError(
                    f"The index in {self.path.parent} cannot be used: {error}.",
                    "Check that the folder is there, can be written, and has room on its disk.",
                    retry=True,
                ) from error
            raise IndexDamaged(
                f"The catalog {self.path} is damaged: {error}.",
                "Restore it from a backup, or delete the folder and index the documents again.",
            ) from error
