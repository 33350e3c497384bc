"""From an answer's text to sentences, their exact quotes and a verdict on each.

Markers are resolved to passages; the words of each passage that best bear the sentence out
become the citation's quote. A marker that names no passage is taken out and counted; a sentence
without a marker that bears out, or with one that does not, gets the passage that does.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.llm.backend import Evidence

from .checking import Checking
from .evidence import Aligned, Entailed, Judging
from .types import Cited, Hit

__all__ = ["Cited", "cite"]


def cite(
    text: str,
    language: str,
    hits: Sequence[Hit],
    evidence: Evidence,
    *,
    aligned: Aligned | None = None,
    entailed: Entailed | None = None,
) -> Cited:
    """Check every sentence of an answer against the passages.

    Args:
        text: The answer as a backend wrote it, with markers such as ``[2]``.
        language: Its language, ISO 639-1.
        hits: The passages; marker ``n`` is the n-th.
        evidence: Weighs texts against a sentence.
        aligned: Tells which words of texts are near those of a sentence; without it only the
            same words meet, and a sentence in another language is partly supported at best.
        entailed: Asks an entailment model, where one is set.

    Returns:
        The text, normalized, with markers that name no passage removed and missing ones
        added, and each sentence with its exact citations and its verdict. Sentences cover
        every word of the text. ``rag.checking.Checking`` does the same while a text grows.
    """
    checking = Checking(language, hits, Judging(evidence, aligned, entailed))
    checking.feed(text)
    return checking.finish()
