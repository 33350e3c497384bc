"""Mirroring folders: which files there are in them now, and which are gone.

All of a folder may be looked at, or only the places in it where something changed. Both find
the same, but for what nobody told of.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.types import Failure

from .catalog import FILE_NAME
from .discover import Discovery, discover, holds_index
from .load import READERS, reason


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in some places, files or folders; nothing is said of any others."""

    places: tuple[Path, ...]
    found: Discovery

    def gone(self, known: Iterable[str]) -> list[str]:
        """Those of some files, by URI, that lay in these places and do not any more."""
        present = {file.as_uri() for file in self.found.files}
        places = {_plain(place.as_uri()) for place in self.places}
        # What lies in a folder that cannot be read now is not known to be deleted.
        unread = {_plain(failure.uri) for failure in self.found.failed}
        return [
            file
            for file in known
            if file not in present and _lies_in_one(file, places) and not _lies_in_one(file, unread)
        ]


def look(folders: Sequence[Path], own: Path, changed: Sequence[Path] | None = None) -> Look:
    """See what is in some folders.

    Args:
        folders: The folders, absolute.
        own: The folder of the index, which holds no documents.
        changed: Where something changed since the last time: paths of files and folders, also
            of such as are gone. Without it, and where it leaves a doubt, all is looked at.
    """
    if changed is None or any(_says_too_little(path, folders) for path in changed):
        return Look(tuple(folders), discover(folders, own))
    seen = _Seen(own)
    for path in dict.fromkeys(changed):
        if any(_is_walked(folder, path) for folder in folders if folder in path.parents):
            seen.look_at(path)
    for folder in folders:  # one that went away meanwhile takes its files along
        if not folder.is_dir():
            seen.failed.append(Failure(folder.as_uri(), f"There is no folder {folder}."))
    found = Discovery(tuple(dict.fromkeys(seen.files)), tuple(seen.skipped), tuple(seen.failed))
    return Look(tuple(seen.places), found)


@dataclass
class _Seen:
    own: Path
    places: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def look_at(self, path: Path) -> None:
        """Look at one place as the walk through its folder would."""
        self.places.append(path)
        try:
            mode = path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):  # gone
            return
        except OSError as error:
            self.failed.append(
                Failure(path.as_uri(), f"{path.name} cannot be read: {reason(error)}.")
            )
            return
        if stat.S_ISDIR(mode):
            found = discover([path], self.own)
            self.files += found.files
            self.skipped += found.skipped
            self.failed += found.failed
        elif not path.is_dir():  # a link to a folder is not followed
            (self.files if path.suffix.lower() in READERS else self.skipped).append(path)


def _says_too_little(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a change may concern more than its own place."""
    return path.name == FILE_NAME or not any(folder in path.parents for folder in folders)


def _is_walked(folder: Path, path: Path) -> bool:
    """Whether a walk through a folder comes by a path: not where it is hidden or an index."""
    inside = path.relative_to(folder).parts
    if any(part.startswith(".") for part in inside):
        return False
    way = [folder.joinpath(*inside[:depth]) for depth in range(len(inside))]
    return not any(
        holds_index(step) or (step != folder and os.path.islink(step))  # noqa: PTH114
        for step in way
    )


def above(uri: str) -> Iterator[str]:
    """A URI and what it lies in, archives and folders, from the inside out."""
    yield uri
    for end in range(len(uri) - 1, 0, -1):
        if uri[end] in "/#":
            yield uri[:end]


def _plain(uri: str) -> str:
    return uri.rstrip("/")


def _lies_in_one(file: str, places: set[str]) -> bool:
    """Whether a file is one of some places or lies in one."""
    return not places.isdisjoint(above(file))
