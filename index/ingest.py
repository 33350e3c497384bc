"""Changing an index: what is new is read, cut, embedded and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import DocumentError
from rag.types import Document, Failure, IngestReport, Passage, Progress

from .chunk import chunk
from .embed import Embedder
from .load import load, read_bytes
from .records import Writer, content_hash

OnProgress = Callable[[Progress], None]

# Documents held in memory at a time. Embedding sorts passages by length within a group.
_GROUP = 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that has been read and cut, and the hash of the file it came from."""

    document: Document
    file_hash: bytes
    passages: tuple[Passage, ...]


@dataclass
class Ingest:
    """One change of an index, inside one transaction.

    Args:
        writer: The open transaction.
        embedder: Gives passages their vectors.
        passage_tokens: The most tokens a passage may have.
        batch_size: How many passages are embedded at a time.
        on_progress: Told about every document and every batch.
    """

    writer: Writer
    embedder: Callable[[], Embedder]
    passage_tokens: int
    batch_size: int
    on_progress: OnProgress
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    passages: int = 0
    embedded: int = 0

    def files(self, paths: Sequence[Path]) -> None:
        """Add new files and those that have changed; a bad one is noted and stops no other."""
        known = self.writer.hashes()
        for first in range(0, len(paths), _GROUP):
            group: list[Prepared] = []
            for number, path in enumerate(paths[first : first + _GROUP], start=first):
                self.on_progress(Progress("documents", number, len(paths), path.name))
                group.extend(self._prepared(path, known.get(path.as_uri())))
            self._put(group)
        self.on_progress(Progress("documents", len(paths), len(paths)))

    def documents(self, documents: Sequence[Document], hashes: dict[str, bytes]) -> None:
        """Cut and embed documents anew that the catalog holds already."""
        for first in range(0, len(documents), _GROUP):
            group = documents[first : first + _GROUP]
            self._put([self._cut(document, hashes[document.uri]) for document in group])
            self.updated.extend(document.uri for document in group)
            done = min(first + _GROUP, len(documents))
            self.on_progress(Progress("documents", done, len(documents)))

    def forget(self, uris: Sequence[str]) -> None:
        """Remove documents."""
        self.removed.extend(uri for uri in uris if self.writer.forget(uri))

    def report(self) -> IngestReport:
        """What was done."""
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            removed=tuple(self.removed),
            failed=tuple(self.failed),
            passages=self.passages,
            embedded=self.embedded,
        )

    def _prepared(self, path: Path, known_hash: bytes | None) -> Iterator[Prepared]:
        uri = path.as_uri()
        try:
            content = read_bytes(path)
            file_hash = content_hash(content)
            if file_hash == known_hash:
                self.unchanged.append(uri)
                return
            yield self._cut(load(path, content), file_hash)
        except DocumentError as error:
            self.failed.append(Failure(uri, str(error)))
            return
        (self.added if known_hash is None else self.updated).append(uri)

    def _cut(self, document: Document, file_hash: bytes) -> Prepared:
        passages = chunk(document, self.embedder().count_tokens, self.passage_tokens)
        return Prepared(document, file_hash, tuple(passages))

    def _put(self, group: Sequence[Prepared]) -> None:
        texts = {
            content_hash(passage.text): passage.text for item in group for passage in item.passages
        }
        missing = self.writer.missing_vectors(texts)
        # Neighbours of equal length waste no work on padding.
        waiting = sorted(missing, key=lambda content: len(texts[content]))
        for first in range(0, len(waiting), self.batch_size):
            batch = waiting[first : first + self.batch_size]
            vectors = self.embedder().embed([texts[content] for content in batch])
            self.writer.store_vectors(batch, vectors)
            self.embedded += len(batch)
            self.on_progress(Progress("passages", first + len(batch), len(waiting)))
        for item in group:
            self.writer.put(item.document, item.file_hash, item.passages)
            self.passages += len(item.passages)
