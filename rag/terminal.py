"""What the command line shows: progress bars, reports, hits and sources."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from .errors import RagError
from .reasons import told
from .text import collapse, shortened
from .types import (
    Answer,
    Delta,
    Done,
    Event,
    Explanation,
    Failure,
    Held,
    Hit,
    IngestReport,
    Progress,
    Support,
    Switched,
    file_name,
)

# What a terminal obeys instead of showing it, changes of direction and invisible letters among them;
# line ends and tabs are harmless.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)

# The parts of a score, and how a word is held, in a person's words.
_PARTS = {
    "dense": "meaning",
    "aligned": "word by word",
    "lexical": "words held",
    "met": "beyond those, half of word by word",
    "concepts": "names and figures",
    "reranked": "reranker",
}
_HELD = {
    Held.AS_WRITTEN: "as written",
    Held.WITHOUT_DIACRITICS: "only without diacritics",
    Held.NO: "missing",
}

_DOUBTED = {
    Support.UNSUPPORTED: "Not supported by the documents",
    Support.CONTRADICTED: "Contradicted by the documents",
}

# How many skipped files are named.
_SKIPPED = 10


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Bars on standard error for documents and passages, where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Speed(ProgressColumn):
        """Steps per second: how quickly passages are embedded, documents read."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")

    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=None, name="")
            bars.update(
                tasks[progress.stage],
                completed=progress.done,
                total=progress.total,
                name=progress.name[:40],
            )

        yield show


def print_hits(hits: Sequence[Hit], reasons: Sequence[Explanation] = ()) -> None:
    """Print passages with their scores, best first, and why each was found where that is given."""
    for number, hit in enumerate(hits, start=1):
        parts = f"words {hit.lexical:.2f}, meaning {hit.dense:.2f}"
        print(f"[{number}] {hit.score:.3f}  {_place(hit)}  ({parts})")
        print(f"    {shortened(plain(hit.passage.text), 300)}")
        for line in _reasons(reasons[number - 1]) if reasons else ():
            print(f"    {plain(line)}")
        print()
    if not hits:
        print("No passage matches.")


def _reasons(why: Explanation) -> Iterator[str]:
    """Why a passage was found, a line for each thing that counts."""
    sums = (f"{one.weight:.2f} × {one.share:.2f} {_PARTS[one.name]}" for one in why.parts)
    yield f"- score: {why.score:.3f} = {' + '.join(sums)}"
    for held in Held:
        of_it = [f"{one.word} {one.weight:.1f}" for one in why.words if one.held is held]
        if of_it:
            yield f"- words, {_HELD[held]}: {', '.join(of_it)}"
    for name in why.names:
        found = ", ".join(f"“{shortened(plain(one), 40)}”" for one in name.found[:5])
        meant = f"“{name.asked}” as {name.key} {name.weight:.1f}"
        yield f"- name or figure, {meant}: {found or 'missing'}"
    window = why.window
    cosine = f"cosine {window.cosine:.2f}, typical {window.typical:.2f}"
    yield f"- nearest: “{shortened(plain(window.text), 200)}” ({cosine})"
    pairs = [
        f"{one.piece} ~ {one.nearest or 'nothing'} {one.similarity:.2f} ({one.weight:.0%})"
        for one in why.pieces
    ]
    if pairs:
        yield f"- word by word, the heaviest: {', '.join(pairs)}"
    if why.filters:
        yield f"- only: {', '.join(f'{name} {value}' for name, value in why.filters.items())}"


def print_report(report: IngestReport, facts: Mapping[str, Any]) -> None:
    """Print what an ingest did; failures go to standard error, one line each."""
    counts = [
        f"{len(getattr(report, name))} {name}"
        for name in ("added", "updated", "unchanged", "removed", "skipped", "failed")
        if getattr(report, name)
    ]
    done = ", ".join(counts) or "Nothing to do"
    holds = f"{facts['documents']} documents, {facts['passages']} passages"
    print(f"{done}. The index in {facts['folder']} holds {holds}.")
    for uri in report.skipped[:_SKIPPED]:
        print(f"rag: skipped, its type cannot be read: {_line(file_name(uri))}", file=sys.stderr)
    if len(report.skipped) > _SKIPPED:
        print(f"rag: … and {len(report.skipped) - _SKIPPED} more", file=sys.stderr)
    for partly in report.incomplete:
        print(f"rag: not whole: {_told(partly)}", file=sys.stderr)
    for failure in report.failed:
        print(f"rag: not indexed: {_told(failure)}", file=sys.stderr)


def _told(failure: Failure) -> str:
    """Why a file failed, and where it lies: many have the same name."""
    return f"{_line(failure.reason)} ({_line(unquote(failure.uri).removeprefix('file://'))})"


def print_status(facts: Mapping[str, Any], entries: Iterable[Any]) -> None:
    """Print what an index is, and what it holds."""
    for name, value in facts.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        size = f" ({value / 2**20:,.1f} MiB)" if name == "bytes" else ""
        print(f"{name.replace('_', ' '):16}{shown}{size}")
    for entry in entries:
        dated = f", {entry.published}" if entry.published else ""
        print(
            f"  {_line(unquote(entry.uri))}  ({entry.language}{dated}, {entry.passages} passages)"
        )


