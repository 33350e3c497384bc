"""The command line: ``rag index | search | ask | chat | status | eval``."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from .errors import QuestionError, RagError, SettingsError
from .settings import Settings, load_settings
from .terminal import print_answer, print_hits, print_report, progress_bars
from .text import normalize
from .types import IngestReport, to_json

if TYPE_CHECKING:
    from rag.index.index import Index

app = typer.Typer(
    name="rag",
    help="Ask your own documents, and see for every sentence where it comes from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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


def main() -> None:
    """Run the command line; a failure is one plain line and exit status 1."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except RagError as error:
        print(f"rag: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("rag: stopped.", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of a pipe went away; there is no one left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        print(f"rag: {error.strerror or error}{where}.", file=sys.stderr)
        raise SystemExit(1) from None


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import rag

        print(f"rag-chatbot {rag.__version__}")
        raise typer.Exit


@app.command("index")
def index_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders to index.", metavar="PATH...")
    ] = None,
    index: IndexOption = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Also forget documents deleted from the folder.")
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
    loaded, folder = _settings(settings, index)
    if not paths and not re_embed:
        raise SettingsError("No file or folder is named.", "For example: rag index my-documents/")
    chosen = paths or []
    if not remove:
        for path in chosen:
            if not path.exists() and not path.is_symlink():
                raise SettingsError(f"There is no file or folder {path}.")
            if sync and not path.is_dir():
                raise SettingsError(f"{path} is no folder.", "Only a folder can be mirrored.")
    from rag.index.index import Index as RealIndex

    with progress_bars(quiet=json) as on_progress:
        if re_embed:
            opened = RealIndex.re_embed(folder, loaded, on_progress=on_progress)
            report = opened.add(chosen, on_progress) if chosen else IngestReport()
        elif remove:
            opened = RealIndex.open(folder, loaded)
            report = _joined(opened.remove(path) for path in chosen)
        else:
            opened = RealIndex.open_or_create(folder, loaded)
            report = (
                _joined(opened.sync(path, on_progress) for path in chosen)
                if sync
                else opened.add(chosen, on_progress)
            )
    if json:
        print(to_json(report, indent=2))
    else:
        print_report(report, opened.status())
    if report.failed and not (report.added or report.updated or report.unchanged):
        raise typer.Exit(1)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="A question or some words.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    index: IndexOption = None,
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Show the passages that fit a question best."""
    loaded, folder = _settings(settings, index)
    first, last = _day(since, "--since"), _day(until, "--until")
    hits = _open(folder, loaded).search(
        normalize(question), k, language=language, since=first, until=last, source=source
    )
    if json:
        print(to_json(hits, indent=2))
    else:
        print_hits(hits)


@app.command()
def ask(
    question: Annotated[
        str, typer.Argument(help="The question; '-' reads it from standard input.")
    ],
    index: IndexOption = None,
    backend: BackendOption = None,
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Answer a question, with the quotes that bear the answer out."""
    from .chatbot import Chatbot, Filters

    loaded, folder = _settings(settings, index)
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise QuestionError("The question is empty.", "Write what you want to know.")
    filters = Filters(language, _day(since, "--since"), _day(until, "--until"), source)
    bot = Chatbot(_open(folder, loaded), backend, loaded)
    if json:
        print(to_json(bot.ask(text, filters=filters), indent=2))
        return
    print_answer(bot.stream(text, filters=filters))


@app.command()
def chat(
    index: IndexOption = None,
    backend: BackendOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 7860,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
    settings: SetOption = None,
) -> None:
    """Open the chat window in a browser. Without an index it begins with an empty one."""
    from rag.index.index import Index as RealIndex
    from rag.ui.server import serve

    loaded, folder = _settings(settings, index)
    opened = RealIndex.open_or_create(folder, loaded)
    serve(opened, loaded, backend=backend, host=host, port=port, browser=browser)


@app.command()
def status(index: IndexOption = None, json: JsonOption = False, settings: SetOption = None) -> None:
    """Show what the index holds."""
    loaded, folder = _settings(settings, index)
    opened = _open(folder, loaded)
    facts, entries = opened.status(), opened.documents()
    if json:
        print(to_json({**facts, "entries": entries}, indent=2))
        return
    for name, value in facts.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{name.replace('_', ' '):16}{shown}")
    for entry in entries:
        dated = f", {entry.published}" if entry.published else ""
        print(f"  {unquote(entry.uri)}  ({entry.language}{dated}, {entry.passages} passages)")


@app.command("eval")
def eval_command(
    suite: Annotated[str, typer.Argument(help="The name of a suite, or its folder.")],
    backend: BackendOption = None,
    documents: Annotated[
        Path | None, typer.Option(help="The folder of the suite's documents.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show each case that did not come out right.")
    ] = False,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Put a suite's questions to the chatbot and count what came of them."""
    from rag.evals.report import measure

    loaded, _ = _settings(settings, None)
    with progress_bars(quiet=json) as on_progress:
        report = measure(
            suite, loaded, backend, documents, on_progress, verbose=verbose, as_json=json
        )
    print(report)


def _settings(assignments: list[str] | None, index: str | None) -> tuple[Settings, Path]:
    loaded = load_settings(assignments or ())
    return loaded, Path(index or loaded.index.path)


def _open(folder: Path, settings: Settings) -> Index:
    from rag.index.index import Index as RealIndex

    return RealIndex.open(folder, settings)


def _day(text: str | None, option: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise SettingsError(f"{option} is not a date of the form YYYY-MM-DD: {text!r}.") from None


def _joined(reports: Iterable[IngestReport]) -> IngestReport:
    parts = list(reports)
    names = ("added", "updated", "unchanged", "removed", "failed", "incomplete", "skipped")
    lists = {name: tuple(x for part in parts for x in getattr(part, name)) for name in names}
    return IngestReport(
        **lists,
        passages=sum(part.passages for part in parts),
        embedded=sum(part.embedded for part in parts),
    )
