"""What the sources panel shows: passages, and in them the quotes that an answer rests on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from rag.types import Answer, Citation, Hit, Support

from .strings import Strings

# How much of the document is shown before and after a passage.
_CONTEXT = 600

_VERDICTS = {
    Support.SUPPORTED: "supported",
    Support.PARTLY: "partly",
    Support.UNSUPPORTED: "unsupported",
    Support.CONTRADICTED: "contradicted",
}
_ORDER = list(_VERDICTS)

Panel = dict[str, Any]


def empty_panel(texts: Strings) -> Panel:
    """The panel before the first question."""
    return {"heading": texts["sources"], "note": texts["no_sources"], "sources": [], "focus": 0}


def found_panel(hits: Sequence[Hit], texts: Strings) -> Panel:
    """The panel while the answer is being written: passages without quotes."""
    sources = [_source(number, hit, (), texts) for number, hit in enumerate(hits, start=1)]
    return {"heading": texts["found"], "note": "", "sources": sources, "focus": 0}


def answer_panel(answer: Answer, texts: Strings, focus: int = 0) -> Panel:
    """The panel of a finished answer: the cited passages, or those nearest to the question.

    Args:
        answer: The answer.
        texts: The window's texts.
        focus: The marker to open at; the first cited one if 0.
    """
    if answer.abstained or not answer.citations:
        panel = found_panel(answer.hits[:3], texts)
        note = texts["related"] if answer.abstained else ""
        return {**panel, "heading": texts["sources"], "note": note}
    markers = sorted({citation.marker for citation in answer.citations})
    sources = []
    for marker in markers:
        own = [citation for citation in answer.citations if citation.marker == marker]
        sources.append(_source(marker, answer.hits[marker - 1], own, texts))
    chosen = focus if focus in markers else answer.citations[0].marker
    return {"heading": texts["sources"], "note": "", "sources": sources, "focus": chosen}


def _source(number: int, hit: Hit, citations: Sequence[Citation], texts: Strings) -> Panel:
    document, passage = hit.document, hit.passage
    begin = max(0, passage.start - _CONTEXT)
    finish = min(len(document.text), passage.end + _CONTEXT)
    place = [document.name] if document.title != document.name else []
    quoted = [citation.page for citation in citations] or [passage.page]
    if pages := sorted({page for page in quoted if page}):
        place.append(f"{texts['page']} {', '.join(map(str, pages))}")
    if document.published:
        place.append(document.published.isoformat())
    place.append(document.language)
    worst = max((_ORDER.index(citation.support) for citation in citations), default=None)
    verdict = "uncited" if worst is None else _VERDICTS[_ORDER[worst]]
    return {
        "number": number,
        "title": document.title,
        "place": " · ".join(place),
        "verdict": texts[verdict],
        "verdict_class": verdict,
        "before": ("…" if begin else "") + document.text[begin : passage.start].lstrip(),
        "parts": _parts(document.text, passage.start, passage.end, citations),
        "after": document.text[passage.end : finish].rstrip()
        + ("…" if finish < len(document.text) else ""),
    }


def _parts(text: str, start: int, end: int, citations: Sequence[Citation]) -> list[Panel]:
    """A passage cut at the edges of its quotes, each part with whether it is quoted."""
    spans = [(citation.start, citation.end) for citation in citations]
    edges = sorted({start, end, *(edge for span in spans for edge in span)})
    parts: list[Panel] = []
    for begin, finish in pairwise(edges):
        quoted = any(first <= begin and finish <= last for first, last in spans)
        if parts and parts[-1]["quoted"] == quoted:
            parts[-1]["text"] += text[begin:finish]
        else:
            parts.append({"text": text[begin:finish], "quoted": quoted})
    return parts
