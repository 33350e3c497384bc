"""The files that derive from the catalog, and bringing them up when they are behind.

``derived.json`` names the revision that ``vectors.faiss`` and ``lexical/`` were made from, and
the checksum of each file: neither library survives reading a damaged one. It is withdrawn
before they change and written after, so files that a crash left half changed are never taken
for whole: they are made anew from the catalog, without embedding anything.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexingError

from .catalog import Catalog
from .lexical import Lexical
from .records import Reader, vectors_from
from .vectors import Vectors

_STATE = "derived.json"
_VECTORS = "vectors.faiss"
_LEXICAL = "lexical"

# How many passages are read from the catalog at a time while rebuilding.
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What questions are answered from: both derived indexes, at one revision."""

    revision: int
    vectors: Vectors
    lexical: Lexical


def read(folder: Path, revision: int, passages: int) -> Snapshot | None:
    """The derived files, or ``None`` where they are missing, damaged or of another revision.

    Args:
        folder: The index's folder.
        revision: The catalog's revision.
        passages: How many passages the catalog has, as a check on what is read.
    """
    stated = _state(folder)
    if stated.get("revision") != revision or stated.get("files") != _checksums(folder):
        return None
    vectors = Vectors.read(folder / _VECTORS)
    lexical = Lexical.read(folder / _LEXICAL)
    if vectors is None or lexical is None or not passages == len(vectors) == len(lexical):
        return None
    if _state(folder) != stated:  # another process changed the files meanwhile
        return None
    return Snapshot(revision, vectors, lexical)


def build(catalog: Catalog, folder: Path | None = None) -> Snapshot:
    """Make both indexes from the catalog.

    Args:
        catalog: The catalog.
        folder: Where the files go; without it they stay in memory. The caller who names a
            folder holds the index's writer lock.
    """
    with catalog.read() as reader, _writing(folder):
        revision = reader.revision()
        dimension = reader.fingerprint().dimension
        vectors = Vectors.empty(dimension)
        lexical = Lexical.empty(folder and folder / _LEXICAL)
        lexical = lexical.changed((), _passages(reader, vectors, dimension))
        return _published(folder, Snapshot(revision, vectors, lexical))


def follow(
    catalog: Catalog, folder: Path, removed: Sequence[int], added: Sequence[int]
) -> Snapshot:
    """Bring both files up to the catalog's last change, under the writer lock.

    What is changed is read from the files, so questions being answered keep what they have.
    Files that are not at the revision before are made anew.

    Args:
        catalog: The catalog.
        folder: The index's folder.
        removed: The passage ids that the last change removed.
        added: The passage ids that it added.
    """
    with catalog.read() as reader:
        revision = reader.revision()
        before = read(folder, revision - 1, reader.count_passages() - len(added) + len(removed))
        if before is None:
            return build(catalog, folder)
        rows = list(reader.stored_passages(added))
        dimension = reader.fingerprint().dimension
    with _writing(folder):
        before.vectors.remove(removed)
        blobs = [blob for _, _, blob in rows]
        before.vectors.add([passage for passage, _, _ in rows], vectors_from(blobs, dimension))
        lexical = before.lexical.changed(removed, [(passage, text) for passage, text, _ in rows])
        return _published(folder, Snapshot(revision, before.vectors, lexical))


def _passages(reader: Reader, vectors: Vectors, dimension: int) -> list[tuple[int, str]]:
    texts: list[tuple[int, str]] = []
    ids: list[int] = []
    blobs: list[bytes] = []
    for passage, text, blob in reader.all_passages():
        texts.append((passage, text))
        ids.append(passage)
        blobs.append(blob)
        if len(ids) == _CHUNK:
            vectors.add(ids, vectors_from(blobs, dimension))
            ids, blobs = [], []
    vectors.add(ids, vectors_from(blobs, dimension))
    return texts


def _state(folder: Path) -> dict[str, Any]:
    try:
        stated = json.loads((folder / _STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stated if isinstance(stated, dict) else {}


def _checksums(folder: Path) -> dict[str, int]:
    """The checksum of every derived file, by name; of none where one vanishes meanwhile."""
    try:
        files = [folder / _VECTORS, *sorted((folder / _LEXICAL).glob("[!.]*"))]
        return {path.name: _checksum(path) for path in files}
    except OSError:
        return {}


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            checksum = zlib.crc32(block, checksum)
    return checksum


@contextmanager
def _writing(folder: Path | None) -> Iterator[None]:
    """While both files are written they have no revision."""
    try:
        if folder:
            (folder / _STATE).unlink(missing_ok=True)
        yield
    except (OSError, RuntimeError, ValueError) as error:  # as the file system, faiss, tantivy say
        raise IndexingError(
            f"The documents are safe, but the search files in {folder or 'memory'} "
            f"cannot be written: {error}.",
            "Check that the folder can be written and has room on its disk.",
            retry=True,
        ) from error


def _published(folder: Path | None, snapshot: Snapshot) -> Snapshot:
    if folder:
        snapshot.vectors.write(folder / _VECTORS)
        fresh = folder / (_STATE + ".new")
        state = {"revision": snapshot.revision, "files": _checksums(folder)}
        fresh.write_text(json.dumps(state), "utf-8")
        os.replace(fresh, folder / _STATE)
    return snapshot
