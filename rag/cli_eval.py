"""The commands that evaluate: ``rag eval SUITE``, and ``compare``, ``gate``, ``report``, ``feedback``."""

from __future__ import annotations

import datetime as dt
import json as json_format
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_options import (
    BackendOption,
    ByDefault,
    IndexOption,
    JsonOption,
    SetOption,
    settings_and_folder,
)
from .errors import BackendError, EvaluationError
from .settings import Settings, load_settings
from .terminal import plain, progress_bars

if TYPE_CHECKING:
    from rag.evals.results import Run
    from rag.evals.suite import Suite

# Where runs are kept unless another folder is named.
_RUNS = Path("eval-runs")

SuiteArgument = Annotated[
    str, typer.Argument(help="A suite's name or folder, or a file of questions.", metavar="SUITE")
]
DocumentsOption = Annotated[
    list[Path] | None, typer.Option("--documents", help="The suite's documents: file or folder.")
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="Short for --set index.embedder=...")
]
JudgeOption = Annotated[
    str | None,
    typer.Option("--judge", help="The backend that grades what only a language model can."),
]
SplitOption = Annotated[
    str | None, typer.Option("--split", help="Only the cases of this split, such as dev.")
]
ParallelOption = Annotated[
    int, typer.Option("--parallel", min=1, max=64, help="How many questions at a time.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="The seed of the intervals.")]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Where the run is kept, and goes on if it was interrupted. "
        "[default: a new folder in eval-runs/]",
    ),
]
MetricOption = Annotated[
    list[str] | None, typer.Option("--metric", help="Only this metric; may be repeated.")
]


eval_app = typer.Typer(
    cls=ByDefault("run"),
    help="Measure how good answers are. 'rag eval SUITE' is short for 'rag eval run SUITE', "
    "whose options 'rag eval run --help' shows.",
    rich_markup_mode=None,
)


@eval_app.command("run")
def run_command(
    suite: SuiteArgument,
    backend: BackendOption = None,
    embedder: EmbedderOption = None,
    judge: JudgeOption = None,
    documents: DocumentsOption = None,
    index: IndexOption = None,
    split: SplitOption = None,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Only find passages; write no answers.")
    ] = False,
    parallel: ParallelOption = 4,
    seed: SeedOption = 0,
    out: OutOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show each case that did not come out right.")
    ] = False,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Put a suite's questions to the chatbot, grade what comes back, and report."""
    loaded = _settings(settings, embedder)
    chosen = _suite(suite, documents, split, index)
    folder = out or _new_folder(chosen.name)
    with _told_how_to_go_on(folder), progress_bars(quiet=json) as on_progress:
        from rag.evals.asked import asked

        finished = asked(
            chosen,
            loaded,
            folder,
            backend=backend,
            judge=judge,
            index=Path(index) if index else None,
            answers=not retrieval_only,
            parallel=parallel,
            seed=seed,
            on_progress=on_progress,
        )
    _show(finished, folder, verbose=verbose, as_json=json)
    if finished.failed:
        raise EvaluationError(
            f"{len(finished.failed)} cases got no answer: {finished.failed[0].error}",
            f"The same command with --out {folder} asks them again.",
        )


@eval_app.command("compare")
def compare_command(
    before: Annotated[Path, typer.Argument(help="The folder of the run to compare with.")],
    after: Annotated[Path, typer.Argument(help="The folder of the run to compare.")],
    metric: MetricOption = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    json: JsonOption = False,
) -> None:
    """Pair the cases of two runs: what differs, with intervals, and which cases changed."""
    from rag.evals.comparison import compare
    from rag.evals.report import comparison_markdown, comparison_text
    from rag.evals.store import load_run

    first, second = load_run(before), load_run(after)
    found = compare(first, second, metric or ())
    if json:
        from .serialization import to_json

        print(to_json(found, indent=2))
    else:
        print(plain(comparison_markdown(found) if markdown else comparison_text(found)))
    for folder, one in ((before, first), (after, second)):
        if len(one.outcomes) < one.about["cases"]:
            print(
                f"rag: {folder} holds {len(one.outcomes)} of {one.about['cases']} cases.",
                file=sys.stderr,
            )


