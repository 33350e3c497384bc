"""Which files under some paths can be indexed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.types import Failure

from .load import READERS, reason


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files found under some paths, those of other types, and the paths that failed."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...]
    failed: tuple[Failure, ...]


def discover(paths: Iterable[str | os.PathLike[str]]) -> Discovery:
    """Find the files that can be indexed.

    A folder is walked in order of name, without hidden files, hidden folders and folders
    that hold an index. A path that does not exist and a folder that cannot be read fail on
    their own, without stopping the others.
    """
    files: dict[Path, None] = {}
    skipped: list[Path] = []
    failed: list[Failure] = []
    for given in paths:
        path = Path(os.path.abspath(given))
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
            for file in _walk(path, failed):
                if file.suffix.lower() in READERS:
                    files[file] = None
                else:
                    skipped.append(file)
        elif os.path.lexists(path):
            files[path] = None
        else:
            failed.append(Failure(path.as_uri(), f"There is no file or folder {given}."))
    return Discovery(tuple(files), tuple(skipped), tuple(failed))


def _walk(folder: Path, failed: list[Failure]) -> Iterable[Path]:
    def note(error: OSError) -> None:
        unread = Path(error.filename)
        failed.append(Failure(unread.as_uri(), f"{unread.name} cannot be read: {reason(error)}."))

    for where, folders, names in os.walk(folder, onerror=note):
        if "catalog.sqlite" in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in sorted(names) if not name.startswith("."))
