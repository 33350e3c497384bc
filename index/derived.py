"""The search files that derive from the catalog: one folder for each state of the index.

A folder under ``derived/`` is named by the revision and the mark of the catalog's state that
it was made for, and never changes once it has its name. A change makes the folder of the next
state while its transaction is still open; the commit of the catalog is what makes it count,
in one instant. So readers always find files that fit the state they see, a crash at any point
leaves the catalog with the files of its own state, and what a crash left over is swept away
by the next change.

Files that did not change are shared with the folder before by hard links. ``state.json``
holds what belongs to the files and the checksum of each: neither FAISS nor tantivy survives
reading a damaged one. A folder that is missing or damaged is made anew from the catalog,
without embedding anything.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import IndexingError

from . import vectors as faiss_files
from .arrays import Matrix
from .catalog import Catalog
from .changes import Writer
from .lexical import FORM, Lexical
from .lock import writer_lock
from .records import Reader, State
from .selection import Selections
from .vectors import AUTO, Vectors

FOLDER = "derived"
_STATE = "state.json"
_VECTORS = "vectors.faiss"
_LEXICAL = "lexical"
_MANAGED = ".managed.json"  # which files are tantivy's own, as it remembers
_UNFINISHED = "unfinished"

# A new file of vectors is made when this many vectors came or went since the last one, or this
# share of all. Until then they are read from the catalog: 4,096 take about 20 ms.
_MOST_RECENT = 4096
_LEAST_RECENT = 64
_RECENT_SHARE = 0.1

# How many vectors the centre of an index is estimated from.
_SAMPLE = 2048


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What questions are answered from, at one state of the index.

    ``center`` is the mean of the vectors, or of a sample of them, shape (dimension,);
    ``selections`` are the parts of the index that were asked for.
    """

    state: State
    vectors: Vectors
    lexical: Lexical
    center: Matrix
    selections: Selections = field(default_factory=Selections)


@dataclass(frozen=True, slots=True)
class _Files:
    """What ``state.json`` says of the files beside it.

    ``setting`` and ``factory`` are what was asked for and what ``vectors.faiss`` is; ``through``
    is the highest passage id that it knows, ``count`` how many passages and ``windows`` how many
    vectors it has, and ``gone`` which passages no longer count, the first ``kept`` of them because
    FAISS could not remove them when the file was made. ``last`` is the highest passage id that
    ``lexical`` knows. ``checksums`` are those of all files by their path in the folder.
    ``lexical_form`` is the form of ``lexical``: what an older version wrote has another, or does
    not say, and is made anew.
    """

    setting: str
    factory: str
    through: int
    count: int
    windows: int
    last: int
    gone: tuple[int, ...]
    center: tuple[float, ...]
    checksums: dict[str, str]
    kept: int = 0
    lexical_form: int = 0


def read(folder: Path, reader: Reader) -> Snapshot | None:
    """The search files of the state a reader sees; ``None`` if they are missing or damaged.

    Args:
        folder: The index's folder.
        reader: A view of its catalog.
    """
    state = reader.state()
    place = _place(folder, state)
    files = _whole(place)
    if files is None:
        return None
    base = faiss_files.read(place / _VECTORS)
    lexical = Lexical.read(place / _LEXICAL)
    if base is None or lexical is None:
        return None
    center = np.array(files.center, dtype=np.float32)
    recent = faiss_files.exact(len(center), reader.stored_vectors(after=files.through))
    passages = files.count + reader.count_passages(after=files.through)
    return Snapshot(state, Vectors(base, recent, files.gone, passages), lexical, center)


def build(reader: Reader, folder: Path | None = None, setting: str = AUTO) -> Snapshot:
    """Make the search files of the state a reader sees from the catalog alone.

    Args:
        reader: A view of the catalog.
        folder: The index's folder; without it everything stays in memory. The caller who
            names it holds the index's writer lock.
        setting: The setting ``index.vectors``.

    Raises:
        IndexingError: The files cannot be written.
    """
    state = reader.state()
    if folder is None:
        base, _ = _all_vectors(reader, setting)
        lexical = Lexical.empty().changed((), reader.searched())
        vectors = Vectors(base, passages=reader.counts()[1])
        return Snapshot(state, vectors, lexical, _center(reader))
    with _unfinished(folder, state) as place:
        _write_all(place, reader, setting)
    sweep(folder, state)
    snapshot = read(folder, reader)
    if snapshot is None:
        raise _unwritten(folder, "what was written reads differently")
    return snapshot