def print_answer(events: Iterable[Event]) -> None:
    """Print an answer and its sources.

    A terminal shows it as it is written; what checking changed is printed anew. A file or
    pipe gets the checked answer alone.
    """
    live = sys.stdout.isatty()
    shown, told = "", 0
    try:
        for event in events:
            if isinstance(event, Delta) and live:
                print(plain(event.text), end="", flush=True)
                shown += event.text
            elif isinstance(event, Switched):
                print("\n" if shown else "", end="", flush=True)
                now = f"rag: {event.reason} Now asking {event.backend}."
                print(_line(now), file=sys.stderr)
                shown, told = "", told + 1
            elif isinstance(event, Done):
                _print_finished(event.answer, shown)
                if not told:
                    _print_who_failed(event.answer)
    except RagError:
        print("\n" if shown else "", end="", flush=True)  # the failure has its own line
        raise


def _print_who_failed(answer: Answer) -> None:
    """Say on standard error who was asked in vain, and who has answered instead."""
    reasons = [one for one in answer.attempts if one.outcome in ("failed", "skipped")]
    for name in dict.fromkeys(one.backend for one in reasons):
        own = [one for one in reasons if one.backend == name]
        # What it said itself says more than that it rests.
        last = next((one for one in reversed(own) if one.outcome == "failed"), own[-1])
        rests = " It is left alone for a while." if own[-1].outcome == "skipped" else ""
        if name != answer.backend:
            who = "" if last.reason.startswith(name) else f"{name}: "
            told = f"{who}{last.reason}{rests} Answered by {answer.backend}."
            print(f"rag: {_line(told)}", file=sys.stderr)


def _print_finished(answer: Answer, shown: str) -> None:
    if answer.text.strip() != shown.strip():
        print("\n\nChecked:\n" if shown else "", end="")
        print(plain(answer.text), end="")
    print("\n")
    print_sources(answer)
    if answer.searched and collapse(answer.searched[0]) != collapse(answer.question):
        print(f"Understood as: {_line(answer.searched[0])}")
    if len(answer.searched) > 1:
        print(f"Also searched: {plain(' · '.join(answer.searched[1:]))}")
    if answer.removed_markers:
        print(f"Citations of passages that do not exist, taken out: {answer.removed_markers}")
    for sentence in answer.left_out:
        print(f"Left out, not supported: {shortened(plain(sentence.text), 200)}")
    if used := _usage(answer):
        print(f"Written by {plain(answer.backend)}; {used} in all.")


def _usage(answer: Answer) -> str:
    """The tokens of an answer, and what they cost where that is known."""
    usage = answer.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return ""
    cost = "" if usage.cost is None else f", ${usage.cost:.4f}"
    return f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens{cost}"


def print_sources(answer: Answer) -> None:
    """Print where an answer comes from: each quote with its offsets and verdict."""
    for number in sorted({citation.marker for citation in answer.citations}):
        hit = answer.hits[number - 1]
        dated = f", {hit.document.published}" if hit.document.published else ""
        own = [citation for citation in answer.citations if citation.marker == number]
        print(f"[{number}] {_paged(hit, [citation.page for citation in own])}{dated}")
        for citation in own:
            where = f"{citation.start}-{citation.end} ({citation.support})"
            print(f"    {where}: {shortened(plain(citation.quote), 200)}")
    for sentence in answer.sentences:
        if sentence.support in _DOUBTED:
            why = "; ".join(plain(told(one, "en")) for one in sentence.reasons[:2])
            print(f"{_DOUBTED[sentence.support]}: {shortened(plain(sentence.text), 200)} ({why})")
        if sentence.corrected and sentence.written:
            written = "".join(f"[{number}]" for number in sentence.written)
            print(f"Citation put right, was {written}: {shortened(plain(sentence.text), 200)}")
    if answer.abstained and answer.hits:
        print("Nearest passages:")
        for hit in answer.hits[:3]:
            print(f"    {_place(hit)}: {shortened(plain(hit.passage.text), 120)}")


def _place(hit: Hit) -> str:
    document, passage = hit.document, hit.passage
    first, last = document.page_at(passage.start), document.page_at(passage.end - 1)
    return _paged(hit, range(first, last + 1) if first and last else ())


def _paged(hit: Hit, pages: Iterable[int | None]) -> str:
    """A document's name, and the pages that are meant: ``pages 1–3, 7``."""
    known = sorted({page for page in pages if page})
    runs: list[list[int]] = []
    for page in known:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    listed = ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    where = f", page{'s' if len(known) > 1 else ''} {listed}" if known else ""
    return f"{plain(hit.document.name)}{where}"


def plain(text: str) -> str:
    """A text that does nothing to a terminal: control characters are shown as ``�``."""
    return _CONTROL.sub("\ufffd", text)


def _line(text: str) -> str:
    return plain(text).replace("\n", "\ufffd")
