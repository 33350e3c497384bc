"""Which files under some paths can be indexed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.types import Failure

from .load import READERS, reason
from .schema import META

# The file that an index is known by, and how it begins. Other programs have catalogs, too.
_CATALOG = "catalog.sqlite"
_SQLITE = b"SQLite format 3\x00"
_BEGINNING = 2**16


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files found under some paths, those of other types, and the paths that failed."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...]
    failed: tuple[Failure, ...]


def discover(paths: Iterable[str | os.PathLike[str]], own: Path | None = None) -> Discovery:
    """Find the files that can be indexed.

    A folder is walked in order of name, without hidden files and hidden folders. What is left
    out for another reason fails on its own, without stopping the others: a path that does not
    exist, a folder that cannot be read, one that holds an index, and a link to a folder, which
    could lead round in a circle. A link that is named itself is followed.

    Args:
        paths: Files and folders.
        own: The folder of the index that they are for: where it lies among the documents, it
            is left out without a word.
    """
    files: dict[Path, None] = {}
    skipped: list[Path] = []
    failed: list[Failure] = []
    for given in paths:
        path = Path(os.path.abspath(given))
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
            for file in _walk(path, failed, own):
                if file.suffix.lower() in READERS:
                    files[file] = None
                else:
                    skipped.append(file)
        elif os.path.lexists(path):
            files[path] = None
        else:
            failed.append(Failure(path.as_uri(), f"There is no file or folder {given}."))
    return Discovery(tuple(files), tuple(skipped), tuple(failed))


def holds_index(folder: Path) -> bool:
    """Whether a folder is that of an index, of any layout, or might be one."""
    path = folder / _CATALOG
    if not os.path.exists(path):  # noqa: PTH110 - says no where the folder may not be looked into
        return False
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return True  # not known to be anything else, and then nothing is forgotten
    return beginning.startswith(_SQLITE) and META.encode() in beginning


def _walk(folder: Path, failed: list[Failure], own: Path | None) -> Iterable[Path]:
    def leave_out(path: Path, why: str) -> None:
        failed.append(Failure(path.as_uri(), f"{path.name} {why}."))

    def note(error: OSError) -> None:
        leave_out(Path(error.filename), f"cannot be read: {reason(error)}")

    for where, folders, names in os.walk(folder, onerror=note):
        here = Path(where)
        if _CATALOG in names and holds_index(here):
            if here == folder or not _same(here, own):
                leave_out(here, "holds an index, not documents")
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(here / name):  # noqa: PTH114 - as above
                leave_out(here / name, "is a link to a folder: name the folder itself to index it")
        yield from (here / name for name in sorted(names) if not name.startswith("."))


def _same(folder: Path, own: Path | None) -> bool:
    try:
        return own is not None and folder.samefile(own)
    except OSError:
        return False