@eval_app.command("gate")
def gate_command(
    suite: SuiteArgument,
    run: Annotated[
        Path | None, typer.Option("--run", help="Judge this run instead of a new one.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="[default: baseline.json of the suite]")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the run as the baseline instead of judging it.")
    ] = False,
    metric: MetricOption = None,
    backend: BackendOption = None,
    embedder: EmbedderOption = None,
    judge: JudgeOption = None,
    documents: DocumentsOption = None,
    index: IndexOption = None,
    parallel: ParallelOption = 4,
    settings: SetOption = None,
) -> None:
    """Run a suite, and fail if it is shown to be worse than the baseline kept with it."""
    from rag.evals.baseline import FEW, gate, load_baseline, save_baseline
    from rag.evals.report import comparison_text
    from rag.evals.store import load_run

    chosen = _suite(suite, documents, index=index)
    path = baseline or _baseline_of(suite)
    kept = None if keep else load_baseline(path)
    if keep and metric:
        raise EvaluationError("A baseline keeps all metrics.", "Leave out --keep or --metric.")
    if run:
        finished = load_run(run)
        if finished.about["suite"] != chosen.name:
            raise EvaluationError(
                f"The run in {run} is one of the suite {finished.about['suite']!r}, not {suite!r}."
            )
    else:
        finished = _fresh(
            chosen,
            _settings(settings, embedder),
            backend=backend,
            judge=judge,
            index=Path(index) if index else None,
            parallel=parallel,
        )
    if kept is None:
        save_baseline(finished, path)
        print(f"The baseline is in {path}: {len(finished.outcomes)} cases.")
        return
    result = gate(kept, finished, metric or ())
    print(plain(comparison_text(result.comparison)))
    print(f"\nEach interval holds with {100 * result.confidence:.1f}%, all together with 95%.")
    if not result.passed:
        raise EvaluationError(f"The gate is closed. {' '.join(result.reasons)}")
    print("The gate is open: no metric is shown to have fallen.")
    if few := [one.name for one in result.comparison.differences if one.pairs < FEW]:
        print(f"Not judged, with fewer than {FEW} pairs: {', '.join(few)}.")


@eval_app.command("report")
def report_command(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
) -> None:
    """Write the reports of a run anew: report.html, report.md and report.json in its folder."""
    from rag.evals.pages import write_reports
    from rag.evals.store import load_run

    for path in write_reports(load_run(run), run):
        print(path)


@eval_app.command("feedback")
def feedback_command(
    folder: Annotated[Path, typer.Argument(help="The suite's folder, new or made by this before.")],
    index: IndexOption = None,
    settings: SetOption = None,
) -> None:
    """Make a suite of the thumbs that people gave answers in the chat window."""
    from rag.evals.thumbs import export_feedback

    _, place = settings_and_folder(settings, index)
    cases, drafts = export_feedback(place, folder)
    print(f"{folder}: {cases} cases of thumbs up, {drafts} drafts of thumbs down.")
    if drafts:
        print("Complete the drafts: say what is expected, or that it is unanswerable.")


def _settings(assignments: Sequence[str] | None, embedder: str | None) -> Settings:
    short = [f"index.embedder={embedder}"] if embedder else []
    return load_settings([*(assignments or ()), *short])


def _suite(
    name: str,
    documents: list[Path] | None,
    split: str | None = None,
    index: str | None = None,
) -> Suite:
    from rag.evals.reading import load_suite

    # Where an index is asked as it is, nobody has to say what it was made of.
    found = load_suite(name, tuple(documents or ([Path(index)] if index else ())))
    return found.only(split) if split else found


def _new_folder(name: str) -> Path:
    name = "".join(char if char.isalnum() or char in "-_." else "-" for char in name)
    begun = dt.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    return _RUNS / f"{name}-{begun}"


def _baseline_of(suite: str) -> Path:
    """Where a suite's baseline is kept: in its folder, or beside its file."""
    from rag.evals.baseline import BASELINE
    from rag.evals.reading import folder_of

    place = folder_of(suite)
    return place.with_suffix(f".{BASELINE}") if place.is_file() else place / BASELINE


def _fresh(suite: Suite, settings: Settings, **given: Any) -> Run:
    """A run of a suite that is not kept."""
    from rag.evals.asked import asked

    with (
        tempfile.TemporaryDirectory(prefix="rag-eval-") as scratch,
        progress_bars(quiet=False) as on_progress,
    ):
        return asked(suite, settings, Path(scratch) / "run", on_progress=on_progress, **given)


@contextmanager
def _told_how_to_go_on(folder: Path) -> Iterator[None]:
    """Say after Ctrl+C, and where nothing answers, how to go on."""
    try:
        yield
    except (KeyboardInterrupt, BackendError):
        print(
            f"rag: what was asked is in {folder}; the same command with --out {folder} goes on.",
            file=sys.stderr,
        )
        raise


def _show(finished: Run, folder: Path, *, verbose: bool, as_json: bool) -> None:
    from rag.evals.report import as_json as as_plain_data
    from rag.evals.report import as_text, misses

    if as_json:
        print(json_format.dumps(as_plain_data(finished), ensure_ascii=False, indent=2))
        return
    print(plain(as_text(finished)))
    if verbose:
        print(plain(f"\n{misses(finished)}"))
    print(f"\nThe run is in {folder}: open {folder / 'report.html'}")
