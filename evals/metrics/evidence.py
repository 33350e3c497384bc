"""Where what is expected lies: which passages and quotes of a result hold which part of it."""

from __future__ import annotations

from collections.abc import Iterable

from rag.evals.suite import Case, Expected
from rag.text import normalize
from rag.types import Document

# A passage holds a quote when it has at least this share of it: another chunker cuts the text
# elsewhere, and is not to blame for a quote that it cut within.
_ENOUGH = 0.5

Located = tuple[Document, int, int]


def judged(case: Case) -> bool:
    """Whether it is known which documents answer a case."""
    return any(expected.document for expected in case.expected)


def whole_documents(case: Case) -> bool:
    """Whether what is expected are documents, whatever passage of them is found."""
    return judged(case) and not any(expected.quote for expected in case.expected)


def parts_held(case: Case, document: Document, start: int, end: int) -> set[int]:
    """The parts of what is expected that a span of a document holds.

    Args:
        case: The case.
        document: The document.
        start: Where the span begins, in characters.
        end: Where it ends.
    """
    return {
        expected.part
        for expected in case.expected
        if expected.document == document.name and _holds(expected, document, start, end)
    }


def share_held(case: Case, spans: Iterable[Located]) -> float:
    """The share of the parts of what is expected that any of some spans holds, in [0, 1]."""
    held: set[int] = set()
    for document, start, end in spans:
        held |= parts_held(case, document, start, end)
    return len(held) / len(case.parts)


def _holds(expected: Expected, document: Document, start: int, end: int) -> bool:
    quote = normalize(expected.quote)
    if not quote:
        return True
    at = document.text.find(quote)
    while at >= 0:
        shared = min(end, at + len(quote)) - max(start, at)
        if shared >= _ENOUGH * len(quote):
            return True
        at = document.text.find(quote, at + 1)
    return False
