"""Bringing an index of an older layout to the present one, or refusing it with the way out."""

from __future__ import annotations

import shutil

from rag.errors import IndexMismatch

from .catalog import Catalog
from .lock import writer_lock
from .schema import LAYOUT, can_migrate


def to_present_layout(catalog: Catalog) -> None:
    """Bring a catalog to the present layout, in one transaction, if it has an older one.

    Raises:
        IndexMismatch: Its layout is not one that this version knows.
        IndexLocked: Another process is changing the index.
    """
    folder = catalog.path.parent
    with catalog.read() as reader:
        layout = reader.layout()
    if layout == LAYOUT:
        return
    if not can_migrate(layout):
        raise IndexMismatch(
            f"The index in {folder} has layout {layout}, this version reads {LAYOUT}.",
            "Use the version that made it, or delete the folder and index the documents again.",
        )
    with writer_lock(folder):
        catalog.migrate(layout)
        # Search files of the first layout; those of this one lie in a folder of their own.
        shutil.rmtree(folder / "lexical", ignore_errors=True)
        for name in ("vectors.faiss", "derived.json"):
            (folder / name).unlink(missing_ok=True)
