"""The command line: ``rag index | search | ask | chat | status | providers | eval``."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from .cli_eval import eval_app
from .cli_index import index_app
from .cli_options import (
    AnswerInOption,
    BackendOption,
    FolderOption,
    IndexOption,
    JsonOption,
    LanguageOption,
    SetOption,
    SinceOption,
    SourceOption,
    UntilOption,
    day,
    open_index,
    settings_and_folder,
    spoken,
)
from .cli_providers import providers
from .errors import QuestionError, RagError
from .serialization import to_dict, to_json
from .terminal import plain, print_answer, print_hits, print_status
from .text import normalize

# How typer ends after Ctrl+C: 128 and the number of the signal, as shells have it.
_INTERRUPTED = 130

app = typer.Typer(
    name="rag",
    help="Ask your own documents, and see for every sentence where it comes from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(index_app, name="index")
app.add_typer(eval_app, name="eval")
app.command()(providers)


def main() -> None:
    """Run the command line; a failure is one plain line and exit status 1."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except RagError as error:
        print(f"rag: {plain(' '.join(str(error).split()))}", file=sys.stderr)
        raise SystemExit(1) from None
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            print("rag: stopped.", file=sys.stderr)
        raise
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


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="A question or some words.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    index: IndexOption = None,
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    folder: FolderOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say of each passage why it was found.")
    ] = False,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Show the passages that fit a question best."""
    loaded, place = settings_and_folder(settings, index)
    filters: dict[str, Any] = {
        "since": day(since, "--since"),
        "until": day(until, "--until"),
        "source": source,
        "folder": folder,
    }
    opened, text = open_index(place, loaded), normalize(question)
    filters["language"] = spoken(opened, language)
    hits = opened.search(text, k, **filters)
    reasons = [opened.explain(text, hit, **filters) for hit in hits] if explain else []
    if json and explain:
        told = [
            {**to_dict(one), "explanation": why} for one, why in zip(hits, reasons, strict=True)
        ]
        print(to_json(told, indent=2))
    elif json:
        print(to_json(hits, indent=2))
    else:
        print_hits(hits, reasons)


@app.command()
def ask(
    question: Annotated[
        str, typer.Argument(help="The question; '-' reads it from standard input.")
    ],
    index: IndexOption = None,
    backend: BackendOption = None,
    answer_in: AnswerInOption = None,
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    folder: FolderOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Answer a question, with the quotes that bear the answer out."""
    from .chatbot import Chatbot
    from .retrieval import Filters

    answering = [f"answer.language={answer_in}"] if answer_in else []
    loaded, place = settings_and_folder([*(settings or ()), *answering], index)
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise QuestionError("The question is empty.", "Write what you want to know.")
    dates = day(since, "--since"), day(until, "--until")
    opened = open_index(place, loaded)
    filters = Filters(spoken(opened, language), *dates, source, folder)
    bot = Chatbot(opened, backend, loaded)
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

    loaded, folder = settings_and_folder(settings, index)
    opened = RealIndex.open_or_create(folder, loaded)
    serve(opened, loaded, backend=backend, host=host, port=port, browser=browser)


@app.command()
def status(
    index: IndexOption = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read everything, and compare it with its checksums."),
    ] = False,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Show what the index holds; with --verify, fail if any of it is not as it was written."""
    loaded, folder = settings_and_folder(settings, index)
    from rag.index.status import status_of

    found = status_of(folder, loaded, verified=verify)
    problems = found.problems
    if json:
        checked = {"problems": problems} if verify else {}
        told = {"mismatch": found.mismatch, **checked, "entries": found.entries}
        print(to_json({**found.facts, **told}, indent=2))
    else:
        print_status(found.facts, found.entries)
        if found.mismatch:
            print(f"rag: {plain(found.mismatch)}", file=sys.stderr)
        if verify and not problems:
            print("Everything is as it was written.")
        for problem in problems:
            print(f"rag: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)
