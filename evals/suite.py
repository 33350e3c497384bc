"""Suites: questions with what a good answer cites, as data."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import SettingsError

_SUITES = Path(__file__).parent / "suites"


@dataclass(frozen=True, slots=True)
class Expected:
    """A quote that answers a case, and the name of the document that holds it."""

    document: str
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question. A case without expected quotes is one that no document answers."""

    id: str
    question: str
    language: str
    expected: tuple[Expected, ...]
    tags: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return bool(self.expected)


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases over a folder of documents."""

    name: str
    title: str
    documents: Path
    cases: tuple[Case, ...]


def load_suite(name: str, documents: Path | None = None) -> Suite:
    """Read a suite.

    Args:
        name: The name of a suite of the project, or a folder with a ``suite.toml``.
        documents: The folder of its documents, in place of the one its manifest names
            from the top of the repository.

    Raises:
        SettingsError: There is no such suite, a line of it is malformed, or its documents
            are not there.
    """
    folder = Path(name) if (Path(name) / "suite.toml").is_file() else _SUITES / name
    manifest_path = folder / "suite.toml"
    if not manifest_path.is_file():
        known = ", ".join(sorted(path.parent.name for path in _SUITES.glob("*/suite.toml")))
        raise SettingsError(f"There is no suite {name!r}.", f"Known: {known}.")
    manifest = tomllib.loads(manifest_path.read_text("utf-8"))
    source = documents or _SUITES.parent.parent / manifest["documents"]
    if not source.is_dir():
        raise SettingsError(
            f"The documents of the suite {name!r} are not in {source}.",
            "Run it from a clone of the repository, or name their folder with --documents.",
        )
    path = folder / manifest["cases"]
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    cases = tuple(_case(line, f"{path}:{number}") for number, line in lines if line.strip())
    return Suite(manifest["name"], manifest["title"], source, cases)


def _case(line: str, where: str) -> Case:
    try:
        row: dict[str, Any] = json.loads(line)
        expected = tuple(Expected(e["document"], e["quote"]) for e in row["expected"])
        return Case(row["id"], row["question"], row["language"], expected, tuple(row["tags"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{where}: this is not a case: {error!r}.") from error
