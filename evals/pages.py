"""The reports of a run: one HTML file without outside resources, Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from .report import (
    as_json,
    as_markdown,
    grouped,
    is_miss,
    summary_rows,
    written,
    written_interval,
)
from .results import Outcome, Run, Summary

# What the charts by split, languages and tag show, where a run has it.
_CHARTED = (
    "recall@5",
    "evidence_cited",
    "answer_contained",
    "citation_recall",
    "false_answers",
    "false_refusals",
)
_BINS = 20


def write_reports(run: Run, folder: Path) -> list[Path]:
    """Write ``report.html``, ``report.md`` and ``report.json`` into a folder; their paths."""
    texts = {
        "report.html": as_html(run),
        "report.md": as_markdown(run),
        "report.json": json.dumps(as_json(run), ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8", errors="replace")
    return [folder / name for name in texts]


def as_html(run: Run) -> str:
    """A run as one HTML page: figures with intervals, charts, and every case."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("report.html.j2").render(
        about=run.about,
        run=run,
        style=_file("report.css"),
        script=_file("report.js"),
        rows=summary_rows(run),
        titles={one.name: one.title for one in [*run.summaries(), run.fairness()]},
        charts=_charts(run),
        times=_times(run.values("seconds")),
        cases=[_case(one) for one in run.outcomes],
        facts=json.dumps(dict(run.about), ensure_ascii=False, indent=1),
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: percentages of its whole length, and what it says."""

    name: str
    length: float
    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one metric by split, languages and tag."""

    title: str
    note: str
    bars: tuple[Bar, ...]


def _charts(run: Run) -> list[Chart]:
    groups = grouped(run)
    charts = []
    for told in run.metrics:
        if told.name not in _CHARTED:
            continue
        bars = [
            _bar(name, found[told.name])
            for name, _, found in groups
            if told.name in found and found[told.name].mean is not None
        ]
        if bars:
            note = "less is better" if told.better == "lower" else ""
            charts.append(Chart(f"{told.name}: {told.title}", note, tuple(bars)))
    return charts


def _bar(name: str, one: Summary) -> Bar:
    value = 100 * (one.mean or 0.0)
    low, high = one.interval or (one.mean or 0.0, one.mean or 0.0)
    label = f"{written(one.mean, one.unit)} of {one.graded}"
    if one.interval:
        label += f" ({written_interval(one.interval, one.unit)})"
    return Bar(name, value, 100 * low, 100 * high, label)


def _times(seconds: Sequence[float]) -> Chart | None:
    """How long answers took, as a histogram."""
    if not seconds:
        return None
    width = max(seconds) / _BINS or 1.0
    counts = [0] * _BINS
    for value in seconds:
        counts[min(_BINS - 1, int(value / width))] += 1
    most = max(counts)
    bars = tuple(
        Bar(f"{(number + 1) * width:.3g}", 100 * count / most, 0, 0, str(count))
        for number, count in enumerate(counts)
    )
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
    note = f"half within {middle:.3g} s, 95% within {late:.3g} s"
    return Chart("Seconds to the whole answer", note, bars)


def _case(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer or {}
    markers: dict[int, list[Mapping[str, Any]]] = {}
    for citation in answer.get("citations", ()):
        markers.setdefault(citation["marker"], []).append(citation)
    return {
        "outcome": outcome,
        "miss": bool(outcome.error) or is_miss(outcome),
        "text": answer.get("text", ""),
        "sentences": answer.get("sentences", ()),
        "sources": [
            {
                "marker": marker,
                "document": citations[0]["document"],
                "page": citations[0].get("page"),
                "parts": _parts(citations),
            }
            for marker, citations in sorted(markers.items())
        ],
        "grades": [
            (name, "not graded" if grade.value is None else f"{grade.value:.3g}", grade.reason)
            for name, grade in outcome.grades.items()
        ],
    }


def _parts(citations: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """A cited passage in parts, each with whether it is quoted."""
    passage = citations[0]["passage"]
    begin, text = passage["start"], passage["text"]
    spans = [(one["start"] - begin, one["end"] - begin) for one in citations]
    edges = sorted({0, len(text), *(edge for span in spans for edge in span)})
    return [
        (text[a:b], any(first <= a and b <= last for first, last in spans))
        for a, b in pairwise(edges)
    ]


def _file(name: str) -> str:
    return resources.files("rag.evals").joinpath("templates", name).read_text("utf-8")
