"""Making an index, and making all that it holds anew with another embedder."""

from __future__ import annotations

from pathlib import Path

from rag.errors import IndexExists, IndexingError
from rag.settings import LONGEST_PASSAGE, Settings
from rag.text import NORMALIZATION
from rag.types import IngestReport

from .catalog import FILE_NAME, Catalog
from .chunk import CHUNKER
from .embed import Embedder, SentenceTransformerEmbedder
from .ingest import Ingest, OnProgress, change
from .lock import writer_lock
from .migrate import to_present_layout
from .records import Fingerprint
from .vectors import factory_for
from .windows import WINDOWS


def make(folder: Path, settings: Settings, embedder: Embedder | None) -> Embedder:
    """Make an empty index; the embedder it was made for.

    Raises:
        IndexExists: There is one in the folder already.
        IndexingError: The folder cannot be made or written.
        ModelError: The embedder cannot be loaded.
        SettingsError: FAISS can make no index of the kind that is set.
    """
    _without_index(folder)
    embedder = embedder or SentenceTransformerEmbedder(settings.index.embedder)
    fingerprint = _fingerprint(embedder, settings)
    factory_for(settings.index.vectors, embedder.dimension, 0)  # a slip leaves no empty index
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writer_lock(folder):
            _without_index(folder)  # loading the embedder took seconds
            Catalog.create(folder, fingerprint)
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexingError(f"No index can be made in {folder}: {reason}.") from error
    return embedder


def make_anew(
    folder: Path, settings: Settings, embedder: Embedder | None, on_progress: OnProgress
) -> tuple[Embedder, IngestReport]:
    """Cut and embed anew all that an index holds, in one change.

    Returns:
        The embedder it has now, and what was done.
    """
    catalog = Catalog(folder)
    model = embedder or SentenceTransformerEmbedder(settings.index.embedder)
    fingerprint = _fingerprint(model, settings)
    to_present_layout(catalog)

    def again(ingest: Ingest) -> None:
        ingest.writer.drop_vectors(fingerprint)
        ingest.anew()

    with writer_lock(folder):
        report = change(catalog, lambda: model, fingerprint, settings.index, again, on_progress)
    return model, report


def _fingerprint(embedder: Embedder, settings: Settings) -> Fingerprint:
    most = min(settings.index.passage_tokens or LONGEST_PASSAGE, embedder.max_tokens)
    return Fingerprint(
        embedder.name,
        embedder.dimension,
        NORMALIZATION,
        CHUNKER,
        most,
        WINDOWS if embedder.windows else "",
        settings.index.storage,
    )


def _without_index(folder: Path) -> None:
    if (folder / FILE_NAME).exists():
        raise IndexExists(f"There is an index in {folder} already.", "Open it instead.")
