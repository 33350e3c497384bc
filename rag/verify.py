"""How well a quote bears a sentence out: by what it holds, and by what it must not lack.

*Supported* is said only where the quote has every figure, date, unit and name of the sentence,
denies what it denies, relates what it relates, and where every word with a topic is met by the
same word or, for an embedder with vectors of pieces, by one that is near. *Contradicted* is said
where the quote is about the same and has something else in its place. ``rag.thresholds`` holds
what is near, and how much is enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .comparison import Source, differences, figure_differences, referred_to, said_likewise
from .contrasts import tokens
from .differing import Difference
from .language import function_words
from .meeting import Met, met
from .statement import Statement, statement
from .text import words
from .thresholds import (
    CLOSE,
    COVERED_ACROSS,
    COVERED_WITHIN,
    MET_ACROSS,
    MET_WITHIN,
    PARTLY,
    SAME_BUT_NAME,
    SAME_TOPIC,
    UNMET_ACROSS,
    UNMET_WITHIN,
)
from .types import PieceMatch, Reason, ReasonKind, Support

_QUOTATION = re.compile(r"“([^“”]*)”|\"([^\"\n]*)\"|«([^«»]*)»|「([^「」]*)」")
# A quotation of fewer words may be a term, and is compared as its words are.
_QUOTED_WORDS = 4
_COMPOUND = re.compile(r"\d+(?:[.,:/]\d+)+")
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a quote bears a sentence out, why not wholly, and what share of its words is met."""

    support: Support
    reasons: tuple[Reason, ...]
    covered: float


def verdict(
    sentence: Statement,
    source: Source,
    *,
    share: float = 0.0,
    dense: float = 0.0,
    pieces: Sequence[PieceMatch] = (),
) -> Verdict:
    """How well a quote bears a sentence out.

    Args:
        sentence: A sentence of an answer, without markers.
        source: The quote.
        share: The share of the sentence's words, by rarity, that the quote holds, in [0, 1].
        dense: How close the two are in meaning, in [0, 1].
        pieces: The pieces of the sentence in order, each with the nearest of the quote, where the
            embedder has vectors of pieces.
    """
    if not claims(sentence.text):
        return Verdict(Support.UNSUPPORTED, (Reason(ReasonKind.NO_EVIDENCE),), 0.0)
    found = met(sentence, source.quote, pieces)
    across = sentence.language != source.quote.language
    least = MET_ACROSS if across else MET_WITHIN
    held = [one.by_form or one.similarity >= least for one in found]
    for place in (*said_likewise(sentence, source.quote), *referred_to(sentence, source)):
        held[place] = True
    coverage = _coverage(sentence, sentence.terms, found, held)
    differ = differences(sentence, source, found)
    differ += _quotations(sentence, source, across, found, held)
    support = _support(differ, coverage, across, share, dense)
    reasons = [one.reason for one in differ if one.reason.contradicts]
    reasons += [one.reason for one in differ if not one.reason.contradicts]
    if support is Support.SUPPORTED:
        reasons = []
    elif coverage.unmet:
        reasons.append(Reason(ReasonKind.WORDING, ", ".join(coverage.unmet[:_MOST_NAMED])))
    if support is not Support.SUPPORTED and not reasons:
        reasons.append(Reason(ReasonKind.WORDING))
    return Verdict(support, tuple(dict.fromkeys(reasons)), coverage.share)


def claims(sentence: str) -> bool:
    """Whether a sentence says anything that can be checked; "Yes." does not."""
    return any(word not in function_words() for word in words(sentence))


def bears_out(quote: str, sentence: str, language: str = "", quoted: str = "") -> bool:
    """Whether a quote says all that a sentence says, as far as words can tell.

    Args:
        quote: The quote.
        sentence: The sentence.
        language: Of the sentence, ISO 639-1; unknown if left out.
        quoted: The language of the quote.
    """
    source = Source(statement(quote, quoted or language), quote)
    return verdict(statement(sentence, language), source).support is Support.SUPPORTED


