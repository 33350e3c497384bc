"""Reading what the catalog holds, inside one of its transactions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.text import normalize
from rag.types import Document, Passage, file_name, short_title

from .arrays import Matrix
from .storage import decoded, row_bytes
from .windows import MOST_WINDOWS

if TYPE_CHECKING:
    import sqlite3

# The vectors of how many passages are read at a time.
_FETCHED = 1024

# For each vector the passage that it belongs to.
Owners = NDArray[np.int64]

# What helps where the catalog is damaged. SQLite would apply another catalog's log to a backup.
RESTORE = (
    "Restore it from a backup, after deleting the files beside it whose names end in -wal and"
    " -shm, or delete the folder and index the documents again."
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What vectors and passages depend on; an index never mixes two of these.

    ``windows`` says which parts of a passage have vectors, and is empty where only the whole has
    one; ``storage`` is the type of the numbers that the catalog keeps.
    """

    embedder: str
    dimension: int
    normalization: str
    chunker: str
    passage_tokens: int
    windows: str = ""
    storage: str = "float32"


@dataclass(frozen=True, slots=True)
class State:
    """One state of an index: the revision counts changes, no other state has its mark."""

    revision: int
    mark: str


@dataclass(frozen=True, slots=True)
class Span:
    """A document and its passages: ``passages`` of them, their ids from ``first`` on."""

    document: int
    first: int
    passages: int


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
        raise IndexDamaged(f"The catalog is damaged: {what} cannot be read.", RESTORE) from error


