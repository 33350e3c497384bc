"""The index: a folder of documents' passages that can be searched and changed."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rag.errors import (
    DocumentError,
    IndexExists,
    IndexMissing,
    QuestionError,
)
from rag.settings import Settings, load_settings
from rag.text import normalize
from rag.types import Document, Explanation, Hit, IngestReport, PieceMatch
from rag.weighing import Weighing

from .catalog import Catalog
from .discover import Discovery, discover
from .embed import Embedder, embedder_for
from .entailment import entailment_for
from .exchange import export_index, import_index
from .explain import explained
from .fingerprints import mismatch, mismatches
from .ingest import Ingest, OnProgress, change
from .lock import writer_lock
from .making import make, make_anew
from .migrate import to_present_layout
from .mirror import above, look
from .places import PathLike, absolute, named
from .records import Entry, State
from .rerank import reranker_for
from .search import hit
from .selection import Conditions, conditions_of
from .status import facts_of
from .verify import verify
from .views import Views
from .weighing import weighed


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
        self._entailment = entailment_for(self.settings.answer.nli)
        self._changing = threading.RLock()
        self._guard = threading.RLock()
        self._spoken: tuple[State, frozenset[str]] | None = None
        to_present_layout(self._catalog)
        with self._catalog.read() as reader:
            self.fingerprint = reader.fingerprint()
        reranker = reranker_for(self.settings.retrieval.reranker)
        self._views = Views(
            self.folder, self._catalog, self.settings, self.embedder, reranker, self.fingerprint
        )
        for mismatched in mismatches(self.folder, self.fingerprint, self.settings, embedder):
            raise mismatched

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
        settings = settings or load_settings()
        return cls(folder, settings, make(Path(folder), settings, embedder))

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
            pass
        try:
            return cls.create(folder, settings, embedder)
        except IndexExists:  # somebody else was quicker
            return cls.open(folder, settings, embedder)

    @classmethod
    def restore(
        cls,
        file: PathLike,
        folder: PathLike,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> Index:
        """Make an index of a file that ``export`` wrote, in a new or empty folder.

        Raises:
            DocumentError: There is no such file, or it is something else.
            IndexDamaged: The file is not as it was written.
            IndexExists: There is something in the folder already.
            IndexMismatch: The index was made with another embedder; it is there all the same.
        """
        import_index(Path(file), Path(folder))
        return cls(folder, settings, embedder)

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
        model, _ = make_anew(Path(folder), settings, embedder, on_progress)
        return cls(folder, settings, model)

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
        return self._ingest(discover(_listed(paths), self.folder), on_progress)

    def sync(
        self,
        folders: PathLike | Iterable[PathLike],
        on_progress: OnProgress = lambda progress: None,
        *,
        changed: Iterable[PathLike] | None = None,
    ) -> IngestReport:
        """Make the index hold folders as they are now: as ``add``, and deleted files are forgotten.

        It is one change, so a file that moved from one of the folders to another costs nothing.

        Args:
            folders: One or several folders.
            on_progress: Called with every step.
            changed: Where something changed since the last time, if that is known: files and
                folders, also such as are gone. Then nothing else is looked at.

        Raises:
            DocumentError: There is no such folder; nothing is forgotten then.
            IndexLocked: Another process is changing the index.
        """
        listed = _listed(folders)
        for folder in listed:
            if not Path(folder).is_dir():
                raise DocumentError(f"There is no folder {folder}.", "Nothing was changed.")
        places = None if changed is None else [absolute(place) for place in changed]
        seen = look([absolute(folder) for folder in listed], self.folder, places)
        if not seen.places:
            return IngestReport()
        return self._ingest(seen.found, on_progress, seen.gone)

    def remove(self, targets: PathLike | Iterable[PathLike]) -> IngestReport:
        """Forget documents, or all documents of folders, in one change.

        Args:
            targets: One or several of these: a file, a folder, a document's URI, also one as
                ``rag status`` shows it, or a part of a file: ``letters.zip#may/a.eml``.

        Raises:
            DocumentError: The index holds nothing of one of these names; nothing is forgotten.
            IndexLocked: Another process is changing the index.
        """
        with self._catalog.read() as reader:
            known = reader.uris()
        wanted = {named(str(target), known): target for target in _listed(targets)}
        meant = {uri: wanted.keys() & set(above(uri)) for uri in known}
        missing = wanted.keys() - {place for places in meant.values() for place in places}
        for place in missing:
            raise DocumentError(
                f"The index holds no document {wanted[place]}.", "rag status lists them."
            )
        chosen = {uri: known[uri] for uri, places in meant.items() if places}

        def forget(ingest: Ingest) -> None:
            ingest.forget(list(chosen))
            ingest.writer.forget_readings(set(chosen.values()))

        return self._changed(forget, lambda progress: None)

    def _ingest(
        self,
        found: Discovery,
        on_progress: OnProgress,
        gone: Callable[[Iterable[str]], list[str]] = lambda known: [],
    ) -> IngestReport:
        def take_in(ingest: Ingest) -> None:
            ingest.failed.extend(found.failed)
            writer = ingest.writer
            ingest.forget_files(gone({**writer.files(), **writer.readings()}))
            ingest.files(found.files)

        report = self._changed(take_in, on_progress)
        skipped = tuple(path.as_uri() for path in found.skipped)
        return replace(report, skipped=(*skipped, *report.skipped))

    def _changed(self, what: Callable[[Ingest], None], on_progress: OnProgress) -> IngestReport:
        def checked(ingest: Ingest) -> None:
            self._views.check(ingest.writer)
            what(ingest)

        with self._changing, writer_lock(self.folder):
            return change(
                self._catalog,
                self.embedder,
                self.fingerprint,
                self.settings.index,
                checked,
                on_progress,
            )

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
        folder: PathLike | None = None,
    ) -> list[Hit]:
        """The passages that fit a question best, best first.

        Args:
            question: A question or some words.
            k: How many at most; the setting ``retrieval.k`` if left out.
            language: Only documents in this language, ISO 639-1.
            since: Only documents published on this day or later.
            until: Only documents published on this day or earlier.
            source: Only documents whose URI or title holds this text.
            folder: Only documents in this folder, or this archive.

        Raises:
            QuestionError: The question is empty.
        """
        question = normalize(question)
        if k is not None and k < 1:
            raise QuestionError(f"{k} passages cannot be found.", "Ask for one or more.")
        if not question.strip():
            raise QuestionError("The question is empty.", "Write what you want to know.")
        with self._views.open() as (reader, search):
            conditions = conditions_of(language, since, until, source, folder)
            ranked = search.ranked(question, k or self.settings.retrieval.k, conditions)
            passages = reader.passages([found.passage_id for found in ranked])
        scores = {found.passage_id: found for found in ranked}
        return [hit(document, passage, scores[passage.id]) for passage, document in passages]

    def explain(
        self,
        question: str,
        hit: Hit,
        *,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        folder: PathLike | None = None,
    ) -> Explanation:
        """Why ``search`` found a passage, asked as it was: the same question, the same filters.

        Raises:
            DocumentError: The index holds the passage no more.
        """
        conditions = conditions_of(language, since, until, source, folder)
        with self._views.open() as (_, search):
            return explained(search, normalize(question), hit, conditions)

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """How well each of some texts answers a question, on the scale of ``search``.

        Returns:
            For each text its lexical and its dense share, each in [0, 1]. The lexical one is
            the share of the question's words, weighed by how rare they are in this index,
            that stand in the text.
        """
        with self._views.open() as (_, search):
            return search.evidence(question, texts)

    def aligned(self, sentence: str, texts: Sequence[str]) -> list[list[PieceMatch]]:
        """The pieces of a sentence in order, each with the nearest piece of each text.

        Returns:
            A list for each text, of the same pieces; empty ones with an embedder that has no
            vectors of pieces.
        """
        with self._views.open() as (_, search):
            return (
                search.alignment.aligned(sentence, texts) if search.alignment else [[]] * len(texts)
            )

    def entailed(self, sentence: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """How surely each text entails a sentence, and contradicts it; none without a model.

        Raises:
            ModelError: The model that ``answer.nli`` names cannot be used.
        """
        return self._entailment.entailed(sentence, texts) if self._entailment else []

    def corrected(self, question: str) -> str:
        """A question as it was probably meant: with its diacritics, and its words spelled as here."""
        with self._views.open() as (_, search):
            return search.corrected(normalize(question))

    def weigh(self, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
        """What texts have for each word and piece of some questions, or parts of one."""
        with self._views.open() as (_, search):
            return weighed(search, questions, texts)

    def documents(
        self,
        *,
        language: str | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        folder: PathLike | None = None,
    ) -> list[Entry]:
        """What the index holds, by URI, without the texts; narrowed as ``search`` is."""
        conditions = conditions_of(language, since, until, source, folder)
        with self._catalog.read() as reader:
            entries = reader.entries()
            if conditions == Conditions():
                return entries
            chosen = {span.document for span in reader.matching(**asdict(conditions))}
            return [entry for entry in entries if entry.id in chosen]

    def excerpts(self, uris: Sequence[str], most: int) -> list[Hit]:
        """Passages that lie evenly in documents, as hits that were found for no question.

        Args:
            uris: Documents; those that are gone are left out.
            most: How many passages of each at most, the first one always among them.
        """
        with self._catalog.read() as reader:
            known = [found for uri in uris if (found := reader.find(uri)) is not None]
            chosen = [one for document in known for one in reader.spread(document, most)]
            return [
                Hit(document, passage, score=1.0, lexical=0.0, dense=0.0)
                for passage, document in reader.passages(chosen)
            ]

    def languages(self) -> frozenset[str]:
        """The languages of the documents, ISO 639-1."""
        with self._catalog.read() as reader:
            state = reader.state()
            if self._spoken is None or self._spoken[0] != state:
                self._spoken = state, frozenset(reader.languages())
            return self._spoken[1]

    def document(self, uri: str) -> Document:
        """One document with its text.

        Raises:
            DocumentError: The index holds none with this URI.
        """
        with self._catalog.read() as reader:
            identifier = reader.find(uri)
            if identifier is None:
                raise DocumentError(f"The index holds no document {uri}.", "rag status lists them.")
            return reader.documents([identifier])[identifier]

    def status(self) -> dict[str, Any]:
        """Documents, passages, languages, size on disk in bytes, embedder and revision."""
        return facts_of(self._catalog, self.folder)

    def export(self, file: PathLike) -> None:
        """Write the whole index as one file, which ``restore`` reads on any machine.

        Raises:
            IndexingError: There is such a file already, or it cannot be written.
        """
        export_index(self._catalog, Path(file))

    def verify(self) -> list[str]:
        """Read everything, and compare it with its checksums and with each other.

        Returns:
            What is wrong, in plain sentences; nothing where all is well.
        """
        return verify(self._catalog, self.folder)

    def embedder(self) -> Embedder:
        """The embedder, loaded when it is first needed.

        Raises:
            ModelError: It cannot be loaded.
            IndexMismatch: It is another model by now.
        """
        with self._guard:
            if self._embedder is None:
                made = self.fingerprint.dimension
                loaded = embedder_for(self.settings, made)
                if loaded.dimension != made:
                    raise mismatch(self.folder, "dimension", made, loaded.dimension)
                self._embedder = loaded
            return self._embedder


def _listed(paths: PathLike | Iterable[PathLike]) -> list[PathLike]:
    return [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
