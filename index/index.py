"""The index: a folder of documents' passages that can be searched and changed."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import (
    DocumentError,
    IndexExists,
    IndexingError,
    IndexLocked,
    IndexMismatch,
    IndexMissing,
    QuestionError,
)
from rag.settings import Settings, load_settings
from rag.types import Document, Hit, IngestReport, Progress

from . import derived
from .catalog import FILE_NAME, Catalog, Entry, Fingerprint, vectors_from
from .chunk import CHUNKER
from .embed import Embedder, SentenceTransformerEmbedder
from .ingest import Ingest, OnProgress
from .load import discover
from .search import Search

PathLike = str | os.PathLike[str]


class Index:
    """A searchable index of documents, in a folder.

    Use ``open``, ``create`` or ``open_or_create``. One index may be used by many threads and
    searched by many processes; changes are made by one process at a time.

    Args:
        folder: The index's folder.
        settings: Settings; read from files and the environment if left out.
        embedder: An embedder to use in place of the one that the settings name.
    """

    def __init__(
        self,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.settings = settings or load_settings()
        self._catalog = Catalog(self.folder)
        self._embedder = embedder
        self._guard = threading.RLock()
        self._last: derived.Snapshot | None = None
        with self._catalog.read() as reader:
            self.fingerprint = reader.fingerprint()
        wanted = embedder.name if embedder else self.settings.index.embedder
        if wanted != self.fingerprint.embedder:
            raise IndexMismatch(
                f"The index in {self.folder} was made with the embedder "
                f"{self.fingerprint.embedder!r}, not {wanted!r}.",
                f"Use --set index.embedder={self.fingerprint.embedder}, or embed it anew: "
                f"rag index --re-embed --set index.embedder={wanted}.",
            )

    @classmethod
    def open(
        cls,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> Index:
        """Open an index that exists.

        Raises:
            IndexMissing: There is none in the folder.
            IndexMismatch: It was made with another embedder, or by another version.
            IndexDamaged: Its catalog cannot be read.
        """
        return cls(folder, settings, embedder)

    @classmethod
    def create(
        cls,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> Index:
        """Make an empty index.

        Raises:
            IndexExists: There is one in the folder already.
            IndexingError: The folder cannot be made or written.
            ModelError: The embedder cannot be loaded.
        """
        path = Path(folder)
        settings = settings or load_settings()
        if (path / FILE_NAME).exists():
            raise IndexExists(f"There is an index in {path} already.", "Open it instead.")
        embedder = embedder or SentenceTransformerEmbedder(settings.index.embedder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            Catalog.create(path, _fingerprint(embedder, settings))
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexingError(f"No index can be made in {path}: {reason}.") from error
        return cls(path, settings, embedder)

    @classmethod
    def open_or_create(
        cls,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> Index:
        """Open the index in a folder, or make one where there is none."""
        try:
            return cls.open(folder, settings, embedder)
        except IndexMissing:
            return cls.create(folder, settings, embedder)

    @classmethod
    def re_embed(
        cls,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        on_progress: OnProgress = lambda progress: None,
    ) -> Index:
        """Cut and embed all documents of an index anew, from the texts that the catalog keeps.

        This is how an index changes its embedder. Until it is done, and if it fails, the
        index stays as it was.
        """
        settings = settings or load_settings()
        catalog = Catalog(Path(folder))
        embedder = embedder or SentenceTransformerEmbedder(settings.index.embedder)
        fingerprint = _fingerprint(embedder, settings)
        with _writer_lock(Path(folder)):
            with catalog.write() as writer:
                documents, hashes = writer.all_documents(), writer.hashes()
                writer.replace_fingerprint(fingerprint)
                model = embedder
                ingest = Ingest(
                    writer,
                    lambda: model,
                    fingerprint.passage_tokens,
                    settings.index.batch_size,
                    on_progress,
                )
                ingest.documents(documents, hashes)
            derived.build(catalog, Path(folder))
        return cls(folder, settings, embedder)

    # -- changing ---------------------------------------------------------------------------

    def add(
        self,
        paths: PathLike | Iterable[PathLike],
        on_progress: OnProgress = lambda progress: None,
    ) -> IngestReport:
        """Add files and folders; files whose content is indexed already cost nothing.

        Args:
            paths: Files and folders.
            on_progress: Called with every step.

        Returns:
            What became of each file. One that cannot be read is in ``failed`` with the
            reason and stops no other.

        Raises:
            IndexLocked: Another process is changing the index.
        """
        return self._ingest(_listed(paths), on_progress, mirror=False)

    def sync(
        self, folder: PathLike, on_progress: OnProgress = lambda progress: None
    ) -> IngestReport:
        """Make the index hold a folder as it is now: as ``add``, and deleted files are forgotten.

        Raises:
            DocumentError: There is no such folder; nothing is forgotten then.
        """
        if not Path(folder).is_dir():
            raise DocumentError(f"There is no folder {folder}.", "Nothing was changed.")
        return self._ingest([folder], on_progress, mirror=True)

    def remove(self, target: PathLike) -> IngestReport:
        """Forget a document, or all documents of a folder.

        Args:
            target: A file, a folder, or a document's URI.

        Raises:
            DocumentError: The index holds nothing of that name.
        """
        given = str(target)
        uri = given if "://" in given else Path(os.path.abspath(given)).as_uri()
        with self._catalog.read() as reader:
            known = [entry.uri for entry in reader.entries()]
        chosen = [one for one in known if one == uri or one.startswith(uri.rstrip("/") + "/")]
        if not chosen:
            raise DocumentError(f"The index holds no document {given}.", "rag status lists them.")
        return self._changed(lambda ingest: ingest.forget(chosen), lambda progress: None)

    def _ingest(
        self, paths: Sequence[PathLike], on_progress: OnProgress, *, mirror: bool
    ) -> IngestReport:
        found = discover(paths)

        def change(ingest: Ingest) -> None:
            ingest.failed.extend(found.failed)
            if mirror:
                root = Path(os.path.abspath(paths[0])).as_uri().rstrip("/") + "/"
                present = {file.as_uri() for file in found.files}
                known = ingest.writer.hashes()
                ingest.forget([u for u in known if u.startswith(root) and u not in present])
            ingest.files(found.files)

        report = self._changed(change, on_progress)
        return _with_skipped(report, tuple(path.as_uri() for path in found.skipped))

    def _changed(self, change: Callable[[Ingest], None], on_progress: OnProgress) -> IngestReport:
        """Run a change in one transaction, then bring the derived files to its revision."""
        with self._guard, _writer_lock(self.folder):
            before = self._snapshot(repair=True)
            with self._catalog.write() as writer:
                ingest = Ingest(
                    writer,
                    self.embedder,
                    self.fingerprint.passage_tokens,
                    self.settings.index.batch_size,
                    on_progress,
                )
                change(ingest)
            if writer.changed:
                on_progress(Progress("index", 0, 1))
                self._last = self._follow(before, writer.removed, writer.added)
                on_progress(Progress("index", 1, 1))
        return ingest.report()

    def _follow(
        self, before: derived.Snapshot, removed: Sequence[int], added: Sequence[int]
    ) -> derived.Snapshot:
        with self._catalog.read() as reader:
            revision = reader.revision()
            rows = list(reader.stored_passages(added))
        texts = [(identifier, text) for identifier, text, _ in rows]
        vectors = vectors_from([blob for _, _, blob in rows], self.fingerprint.dimension)
        return derived.change(self.folder, before, revision, removed, texts, vectors)

    # -- reading ----------------------------------------------------------------------------

    def search(
        self,
        question: str,
        k: int | None = None,
        *,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
    ) -> list[Hit]:
        """The passages that fit a question best, best first.

        Args:
            question: A question or some words.
            k: How many at most; the setting ``retrieval.passages`` if left out.
            language: Only documents in this language, ISO 639-1.
            since: Only documents published on this day or later.
            until: Only documents published on this day or earlier.
            source: Only documents whose URI or title holds this text.

        Raises:
            QuestionError: The question is empty.
        """
        if not question.strip():
            raise QuestionError("The question is empty.", "Write what you want to know.")
        allowed = None
        if language or since or until or source:
            with self._catalog.read() as reader:
                allowed = reader.matching(language, since, until, source)
        ranked = self._search().ranked(question, k or self.settings.retrieval.passages, allowed)
        with self._catalog.read() as reader:
            passages = reader.passages([found.passage_id for found in ranked])
        scores = {found.passage_id: found for found in ranked}
        return [
            Hit(document, passage, (s := scores[passage.id]).score, s.lexical, s.dense)
            for passage, document in passages
        ]

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """How well each of some texts answers a question, on the scale of ``search``.

        Returns:
            For each text its lexical and its dense share, each in [0, 1]. The lexical one is
            the share of the question's words, weighed by how rare they are in this index,
            that stand in the text.
        """
        return self._search().evidence(question, texts)

    def documents(self) -> list[Entry]:
        """What the index holds, by URI, without the texts."""
        with self._catalog.read() as reader:
            return reader.entries()

    def document(self, uri: str) -> Document:
        """One document with its text.

        Raises:
            DocumentError: The index holds none with this URI.
        """
        with self._catalog.read() as reader:
            ids = [entry.id for entry in reader.entries() if entry.uri == uri]
            found = reader.documents(ids)
        if not found:
            raise DocumentError(f"The index holds no document {uri}.", "rag status lists them.")
        return found[ids[0]]

    def status(self) -> dict[str, Any]:
        """Documents, passages, languages, size on disk in bytes, embedder and revision."""
        with self._catalog.read() as reader:
            entries, revision = reader.entries(), reader.revision()
            passages = reader.count_passages()
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            "folder": str(self.folder),
            "documents": len(entries),
            "passages": passages,
            "languages": sorted({entry.language for entry in entries}),
            "bytes": sum(path.stat().st_size for path in files),
            "embedder": self.fingerprint.embedder,
            "dimension": self.fingerprint.dimension,
            "passage_tokens": self.fingerprint.passage_tokens,
            "revision": revision,
        }

    def embedder(self) -> Embedder:
        """The embedder, loaded when it is first needed.

        Raises:
            ModelError: It cannot be loaded.
        """
        with self._guard:
            if self._embedder is None:
                self._embedder = SentenceTransformerEmbedder(self.fingerprint.embedder)
            return self._embedder

    def _search(self) -> Search:
        snapshot = self._snapshot(repair=False)
        return Search(snapshot, self.embedder(), self.settings.retrieval)

    def _snapshot(self, *, repair: bool) -> derived.Snapshot:
        """The derived indexes at the catalog's revision.

        Args:
            repair: Whether the caller holds the writer lock. Otherwise files that are behind
                are repaired if no one else is writing, and else made in memory.
        """
        with self._catalog.read() as reader:
            revision, passages = reader.revision(), reader.count_passages()
        with self._guard:
            if self._last is None or self._last.revision != revision:
                self._last = derived.read(self.folder, revision, passages)
            if self._last is None and repair:
                self._last = derived.build(self._catalog, self.folder)
            if self._last is None:
                try:
                    with _writer_lock(self.folder):
                        self._last = derived.build(self._catalog, self.folder)
                except IndexLocked:
                    self._last = derived.build(self._catalog)
            return self._last


def _fingerprint(embedder: Embedder, settings: Settings) -> Fingerprint:
    most = settings.index.passage_tokens or embedder.max_tokens
    return Fingerprint(embedder.name, embedder.dimension, CHUNKER, min(most, embedder.max_tokens))


def _listed(paths: PathLike | Iterable[PathLike]) -> list[PathLike]:
    return [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)


def _with_skipped(report: IngestReport, skipped: tuple[str, ...]) -> IngestReport:
    import dataclasses

    return dataclasses.replace(report, skipped=skipped)


@contextmanager
def _writer_lock(folder: Path) -> Iterator[None]:
    """Hold the right to change an index; the file beside the lock names the holder."""
    from filelock import FileLock, Timeout

    holder = folder / "writer.json"
    lock = FileLock(folder / "writer.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise IndexLocked(
            f"The index in {folder} is being changed by {_holder(holder)}.",
            "Wait until it is done, then try again.",
            retry=True,
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexingError(f"The index in {folder} cannot be changed: {reason}.") from error
    try:
        holder.write_text(json.dumps({"process": os.getpid()}), "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return f"process {int(json.loads(path.read_text('utf-8'))['process'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