class Reader:
    """Queries over one consistent view of the catalog."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection.execute

    def _meta(self) -> dict[str, Any]:
        rows = self._sql("SELECT key, value FROM meta")
        with _readable("its description"):
            return {key: json.loads(value) for key, value in rows}

    def layout(self) -> int:
        """How the catalog's tables are laid out."""
        meta = self._meta()
        with _readable("its layout"):
            return int(meta["layout"])

    def state(self) -> State:
        """Which state of the index this view shows."""
        meta = self._meta()
        with _readable("its revision"):
            return State(int(meta["revision"]), str(meta["mark"]))

    def fingerprint(self) -> Fingerprint:
        """What the vectors and passages depend on."""
        meta = self._meta()
        with _readable("its fingerprint"):
            return Fingerprint(**{name: meta[name] for name in Fingerprint.__dataclass_fields__})

    # -- documents --------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """All documents without their text, by URI."""
        rows = self._sql(
            "SELECT id, uri, title, language, published, characters, passages"
            " FROM documents ORDER BY uri"
        )
        with _readable("a date"):
            return [
                Entry(identifier, uri, title, language, _date(published), characters, passages)
                for identifier, uri, title, language, published, characters, passages in rows
            ]

    def counts(self) -> tuple[int, int]:
        """How many documents and how many passages there are."""
        documents, passages = self._sql(
            "SELECT count(*), coalesce(sum(passages), 0) FROM documents"
        ).fetchone()
        return documents, passages

    def languages(self) -> list[str]:
        """The languages of the documents, by name."""
        return [
            row[0] for row in self._sql("SELECT DISTINCT language FROM documents ORDER BY language")
        ]

    def files(self) -> dict[str, bytes]:
        """The content hash of every file that documents came from, by its URI."""
        return dict(self._sql("SELECT file, hash FROM documents"))

    def documents_of(self, file: str) -> list[str]:
        """The URIs of the documents that came from a file."""
        return [row[0] for row in self._sql("SELECT uri FROM documents WHERE file = ?", (file,))]

    def uris(self) -> dict[str, str]:
        """For every document its URI and the file it came from."""
        return dict(self._sql("SELECT uri, file FROM documents ORDER BY uri"))

    def find(self, uri: str) -> int | None:
        """The id of the document with a URI, if there is one."""
        row = self._sql("SELECT id FROM documents WHERE uri = ?", (uri,)).fetchone()
        return row[0] if row else None

    def sources(self) -> Iterator[tuple[Document, str, bytes]]:
        """Every document with its text, the file it came from, and that file's hash."""
        rows = self._sql("SELECT id, file, hash FROM documents ORDER BY id").fetchall()
        for identifier, file, file_hash in rows:
            yield self.documents([identifier])[identifier], file, file_hash

    def documents(self, ids: Iterable[int]) -> dict[int, Document]:
        """Documents with their text, by id; ids that are not there are left out.

        Raises:
            IndexDamaged: One is there, but not its text.
        """
        found = {}
        for identifier in set(ids):
            row = self._sql(
                "SELECT uri, title, language, text, published, pages FROM documents"
                " LEFT JOIN texts ON document_id = id WHERE id = ?",
                (identifier,),
            ).fetchone()
            if row:
                uri, title, language, text, published, pages = row
                with _readable(f"the document {uri}"):
                    if text is None:
                        raise ValueError("there is no text")
                    dated, starts = _date(published), tuple(json.loads(pages))
                found[identifier] = Document(uri, title, language, text, dated, starts, identifier)
        return found

    def matching(
        self,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        folder: str | None = None,
    ) -> list[Span]:
        """The documents that meet every condition that is given.

        Args:
            language: The document's language, ISO 639-1.
            since: The earliest publication date; undated documents do not meet it.
            until: The latest publication date; undated documents do not meet it.
            source: Text that the document's URI or title holds, letter case aside.
            folder: The URI of a folder, or of a file of several documents, that holds it.
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
        if folder is not None:
            # As ``lies_in`` says; "0" follows "/", and "$" follows "#".
            inside = folder.rstrip("/")
            conditions.append("(uri = ? OR uri >= ? AND uri < ? OR uri >= ? AND uri < ?)")
            values += [folder, f"{inside}/", f"{inside}0", f"{folder}#", f"{folder}$"]
        where = f" FROM documents WHERE {' AND '.join(conditions)} ORDER BY id"
        if source is None:
            return list(
                starmap(Span, self._sql(f"SELECT id, first_passage, passages{where}", values))
            )
        rows = self._sql(f"SELECT uri, title, id, first_passage, passages{where}", values)
        return [Span(*span) for uri, title, *span in rows if _names(source, uri, title)]

    # -- passages ---------------------------------------------------------------------------

    def passages(self, ids: Iterable[int]) -> list[tuple[Passage, Document]]:
        """Passages with their documents, in the order given; lost ones are left out.

        Raises:
            IndexDamaged: The document of one is not there.
        """
        wanted = list(ids)
        found = {
            identifier: row
            for identifier, *row in self._sql(
                'SELECT passages.id, document_id, "start", "end" FROM json_each(?) AS wanted'
                " JOIN passages ON passages.id = wanted.value",
                (json.dumps(wanted),),
            )
        }
        rows = {identifier: found[identifier] for identifier in wanted if identifier in found}
        documents = self.documents(row[0] for row in rows.values())
        with _readable("the document of a passage"):
            return [
                (_passage(identifier, documents[document], start, end), documents[document])
                for identifier, (document, start, end) in rows.items()
            ]

    def spread(self, document: int, most: int) -> list[int]:
        """The ids of so many passages of a document at most, at even distances from the first on."""
        rows = self._sql(
            'SELECT id FROM passages WHERE document_id = ? ORDER BY "start"', (document,)
        )
        ids = [row[0] for row in rows]
        if len(ids) <= most:
            return ids
        return [ids[place * len(ids) // most] for place in range(most)]

    def last_passage(self) -> int:
        """The highest id of a passage, 0 where there is none."""
        return int(self._sql("SELECT coalesce(max(id), 0) FROM passages").fetchone()[0])

    def count_passages(self, after: int) -> int:
        """How many passages have an id above ``after``."""
        return int(self._sql("SELECT count(*) FROM passages WHERE id > ?", (after,)).fetchone()[0])

    def texts(self, after: int = 0) -> Iterator[tuple[int, int, str]]:
        """Every passage whose id is above ``after``: its id, its document's id, its text."""
        # Neighbours belong to one document: its text is read once, not once for each passage.
        current, text = 0, ""
        for identifier, document, start, end in self._sql(
            'SELECT id, document_id, "start", "end" FROM passages WHERE id > ? ORDER BY id',
            (after,),
        ):
            if document != current:
                found = self._sql("SELECT text FROM texts WHERE document_id = ?", (document,))
                with _readable(f"the text of document {document}"):
                    current, text = document, found.fetchone()[0]
            yield identifier, document, text[start:end]

    def searched(self, after: int = 0) -> Iterator[tuple[int, int, str]]:
        """As ``texts``, each passage ``under_title``: what words are looked for in."""
        current, title = 0, ""
        for identifier, document, text in self.texts(after):
            if document != current:
                found = self._sql("SELECT title, uri FROM documents WHERE id = ?", (document,))
                with _readable(f"the title of document {document}"):
                    current, title = document, short_title(*found.fetchone())
            yield identifier, document, under_title(title, text)

    def count_windows(self, after: int = 0) -> int:
        """How many vectors the passages have whose id is above ``after``."""
        total = self._sql(
            "SELECT coalesce(sum(length(vector)), 0) FROM passages JOIN vectors USING (content)"
            " WHERE passages.id > ?",
            (after,),
        ).fetchone()[0]
        return int(total) // self._row_bytes()

    def stored_vectors(self, after: int = 0) -> Iterator[tuple[Owners, Matrix]]:
        """The vectors of the passages whose id is above ``after``, some thousand at a time.

        Yields:
            For each vector the id of its passage, and the vectors, shape (number of vectors,
            dimension). Those of one passage follow each other, that of the whole passage first.
        """
        rows = self._sql(
            "SELECT passages.id, vector FROM passages JOIN vectors USING (content)"
            " WHERE passages.id > ? ORDER BY passages.id",
            (after,),
        )
        while batch := rows.fetchmany(_FETCHED):
            ids = np.array([row[0] for row in batch], dtype=np.int64)
            matrix, owners = self._windows([row[1] for row in batch])
            yield ids[owners], matrix

    def vectors(self, ids: Sequence[int]) -> Matrix:
        """The vectors of some whole passages, shape (number of ids, dimension).

        Raises:
            IndexDamaged: One of them is not there.
        """
        size = self._row_bytes()
        return self._windows([blob[:size] for blob in self._blobs(ids)])[0]

    def window_vectors(self, ids: Sequence[int]) -> tuple[Matrix, Owners]:
        """The vectors of all windows of some passages.

        Returns:
            The vectors, of length 1, shape (number of windows, dimension), and for each of them
            which of ``ids`` it belongs to, as a place in ``ids``. The passages follow each other
            as their ids do, and the first vector of each is that of the whole passage.

        Raises:
            IndexDamaged: Those of a passage are not there.
        """
        return self._windows(self._blobs(ids))

    def problems(self) -> Iterator[str]:
        """What is wrong with the catalog, in plain sentences: everything is read."""
        for (found,) in self._sql("PRAGMA integrity_check"):
            if found != "ok":
                yield f"SQLite finds damage: {found}."
        for table, *_ in self._sql("PRAGMA foreign_key_check"):
            yield f"A row of the table {table} belongs to nothing."
        for uri, wrong in self._sql(
            "SELECT uri, (SELECT count(*) FROM passages WHERE document_id = documents.id AND"
            " passages.id BETWEEN first_passage AND first_passage + documents.passages - 1)"
            " != documents.passages OR NOT EXISTS (SELECT 1 FROM texts WHERE document_id ="
            " documents.id AND length(text) = characters) FROM documents"
        ):
            if wrong:
                yield f"The document {uri} is not whole."
        for (content,) in self._sql(
            "SELECT content FROM passages LEFT JOIN vectors USING (content)"
            " WHERE vector IS NULL OR length(vector) % ?1 OR length(vector) / ?1 NOT BETWEEN 1"
            " AND ?2",
            (self._row_bytes(), MOST_WINDOWS if self.fingerprint().windows else 1),
        ):
            yield f"The vector of the passage {content.hex()} is missing or damaged."
        contents = self._sql("SELECT content FROM passages ORDER BY id")
        for (identifier, _, text), (content,) in zip(self.texts(), contents, strict=False):
            if content_hash(text) != content:
                yield f"The text of passage {identifier} is not what was embedded."

    def sample(self, most: int) -> Matrix:
        """Vectors of whole passages, shape (at most ``most``, dimension).

        The contents with the lowest hashes: as good as a random choice, and the same one for
        the same documents, whatever the order they came in.
        """
        rows = self._sql(
            "SELECT substr(vector, 1, ?) FROM vectors ORDER BY content LIMIT ?",
            (self._row_bytes(), most),
        )
        return self._windows([row[0] for row in rows])[0]

    def sample_windows(self, most: int) -> Matrix:
        """Vectors of windows, shape (at most ``most``, dimension), chosen as ``sample`` does."""
        size, left, blobs = self._row_bytes(), most, []
        rows = self._sql("SELECT vector FROM vectors ORDER BY content LIMIT ?", (most,))
        for (blob,) in rows:
            blobs.append(blob)
            left -= len(blob) // size
            if left <= 0:
                break
        return self._windows(blobs)[0][:most]

    def _row_bytes(self) -> int:
        fingerprint = self.fingerprint()
        with _readable("its fingerprint"):
            return row_bytes(fingerprint.dimension, fingerprint.storage)

    def _blobs(self, ids: Sequence[int]) -> list[bytes]:
        """The vectors of some passages, as they are stored."""
        rows = dict(
            self._sql(
                "SELECT passages.id, vector FROM json_each(?) AS wanted"
                " JOIN passages ON passages.id = wanted.value JOIN vectors USING (content)",
                (json.dumps(list(ids)),),
            )
        )
        with _readable("a vector"):
            return [rows[one] for one in ids]

    def _windows(self, blobs: Sequence[bytes]) -> tuple[Matrix, Owners]:
        """Stored vectors as a matrix, and for each row the place of its blob."""
        fingerprint = self.fingerprint()
        with _readable("a vector"):
            matrix = decoded(blobs, fingerprint.dimension, fingerprint.storage)
            size = row_bytes(fingerprint.dimension, fingerprint.storage)
        counts = np.array([len(blob) // size for blob in blobs], dtype=np.int64)
        return matrix, np.repeat(np.arange(len(blobs)), counts)


def as_meta(fingerprint: Fingerprint) -> dict[str, Any]:
    """A fingerprint as rows of the catalog's table ``meta``."""
    return {name: getattr(fingerprint, name) for name in Fingerprint.__dataclass_fields__}


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _passage(identifier: int, document: Document, start: int, end: int) -> Passage:
    text = document.text[start:end]
    return Passage(document.id, start, end, text, document.page_at(start), identifier)


def lies_in(uri: str, place: str) -> bool:
    """Whether a document is the one of this URI, or lies in this folder or archive."""
    return uri == place or uri.startswith((place.rstrip("/") + "/", place + "#"))


def under_title(title: str, text: str) -> str:
    """A passage under the title of its document, ``Document.short_title``, where it does not begin with that.

    Whom a report or a contract is about, its title may be all that says.
    """
    return text if text.lstrip("# ").startswith(title) else f"{title}\n{text}"


def _names(source: str, uri: str, title: str) -> bool:
    wanted = normalize(source).casefold()
    return any(wanted in normalize(name).casefold() for name in (unquote(uri), title))
