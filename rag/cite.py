"""From an answer's text to sentences, their exact quotes and a verdict on each.

Markers are resolved to passages; the words of each passage that best bear the sentence out
become the citation's quote. A marker that names no passage is taken out; a sentence without
a marker that bears out, or with one that does not, gets the passage that does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.llm.backend import Evidence
from rag.text import Span, sentences, word_spans, words
from rag.types import Citation, Hit, Sentence, Support

# The share of a sentence's words, by rarity, that its evidence must hold. A quote holds all;
# measured on paraphrases of seed sentences (tests/test_cite.py holds them).
SUPPORTED, PARTLY = 0.6, 0.35
# Between two languages words differ, so closeness in meaning can carry a sentence part way.
_CLOSE = 0.6

_MARKERS = re.compile(r"[ \t]*[\[【](\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】](?!\()")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_QUOTED = "“”\"'‘’«» \n\t"


@dataclass(frozen=True, slots=True)
class Evidenced:
    """The span of a document that bears a sentence out best, and how well it does."""

    number: int
    start: int
    end: int
    share: float
    support: Support


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer's text with its markers put right, and its sentences."""

    text: str
    sentences: tuple[Sentence, ...]


def cite(text: str, language: str, hits: Sequence[Hit], evidence: Evidence) -> Cited:
    """Check every sentence of an answer against the passages.

    Args:
        text: The answer as a backend wrote it, with markers such as ``[2]``.
        language: Its language, ISO 639-1.
        hits: The passages; marker ``n`` is the n-th.
        evidence: Weighs texts against a sentence.

    Returns:
        The text with markers that name no passage removed and missing ones added, and each
        sentence with its exact citations and its verdict. Sentences cover the whole text
        but for white space between them.
    """
    text, groups = _without_unknown(text, len(hits))
    blanked = "".join(
        " " if any(start <= offset < end for start, end, _ in groups) else char
        for offset, char in enumerate(text)
    )
    spans = [span for span in sentences(blanked, language) if words(blanked[slice(*span)])]
    pieces: list[str] = []
    checked: list[Sentence] = []
    length = 0
    for position, (start, end) in enumerate(spans):
        following = spans[position + 1][0] if position + 1 < len(spans) else len(text)
        if position == 0:
            pieces.append(text[:start])
            length = start
        own = [group for group in groups if start <= group[0] < following]
        stop = max([end, *(group[1] for group in own)])
        cited = list(dict.fromkeys(number for _, _, numbers in own for number in numbers))
        found = _evidence_for(blanked[start:end], language, cited, hits, evidence)
        body = _with_markers(text[start:stop], start, own, cited, found)
        citations = tuple(_citation(one, hits) for one in found)
        best = max((one.support for one in found), key=_RANK.index, default=Support.UNSUPPORTED)
        checked.append(Sentence(body, length, length + len(body), citations, best))
        pieces += [body, text[stop:following]]
        length += len(body) + following - stop
    return Cited("".join(pieces) if spans else text, tuple(checked))


_RANK = [Support.UNSUPPORTED, Support.PARTLY, Support.SUPPORTED]


def _without_unknown(text: str, count: int) -> tuple[str, list[tuple[int, int, list[int]]]]:
    """The text without markers of passages that do not exist, and where the others stand."""
    kept: list[tuple[int, int, list[int]]] = []
    pieces: list[str] = []
    position = length = 0
    for match in _MARKERS.finditer(text):
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        known = [number for number in numbers if 1 <= number <= count]
        marker = "".join(f"[{number}]" for number in known)
        before = text[position : match.start()]
        space = text[match.start() : match.end()][: len(match[0]) - len(match[0].lstrip())]
        length += len(before)
        pieces.append(before)
        if known:
            pieces.append(space + marker)
            kept.append((length, length + len(space + marker), known))
            length += len(space + marker)
        position = match.end()
    return "".join(pieces) + text[position:], kept


