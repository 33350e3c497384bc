"""One file that holds a whole index, to keep or to take to another machine.

It is a zip archive: the catalog at one revision, the files that were uploaded into the index,
and ``manifest.json`` with the size and checksum of each. The search files are not in it: they
derive from the catalog and are made anew, without embedding anything. Reading one makes an
index only if all of it is as it was written; nothing in it is ever run or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rag.errors import DocumentError, IndexDamaged, IndexExists, IndexingError, IndexMismatch

from . import derived
from .catalog import FILE_NAME, Catalog
from .lock import scratch_folder
from .migrate import to_present_layout

# Where files that came without a place of their own are kept, inside the index's folder.
UPLOADS = "uploaded"

_FORMAT = 1
_MANIFEST = "manifest.json"
_MANIFEST_BYTES = 64 * 2**20
_BLOCK = 2**20


def export_index(catalog: Catalog, file: Path) -> None:
    """Write an index as one archive; it appears under its name only when it is whole.

    Args:
        catalog: The index's catalog; somebody may be changing it meanwhile.
        file: The archive, which must not exist.

    Raises:
        IndexingError: The archive exists already or cannot be written.
        IndexDamaged: The catalog cannot be read.
    """
    folder = catalog.path.parent
    if file.exists():
        raise IndexingError(f"There is a file {file} already.", "Name another or delete it.")
    try:
        with scratch_folder(file.absolute().parent, ".export-") as scratch:
            copy, archive = scratch / FILE_NAME, scratch / "archive"
            catalog.copy_to(copy)
            _write(archive, {FILE_NAME: copy, **_uploads(folder)}, folder)
            archive.rename(file)
            _to_disk(file.absolute().parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexingError(f"{file} cannot be written: {reason}.") from error


def import_index(file: Path, folder: Path) -> None:
    """Make an index of an archive; it appears in its folder only when it is whole.

    Args:
        file: An archive that ``export_index`` wrote.
        folder: A folder that does not exist yet or is empty.

    Raises:
        DocumentError: There is no such file, or it is no such archive.
        IndexDamaged: It is not as it was written.
        IndexExists: There is something in the folder already.
        IndexingError: The folder cannot be written.
        IndexMismatch: A later version of the program wrote it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise IndexExists(f"There is something in {folder} already.", "Name another folder.")
    try:
        place = folder.absolute().parent
        place.mkdir(parents=True, exist_ok=True)
        with _opened(file) as archive, scratch_folder(place, ".import-") as scratch:
            made = scratch / "index"
            made.mkdir()
            _read(archive, made, folder)
            for path in (*made.rglob("*"), made):
                _to_disk(path)
            if folder.exists():
                folder.rmdir()
            made.rename(folder)
            _to_disk(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexingError(f"No index can be made in {folder}: {reason}.") from error


def _uploads(folder: Path) -> dict[str, Path]:
    place = folder / UPLOADS
    files = sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in files}


def _write(archive: Path, files: dict[str, Path], folder: Path) -> None:
    # Level 1: texts shrink to a third; vectors hardly shrink at any level.
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
        about = {}
        for name, path in files.items():
            with path.open("rb") as source, written.open(name, "w", force_zip64=True) as target:
                size, checksum = _copied(source, target)
            about[name] = {"size": size, "sha256": checksum}
        manifest = {"format": _FORMAT, "folder": _uri(folder), "files": about}
        written.writestr(_MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
    _to_disk(archive)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise DocumentError(f"There is no file {file}.")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(file, str(error)) from error


def _read(archive: zipfile.ZipFile, scratch: Path, folder: Path) -> None:
    """Unpack an archive into a scratch folder, and make the index there that it holds."""
    file = Path(archive.filename or "")
    manifest = _manifest(archive, file)
    for name, about in manifest["files"].items():
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, target.open("xb") as written:
            if _copied(source, written, about["size"]) != (about["size"], about["sha256"]):
                raise _damaged(file, f"{name} is not what was written")
    catalog = Catalog(scratch)
    to_present_layout(catalog)
    if manifest["folder"] != _uri(folder):
        with catalog.write() as writer:
            writer.relocate(f"{manifest['folder']}/{UPLOADS}/", f"{_uri(folder)}/{UPLOADS}/")
    with catalog.read() as reader:
        for problem in reader.problems():
            raise _damaged(file, problem)
        derived.build(reader, scratch)


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    """What an archive says of itself, if all that it names is there and may be unpacked."""
    try:
        if archive.getinfo(_MANIFEST).file_size > _MANIFEST_BYTES:
            raise _damaged(file, "its manifest is too long")
        manifest = json.loads(archive.read(_MANIFEST))
        version, files = manifest["format"], manifest["files"]
        if version != _FORMAT:
            raise IndexMismatch(
                f"{file} has format {version}, this version reads {_FORMAT}.",
                "Use the version that wrote it.",
            )
        present = set(archive.namelist())
        for name, about in files.items():
            if name not in present or not isinstance(about["size"], int) or not about["sha256"]:
                raise _damaged(file, f"{name} is missing")
            if name != FILE_NAME and not _harmless(name):
                raise _damaged(file, f"it holds {name!r}, which is no upload")
        if FILE_NAME not in files or not isinstance(manifest["folder"], str):
            raise _damaged(file, "it holds no catalog")
    except (KeyError, ValueError, TypeError, AttributeError):
        raise DocumentError(
            f"{file} is no exported index.", "rag index export FILE writes one."
        ) from None
    return dict(manifest)


def _harmless(name: str) -> bool:
    """Whether a name stays inside the folder of uploads wherever it is unpacked."""
    parts = PurePosixPath(name).parts
    plain = not set(name) & set("\\:\0") and "/".join(parts) == name
    return plain and len(parts) > 1 and parts[0] == UPLOADS and ".." not in parts


def _copied(source: IO[bytes], target: IO[bytes], most: int | None = None) -> tuple[int, str]:
    """Copy a file; its size in bytes and its checksum. What is longer than stated ends early."""
    size, checksum = 0, hashlib.sha256()
    while (block := source.read(_BLOCK)) and (most is None or size <= most):
        size += len(block)
        checksum.update(block)
        target.write(block)
    return size, checksum.hexdigest()


def _uri(folder: Path) -> str:
    return Path(os.path.abspath(folder)).as_uri()


def _to_disk(path: Path) -> None:
    """Return when a file, or a folder's list of names, would outlast a power failure."""
    folder = path.is_dir()
    if folder and sys.platform == "win32":  # where it can only be asked of files
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(file: Path, reason: str) -> IndexDamaged:
    return IndexDamaged(f"{file} is damaged: {reason}.", "Export the index again.")
