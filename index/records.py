"""Reading and changing what the catalog holds, inside one of its transactions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from rag.errors import IndexDamaged, IndexMismatch
from rag.text import normalize
from rag.types import Document, Passage, file_name

from .embed import Matrix

if TYPE_CHECKING:
    import sqlite3

LAYOUT = 1

_STORED = (
    'SELECT passages.id, document_id, "start", "end", vector'
    " FROM passages JOIN vectors USING (content)"
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What vectors and passages depend on; an index never mixes two of these."""

    embedder: str
    dimension: int
    normalization: str
    chunker: str
    passage_tokens: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A document in a listing: everything but its text."""

    id: int
    uri: str
    title: str
    language: str
    published: dt.date | None
    characters: int
    passages: int

    @property
    def name(self) -> str:
        """The file's own name, without its folders."""
        return file_name(self.uri)


def content_hash(content: bytes | str) -> bytes:
    """What identifies a file's bytes or a passage's text: BLAKE2b, 16 bytes."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.blake2b(data, digest_size=16).digest()


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Say of something in the catalog that cannot be made out that it is damaged."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"The catalog is damaged: {what} cannot be read.",
            "Restore it from a backup, or delete the folder and index the documents again.",
        ) from error


class Reader:
    """Queries over one consistent view of the catalog."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection.execute

    def _meta(self) -> dict[str, Any]:
        rows = self._sql("SELECT key, value FROM meta")
        with _readable("its description"):
            return {key: json.loads(value) for key, value in rows}

    def revision(self) -> int:
        """How many changes the index has seen."""
        meta = self._meta()
        with _readable("its revision"):
            return int(meta["revision"])

    def fingerprint(self) -> Fingerprint:
        """What the vectors and passages depend on.

        Raises:
            IndexMismatch: The catalog has a layout that this version does not read.
        """
        meta = self._meta()
        if meta.get("layout") != LAYOUT:
            raise IndexMismatch(
                f"The index has layout {meta.get('layout')}, this version reads {LAYOUT}.",
                "Delete the index's folder and index the documents again.",
            )
        names = Fingerprint.__dataclass_fields__
        with _readable("its fingerprint"):
            return Fingerprint(**{name: meta[name] for name in names})

    def entries(self) -> list[Entry]:
        """All documents without their text, by URI."""
        rows = self._sql(
            "SELECT id, uri, title, language, published, length(text),"
            " (SELECT count(*) FROM passages WHERE document_id = documents.id)"
            " FROM documents ORDER BY uri"
        )
        with _readable("a date"):
            return [
                Entry(identifier, uri, title, language, _date(published), characters, passages)
                for identifier, uri, title, language, published, characters, passages in rows
            ]

    def hashes(self) -> dict[str, bytes]:
        """The content hash of each document's file, by URI."""
        return dict(self._sql("SELECT uri, hash FROM documents"))

    def documents(self, ids: Iterable[int]) -> dict[int, Document]:
        """Documents with their text, by id; ids that are not there are left out."""
        found = {}
        for identifier in set(ids):
            row = self._sql(
                "SELECT uri, title, language, text, published, pages FROM documents WHERE id = ?",
                (identifier,),
            ).fetchone()
            if row:
                uri, title, language, text, published, pages = row
                with _readable(f"the document {uri}"):
                    dated, starts = _date(published), tuple(json.loads(pages))
                found[identifier] = Document(uri, title, language, text, dated, starts, identifier)
        return found

    def passages(self, ids: Iterable[int]) -> list[tuple[Passage, Document]]:
        """Passages with their documents, in the order given; lost ones are left out."""
        rows = {}
        for identifier in ids:
            row = self._sql(
                'SELECT document_id, "start", "end" FROM passages WHERE id = ?', (identifier,)
            ).fetchone()
            if row:
                rows[identifier] = row
        documents = self.documents(row[0] for row in rows.values())
        return [
            (_passage(identifier, documents[document], start, end), documents[document])
            for identifier, (document, start, end) in rows.items()
        ]

    def matching(
        self,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
    ) -> list[int]:
        """The ids of passages whose document meets every condition that is given.

        Args:
            language: The document's language, ISO 639-1.
            since: The earliest publication date; undated documents do not meet it.
            until: The latest publication date; undated documents do not meet it.
            source: Text that the document's URI or title holds, letter case aside.
        """
        conditions, values = ["1"], []
        for condition, value in (
            ("language = ?", language),
            ("published >= ?", since and since.isoformat()),
            ("published <= ?", until and until.isoformat()),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        allowed = [
            row[0]
            for row in self._sql(
                f"SELECT id, uri, title FROM documents WHERE {' AND '.join(conditions)}", values
            )
            if source is None or _names(source, row[1], row[2])
        ]
        ids: list[int] = []
        for document in allowed:
            ids += [
                r[0]
                for r in self._sql("SELECT id FROM passages WHERE document_id = ?", (document,))
            ]
        return ids

    def all_passages(self) -> Iterator[tuple[int, str, bytes]]:
        """Every passage in order: its id, its text and its vector."""
        return self._with_text(self._sql(_STORED + " ORDER BY passages.id"))

    def stored_passages(self, ids: Iterable[int]) -> Iterator[tuple[int, str, bytes]]:
        """Some passages: id, text and vector of each."""
        rows = (self._sql(_STORED + " WHERE passages.id = ?", (one,)).fetchone() for one in ids)
        return self._with_text(row for row in rows if row)

    def _with_text(
        self, rows: Iterable[tuple[int, int, int, int, bytes]]
    ) -> Iterator[tuple[int, str, bytes]]:
        # Neighbours belong to one document: its text is read once, not once for each passage.
        current, text = 0, ""
        for identifier, document, start, end, vector in rows:
            if document != current:
                found = self._sql("SELECT text FROM documents WHERE id = ?", (document,))
                current, text = document, found.fetchone()[0]
            yield identifier, text[start:end], vector

    def count_passages(self) -> int:
        """How many passages there are."""
        return int(self._sql("SELECT count(*) FROM passages").fetchone()[0])

    def find(self, uri: str) -> int | None:
        """The id of the document with a URI, if there is one."""
        row = self._sql("SELECT id FROM documents WHERE uri = ?", (uri,)).fetchone()
        return row[0] if row else None

    def all_documents(self) -> list[Document]:
        """Every document with its text."""
        ids = [row[0] for row in self._sql("SELECT id FROM documents ORDER BY id")]
        documents = self.documents(ids)
        return [documents[identifier] for identifier in ids]


class Writer(Reader):
    """Changes to the catalog, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._many = connection.executemany
        self.added: list[int] = []
        self.removed: list[int] = []
        self.changed = False
        self._let_go: set[bytes] = set()

    def finish(self) -> None:
        """Drop vectors that no passage needs any more, and count the revision."""
        self._many(
            "DELETE FROM vectors WHERE content = ?1"
            " AND NOT EXISTS (SELECT 1 FROM passages WHERE content = ?1)",
            [(content,) for content in self._let_go],
        )
        self._sql(
            "UPDATE meta SET value = ? WHERE key = 'revision'", (json.dumps(self.revision() + 1),)
        )

    def missing_vectors(self, contents: Iterable[bytes]) -> set[bytes]:
        """Those contents for which no vector is stored."""
        return {
            content
            for content in contents
            if not self._sql("SELECT 1 FROM vectors WHERE content = ?", (content,)).fetchone()
        }

    def store_vectors(self, contents: Sequence[bytes], vectors: Matrix) -> None:
        """Store vectors, shape (number of contents, dimension)."""
        rows = zip(contents, (row.tobytes() for row in vectors), strict=True)
        self._many("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def put(self, document: Document, file_hash: bytes, passages: Sequence[Passage]) -> None:
        """Add a document with its passages, in place of one with the same URI."""
        self.forget(document.uri)
        self.changed = True
        row = self._sql(
            "INSERT INTO documents (uri, title, language, published, pages, hash, text)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                document.uri,
                document.title,
                document.language,
                document.published and document.published.isoformat(),
                json.dumps(document.pages),
                file_hash,
                document.text,
            ),
        ).fetchone()
        for passage in passages:
            inserted = self._sql(
                'INSERT INTO passages (document_id, "start", "end", content)'
                " VALUES (?, ?, ?, ?) RETURNING id",
                (row[0], passage.start, passage.end, content_hash(passage.text)),
            ).fetchone()
            self.added.append(inserted[0])

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

    def replace_fingerprint(self, fingerprint: Fingerprint) -> None:
        """Say what vectors depend on from now on, and drop those that exist."""
        self.changed = True
        self._sql("DELETE FROM vectors")
        for key, value in as_meta(fingerprint).items():
            self._sql("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))


def vectors_from(blobs: Sequence[bytes], dimension: int) -> Matrix:
    """Stored vectors as a matrix, shape (number of blobs, dimension)."""
    flat = np.frombuffer(b"".join(blobs), dtype=np.float32)
    return flat.reshape(len(blobs), dimension)


def as_meta(fingerprint: Fingerprint) -> dict[str, Any]:
    """A fingerprint as rows of the catalog's table ``meta``."""
    return {name: getattr(fingerprint, name) for name in Fingerprint.__dataclass_fields__}


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _passage(identifier: int, document: Document, start: int, end: int) -> Passage:
    text = document.text[start:end]
    return Passage(document.id, start, end, text, document.page_at(start), identifier)


def _names(source: str, uri: str, title: str) -> bool:
    wanted = normalize(source).casefold()
    return any(wanted in normalize(name).casefold() for name in (unquote(uri), title))
