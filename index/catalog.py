"""The catalog: one SQLite file that is the truth about an index.

It holds documents with their text, passages as spans of it, vectors by the content they
belong to, the fingerprint and the revision. Every change is one transaction. Readers see
one revision whole, each on a connection that it has for itself while it reads.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from rag.errors import IndexDamaged, IndexingError, IndexMissing

from .changes import Writer
from .records import RESTORE, Fingerprint, Reader, as_meta
from .schema import LAYOUT, META, PAGE_BYTES, TABLES, migrate, new_mark

FILE_NAME = "catalog.sqlite"

# How long a change waits for another process that copies or closes the catalog.
_WAIT_SECONDS = 30.0
# How many connections for reading are kept for the next reader.
_MOST_KEPT = 4

# For a file that nobody changes while it is read: such a connection would not notice.
_AS_IT_LIES = "immutable=1"

Identity = tuple[int, int, int, str]


class Catalog:
    """The catalog file of one index.

    Args:
        folder: The index's folder.

    Raises:
        IndexMissing: There is no catalog in it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._kept: list[tuple[sqlite3.Connection, Identity]] = []
        self._guard = threading.Lock()
        weakref.finalize(self, _close, self._kept)
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
        # SQLite would apply to the new file what belongs to one that was deleted.
        for name in (FILE_NAME, unfinished.name):
            for ending in ("-wal", "-shm", "-journal"):
                (folder / (name + ending)).unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN")
            for statement in (META, *TABLES):
                connection.execute(statement)
            about = {"layout": LAYOUT, "revision": 0, "mark": new_mark(), **as_meta(fingerprint)}
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in about.items()],
            )
            connection.execute("COMMIT")
        unfinished.replace(folder / FILE_NAME)
        return cls(folder)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent view of the catalog.

        Raises:
            IndexDamaged: The file is not a catalog that can be read.
        """
        with self._reading(), self._kept_connection() as connection:
            connection.execute("BEGIN")
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One transaction: everything in the block happens, or, on any error, nothing.

        The caller holds the index's writer lock, and calls ``Writer.finish`` when its changes
        are complete.
        """
        with self._connection("mode=rw") as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -65536")  # 64 MiB
            with _transaction(connection):
                yield Writer(connection)
            # So that the file alone is the index, and a large log does not stay beside it. Readers
            # or a full disk may hold that up: the log counts as well, and a later change does it.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA busy_timeout = 100")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def migrate(self, layout: int) -> None:
        """Bring a catalog of an older layout to the present one, in one transaction.

        The caller holds the index's writer lock.
        """
        with self._connection("mode=rw") as connection, _transaction(connection):
            if Reader(connection).layout() == layout:  # nobody else was quicker
                migrate(connection, layout)

    def copy_to(self, path: Path) -> None:
        """Write one revision of the catalog as a file of its own, without free pages."""
        with self._reading(), closing(self._opened()[0]) as connection:
            connection.execute("VACUUM INTO ?", (str(path),))

    @contextmanager
    def _kept_connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, one that was used before if there is one.

        It knows the schema and the pages that every search needs. What went wrong with one is
        not known, so it is closed then; so it is when another file has taken the name.
        """
        kept = self._take()
        connection, about = kept if kept else (None, self._identity())
        if connection is None:
            connection, access = self._opened()
            about = (*about[:-1], access)
            connection.execute("PRAGMA cache_size = -16384")  # 16 MiB
        try:
            yield connection
            connection.execute("ROLLBACK")
            with self._guard:
                if len(self._kept) < _MOST_KEPT and about[-1] != _AS_IT_LIES:
                    self._kept.append((connection, about))
                    connection = None
        finally:
            if connection is not None:
                connection.close()

    def _take(self) -> tuple[sqlite3.Connection, Identity] | None:
        about = self._identity()
        with self._guard:
            while self._kept:
                connection, known = self._kept.pop()
                if known == about:
                    return connection, known
                connection.close()
        return None

    def _identity(self) -> Identity:
        """What tells a file from another that takes its name, and a process from its child."""
        about = self.path.stat()
        return os.getpid(), about.st_dev, about.st_ino, self._access()

    def _access(self) -> str:
        """How a connection for reading is opened, also where the folder cannot be written.

        Readers of a write-ahead log share a file beside it. Where that cannot be made, and
        no log is there, nobody is writing either: the catalog can be read as it lies.
        """
        if os.access(self.path.parent, os.W_OK, effective_ids=_EFFECTIVE):
            return "mode=rw"  # none of these creates: a catalog deleted meanwhile is missing
        log = self.path.with_name(FILE_NAME + "-wal")
        return "mode=ro" if log.exists() else _AS_IT_LIES

    def _opened(self) -> tuple[sqlite3.Connection, str]:
        """A new connection that can read, and how it was opened.

        On a full disk the shared file cannot be made although the folder can be written. Where
        the log is empty too, the catalog can be read as it lies there as well.
        """
        access = self._access()
        connection = self._connected(access)
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        except sqlite3.OperationalError as error:
            connection.close()
            log = self.path.with_name(FILE_NAME + "-wal")
            if error.sqlite_errorcode & 0xFF not in _NO_ROOM or (
                log.exists() and log.stat().st_size
            ):
                raise
            return self._connected(_AS_IT_LIES), _AS_IT_LIES
        except BaseException:
            connection.close()
            raise
        return connection, access

    def _connected(self, access: str) -> sqlite3.Connection:
        uri = f"file:{quote(os.fsencode(self.path))}?{access}"
        connection = sqlite3.connect(
            uri, _WAIT_SECONDS, uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    @contextmanager
    def _connection(self, access: str) -> Iterator[sqlite3.Connection]:
        with self._reading(), closing(self._connected(access)) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            incomplete = str(error).startswith(("no such", "Could not decode"))
            if isinstance(error, sqlite3.OperationalError) and not incomplete:
                raise IndexingError(
                    f"The index in {self.path.parent} cannot be used: {error}.",
                    "Check that the folder is there, can be written, and has room on its disk.",
                    retry=True,
                ) from error
            raise IndexDamaged(f"The catalog {self.path} is damaged: {error}.", RESTORE) from error
        except FileNotFoundError as error:
            raise IndexMissing(f"The index in {self.path.parent} is gone.") from error


_EFFECTIVE = os.access in os.supports_effective_ids
# What SQLite says where it cannot make or enlarge a file; the other bits of a code are details.
_NO_ROOM = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself when the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _close(kept: list[tuple[sqlite3.Connection, Identity]]) -> None:
    while kept:
        kept.pop()[0].close()
