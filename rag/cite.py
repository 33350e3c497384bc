"""From an answer's text to sentences, their exact quotes and a verdict on each.

Markers are resolved to passages; the words of each passage that best bear the sentence out
become the citation's quote. A marker that names no passage is taken out; a sentence without
a marker that bears out, or with one that does not, gets the passage that does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise

from rag.llm.backend import Evidence

from .labels import without_label
from .language import function_words
from .markers import Marker, blanked, without_unknown
from .text import Span, fold, normalize, sentences, word_spans, words
from .types import Citation, Hit, Sentence, Support
from .verify import claims, cuts_a_figure, holds_figures, verdict

# How many windows of a passage are weighed for a sentence, and how many passages beyond those
# that it cites. To weigh is to embed, and an answer has many sentences.
_WINDOWS, _OTHERS = 3, 3

_LIST_MARK = re.compile(r"(?:\d{1,3}[.)]|[-*+•]|#{1,6})[ \t]+")
_QUOTED = "“”\"'‘’«» \n\t"
# Whether a window holds a sentence's figures, how many of its words, and how short it is.
Fitness = tuple[bool, int, int]
_RANK = [Support.UNSUPPORTED, Support.PARTLY, Support.SUPPORTED]


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
        The text, normalized, with markers that name no passage removed and missing ones
        added, and each sentence with its exact citations and its verdict. Sentences cover
        every word of the text.
    """
    text, markers = without_unknown(normalize(text), len(hits))
    bare = blanked(text, markers)
    spans = _joined(bare, sentences(bare, language))
    if not spans:
        return Cited(bare.strip(), ())
    pieces: list[str] = []
    checked: list[Sentence] = []
    reached = length = 0
    for (start, end), own in zip(spans, _owned(text, spans, markers), strict=True):
        first = min([start, *(marker.start for marker in own)])
        last = max([end, *(marker.end for marker in own)])
        cited = list(dict.fromkeys(number for marker in own for number in marker.numbers))
        found = _evidence_for(bare[start:end], language, cited, hits, evidence)
        body = text[first:last]
        if [one.number for one in found] != cited:
            body = _marked_anew(text, (first, last), own, found)
        gap = text[reached:first] + body[: len(body) - len(body.lstrip())]
        body = body.strip()
        citations = tuple(_citation(one, hits) for one in found)
        best = max((one.support for one in found), key=_RANK.index, default=Support.UNSUPPORTED)
        length += len(gap)
        checked.append(Sentence(body, length, length + len(body), citations, best))
        length += len(body)
        pieces += [gap, body]
        reached = last
    return Cited("".join([*pieces, text[reached:]]), tuple(checked))


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Sentences, each with what follows it and has no letters, such as ``(3)``."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and not any(char.isalpha() for char in text[start:end]):
            joined[-1] = (joined[-1][0], end)
        elif words(text[start:end]):
            joined.append((start, end))
    return joined


def _owned(text: str, spans: Sequence[Span], markers: Sequence[Marker]) -> list[list[Marker]]:
    """The markers of each sentence: those in it and behind it, and those that open its line."""
    starts = [start for start, _ in spans]
    owned: list[list[Marker]] = [[] for _ in spans]
    for marker in markers:
        owner = bisect_right(starts, marker.start) - 1
        following = owner + 1
        if owner < 0:
            owner = 0
        elif following < len(spans) and marker.start >= spans[owner][1]:
            opens = text[: marker.start].endswith("\n")
            opens = opens and "\n" not in text[marker.end : starts[following]]
            owner = following if opens or owned[following] else owner
        owned[owner].append(marker)
    return owned


def _evidence_for(
    sentence: str, language: str, cited: Sequence[int], hits: Sequence[Hit], evidence: Evidence
) -> list[Evidenced]:
    """The evidence for a sentence: in the passages it cites, else in the best of all."""
    sentence = _LIST_MARK.sub("", sentence, count=1) if _LIST_MARK.match(sentence) else sentence
    published = [hits[number - 1].document.published for number in cited]
    sentence = without_label(sentence.strip(), published).strip(_QUOTED)
    found = _located(sentence, language, cited, hits, evidence)
    if any(one.support is Support.SUPPORTED for one in found):
        return found
    uncited = [number for number in range(1, len(hits) + 1) if number not in cited]
    fit = {number: _windows(sentence, hits[number - 1])[0][0] for number in uncited}
    rest = nlargest(_OTHERS, uncited, key=fit.__getitem__)
    others = _located(sentence, language, rest, hits, evidence)
    best = max(others, key=lambda one: (_RANK.index(one.support), one.share), default=None)
    if best and best.support is Support.SUPPORTED:
        return [*(one for one in found if one.support is Support.PARTLY), best]
    if not found and best and best.support is Support.PARTLY:
        return [best]
    return found


