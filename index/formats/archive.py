"""Zip archives, and the limits on everything that is packed in one."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

from rag.errors import DocumentError

from .content import Content, Part

# What an archive may hold, unpacked: a few kilobytes can claim to be petabytes.
MAX_UNPACKED = 512 * 2**20
MAX_MEMBERS = 10_000

_ENCRYPTED = 0x1
_NAME_IS_UTF8 = 0x800
_REASONS = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)


def opened_zip(content: bytes, name: str) -> zipfile.ZipFile:
    """An archive whose claims are within the limits.

    Raises:
        DocumentError: It is damaged, or holds too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except _REASONS as error:
        raise DocumentError(f"{name} is damaged or incomplete: {error}.") from error
    if len(members) > MAX_MEMBERS:
        raise DocumentError(f"{name} holds more than {MAX_MEMBERS} files.", "Split it into parts.")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        limit = MAX_UNPACKED // 2**20
        raise DocumentError(f"{name} unpacks to more than {limit} MiB.", "Split it into parts.")
    return archive


def check_zip(content: bytes, name: str) -> None:
    """Refuse a packed document that holds more than the limits, before a library unpacks it."""
    opened_zip(content, name).close()


def read_zip(content: bytes, name: str) -> Content:
    """An archive's files; nothing is ever written to the disk."""
    parts: list[Part] = []
    failed: list[tuple[str, str]] = []
    with opened_zip(content, name) as archive:
        for member in archive.infolist():
            path = _path(member)
            if member.is_dir() or any(one.startswith((".", "__MACOSX")) for one in path.parts):
                continue
            shown = str(path)
            if member.flag_bits & _ENCRYPTED:
                failed.append((shown, f"{shown} is protected by a password."))
                continue
            try:
                parts.append(Part(shown, archive.read(member)))
            except Exception as error:  # noqa: BLE001 - decompressors have errors of their own
                failed.append((shown, f"{shown} is damaged: {error}."))
    return Content(parts=tuple(parts), failed=tuple(failed))


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    """A member's name, relative and without steps upwards."""
    name = member.filename
    if not member.flag_bits & _NAME_IS_UTF8:
        # Many programs write UTF-8 without saying so; zipfile then reads it as code page 437.
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".", "..")]
    return PurePosixPath(*steps) if steps else PurePosixPath("unnamed")