def _evidence_for(
    sentence: str, language: str, cited: Sequence[int], hits: Sequence[Hit], evidence: Evidence
) -> list[Evidenced]:
    """The evidence for a sentence: in the passages it cites, else in the best of all."""
    sentence = sentence.strip(_QUOTED)
    found = [_locate(sentence, language, number, hits[number - 1], evidence) for number in cited]
    if any(one.support is Support.SUPPORTED for one in found):
        return found
    others = [
        _locate(sentence, language, number, hit, evidence)
        for number, hit in enumerate(hits, start=1)
        if number not in cited
    ]
    best = max(others, key=lambda one: (_RANK.index(one.support), one.share), default=None)
    if best and best.support is Support.SUPPORTED:
        return [*(one for one in found if one.support is Support.PARTLY), best]
    if not found and best and best.support is Support.PARTLY:
        return [best]
    return found


def _locate(sentence: str, language: str, number: int, hit: Hit, evidence: Evidence) -> Evidenced:
    """The span of one passage that bears a sentence out best."""
    offset = hit.passage.start
    verbatim = _verbatim(sentence, hit.passage.text)
    if verbatim:
        start, end = verbatim
        return Evidenced(number, offset + start, offset + end, 1.0, Support.SUPPORTED)
    windows = _windows(hit.passage.text, hit.document.language)
    texts = [hit.passage.text[start:end] for start, end in windows]
    weighed = evidence(sentence, texts)
    # Of two windows that hold the same words the shorter is the better quote.
    longest = max(len(text) for text in texts)
    order = [
        share + 0.2 * dense - 0.05 * len(text) / longest
        for (share, dense), text in zip(weighed, texts, strict=True)
    ]
    best = order.index(max(order))
    share, dense = weighed[best]
    other_language = hit.document.language != language
    support = _verdict(sentence, texts[best], share, dense, other_language=other_language)
    start, end = windows[best]
    return Evidenced(number, offset + start, offset + end, share, support)


def _verdict(
    sentence: str, quote: str, share: float, dense: float, *, other_language: bool
) -> Support:
    """How well a quote bears a sentence out; a figure it does not hold is never supported."""
    if _figures(sentence) - _figures(quote):
        return Support.UNSUPPORTED
    if share >= SUPPORTED:
        return Support.SUPPORTED
    if share >= PARTLY or (other_language and dense >= _CLOSE):
        return Support.PARTLY
    return Support.UNSUPPORTED


def _figures(text: str) -> set[str]:
    return {figure.replace(",", ".") for figure in _NUMBER.findall(text)}


def _verbatim(sentence: str, passage: str) -> Span | None:
    """Where the words of a sentence stand in a passage one after another, if they do."""
    wanted = words(sentence)
    there = list(word_spans(passage))
    if not wanted:
        return None
    for first in range(len(there) - len(wanted) + 1):
        if all(there[first + i][0] == word for i, word in enumerate(wanted)):
            start, end = there[first][1], there[first + len(wanted) - 1][2]
            return _with_punctuation(sentence, passage, start, end)
    return None


def _with_punctuation(sentence: str, passage: str, start: int, end: int) -> Span:
    """Widen a span of words by the punctuation the sentence has around them."""
    spans = list(word_spans(sentence))
    before = "".join(sentence[: spans[0][1]].split())
    after = "".join(sentence[spans[-1][2] :].split())
    while before and start and passage[start - 1] == before[-1]:
        start, before = start - 1, before[:-1]
    while after and end < len(passage) and passage[end] == after[0]:
        end, after = end + 1, after[1:]
    return start, end


def _windows(passage: str, language: str) -> list[Span]:
    """The sentences of a passage and the pairs of neighbours."""
    spans = sentences(passage, language)
    return spans + [(a[0], b[1]) for a, b in pairwise(spans)]


def _with_markers(
    body: str,
    offset: int,
    groups: Sequence[tuple[int, int, list[int]]],
    cited: Sequence[int],
    found: Sequence[Evidenced],
) -> str:
    """A sentence with the markers of the passages that were found to bear on it."""
    numbers = [one.number for one in found]
    if numbers == list(cited):
        return body
    for start, end, _ in reversed(groups):
        body = body[: start - offset] + body[end - offset :]
    return body + "".join(f" [{number}]" for number in numbers)


def _citation(found: Evidenced, hits: Sequence[Hit]) -> Citation:
    hit = hits[found.number - 1]
    quote = hit.document.text[found.start : found.end]
    return Citation(
        found.number, hit.document, hit.passage, found.start, found.end, quote, found.support
    )
