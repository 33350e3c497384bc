"""Bringing an index of an older layout to the present one, or refusing it with the way out."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from rag.errors import IndexLocked, IndexMismatch

from .catalog import Catalog
from .lock import writer_lock
from .schema import LAYOUT, can_migrate

# How long one waits for another process that brings the same index to the present layout, which
# writes every vector anew.
_PATIENCE = 60.0
_BETWEEN_LOOKS = 0.05

# Search files of the first layout; those of this one lie in a folder of their own.
_OF_THE_FIRST = ("vectors.faiss", "derived.json")
_FOLDER_OF_THE_FIRST = "lexical"


def to_present_layout(catalog: Catalog, patience: float = _PATIENCE) -> None:
    """Bring a catalog to the present layout, in one transaction, if it has an older one.

    Args:
        catalog: The catalog.
        patience: For how many seconds at most it is waited for others who change the index.

    Raises:
        IndexMismatch: Its layout is not one that this version knows.
        IndexLocked: Another process is still changing the index, and not only its layout.
    """
    folder = catalog.path.parent
    until = time.monotonic() + patience
    while (layout := _layout(catalog)) != LAYOUT:
        if not can_migrate(layout):
            raise IndexMismatch(
                f"The index in {folder} has layout {layout}, this version reads {LAYOUT}.",
                "Use the version that made it, or delete the folder and index the documents again.",
            )
        try:
            with writer_lock(folder):
                catalog.migrate(layout)
        except IndexLocked:
            if time.monotonic() > until:
                raise
            time.sleep(_BETWEEN_LOOKS)
    _sweep(folder)


def _layout(catalog: Catalog) -> int:
    with catalog.read() as reader:
        return reader.layout()


def _sweep(folder: Path) -> None:
    """Delete what no layout needs any more, also where a process ended before it could."""
    shutil.rmtree(folder / _FOLDER_OF_THE_FIRST, ignore_errors=True)
    for name in _OF_THE_FIRST:
        with suppress(OSError):  # a folder that cannot be written can still be searched
            (folder / name).unlink(missing_ok=True)