def repaired(catalog: Catalog, reader: Reader, folder: Path, setting: str) -> Snapshot | None:
    """The search files of the state a reader sees, made anew where they are missing or damaged.

    In memory where they cannot be written now, by somebody else's change or a full disk. There are
    none where the state has become an old one meanwhile.

    Args:
        catalog: The catalog.
        reader: A view of it.
        folder: The index's folder.
        setting: The setting ``index.vectors``.
    """
    try:
        with writer_lock(folder), catalog.read() as now:
            return build(now, folder, setting) if now.state() == reader.state() else None
    except IndexingError:
        with catalog.read() as now:
            if now.state() != reader.state():
                return None
        return build(reader, setting=setting)


def publish(
    folder: Path, writer: Writer, before: State | None, removed: Sequence[int], setting: str
) -> None:
    """Make the search files of a change that is complete but not yet committed.

    Args:
        folder: The index's folder.
        writer: The open transaction, finished.
        before: The state that the change began from; without it nothing of it is used.
        removed: The ids of the passages that it removed.
        setting: The setting ``index.vectors``.

    Raises:
        IndexingError: The files cannot be written.
    """
    old = _place(folder, before) if before else folder
    files = _whole(old)
    with _unfinished(folder, writer.state()) as place:
        lexical = _shared(old / _LEXICAL, place / _LEXICAL) if files else None
        if files is None or lexical is None:
            _write_all(place, writer, setting)
            return
        lexical.changed(removed, writer.searched(after=files.last))
        _close(place, _followed(place, old, files, writer, removed, setting), old)


def damage(folder: Path, reader: Reader) -> list[str]:
    """What is wrong with the search files of the state a reader sees, in plain sentences."""
    place = _place(folder, reader.state())
    if not place.exists() and not reader.counts()[1]:
        return []  # nothing was ever added, so nothing had to be written
    files = _whole(place)
    snapshot = read(folder, reader) if files else None
    if files is None or snapshot is None:
        return ["The search files are missing or damaged."]
    known = {passage for passage, _, _ in reader.texts()}
    found = []
    if snapshot.lexical.ids() != known:
        found.append("The lexical index holds other passages than the catalog.")
    if snapshot.vectors.windows() != _windows(reader):
        found.append("The vector index holds other passages than the catalog.")
    return found


def sweep(folder: Path, state: State) -> None:
    """Delete what belongs to other states than this one; readers keep what they have open."""
    for path in (folder / FOLDER).glob("*"):
        if path != _place(folder, state):
            shutil.rmtree(path, ignore_errors=True)


# -- writing ------------------------------------------------------------------------------------


def _write_all(place: Path, reader: Reader, setting: str) -> None:
    base, factory = _all_vectors(reader, setting)
    faiss_files.write(base, place / _VECTORS)
    shutil.rmtree(place / _LEXICAL, ignore_errors=True)  # where what was shared cannot be read
    (place / _LEXICAL).mkdir()
    Lexical.empty(place / _LEXICAL).changed((), reader.searched())
    last, center = reader.last_passage(), tuple(_center(reader).tolist())
    _, count = reader.counts()
    _close(place, _Files(setting, factory, last, count, base.ntotal, last, (), center, {}))


def _all_vectors(reader: Reader, setting: str) -> tuple[Any, str]:
    dimension = reader.fingerprint().dimension
    count = reader.count_windows()
    factory = faiss_files.factory_for(setting, dimension, count)
    wanted = faiss_files.training_size(factory, dimension, count)
    sample = reader.sample_windows(wanted)
    return faiss_files.build(factory, dimension, reader.stored_vectors(), sample), factory


def _followed(
    place: Path, old: Path, files: _Files, writer: Writer, removed: Sequence[int], setting: str
) -> _Files:
    """Share the vectors of the state before, or bring them up where that is worth it."""
    through = files.through
    gone = (*files.gone, *(passage for passage in removed if passage <= through))
    last, center = writer.last_passage(), tuple(_center(writer).tolist())
    recent = writer.count_windows(after=through)
    left_out = (len(gone) - files.kept) * files.windows // max(1, files.count)
    most = min(_MOST_RECENT, max(_LEAST_RECENT, int(files.windows * _RECENT_SHARE)))
    if left_out + recent <= most and files.setting == setting:
        _link(old / _VECTORS, place / _VECTORS)
        return replace(files, last=last, gone=gone, center=center)
    dimension, total = len(center), writer.count_windows()
    updated, factory = None, faiss_files.factory_for(setting, dimension, total)
    if factory == files.factory:
        updated = faiss_files.updated(old / _VECTORS, gone, writer.stored_vectors(after=through))
    base, kept = updated or (None, ())
    if base is None:
        base, factory = _all_vectors(writer, setting)
    faiss_files.write(base, place / _VECTORS)
    count = writer.counts()[1] + len(kept)
    return _Files(setting, factory, last, count, base.ntotal, last, kept, center, {}, len(kept))