def _located(
    sentence: str, language: str, numbers: Sequence[int], hits: Sequence[Hit], evidence: Evidence
) -> list[Evidenced]:
    """The span of each of some passages that bears a sentence out best."""
    found: dict[int, Evidenced] = {}
    windows: list[tuple[int, Span]] = []
    for number in numbers:
        hit = hits[number - 1]
        if verbatim := _verbatim(sentence, hit.passage.text):
            found[number] = _evidenced(number, hit, verbatim, 1.0, Support.SUPPORTED)
        else:
            windows += [(number, span) for _, span in _windows(sentence, hit)]
    texts = [hits[number - 1].passage.text[slice(*span)] for number, span in windows]
    # Of two windows that hold the same words the shorter is the better quote.
    longest = max(map(len, texts), default=0) or 1
    order: dict[int, tuple[bool, float]] = {}
    weighed = evidence(sentence, texts) if texts else []
    for (number, span), text, (share, dense) in zip(windows, texts, weighed, strict=True):
        score = share + 0.2 * dense - 0.05 * len(text) / longest
        fitness = (holds_figures(text, sentence), score)
        if number not in order or fitness > order[number]:
            order[number] = fitness
            hit = hits[number - 1]
            support = verdict(sentence, language, hit, text, share, dense)
            found[number] = _evidenced(number, hit, span, share, support)
    return [found[number] for number in numbers]


def _evidenced(number: int, hit: Hit, span: Span, share: float, support: Support) -> Evidenced:
    start, end = hit.passage.start + span[0], hit.passage.start + span[1]
    return Evidenced(number, start, end, share, support)


def _verbatim(sentence: str, passage: str) -> Span | None:
    """Where the words of a sentence stand in a passage one after another, if they do."""
    wanted = words(sentence)
    there = list(word_spans(passage))
    if not claims(sentence):
        return None
    for first in range(len(there) - len(wanted) + 1):
        if all(there[first + i][0] == word for i, word in enumerate(wanted)):
            start, end = there[first][1], there[first + len(wanted) - 1][2]
            if not cuts_a_figure(passage, start, end):
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


def _windows(sentence: str, hit: Hit) -> list[tuple[Fitness, Span]]:
    """The sentences of a passage, and pairs of one paragraph, that share most words with one."""
    passage = hit.passage.text
    spans = sentences(passage, hit.document.language) or [(0, len(passage))]
    spans += [
        (first[0], second[1])
        for first, second in pairwise(spans)
        if "\n\n" not in passage[first[1] : second[0]]  # a heading is no part of a quote
    ]
    wanted = {fold(word) for word in words(sentence) if word not in function_words()}
    fit: list[tuple[Fitness, Span]] = []
    for start, end in spans:
        text = passage[start:end]
        shared = len(wanted & {fold(word) for word in words(text)})
        fit.append(((holds_figures(text, sentence), shared, start - end), (start, end)))
    return nlargest(_WINDOWS, fit)


def _marked_anew(
    text: str, span: Span, markers: Sequence[Marker], found: Sequence[Evidenced]
) -> str:
    """A sentence with the markers of the passages that were found to bear on it, behind it."""
    pieces: list[str] = []
    position, last = span
    for marker in markers:
        pieces.append(text[position : marker.start])
        position = marker.end
    body = "".join([*pieces, text[position:last]])
    return body.strip() + "".join(f" [{one.number}]" for one in found)


def _citation(found: Evidenced, hits: Sequence[Hit]) -> Citation:
    hit = hits[found.number - 1]
    quote = hit.document.text[found.start : found.end]
    return Citation(
        found.number, hit.document, hit.passage, found.start, found.end, quote, found.support
    )
