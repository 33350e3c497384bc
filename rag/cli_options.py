"""What the commands share: their options, and what is made of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .errors import SettingsError
from .settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.index.index import Index

IndexOption = Annotated[
    str | None, typer.Option("--index", help="The index's folder. [default: my-index]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="GROUP.NAME=VALUE", help="Change a setting for this call."),
]
BackendOption = Annotated[
    str | None,
    typer.Option("--backend", help="Who answers: a chain such as 'openai:MODEL, extractive'."),
]
AnswerInOption = Annotated[
    str | None,
    typer.Option("--answer-in", help="The language of the answer, such as vi. [default: yours]"),
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", help="Only documents in this language, such as vi.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Only documents published since, YYYY-MM-DD.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="Only documents published until, YYYY-MM-DD.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Only documents with this in their name or title.")
]


FolderOption = Annotated[
    str | None, typer.Option("--folder", help="Only documents in this folder or archive.")
]


def ByDefault(default: str) -> type[TyperGroup]:  # noqa: N802 - it makes a class
    """A group of commands of which one need not be named: ``rag index PATH`` is ``rag index add PATH``."""

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            first = args[0] if args else ""
            if first not in {*self.commands, "--help"}:
                args = [default, *args]
            return list(super().parse_args(ctx, args))

    return Group


def settings_and_folder(assignments: list[str] | None, index: str | None) -> tuple[Settings, Path]:
    """The settings of this call, and the folder of its index."""
    loaded = load_settings(assignments or ())
    return loaded, Path(index or loaded.index.path)


def open_index(folder: Path, settings: Settings) -> Index:
    """The index in a folder; the command line itself starts without what that needs."""
    from rag.index.index import Index as RealIndex

    return RealIndex.open(folder, settings)


def spoken(index: Index, language: str | None) -> str | None:
    """The value of ``--language``, if any document of the index is in that language.

    Raises:
        SettingsError: None is, while some are in others.
    """
    there = index.languages()
    if language and there and language.lower() not in there:
        listed = ", ".join(sorted(there))
        raise SettingsError(
            f"No document of the index is in the language {language!r}.",
            f"--language takes a code of two letters, here one of: {listed}.",
        )
    return language


def day(text: str | None, option: str) -> dt.date | None:
    """A date as it is given on the command line."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise SettingsError(f"{option} is not a date of the form YYYY-MM-DD: {text!r}.") from None
