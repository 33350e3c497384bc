"""The files that derive from the catalog, and bringing them up when they are behind.

``derived.json`` names the revision that ``vectors.faiss`` and ``lexical/`` were made from. It
is withdrawn before they change and written after, so files that a crash left half changed
are never taken for whole: they are made anew from the catalog, without embedding anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .catalog import Catalog, Reader, vectors_from
from .embed import Matrix
from .lexical import Lexical
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
    if _stated_revision(folder) != revision:
        return None
    vectors = Vectors.read(folder / _VECTORS)
    lexical = Lexical.read(folder / _LEXICAL)
    if vectors is None or lexical is None or not passages == len(vectors) == len(lexical):
        return None
    return Snapshot(revision, vectors, lexical)


def build(catalog: Catalog, folder: Path | None = None) -> Snapshot:
    """Make both indexes from the catalog.

    Args:
        catalog: The catalog.
        folder: Where the files go; without it they stay in memory. The caller who names a
            folder holds the index's writer lock.
    """
    if folder:
        _withdraw(folder)
    with catalog.read() as reader:
        revision = reader.revision()
        dimension = reader.fingerprint().dimension
        vectors = Vectors.empty(dimension)
        lexical = Lexical.empty(folder and folder / _LEXICAL)
        lexical = lexical.changed((), _passages(reader, vectors, dimension))
    return _published(folder, Snapshot(revision, vectors, lexical))


def change(
    folder: Path,
    before: Snapshot,
    revision: int,
    removed: Sequence[int],
    added: Sequence[tuple[int, str]],
    vectors: Matrix,
) -> Snapshot:
    """Bring both files to a new revision by what changed, under the writer lock.

    Args:
        folder: The index's folder, whose files are at ``before.revision``.
        before: Where the files stand.
        revision: The revision that the catalog has reached.
        removed: Passage ids to forget.
        added: New passage ids and texts.
        vectors: The vectors of the new passages, shape (number of them, dimension).
    """
    # Questions being answered keep the old vectors: the change goes into a copy.
    fresh = Vectors.read(folder / _VECTORS) or before.vectors
    _withdraw(folder)
    fresh.remove(removed)
    fresh.add([passage for passage, _ in added], vectors)
    return _published(folder, Snapshot(revision, fresh, before.lexical.changed(removed, added)))


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


def _stated_revision(folder: Path) -> int | None:
    try:
        revision = json.loads((folder / _STATE).read_text("utf-8"))["revision"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return revision if isinstance(revision, int) else None


def _withdraw(folder: Path) -> None:
    (folder / _STATE).unlink(missing_ok=True)


def _published(folder: Path | None, snapshot: Snapshot) -> Snapshot:
    if folder:
        snapshot.vectors.write(folder / _VECTORS)
        fresh = folder / (_STATE + ".new")
        fresh.write_text(json.dumps({"revision": snapshot.revision}), "utf-8")
        os.replace(fresh, folder / _STATE)
    return snapshot
