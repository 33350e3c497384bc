"""The documents tab: what the index holds, adding to it and removing from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.index.exchange import UPLOADS
from rag.index.index import Index
from rag.index.records import Entry
from rag.types import Progress, file_name

from .strings import Strings

# How many of the files that cannot be read are named.
_SKIPPED = 5


def table(entries: Sequence[Entry], texts: Strings) -> dict[str, Any]:
    """What the table of documents shows."""
    rows = [
        {
            "title": entry.title,
            "name": entry.name,
            "language": entry.language,
            "date": entry.published.isoformat() if entry.published else "",
            "passages": entry.passages,
        }
        for entry in entries
    ]
    passages = sum(entry.passages for entry in entries)
    return {
        "columns": [texts[f"column_{n}"] for n in ("document", "language", "date", "passages")],
        "rows": rows,
        "note": texts["holds"].format(documents=len(rows), passages=passages)
        if rows
        else texts["empty_index"],
    }


def choices(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Documents that can be removed: what is shown, and the URI."""
    return [
        (entry.title if entry.title == entry.name else f"{entry.title} ({entry.name})", entry.uri)
        for entry in entries
    ]


def add(
    index: Index,
    uploads: Iterable[str],
    texts: Strings,
    on_progress: Callable[[Progress], None],
) -> str:
    """Keep uploaded files and index them; what became of them, as a text."""
    kept: list[Path] = []
    try:
        try:
            for upload in uploads:
                kept.append(_keep(_folder(index), Path(upload)))  # noqa: PERF401 - may break off
            report = index.add(kept, on_progress)
        finally:
            _drop_unused(index, kept)
    except (RagError, OSError) as error:
        return "⚠ " + texts["not_added"].format(reason=error)
    lines = [
        texts["added"].format(
            added=len(report.added),
            updated=len(report.updated),
            unchanged=len(report.unchanged),
        )
    ]
    lines += ["⚠ " + texts["not_added"].format(reason=one.reason) for one in report.failed]
    lines += ["⚠ " + texts["not_whole"].format(reason=one.reason) for one in report.incomplete]
    if report.skipped:
        names = ", ".join(file_name(uri) for uri in report.skipped[:_SKIPPED])
        more = f", … +{len(report.skipped) - _SKIPPED}" if len(report.skipped) > _SKIPPED else ""
        lines.append("⚠ " + texts["skipped"].format(names=names + more))
    return "\n".join(lines)


def remove(index: Index, uris: Iterable[str], texts: Strings) -> str:
    """Remove documents, and their files where they were uploaded; what was done, as a text."""
    chosen = list(uris)
    if not chosen:
        return texts["nothing_chosen"]
    try:
        removed = index.remove(chosen).removed
        files = {_file_of(uri) for uri in removed}
        _drop_unused(index, [f for f in _folder(index).glob("*") if f.as_uri() in files])
    except RagError as error:
        return f"⚠ {error}"
    return texts["removed"].format(count=len(removed))


def _keep(folder: Path, upload: Path) -> Path:
    """Copy an upload into a folder; a new version of a file replaces the old one."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{upload.name}"
    shutil.copyfile(upload, fresh)
    return fresh.replace(folder / upload.name)


def _drop_unused(index: Index, files: Iterable[Path]) -> None:
    """Delete those of some uploads that no document comes from: itself, or a part of it."""
    used = {_file_of(entry.uri) for entry in index.documents()}
    for file in files:
        if file.as_uri() not in used:
            file.unlink()


def _file_of(uri: str) -> str:
    """The URI of the file that a document is, or is a part of."""
    return uri.partition("#")[0]


def _folder(index: Index) -> Path:
    return Path(os.path.abspath(index.folder / UPLOADS))
