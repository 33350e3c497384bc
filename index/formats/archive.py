"""Zip archives, and the limits on everything that is packed in one."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rag.errors import DocumentError

from .content import Content, Part

# What a file may hold, unpacked: a few kilobytes can claim to be petabytes.
MAX_UNPACKED = 512 * 2**20
MAX_MEMBERS = 10_000

_ENCRYPTED = 0x1
_NAME_IS_UTF8 = 0x800
_REASONS = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(slots=True)
class Room:
    """What a file may still unpack to; the archives in it take from the same room."""

    size: int = field(default_factory=lambda: MAX_UNPACKED)
    members: int = field(default_factory=lambda: MAX_MEMBERS)


def opened_zip(content: bytes, name: str, room: Room | None = None) -> zipfile.ZipFile:
    """An archive whose claims are within the limits; zipfile never unpacks more than claimed.

    Args:
        content: The archive.
        name: Its name.
        room: What there is room for, less what the archive claims afterwards.

    Raises:
        DocumentError: It is damaged, or holds too much.
    """
    room = room or Room()
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except _REASONS as error:
        raise DocumentError(f"{name} is damaged or incomplete: {error}.") from error
    size = sum(member.file_size for member in members)
    if size <= room.size and len(members) <= room.members:
        room.size -= size
        room.members -= len(members)
        return archive
    archive.close()
    many, large = (
        f"holds more than {MAX_MEMBERS} files",
        f"unpacks to more than {MAX_UNPACKED >> 20} MiB",
    )
    which = "" if room == Room() else " together with what was unpacked before it"
    raise DocumentError(
        f"{name}{which} {large if size > room.size else many}.", "Split it into parts."
    )


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