def holds_figures(quote: str, sentence: str) -> bool:
    """Whether a quote has every figure of a sentence, whatever their languages."""
    source = Source(statement(quote, ""))
    return not any(True for _ in figure_differences(statement(sentence, ""), source))


def cuts_a_figure(passage: str, start: int, end: int) -> bool:
    """Whether a span begins or ends within a figure, as "5 million" does in "1.5 million"."""
    figures = (match.span() for match in _COMPOUND.finditer(passage))
    return any(first < start < last or first < end < last for first, last in figures)


@dataclass(frozen=True, slots=True)
class _Coverage:
    """The share of a sentence's words that is met, the largest that is not, and those words."""

    share: float
    largest: float
    unmet: tuple[str, ...]


def _coverage(
    sentence: Statement, terms: Sequence[int], found: Sequence[Met], held: Sequence[bool]
) -> _Coverage:
    """How much of some words of a sentence is held by its quote."""
    weights = {place: max(found[place].weight, 1e-6) for place in terms}
    unmet = sorted((place for place in terms if not held[place]), key=lambda p: -weights[p])
    total = sum(weights.values())
    if not total:
        return _Coverage(1.0, 0.0, ())
    tokens_ = [sentence.tokens[place] for place in unmet]
    written = tuple(sentence.text[one.start : one.end] for one in tokens_)
    missing = {place: weights[place] / total for place in unmet}
    return _Coverage(1 - sum(missing.values()), _largest(missing), written)


def _largest(missing: Mapping[int, float]) -> float:
    """The largest share of words that are not met and stand side by side: syllables of one."""
    largest = run = 0.0
    for place in sorted(missing):
        run = missing[place] + (run if place - 1 in missing else 0.0)
        largest = max(largest, run)
    return largest


def _support(
    differ: Sequence[Difference], coverage: _Coverage, across: bool, share: float, dense: float
) -> Support:
    """The verdict, from all in which a sentence and its quote differ."""
    contradicted = [one for one in differ if one.reason.contradicts]
    only_names = all(one.reason.kind is ReasonKind.NAME for one in contradicted)
    least = SAME_BUT_NAME if only_names else SAME_TOPIC
    near = max(coverage.share, dense if across else 0.0)
    if contradicted and near >= least:
        return Support.CONTRADICTED
    if any(one.grave for one in differ):
        return Support.UNSUPPORTED
    enough = COVERED_ACROSS if across else COVERED_WITHIN
    most = UNMET_ACROSS if across else UNMET_WITHIN
    if not differ and coverage.share >= enough and coverage.largest <= most:
        return Support.SUPPORTED
    if max(share, coverage.share) >= PARTLY or (across and dense >= CLOSE):
        return Support.PARTLY
    return Support.UNSUPPORTED


def _quotations(
    sentence: Statement,
    source: Source,
    across: bool,
    found: Sequence[Met],
    held: Sequence[bool],
) -> list[Difference]:
    """Quotations within a sentence that are not, word for word, in what they are taken from.

    A translated one cannot be, and is partly supported at best.
    """
    differ = []
    around = [one.word for one in tokens(source.around or source.quote.text)]
    for match in _QUOTATION.finditer(sentence.text):
        quoted = [one.word for one in tokens(match[0])]
        if len(quoted) < _QUOTED_WORDS or _stands_in(quoted, around):
            continue
        start, end = match.span()
        terms = [p for p in sentence.terms if start <= sentence.tokens[p].start < end]
        translated = across and _coverage(sentence, terms, found, held).share >= COVERED_ACROSS
        reason = Reason(ReasonKind.QUOTATION, match[0].strip('“”"«»「」 '))
        differ.append(Difference(reason, grave=not translated))
    return differ


def _stands_in(wanted: Sequence[str], there: Sequence[str]) -> bool:
    """Whether words stand in others one after another."""
    size = len(wanted)
    return any(
        there[first] == wanted[0] and list(there[first : first + size]) == list(wanted)
        for first in range(len(there) - size + 1)
    )