def _windows(reader: Reader) -> list[tuple[int, int]]:
    """Every window that the catalog has a vector of: its passage and its number there."""
    found: list[tuple[int, int]] = []
    for owners, _ in reader.stored_vectors():
        _, counts = np.unique(owners, return_counts=True)
        numbers = np.concatenate([np.arange(count) for count in counts])
        found += zip(owners.tolist(), numbers.tolist(), strict=True)
    return found


def _center(reader: Reader) -> Matrix:
    sample = reader.sample(_SAMPLE)
    if not len(sample):
        return np.zeros(reader.fingerprint().dimension, dtype=np.float32)
    return np.asarray(sample.mean(axis=0, dtype=np.float64), dtype=np.float32)


@contextmanager
def _unfinished(folder: Path, state: State) -> Iterator[Path]:
    """A new folder that gets its name when everything in it is written."""
    place = folder / FOLDER / _UNFINISHED
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        yield place
        named = _place(folder, state)
        shutil.rmtree(named, ignore_errors=True)  # damaged, or it would not be made anew
        place.rename(named)
    except (OSError, RuntimeError, ValueError) as error:  # as the file system, faiss, tantivy say
        raise _unwritten(folder, str(error)) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unwritten(folder: Path, reason: str) -> IndexingError:
    return IndexingError(
        f"The search files in {folder} cannot be written: {reason}. The index is as it was.",
        "Check that the folder can be written and has room on its disk.",
        retry=True,
    )


def _shared(source: Path, target: Path) -> Lexical | None:
    """A lexical index with the files of another: its segments never change."""
    target.mkdir()
    for path in source.iterdir():
        if path.name in ("meta.json", _MANAGED):
            shutil.copyfile(path, target / path.name)
        elif not path.name.startswith("."):
            _link(path, target / path.name)
    return Lexical.read(target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


# -- what lies beside the files -----------------------------------------------------------------


def _place(folder: Path, state: State) -> Path:
    return folder / FOLDER / f"{state.revision}-{state.mark}"


def _close(place: Path, files: _Files, before: Path | None = None) -> None:
    """Write ``state.json``; a file shared with a folder that was checked is not read again."""
    known = _stated(before) if before else None
    checksums = _checksums(place, before, known)
    body = asdict(replace(files, checksums=checksums, lexical_form=FORM))
    with (place / _STATE).open("w", encoding="utf-8") as file:
        json.dump({"files": body, "checksum": _own_checksum(body)}, file)
        file.flush()
        os.fsync(file.fileno())


def _stated(place: Path) -> _Files | None:
    try:
        stated = json.loads((place / _STATE).read_text("utf-8"))
        body = stated["files"]
        if stated["checksum"] != _own_checksum(body):
            return None
        return _Files(**{**body, "gone": tuple(body["gone"]), "center": tuple(body["center"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _whole(place: Path) -> _Files | None:
    """What is stated of the files in a folder, if they can be read and are undamaged."""
    files = _stated(place)
    if files is None or files.lexical_form != FORM:
        return None
    return files if files.checksums == _checksums(place) else None


def _own_checksum(body: dict[str, Any]) -> str:
    import xxhash

    return str(xxhash.xxh3_64_hexdigest(json.dumps(body, sort_keys=True).encode()))


def _checksums(
    place: Path, before: Path | None = None, known: _Files | None = None
) -> dict[str, str]:
    """The checksum of every file in a folder, by its path there; none where one vanishes.

    300 MB that the system holds in memory take about 20 ms.
    """
    found = {}
    try:
        lexical = place / _LEXICAL
        for path in sorted([place / _VECTORS, lexical / _MANAGED, *lexical.glob("[!.]*")]):
            name = path.relative_to(place).as_posix()
            if before and known and name in known.checksums and _same(path, before / name):
                found[name] = known.checksums[name]
            else:
                found[name] = _checksum(path)
    except OSError:
        return {}
    return found


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _checksum(path: Path) -> str:
    import xxhash

    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:  # nothing that could be mapped
            return ""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return str(xxhash.xxh3_64_hexdigest(content))
