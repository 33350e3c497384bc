"""Reading a whole index, and comparing every part of it with the others."""

from __future__ import annotations

from pathlib import Path

from rag.errors import IndexDamaged

from . import derived
from .catalog import Catalog


def verify(catalog: Catalog, folder: Path) -> list[str]:
    """What is wrong with an index, in plain sentences; nothing where all is well.

    Args:
        catalog: The index's catalog: every row is read, every text compared with its hash.
        folder: The index's folder: every search file is compared with its checksum, and what
            it holds with the catalog.
    """
    found: list[str] = []
    try:
        with catalog.read() as reader:
            for problem in reader.problems():
                found.append(problem)  # noqa: PERF402 - what comes before damage ends it is kept
        found += _derived_damage(catalog, folder)
    except IndexDamaged as error:
        found.append(str(error))
    return found


def _derived_damage(catalog: Catalog, folder: Path) -> list[str]:
    """What is wrong with the search files: a change meanwhile sweeps those of the state before."""
    while True:
        with catalog.read() as reader:
            state, found = reader.state(), derived.damage(folder, reader)
        with catalog.read() as now:
            if not found or now.state() == state:
                return found


def size_on_disk(folder: Path) -> int:
    """The bytes that the files in a folder take, each counted once however often it is linked."""
    sizes: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                about = path.stat()
                sizes[about.st_dev, about.st_ino] = about.st_size
        except OSError:  # deleted meanwhile
            continue
    return sum(sizes.values())
