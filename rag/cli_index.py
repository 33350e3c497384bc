"""The commands that change an index: ``rag index PATH…``, ``rag index export`` and ``import``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import typer

from .cli_options import ByDefault, IndexOption, JsonOption, SetOption, settings_and_folder
from .errors import SettingsError
from .serialization import to_json
from .settings import Settings
from .terminal import print_report, progress_bars
from .types import IngestReport, Progress

_ADD = "add"


index_app = typer.Typer(
    cls=ByDefault(_ADD),
    help="Make and change an index. 'rag index PATH...' is short for 'rag index add PATH...', "
    "whose options 'rag index add --help' shows.",
    rich_markup_mode=None,
)


@index_app.command(_ADD)
def add(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files and folders to index.", metavar="PATH...")
    ] = None,
    index: IndexOption = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Also forget documents deleted from the folder.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="As --sync, and again whenever something changes there."),
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Forget the named documents or folders instead.")
    ] = False,
    re_embed: Annotated[
        bool,
        typer.Option("--re-embed", help="Cut and embed everything anew, with the embedder set."),
    ] = False,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Add documents to the index, which is made if there is none."""
    loaded, folder = settings_and_folder(settings, index)
    if sum((sync or watch, remove, re_embed)) > 1:
        raise SettingsError("--sync or --watch, --remove and --re-embed exclude each other.")
    if not paths and not re_embed:
        raise SettingsError("No file or folder is named.", "For example: rag index my-documents/")
    named = paths or []  # to be removed are URIs, too, as rag status shows them
    chosen = [Path(path) for path in named]
    if not remove:
        _must_be_there(chosen, folders=sync or watch)
    from rag.index.index import Index as RealIndex
    from rag.index.making import make_anew

    if watch:  # which Ctrl+C ends, mostly between two changes
        with progress_bars(quiet=json) as on_progress:
            _watch(folder, loaded, chosen, on_progress, as_json=json)
        return
    with progress_bars(quiet=json) as on_progress, _told_what_is_kept():
        if re_embed:
            model, report = make_anew(folder, loaded, None, on_progress)
            opened = RealIndex.open(folder, loaded, model)
            report = opened.add(chosen, on_progress) if chosen else report
        elif remove:
            opened = RealIndex.open(folder, loaded)
            report = opened.remove(named)
        else:
            opened = RealIndex.open_or_create(folder, loaded)
            change = opened.sync if sync else opened.add
            report = change(chosen, on_progress)
    if json:
        print(to_json(report, indent=2))
    else:
        print_report(report, opened.status())
    if report.failed and not (report.added or report.updated or report.unchanged):
        raise typer.Exit(1)


@index_app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The file to write, such as my-index.zip.")],
    index: IndexOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Write the whole index as one file, to keep or to take to another machine."""
    from rag.index.index import Index as RealIndex

    loaded, folder = settings_and_folder(settings, index)
    RealIndex.open(folder, loaded).export(file)
    size = file.stat().st_size
    if json:
        print(to_json({"folder": str(folder), "file": str(file), "bytes": size}, indent=2))
    else:
        print(f"The index in {folder} is in {file} ({size / 2**20:,.1f} MiB).")


@index_app.command("import")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that 'rag index export' wrote.")],
    index: IndexOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Make an index of an exported file; nothing is embedded anew."""
    from rag.index.index import Index as RealIndex

    loaded, folder = settings_and_folder(settings, index)
    facts = RealIndex.restore(file, folder, loaded).status()
    if json:
        print(to_json(facts, indent=2))
    else:
        holds = f"{facts['documents']} documents, {facts['passages']} passages"
        print(f"The index in {folder} holds {holds}.")


@contextmanager
def _told_what_is_kept() -> Iterator[None]:
    """Say after Ctrl+C what is lost and what is not."""
    try:
        yield
    except KeyboardInterrupt:
        kept = (
            "A change that was not finished is not in the index; what it embedded is kept for the"
            " next time."
        )
        print(f"rag: {kept}", file=sys.stderr)
        raise


def _must_be_there(paths: Sequence[Path], *, folders: bool) -> None:
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise SettingsError(f"There is no file or folder {path}.")
        if folders and not path.is_dir():
            raise SettingsError(f"{path} is no folder.", "Only a folder can be mirrored.")


def _watch(
    folder: Path,
    settings: Settings,
    paths: Sequence[Path],
    on_progress: Callable[[Progress], None],
    *,
    as_json: bool,
) -> None:
    """Mirror folders until Ctrl+C; a line for everything that happened."""
    from rag.index.index import Index as RealIndex
    from rag.index.watch import watch

    opened = RealIndex.open_or_create(folder, settings)
    named = ", ".join(str(path) for path in paths)
    print(f"rag: keeping {folder} in step with {named}; Ctrl+C ends it.", file=sys.stderr)

    def show(report: IngestReport) -> None:
        if as_json:
            print(to_json(report), flush=True)
        else:
            print_report(report, opened.status())
            sys.stdout.flush()

    with _stopped_by_interrupt() as stop:
        watch(
            opened,
            paths,
            show,
            on_progress,
            on_wait=lambda locked: print(f"rag: waiting: {locked}", file=sys.stderr, flush=True),
            stop=stop,
        )


@contextmanager
def _stopped_by_interrupt() -> Iterator[Event]:
    """What Ctrl+C sets, besides raising ``KeyboardInterrupt``.

    Python drops what is raised while an object is being deleted, or inside a callback of C code. Then
    whoever looks at the event still ends, and the interrupt is raised behind it.
    """
    stop = Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        stop.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
    if stop.is_set():
        raise KeyboardInterrupt
