"""A run, or a comparison of two, as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rag.evals.metrics.metric import Unit
from rag.serialization import to_dict

from .comparison import Comparison, Difference
from .results import Outcome, Run, Summary
from .statistics import Interval

_WRITTEN: dict[Unit, Callable[[float], str]] = {
    "share": lambda value: f"{100 * value:.1f}%",
    "seconds": lambda value: f"{value:.3g} s",
    "tokens": lambda value: f"{value:,.0f}",
    "money": lambda value: f"{value:.4f}",
}
NOT_GRADED = "not graded"
# How many cases that could not be compared are named.
_NAMED = 10

Row = tuple[str, ...]


def written(value: float | None, unit: Unit) -> str:
    """A value as a person reads it."""
    return NOT_GRADED if value is None else _WRITTEN[unit](value)


def written_interval(found: Interval | None, unit: Unit) -> str:
    """An interval as a person reads it."""
    if found is None:
        return ""
    return f"{_signed(found[0], unit)} to {_signed(found[1], unit)}"


def _signed(value: float, unit: Unit) -> str:
    return ("−" if value < 0 else "") + written(abs(value), unit)


def as_text(run: Run) -> str:
    """A run as a table for the terminal."""
    heading = f"{run.about['title']}: {len(run.outcomes)} cases"
    notes = [f"{len(run.failed)} cases got no answer: {run.failed[0].error}"] if run.failed else []
    if drafts := run.about.get("drafts"):
        notes.append(f"{drafts} drafts were left out: complete them first.")
    backends = ", ".join(f"{name} {count}" for name, count in run.backends().items())
    notes += [f"Answered by: {backends}"] if backends else []
    return "\n".join([heading, "", *_columns([_HEAD, *summary_rows(run)]), "", *notes]).rstrip()


def as_markdown(run: Run) -> str:
    """A run as Markdown: all cases, and each split, pair of languages and tag."""
    parts = [f"# {run.about['title']}", _facts(run), _table(_HEAD, summary_rows(run))]
    groups = grouped(run)
    if groups:
        names = [one.name for one in run.summaries() if one.unit == "share" and one.graded]
        rows = [
            (title, str(count), *(_of(found, name) for name in names))
            for title, count, found in groups
        ]
        parts += ["## By split, languages and tag", _table(("cases", "n", *names), rows)]
    if run.failed:
        parts += ["## No answer", *(f"- {one.case.id}: {one.error}" for one in run.failed)]
    return "\n\n".join(parts) + "\n"


def as_json(run: Run) -> dict[str, Any]:
    """A run as plain data: what was asked how, the figures, and every case."""
    return {
        "about": dict(run.about),
        "metrics": to_dict([*run.summaries(), run.fairness()]),
        "cases": [
            {
                "case": to_dict(one.case),
                "pair": one.pair,
                "grades": {name: to_dict(grade) for name, grade in one.grades.items()},
                "answer": one.answer,
                "error": one.error,
            }
            for one in run.outcomes
        ],
    }


def misses(run: Run) -> str:
    """The cases that did not come out right, with what was wanted and what was said."""
    lines = []
    for one in run.outcomes:
        if one.error or not is_miss(one):
            continue
        wanted = " | ".join(e.quote or e.document for e in one.case.expected) or "no answer"
        said = " ".join(str(one.answer["text"]).split()) if one.answer else ""
        lines.append(f"{one.case.id}: {one.case.question}\n  wanted: {wanted}\n  said:   {said}")
    return "\n".join(lines)


def is_miss(outcome: Outcome) -> bool:
    """Whether a case did not come out right: answered or refused wrongly, or not found."""
    wrong = {"false_answers": 1.0, "false_refusals": 1.0}
    grades = outcome.grades
    if any(name in grades and grades[name].value == value for name, value in wrong.items()):
        return True
    found = grades.get("evidence_cited") or grades.get("recall@5")
    return found is not None and found.value is not None and found.value < 1


def comparison_text(found: Comparison) -> str:
    """A comparison as a table for the terminal, and the cases that changed."""
    rows = [_DIFFERENCE_HEAD, *_difference_rows(found)]
    lines = [f"Cases in both: {found.paired}", "", *_columns(rows)]
    if found.left_out:
        named = ", ".join(found.left_out[:_NAMED])
        rest = len(found.left_out) - _NAMED
        more = f" and {rest} more" if rest > 0 else ""
        lines += ["", f"Left out, not to be paired: {named}{more}"]
    lines += ["", f"{_counted(found.changed)} changed" + (":" if found.changed else ".")]
    for one in found.changed:
        values = ", ".join(
            f"{name} {_short(a)} → {_short(b)}" for name, (a, b) in one.values.items()
        )
        lines += [f"  {one.id}: {one.question}", f"    {values}"]
    return "\n".join(lines)


def comparison_markdown(found: Comparison) -> str:
    """A comparison as Markdown."""
    parts = [
        _table(_DIFFERENCE_HEAD, _difference_rows(found)),
        f"{_counted(found.changed)} changed.",
    ]
    parts += [f"- `{one.id}` {one.question}" for one in found.changed]
    return "\n\n".join(parts) + "\n"


# -- shared with the HTML report ----------------------------------------------------------------

_HEAD = ("metric", "value", "95% interval", "cases", "")
_DIFFERENCE_HEAD = ("metric", "before", "after", "difference", "interval", "", "cases")


def summary_rows(run: Run) -> list[Row]:
    """A row for each metric: name, value, interval, number of cases, and what is to be said."""
    return [_summary_row(one) for one in [*run.summaries(), run.fairness()]]


def grouped(run: Run) -> list[tuple[str, int, dict[str, Summary]]]:
    """The metrics of each split, pair of languages and tag, with the number of cases."""
    chosen: list[tuple[str, Callable[[Outcome], bool]]] = []
    chosen += [(name, lambda one, name=name: one.case.split == name) for name in run.splits()]  # type: ignore[misc]
    chosen += [(name, lambda one, name=name: one.pair == name) for name in run.pairs()]  # type: ignore[misc]
    chosen += [(name, lambda one, name=name: name in one.case.tags) for name in run.tags()]  # type: ignore[misc]
    groups = []
    for name, where in chosen:
        found = {one.name: one for one in run.summaries(where)}
        groups.append((name, sum(map(where, run.outcomes)), found))
    return groups


def _summary_row(one: Summary) -> Row:
    note = f"{one.ungraded} {NOT_GRADED}: {one.reason}" if one.ungraded else one.reason
    if one.graded and not one.ungraded:
        note = "less is better" if one.better == "lower" else ""
    return (
        one.name,
        written(one.mean, one.unit),
        written_interval(one.interval, one.unit),
        str(one.graded),
        note,
    )


def _difference_rows(found: Comparison) -> list[Row]:
    return [_difference_row(one) for one in found.differences]


def _difference_row(one: Difference) -> Row:
    sign = "+" if one.difference > 0 else ""
    return (
        one.name,
        written(one.before, one.unit),
        written(one.after, one.unit),
        sign + _signed(one.difference, one.unit),
        written_interval(one.interval, one.unit),
        one.verdict,
        str(one.pairs),
    )


def _facts(run: Run) -> str:
    about = run.about
    return "\n".join(
        [
            f"- {len(run.outcomes)} cases; suite `{about['suite']}` `{about['digest']}`",
            f"- embedder `{about['settings']['index']['embedder']}`, "
            f"backends {', '.join(about['backends']) or 'none'}, judge {about['judge'] or 'none'}",
            f"- rag-chatbot {about['versions']['rag-chatbot']}, revision {about['revision']}",
        ]
    )


def _of(found: dict[str, Summary], name: str) -> str:
    one = found.get(name)
    return written(one.mean, one.unit) if one else "–"


def _counted(changed: Sequence[object]) -> str:
    return "1 case" if len(changed) == 1 else f"{len(changed)} cases"


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _columns(rows: Sequence[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if position == 0 or position >= len(row) - 1 else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _table(head: Iterable[str], rows: Iterable[Row]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
