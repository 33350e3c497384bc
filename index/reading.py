"""What the reading of a file came to, and whether another one could come to more."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

from rag.types import Failure

# To be counted up when a reader learns to read more than before.
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave, besides its documents.

    ``hash`` is that of its content and ``readers`` says what it was read with. ``failed`` are
    the parts that could not be read, or the file itself, ``incomplete`` its documents that are
    not whole, ``skipped`` the parts whose type cannot be read.
    """

    hash: bytes
    readers: str
    failed: tuple[Failure, ...] = ()
    incomplete: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()

    def holds(self, file_hash: bytes, readers: str) -> bool:
        """Whether these readers would get nothing else out of a file with this content."""
        whole = not (self.failed or self.incomplete or self.skipped)
        return self.hash == file_hash and (whole or self.readers == readers)

    def row(self, file: str) -> tuple[bytes, str, str]:
        """Itself as the catalog keeps it: URIs without that of the file, which may move."""
        trouble = [
            [[failure.uri.removeprefix(file), failure.reason] for failure in failures]
            for failures in (self.failed, self.incomplete)
        ]
        parts = [uri.removeprefix(file) for uri in self.skipped]
        return self.hash, self.readers, json.dumps([*trouble, parts])

    @classmethod
    def from_row(cls, file: str, file_hash: bytes, readers: str, trouble: str) -> Reading:
        """What ``row`` gave for a file."""
        failed, incomplete, skipped = json.loads(trouble)
        return cls(
            file_hash,
            readers,
            tuple(Failure(file + part, reason) for part, reason in failed),
            tuple(Failure(file + part, reason) for part, reason in incomplete),
            tuple(file + part for part in skipped),
        )


def present_readers() -> str:
    """What files are read with; another name where more or less can be read than before."""
    return f"{_VERSION}{'+tesseract' if shutil.which('tesseract') else ''}"
