"""What an index was made with, compared with what the settings ask for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rag.errors import IndexMismatch
from rag.settings import LONGEST_PASSAGE, Settings
from rag.text import NORMALIZATION

from .chunk import CHUNKER
from .embed import Embedder, embedder_name, embedder_setting
from .records import Fingerprint
from .windows import WINDOWS


def fingerprint_for(embedder: Embedder, settings: Settings) -> Fingerprint:
    """The fingerprint of an index that is made with an embedder."""
    most = min(settings.index.passage_tokens or LONGEST_PASSAGE, embedder.max_tokens)
    return Fingerprint(
        embedder.name,
        embedder.dimension,
        NORMALIZATION,
        CHUNKER,
        most,
        WINDOWS if embedder.windows else "",
        settings.index.storage,
    )


def mismatches(
    folder: Path, made: Fingerprint, settings: Settings, embedder: Embedder | None = None
) -> Iterator[IndexMismatch]:
    """Every way in which an index does not fit the settings, with the way out.

    Args:
        folder: The index's folder, for the message.
        made: What the index was made with.
        settings: What it is opened with.
        embedder: The embedder that is used in place of the one the settings name.
    """
    wanted = settings.index
    name = embedder.name if embedder else embedder_name(wanted.embedder)
    tokens = wanted.passage_tokens or made.passage_tokens
    pairs = {
        "embedder": (made.embedder, name),
        "chunker": (made.chunker, CHUNKER),
        "normalization": (made.normalization, NORMALIZATION),
        "passage_tokens": (made.passage_tokens, tokens),
        "windows": (made.windows, made.windows and WINDOWS),
        "dimension": (made.dimension, embedder.dimension if embedder else made.dimension),
    }
    for what, (before, now) in pairs.items():
        if before != now:
            yield mismatch(folder, what, before, now)


def mismatch(folder: Path, what: str, made: object, wanted: object) -> IndexMismatch:
    """The error that refuses to mix what was made one way with what is made another way."""
    again = f"rag index --re-embed --index {shlex.quote(str(folder))}"
    keep = ""
    if what in ("embedder", "passage_tokens"):
        before, now = str(made), str(wanted)
        kept: str | None = before
        if what == "embedder":
            kept, now = embedder_setting(before), embedder_setting(now) or now
        again += f" --set {shlex.quote(f'index.{what}={now}')}"
        if kept:
            keep = f"Use --set {shlex.quote(f'index.{what}={kept}')}, or embed it anew: "
    return IndexMismatch(
        f"The index in {folder} was made with the {what.replace('_', ' ')} {made!r}, "
        f"not {wanted!r}.",
        f"{keep or 'Embed it anew: '}{again}.",
    )
