"""What an index is and holds, read from its catalog alone: nothing is loaded, nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.settings import Settings

from .catalog import Catalog
from .embed import described
from .fingerprints import mismatches
from .migrate import to_present_layout
from .records import Entry
from .verify import size_on_disk, verify


@dataclass(frozen=True, slots=True)
class Status:
    """An index that need not fit the settings.

    ``facts`` are as ``facts_of`` gives them, with what the embedder is in plain words and, where
    the settings want another, the storage that embedding anew would give it;
    ``entries`` are the documents without their texts; ``mismatch`` says why the index cannot be
    opened with these settings, and is empty where it can; ``problems`` is what is damaged, if
    that was asked.
    """

    facts: dict[str, Any]
    entries: list[Entry]
    mismatch: str
    problems: list[str]


def status_of(folder: Path, settings: Settings, *, verified: bool = False) -> Status:
    """The status of the index in a folder.

    Args:
        folder: The index's folder.
        settings: What it would be opened with.
        verified: Whether everything is read and compared with its checksums.

    Raises:
        IndexMissing: There is none in the folder.
        IndexDamaged: Its catalog cannot be read.
        IndexMismatch: Its layout is not one that this version knows.
    """
    catalog = Catalog(folder)
    to_present_layout(catalog)
    with catalog.read() as reader:
        entries, fingerprint = reader.entries(), reader.fingerprint()
    facts = facts_of(catalog, folder)
    name = facts.pop("embedder")
    told = {"embedder": name, "embedder_is": described(name, settings.embedding)}
    if facts["storage"] != settings.index.storage:
        told["storage_set"] = f"{settings.index.storage}, once the index is embedded anew"
    differs = next(mismatches(folder, fingerprint, settings), "")
    problems = verify(catalog, folder) if verified else []
    return Status({**facts, **told}, entries, str(differs), problems)


def facts_of(catalog: Catalog, folder: Path) -> dict[str, Any]:
    """Documents, passages, languages, size on disk in bytes, embedder and revision."""
    with catalog.read() as reader:
        (documents, passages), revision = reader.counts(), reader.state().revision
        languages, fingerprint = reader.languages(), reader.fingerprint()
    return {
        "folder": str(folder),
        "documents": documents,
        "passages": passages,
        "languages": languages,
        "bytes": size_on_disk(folder),
        "embedder": fingerprint.embedder,
        "dimension": fingerprint.dimension,
        "passage_tokens": fingerprint.passage_tokens,
        "windows": fingerprint.windows,
        "storage": fingerprint.storage,
        "revision": revision,
    }
