"""What the readers of an index see: the catalog, and what derives from it, at one state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import IndexMismatch
from rag.settings import Settings

from . import derived
from .alignment import Alignment, Pieces
from .catalog import Catalog
from .embed import CachedEmbedder, Embedder
from .records import Fingerprint, Reader
from .rerank import Reranker
from .search import Search


@dataclass
class Views:
    """Opens views of an index; the embedder is loaded, and files are read, when they are first needed.

    May be used by many threads.

    Args:
        folder: The index's folder.
        catalog: Its catalog.
        settings: Its settings.
        embedder: Loads the embedder, or gives the one that is loaded.
        reranker: A reranker, if there is one.
        fingerprint: What the index was made with when it was opened.
    """

    folder: Path
    catalog: Catalog
    settings: Settings
    embedder: Callable[[], Embedder]
    reranker: Reranker | None
    fingerprint: Fingerprint
    _guard: threading.RLock = field(default_factory=threading.RLock, init=False)
    _embedding: tuple[CachedEmbedder, Alignment | None] | None = field(default=None, init=False)
    _last: derived.Snapshot | None = field(default=None, init=False)

    @contextmanager
    def open(self) -> Iterator[tuple[Reader, Search]]:
        """The catalog and what derives from it, both at one revision.

        Raises:
            IndexMismatch: Somebody has embedded the index anew.
            ModelError: The embedder cannot be loaded.
        """
        with self._guard:
            if self._embedding is None:
                embedder = self.embedder()
                alignment = Alignment(embedder) if isinstance(embedder, Pieces) else None
                self._embedding = CachedEmbedder(embedder), alignment
            cached, alignment = self._embedding
        while True:
            with self.catalog.read() as reader:
                self.check(reader)
                snapshot = self._snapshot(reader)
                if snapshot is not None:
                    settings = self.settings.retrieval
                    parts = (cached, settings, alignment, self.reranker)
                    yield reader, Search(reader, snapshot, *parts)
                    return

    def check(self, reader: Reader) -> None:
        """Refuse to mix vectors after somebody else has embedded the index anew."""
        if reader.fingerprint() != self.fingerprint:
            raise IndexMismatch(
                f"The index in {self.folder} was embedded anew while it was open.", "Open it again."
            )

    def _snapshot(self, reader: Reader) -> derived.Snapshot | None:
        """What derives from the catalog, at the state that a reader sees.

        Files that are missing or damaged are made anew, and if they cannot be written now, by
        somebody else's change or a full disk, in memory. There are none, and the reader must
        look again, where the state has become an old one meanwhile.
        """
        with self._guard:
            if self._last is None or self._last.state != reader.state():
                found = derived.read(self.folder, reader)
                if found is None:
                    setting = self.settings.index.vectors
                    found = derived.repaired(self.catalog, reader, self.folder, setting)
                self._last = found or self._last
                return found
            return self._last
