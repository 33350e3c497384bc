"""Changing an index: what is new is read, cut, embedded and written in one transaction.

First every file is read and cut, and what has no vector yet is set aside; then that is
embedded, the shortest passages first, so that neighbours in a batch waste no work on padding
and it is known how much is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path

import numpy as np

from rag.errors import DocumentError
from rag.settings import IndexSettings
from rag.types import Document, Failure, IngestReport, Progress

from . import derived
from .cache import EmbeddingCache
from .catalog import Catalog
from .changes import Writer
from .chunk import chunk
from .embed import Embedder
from .load import load, read_bytes
from .reading import Reading, present_readers
from .records import Fingerprint, content_hash
from .storage import encoded
from .windows import windows

OnProgress = Callable[[Progress], None]

# Said of a file that was read before and cannot be now.
_STAYS = " What it held before stays in the index until it is removed."

# Embeddings are kept for a next attempt this often; each time costs the disk a few milliseconds.
_SECONDS_BETWEEN_KEEPING = 1.0


def change(
    catalog: Catalog,
    embedder: Callable[[], Embedder],
    fingerprint: Fingerprint,
    settings: IndexSettings,
    what: Callable[[Ingest], None],
    on_progress: OnProgress,
) -> IngestReport:
    """Change an index: everything happens at once, or, on any error, nothing.

    The caller holds the index's writer lock.

    Args:
        catalog: The index's catalog.
        embedder: Gives passages their vectors; called when it is first needed.
        fingerprint: What vectors and passages depend on after the change.
        settings: The group ``index``.
        what: Does the change, short of embedding.
        on_progress: Told about every step.

    Raises:
        IndexingError: Something cannot be written.
    """
    folder = catalog.path.parent
    cache = EmbeddingCache(folder, fingerprint)
    with catalog.write() as writer:
        before = writer.state()
        ingest = Ingest(writer, cache, embedder, fingerprint, settings.batch_size, on_progress)
        what(ingest)
        ingest.embed()
        if writer.changed:
            on_progress(Progress("index", 0, 1))
            writer.finish(keep=cache.room)
            # Ready before the commit, so that no reader ever waits for them.
            since = None if writer.renewed else before
            derived.publish(folder, writer, since, writer.removed, settings.vectors)
    if writer.changed:
        with catalog.read() as reader:
            derived.sweep(folder, reader.state())
        cache.settle(writer.dropped)
        on_progress(Progress("index", 1, 1))
    return ingest.report()


@dataclass
class Ingest:
    """One change of an index, inside one transaction.

    Args:
        writer: The open transaction.
        cache: Embeddings that need not be made again.
        embedder: Gives passages their vectors.
        fingerprint: What vectors and passages depend on.
        batch_size: How many passages are embedded at a time.
        on_progress: Told about every document and every batch.
    """

    writer: Writer
    cache: EmbeddingCache
    embedder: Callable[[], Embedder]
    fingerprint: Fingerprint
    batch_size: int
    on_progress: OnProgress
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    incomplete: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    passages: int = 0
    embedded: int = 0
    readers: str = field(default_factory=present_readers)

    def files(self, paths: Sequence[Path]) -> None:
        """Add new files and those that have changed; a bad one is noted and stops no other."""
        hashes, readings = self.writer.files(), self.writer.readings()
        for number, path in enumerate(paths):
            self.on_progress(Progress("documents", number, len(paths), path.name))
            try:
                self._file(path, hashes.get(path.as_uri()), readings.get(path.as_uri()))
            except DocumentError as error:
                stays = _STAYS if path.as_uri() in hashes else ""
                self.failed.append(Failure(path.as_uri(), f"{error}{stays}"))
        self.on_progress(Progress("documents", len(paths), len(paths)))

    def anew(self) -> None:
        """Cut all documents anew that the catalog holds, from the texts it keeps."""
        self.cache.forget_dropped()  # under the same name there may be another model now
        total, _ = self.writer.counts()
        for number, (document, file, file_hash) in enumerate(self.writer.sources()):
            self.on_progress(Progress("documents", number, total, document.name))
            self._put(document, file_hash, file)
            self.updated.append(document.uri)
        self.on_progress(Progress("documents", total, total))

    def forget(self, uris: Sequence[str]) -> None:
        """Remove documents."""
        self.removed.extend(uri for uri in uris if self.writer.forget(uri))

    def forget_files(self, files: Sequence[str]) -> None:
        """Remove all documents of some files, and what is known of those."""
        for file in files:
            self.forget(self.writer.documents_of(file))
        self.writer.forget_readings(files)

    def embed(self) -> None:
        """Give vectors to every passage that has none."""
        total = self.writer.count_waiting()
        if not total:
            return
        embedder = self.embedder()
        kept = _Keeper(self.cache)
        waiting, done = self.writer.waiting(), 0
        try:
            self.on_progress(Progress("passages", 0, total))
            while batch := list(islice(waiting, self.batch_size)):
                self._store(batch, embedder, kept)
                done += len(batch)
                self.on_progress(Progress("passages", done, total))
        finally:
            kept.flush()

    def report(self) -> IngestReport:
        """What was done."""
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            removed=tuple(self.removed),
            failed=tuple(self.failed),
            incomplete=tuple(self.incomplete),
            skipped=tuple(self.skipped),
            passages=self.passages,
            embedded=self.embedded,
        )

    def _file(self, path: Path, known_hash: bytes | None, known: Reading | None) -> None:
        file = path.as_uri()
        content = read_bytes(path)
        file_hash = content_hash(content)
        before = self.writer.documents_of(file) if known_hash else []
        same = file_hash == known_hash
        if known and known.holds(file_hash, self.readers):
            self._tell(known)
            self.unchanged.extend(before if same else ())
            return
        try:
            loaded = load(path, content)
        except DocumentError as error:  # what is known of it from before stays
            why = f"{error}{_STAYS if before else ''}"
            reading = Reading(file_hash, self.readers, (Failure(file, why),))
            self._tell(reading, file)
            return
        now = {document.uri for document in loaded.documents}
        self.forget([uri for uri in before if uri not in now])
        for document in loaded.documents:
            if same and document.uri in before and self.writer.holds(document):
                self.unchanged.append(document.uri)
                continue
            self._put(document, file_hash, file)
            (self.updated if document.uri in before else self.added).append(document.uri)
        troubles = (tuple(loaded.failed), tuple(loaded.incomplete), tuple(loaded.skipped))
        self._tell(Reading(file_hash, self.readers, *troubles), file)

    def _tell(self, reading: Reading, file: str | None = None) -> None:
        """Report what a reading came to, and note it for the next time if it is a new one."""
        self.failed.extend(reading.failed)
        self.incomplete.extend(reading.incomplete)
        self.skipped.extend(reading.skipped)
        if file:
            self.writer.note(file, reading)

    def _put(self, document: Document, file_hash: bytes, file: str) -> None:
        passages = chunk(document, self.embedder().count_tokens, self.fingerprint.passage_tokens)
        self.writer.put(document, file_hash, passages, file)
        self.passages += len(passages)

    def _store(
        self,
        batch: Sequence[tuple[bytes, str, str]],
        embedder: Embedder,
        kept: _Keeper,
    ) -> None:
        """Store the vectors of a batch: those kept from before, and the others embedded now."""
        known = self.cache.get([content for content, _, _ in batch])
        missing = [waiting for waiting in batch if waiting[0] not in known]
        if known:
            self.writer.store_vectors(list(known), list(known.values()))
        if missing:
            contents = [content for content, _, _ in missing]
            vectors = self._embedded([waiting[1:] for waiting in missing], embedder)
            self.writer.store_vectors(contents, vectors)
            self.embedded += len(missing)
            kept.keep(contents, vectors)

    def _embedded(self, passages: Sequence[tuple[str, str]], embedder: Embedder) -> list[bytes]:
        """The vectors of passages, each a text and its language, as the catalog stores them."""
        parts = [
            [text[start:end] for start, end in windows(text, language)]
            if self.fingerprint.windows
            else [text]
            for text, language in passages
        ]
        matrix = embedder.embed([part for of_one in parts for part in of_one])
        ends = list(accumulate(len(of_one) for of_one in parts))
        return [encoded(rows, self.fingerprint.storage) for rows in np.split(matrix, ends[:-1])]


@dataclass
class _Keeper:
    """Hands embeddings to the cache, now and then."""

    cache: EmbeddingCache
    contents: list[bytes] = field(default_factory=list)
    vectors: list[bytes] = field(default_factory=list)
    last: float = field(default_factory=time.monotonic)

    def keep(self, contents: Sequence[bytes], vectors: Sequence[bytes]) -> None:
        self.contents.extend(contents)
        self.vectors.extend(vectors)
        if time.monotonic() - self.last > _SECONDS_BETWEEN_KEEPING:
            self.flush()

    def flush(self) -> None:
        if self.contents:
            self.cache.put(self.contents, self.vectors)
        self.contents, self.vectors, self.last = [], [], time.monotonic()
