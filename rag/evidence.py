"""Where in the passages a sentence has its evidence, to the character, and how good it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise
from typing import Protocol, runtime_checkable

from rag.llm.backend import Evidence

from .comparison import Source
from .language import negations
from .meeting import same_words
from .statement import Statement, statement
from .subjects import name_above
from .text import Span, fold, sentences, word_spans, words
from .thresholds import CONTRADICTED, ENTAILED
from .types import Hit, PieceMatch, Reason, ReasonKind, Support
from .verify import Verdict, claims, cuts_a_figure, verdict

Aligned = Callable[[str, Sequence[str]], list[list[PieceMatch]]]
Entailed = Callable[[str, Sequence[str]], list[tuple[float, float]]]

# How many windows of a passage are compared with a sentence, in its language and in another, where
# no word tells which; and how many passages beyond those that it cites.
_WINDOWS, _WINDOWS_ACROSS, _OTHERS = 4, 8, 3
# What a title may add to: nothing is made up for that says otherwise.
_LACKING = (Support.UNSUPPORTED, Support.PARTLY)
# So many characters before a window say whom it may be about.
_BEFORE = 300
# Of these so many are judged, the best first.
_JUDGED = 2
# Verdicts, the better the later.
RANKED = (Support.UNSUPPORTED, Support.PARTLY, Support.CONTRADICTED, Support.SUPPORTED)


@runtime_checkable
class Aligner(Protocol):
    """A retriever whose embedder has vectors of pieces; ``rag.Index`` is one."""

    def aligned(self, sentence: str, texts: Sequence[str]) -> list[list[PieceMatch]]:
        """For each text the pieces of a sentence in order, each with the nearest of the text."""
        ...


@runtime_checkable
class Entailer(Protocol):
    """A retriever that can ask an entailment model; ``rag.Index`` is one."""

    def entailed(self, sentence: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """For each text how surely it entails a sentence, and how surely it contradicts it.

        Returns:
            Probabilities; an empty list where no model is set.
        """
        ...


@dataclass(frozen=True, slots=True)
class Judging:
    """What sentences are judged with.

    ``evidence`` weighs texts against a sentence, ``aligned`` tells which words are near,
    ``entailed`` asks an entailment model.
    """

    evidence: Evidence
    aligned: Aligned | None = None
    entailed: Entailed | None = None


def judging(retriever: object, evidence: Evidence) -> Judging:
    """All that a retriever offers to judge sentences with."""
    return Judging(
        evidence,
        retriever.aligned if isinstance(retriever, Aligner) else None,
        retriever.entailed if isinstance(retriever, Entailer) else None,
    )


@dataclass(frozen=True, slots=True)
class Evidenced:
    """The span of a document that bears a sentence out best, and how well it does."""

    number: int
    start: int
    end: int
    verdict: Verdict

    @property
    def rank(self) -> tuple[int, float]:
        """Its place among others: the verdict, then how much of the sentence is met."""
        return RANKED.index(self.verdict.support), self.verdict.covered


@dataclass(frozen=True, slots=True)
class _Window:
    """A sentence of a passage, or two neighbours, and how much it shares with what is sought."""

    number: int
    span: Span
    text: str
    fitness: tuple[float, int, int]


def evidence_for(
    sentence: str, language: str, cited: Sequence[int], hits: Sequence[Hit], by: Judging
) -> list[Evidenced]:
    """The evidence for a sentence: in the passages it cites, else in the best of all.

    Args:
        sentence: A sentence, without markers, list marks and quotation marks around it.
        language: Its language, ISO 639-1.
        cited: The numbers of the passages that it cites.
        hits: The passages; number ``n`` is the n-th.
        by: What it is judged with.
    """
    said = statement(sentence, language)
    found = _located(said, cited, hits, by)
    if any(one.verdict.support is Support.SUPPORTED for one in found):
        return found
    uncited = [number for number in range(1, len(hits) + 1) if number not in cited]
    if not uncited or not claims(sentence):
        return found
    # Of passages that share as much those found first are tried, however short their sentences.
    fit = {n: max(window.fitness[:2] for window in _windows(said, n, hits)) for n in uncited}
    rest = nlargest(_OTHERS, uncited, key=fit.__getitem__)
    best = max(_located(said, rest, hits, by), key=lambda one: one.rank)
    match best.verdict.support:
        case Support.SUPPORTED:
            kept = (Support.PARTLY,)
            return [*(one for one in found if one.verdict.support in kept), best]
        case Support.PARTLY if not found:
            return [best]
        case Support.CONTRADICTED if all(
            one.verdict.support is Support.UNSUPPORTED for one in found
        ):
            return [best]
    return found


def _located(
    said: Statement, numbers: Sequence[int], hits: Sequence[Hit], by: Judging
) -> list[Evidenced]:
    """The span of each of some passages that bears a sentence out best."""
    found: dict[int, Evidenced] = {}
    candidates: list[_Window] = []
    for number in numbers:
        hit = hits[number - 1]
        if span := _verbatim(said, hit.passage.text):
            whole = Verdict(Support.SUPPORTED, (), 1.0)
            found[number] = _evidenced(number, hit, span, whole)
        else:
            across = hit.document.language != said.language
            most = _WINDOWS_ACROSS if across else _WINDOWS
            of_it = _windows(said, number, hits)
            candidates += nlargest(most, of_it, key=lambda one: one.fitness)
    for window, judged in _judged(said, candidates, hits, by):
        one = _evidenced(window.number, hits[window.number - 1], window.span, judged)
        known = found.get(window.number)
        # The first of a passage is its best, unless a later one supports what it does not.
        if known is None or (
            judged.support is Support.SUPPORTED and known.verdict.support is not Support.SUPPORTED
        ):
            found[window.number] = one
    return [found[number] for number in numbers]


def _judged(
    said: Statement, candidates: Sequence[_Window], hits: Sequence[Hit], by: Judging
) -> Iterable[tuple[_Window, Verdict]]:
    """The best windows of each passage with their verdicts, the best first."""
    texts = [one.text for one in candidates]
    pieces = by.aligned(said.text, texts) if by.aligned and texts else [[]] * len(texts)
    if not any(pieces):
        shares = [share for share, _ in by.evidence(said.text, texts)] if texts else []
    else:
        shares = [sum(one.weight * one.similarity for one in of_text) for of_text in pieces]
    chosen = _most_promising(candidates, shares)
    windows = [candidates[row] for row in chosen]
    verdicts = _verdicts(said, [one.text for one in windows], _hits(windows, hits), by,
                         [pieces[row] for row in chosen])  # fmt: skip
    yield from zip(windows, _with_titles(said, windows, verdicts, hits, by), strict=True)


def _most_promising(candidates: Sequence[_Window], shares: Sequence[float]) -> list[int]:
    """Which windows are judged, a few of each passage, the most promising ones first."""
    longest = max((len(one.text) for one in candidates), default=0) or 1
    # Of two windows that hold the same words the shorter is the better quote.
    scores = [
        share + 0.5 * one.fitness[0] - 0.05 * len(one.text) / longest
        for share, one in zip(shares, candidates, strict=True)
    ]
    chosen: list[int] = []
    taken: dict[int, int] = {}
    for row in sorted(range(len(candidates)), key=lambda row: -scores[row]):
        number = candidates[row].number
        if taken.setdefault(number, 0) < _JUDGED:
            taken[number] += 1
            chosen.append(row)
    return chosen


def _hits(windows: Sequence[_Window], hits: Sequence[Hit]) -> list[Hit]:
    return [hits[one.number - 1] for one in windows]


def _with_titles(
    said: Statement,
    windows: Sequence[_Window],
    verdicts: Sequence[Verdict],
    hits: Sequence[Hit],
    by: Judging,
) -> list[Verdict]:
    """The verdicts, better where a sentence is borne out once the document says whom it is about.

    What a document is about its sentences need not name.
    """
    better = list(verdicts)
    above = {
        place: name
        for place, one in enumerate(windows)
        if verdicts[place].support in _LACKING and (name := _name_above(said, one, hits))
    }
    texts = [f"{name}\n{windows[place].text}" for place, name in above.items()]
    anew = _verdicts(said, texts, _hits([windows[place] for place in above], hits), by)
    for place, judged in zip(above, anew, strict=True):
        if judged.support is Support.SUPPORTED:
            better[place] = judged
    return better


def _name_above(said: Statement, window: _Window, hits: Sequence[Hit]) -> str:
    """Whom a window tells of by the title of its document, where a sentence names that."""
    hit = hits[window.number - 1]
    before = hit.passage.text[: window.span[0]].rpartition("\n\n")[2][-_BEFORE:]
    return name_above(hit.document, set(map(fold, said.words)), window.text, before)


def _verdicts(
    said: Statement,
    texts: Sequence[str],
    hits: Sequence[Hit],
    by: Judging,
    pieces: Sequence[Sequence[PieceMatch]] = (),
) -> list[Verdict]:
    """How well each of some texts, of a passage each, bears a sentence out; ``pieces`` may be known."""
    if not texts:
        return []
    if not pieces:
        pieces = by.aligned(said.text, texts) if by.aligned else [[]] * len(texts)
    weighed = by.evidence(said.text, texts)
    entailed = by.entailed(said.text, texts) if by.entailed else []
    found = []
    for place, (text, hit) in enumerate(zip(texts, hits, strict=True)):
        source = Source(
            statement(text, hit.document.language),
            f"{hit.document.title}\n{hit.passage.text}",
            hit.document.published,
        )
        share, dense = weighed[place]
        judged = verdict(said, source, share=share, dense=dense, pieces=pieces[place])
        found.append(entailment(judged, entailed[place]) if entailed else judged)
    return found


def entailment(judged: Verdict, given: tuple[float, float]) -> Verdict:
    """A verdict, put right by an entailment model.

    What a quote holds in other words becomes supported where nothing but wording was missing;
    figures, names, dates and denials stay as they were compared.

    Args:
        judged: The verdict by comparison.
        given: How surely the quote entails the sentence, and contradicts it.
    """
    entails, contradicts = given
    worded = all(one.kind is ReasonKind.WORDING for one in judged.reasons)
    if entails >= ENTAILED and judged.support is Support.PARTLY and worded:
        return Verdict(Support.SUPPORTED, (), judged.covered)
    if contradicts >= CONTRADICTED and judged.support in (Support.PARTLY, Support.SUPPORTED):
        reason = Reason(ReasonKind.MEANING, contradicts=True)
        return Verdict(Support.CONTRADICTED, (reason, *judged.reasons), judged.covered)
    return judged


def _evidenced(number: int, hit: Hit, span: Span, judged: Verdict) -> Evidenced:
    start, end = hit.passage.start + span[0], hit.passage.start + span[1]
    return Evidenced(number, start, end, judged)


def _windows(said: Statement, number: int, hits: Sequence[Hit]) -> list[_Window]:
    """The windows of a passage with what they share with a sentence."""
    passage, language = hits[number - 1].passage.text, hits[number - 1].document.language
    wanted = [said.words[place] for place in said.terms]
    wanted += [said.words[place] for one in said.names for place in one.words]
    keyed = len(said.readings) or 1
    found = []
    for start, end in _spans(passage, language):
        text = passage[start:end]
        quote = statement(text, language)
        held = sum(bool(keys & quote.keys) for keys in said.readings)
        shared = sum(bool(same_words(word, quote)) for word in wanted)
        shared += len(said.groups.keys() & quote.groups.keys())
        found.append(_Window(number, (start, end), text, (held / keyed, shared, start - end)))
    return found


@lru_cache(maxsize=512)
def _spans(passage: str, language: str) -> tuple[Span, ...]:
    """The sentences of a passage, and pairs of one paragraph."""
    spans = sentences(passage, language) or [(0, len(passage))]
    pairs = [
        (first[0], second[1])
        for first, second in pairwise(spans)
        if "\n\n" not in passage[first[1] : second[0]]  # a heading is no part of a quote
    ]
    return (*spans, *pairs)


def _verbatim(said: Statement, passage: str) -> Span | None:
    """Where the words of a sentence stand in a passage one after another, if they do."""
    if not claims(said.text):
        return None
    wanted = words(said.text)
    there = _word_spans(passage)
    for first in range(len(there) - len(wanted) + 1):
        if there[first][0] != wanted[0]:
            continue
        if all(there[first + i][0] == word for i, word in enumerate(wanted)):
            start, end = there[first][1], there[first + len(wanted) - 1][2]
            denied = any(word in negations() for word, _, _ in there[max(0, first - 2) : first])
            if not denied and not cuts_a_figure(passage, start, end):
                return _with_punctuation(said.text, passage, start, end)
    return None


@lru_cache(maxsize=512)
def _word_spans(passage: str) -> tuple[tuple[str, int, int], ...]:
    return tuple(word_spans(passage))


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
