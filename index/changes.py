"""Changing what the catalog holds, inside one of its transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.types import Document, Passage

from .reading import Reading
from .records import Fingerprint, Reader, as_meta, content_hash
from .schema import new_mark

if TYPE_CHECKING:
    import sqlite3

# How many passages are taken at a time from those that wait.
_FETCHED = 1024


class Writer(Reader):
    """Changes to the catalog, inside one transaction.

    ``removed`` are the ids of the passages that were there before and are gone, ``changed``
    says whether there is anything to count as a revision, ``renewed`` whether all vectors are
    new, ``dropped`` holds vectors that ``finish`` found unneeded, with their contents.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._many = connection.executemany
        self.removed: list[int] = []
        self.dropped: list[tuple[bytes, bytes]] = []
        self.changed = False
        self.renewed = False
        self._let_go: set[bytes] = set()
        # In SQLite's temporary file: a folder's texts need not fit into memory.
        self._sql(
            "CREATE TEMP TABLE waiting"
            " (content BLOB PRIMARY KEY, text TEXT NOT NULL, language TEXT NOT NULL)"
        )

    def put(
        self,
        document: Document,
        file_hash: bytes,
        passages: Sequence[Passage],
        file: str | None = None,
    ) -> None:
        """Add a document with its passages, in place of one with the same URI.

        Passages whose vectors are not stored wait for ``store_vectors``.

        Args:
            document: The document; its id is given by the catalog.
            file_hash: The content hash of the file it came from.
            passages: Its passages, in order.
            file: The URI of that file, where the document is a part of it.
        """
        self.forget(document.uri)
        self.changed = True
        first = self._sql("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
        first_passage = (first[0] if first else 0) + 1
        row = self._sql(
            "INSERT INTO documents (uri, file, title, language, published, pages, hash,"
            " characters, first_passage, passages) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (
                document.uri,
                file or document.uri,
                document.title,
                document.language,
                document.published and document.published.isoformat(),
                json.dumps(document.pages),
                file_hash,
                len(document.text),
                first_passage,
                len(passages),
            ),
        ).fetchone()
        self._sql("INSERT INTO texts VALUES (?, ?)", (row[0], document.text))
        contents = [content_hash(passage.text) for passage in passages]
        self._many(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
            [
                (first_passage + number, row[0], passage.start, passage.end, content)
                for number, (passage, content) in enumerate(zip(passages, contents, strict=True))
            ],
        )
        self._many(
            "INSERT OR IGNORE INTO waiting SELECT ?1, ?2, ?3"
            " WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE content = ?1)",
            [
                (content, passage.text, document.language)
                for content, passage in zip(contents, passages, strict=True)
            ],
        )

    def forget(self, uri: str) -> bool:
        """Remove a document and its passages; whether there was one."""
        rows = self._sql(
            "SELECT passages.id, content FROM passages"
            " JOIN documents ON documents.id = document_id WHERE uri = ?",
            (uri,),
        )
        for identifier, content in rows:
            self.removed.append(identifier)
            self._let_go.add(content)
        there = self._sql("DELETE FROM documents WHERE uri = ?", (uri,)).rowcount > 0
        self.changed = self.changed or there
        return there

    def holds(self, document: Document) -> bool:
        """Whether the catalog holds a document just as it is."""
        identifier = self.find(document.uri)
        if identifier is None:
            return False
        return self.documents([identifier])[identifier] == replace(document, id=identifier)

    def readings(self) -> dict[str, Reading]:
        """What the last reading of each file came to, by its URI."""
        rows = self._sql("SELECT uri, hash, readers, trouble FROM files")
        found = {}
        for uri, *row in rows:
            with suppress(ValueError, TypeError):  # damaged: the file is read once more
                found[uri] = Reading.from_row(uri, *row)
        return found

    def note(self, file: str, reading: Reading) -> None:
        """Note what a reading of a file came to. It is no change that anybody could search."""
        self._sql("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (file, *reading.row(file)))

    def forget_readings(self, files: Iterable[str]) -> None:
        """Forget the readings of those of some files that no document comes from any more."""
        self._many(
            "DELETE FROM files WHERE uri = ?1"
            " AND NOT EXISTS (SELECT 1 FROM documents WHERE file = ?1)",
            [(file,) for file in files],
        )

    def relocate(self, before: str, after: str) -> None:
        """Say that what lay under one URI lies under another; nothing else of it changes."""
        for table, column in (("documents", "uri"), ("documents", "file"), ("files", "uri")):
            self._sql(
                f"UPDATE {table} SET {column} = ?2 || substr({column}, length(?1) + 1)"
                f" WHERE substr({column}, 1, length(?1)) = ?1",
                (before, after),
            )

    def count_waiting(self) -> int:
        """How many passages have no vector yet."""
        return int(self._sql("SELECT count(*) FROM waiting").fetchone()[0])

    def waiting(self) -> Iterator[tuple[bytes, str, str]]:
        """The contents that have no vectors yet, their texts and languages, the shortest first."""
        rows = self._sql(
            "SELECT content, text, language FROM waiting ORDER BY length(text), content"
        )
        while batch := rows.fetchmany(_FETCHED):
            yield from batch

    def store_vectors(self, contents: Sequence[bytes], vectors: Sequence[bytes]) -> None:
        """Store for each content the vectors of its windows, as ``storage.encoded`` gives them."""
        rows = zip(contents, vectors, strict=True)
        self._many("INSERT OR IGNORE INTO vectors (content, vector) VALUES (?, ?)", rows)
        self.changed = True

    def drop_vectors(self, fingerprint: Fingerprint) -> None:
        """Say what vectors depend on from now on, and drop those that exist."""
        self.changed = self.renewed = True
        self._sql("DELETE FROM vectors")
        for key, value in as_meta(fingerprint).items():
            self._set(key, value)

    def finish(self, keep: int = 0) -> None:
        """Drop vectors that no passage needs any more, and count the revision.

        Args:
            keep: How many bytes of those vectors at most are put into ``dropped``.
        """
        for content in self._let_go:
            found = self._sql(
                "DELETE FROM vectors WHERE content = ?1"
                " AND NOT EXISTS (SELECT 1 FROM passages WHERE content = ?1) RETURNING vector",
                (content,),
            ).fetchall()
            for (vector,) in found:
                if len(vector) <= keep:
                    self.dropped.append((content, vector))
                    keep -= len(vector)
        self._set("revision", self.state().revision + 1)
        self._set("mark", new_mark())

    def _set(self, key: str, value: object) -> None:
        self._sql("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))
