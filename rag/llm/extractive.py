"""Answers without a language model: the sentences that fit best, quoted word for word.

Always there, no network. Whether there is an answer is decided by ``rag.abstention``; its best
sentence comes first, in one quotation with what it points back to or a good one beside it; behind
it what contradicts it in another document, and what else is nearly as good.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Sequence

from rag.abstention import Decision, Ranked, decide
from rag.answer_types import TELLS, fits, values
from rag.candidates import held_names
from rag.labels import labels
from rag.markers import defused
from rag.messages import NO_ANSWER, heading, said
from rag.periods import Period, period_of
from rag.premises import contradicts
from rag.question import Asked
from rag.settings import AnswerSettings
from rag.summary import central
from rag.text import Span, collapse, is_row, words
from rag.types import Hit, Intent

from .backend import Finished, Request

# A further sentence is quoted when its score is at most so much lower than the best one's, and if it
# shares at most this much of its words with those before it.
_NEAR_BEST, _MOST_OVERLAP = 2.5, 0.6
# Up to so many that stand beside a sentence are in one quotation with it, if their scores are at most
# so much lower than the best and all have at most so many characters.
_MOST_BESIDE, _BESIDE, _LONGEST = 2, 4.0, 450
# Another document's sentence tells of the same thing when its score is no lower than this.
_RIVAL = 4.0
# A further row of a table has so much of the question as the first, or is of something else.
_AS_MUCH = 0.8
# Kinds whose answers can be at odds: of a reason there may be many.
_AT_ODDS = frozenset(["amount", "time", "duration", "person", "place"])

# A quotation: the number of its passage, its document's date, its text.
Quote = tuple[int, Hit, Span]


class ExtractiveBackend:
    """Quotes the sentences of the passages that answer a question.

    Args:
        settings: How many sentences, and how probable an answer must be.
    """

    name = "extractive"

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    async def stream(self, request: Request) -> AsyncGenerator[str | Finished, None]:
        """Write the quotes, each in quotation marks with its marker, or ``NO_ANSWER``."""
        if request.intent is Intent.SUMMARY:
            note = heading(request.hits, request.of_documents, request.language)
            yield _written(await asyncio.to_thread(central, request), note) or NO_ANSWER
            yield Finished()
            return
        decision = await asyncio.to_thread(decide, request)
        if not decision.answers(self._settings.evidence):
            yield NO_ANSWER
            yield Finished()
            return
        chosen = _chosen(decision, self._settings.sentences, _period(request))
        quotes = _quotes(chosen, decision)
        note = ""
        if contradicts(decision.asked, chosen[0].candidate):
            note = said("otherwise", request.language)
        yield _written(quotes, note)
        yield Finished()


def _written(quotes: Sequence[Quote], note: str) -> str:
    """Quotations, each with its marker, and with its date where those differ."""
    written = []
    for (number, hit, span), label in zip(quotes, _labels(quotes), strict=True):
        text = defused(collapse(hit.passage.text[slice(*span)]))
        written.append(f"{label}“{text}” [{number}]")
    return " ".join(filter(None, [note if written else "", "\n\n".join(written)]))


def _period(request: Request) -> Period:
    return period_of(request.latest or request.question, request.language, dt.date.today())


def _chosen(decision: Decision, most: int, period: Period) -> list[Ranked]:
    """The best sentence, those at odds with it, and those nearly as good that repeat none.

    When an article was published its head tells alone.
    """
    best = decision.ranked[0]
    if best.candidate.dated and "published" in decision.asked.kinds:
        return [best]
    rival = _rival(decision) if most > 1 else None
    chosen = [best] if rival is None else _newer_first([best, rival], period)
    if decision.asked.compares:
        chosen += _of_the_others(decision, chosen)[: max(0, most - len(chosen))]
    seen = {word for one in chosen for word in words(one.candidate.text)}
    for one in decision.ranked[1:]:
        if one in chosen:
            continue
        if len(chosen) >= most or one.score < best.score - _NEAR_BEST:
            break
        own = set(words(one.candidate.text))
        if _is_of_another_row(best, one):
            continue
        if len(own & seen) <= _MOST_OVERLAP * len(own):
            chosen.append(one)
            seen |= own
    return chosen


def _is_of_another_row(best: Ranked, other: Ranked) -> bool:
    """Whether a row of a table has less of what is asked about than the best one: another's price."""
    if not (is_row(best.candidate.text) and is_row(other.candidate.text)):
        return False
    named, other_named = (one.candidate.feature("names_resolved") for one in (best, other))
    return other_named < named or _has(other) < _AS_MUCH * _has(best)


def _has(one: Ranked) -> float:
    """How much a sentence has of what is asked about, in its words or across languages."""
    return max(one.candidate.feature("held"), one.candidate.feature("met"))


def _of_the_others(decision: Decision, chosen: Sequence[Ranked]) -> list[Ranked]:
    """For each name of a question that compares, if no chosen sentence has it, the best that does."""
    asked = decision.asked
    told = [_names_told(asked, one) for one in chosen]
    found: list[Ranked] = []
    for name in asked.names:
        if any(name in names for names in told):
            continue
        for one in decision.ranked:
            if one.score < decision.ranked[0].score - _RIVAL:
                break
            if one not in chosen and name in (names := _names_told(asked, one)):
                found.append(one)
                told.append(names)
                break
    return found


def _names_told(asked: Asked, one: Ranked) -> set[tuple[str, ...]]:
    return held_names(asked, one.candidate.told)


def _rival(decision: Decision) -> Ranked | None:
    """The best sentence of another document that tells something else of the same thing."""
    asked, best = decision.asked, decision.ranked[0]
    own = values(best.candidate.told, asked)
    if not asked.kinds & _AT_ODDS or not own:
        return None
    for one in decision.ranked[1:]:
        other = one.candidate
        if one.score < best.score - _RIVAL:
            return None
        if other.hit.document.uri == best.candidate.hit.document.uri:
            continue
        there = values(other.told, asked)
        if _at_odds(own, there, asked) and _of_the_same(asked, best, one):
            return one
    return None


def _at_odds(own: frozenset[str], there: frozenset[str], asked: Asked) -> bool:
    """Whether two sentences tell different things: other figures, or somebody else besides."""
    if asked.kinds & {"person", "place"}:
        return bool(there - own)
    return bool(there) and not there & own


def _of_the_same(asked: Asked, one: Ranked, other: Ranked) -> bool:
    """Whether two sentences tell the asked kind of thing of what the question is about."""
    return all(
        fits(each.candidate.told, asked) >= TELLS
        and each.candidate.feature("names_around") == 1.0
        and each.candidate.feature("told_resolved") == 1.0
        and each.candidate.feature("keys_around") == 1.0
        for each in (one, other)
    ) and bool(asked.names and asked.relations)


def _newer_first(pair: Sequence[Ranked], period: Period) -> list[Ranked]:
    """Sentences that are at odds, the one of the newer document first where both have a date.

    Where a time is asked about, the one that fits it best stays first.
    """
    dates = [one.candidate.hit.document.published for one in pair]
    if period.bounded or not all(dates):
        return list(pair)
    return sorted(
        pair, key=lambda one: one.candidate.hit.document.published or dt.date.min, reverse=True
    )


def _quotes(chosen: Sequence[Ranked], decision: Decision) -> list[Quote]:
    """The quotes of some sentences, behind each what it points back to, and nothing twice."""
    quotes: list[Quote] = []
    for one in chosen:
        candidate = one.candidate
        known = [span for number, _, span in quotes if number == candidate.number]
        wide = _widened(one, decision)
        for span in [candidate.span if _meets(wide, known) else wide, candidate.earlier]:
            if span and not _meets(span, known):
                quotes.append((candidate.number, candidate.hit, span))
                known.append(span)
    return quotes


def _meets(span: Span, known: Sequence[Span]) -> bool:
    """Whether a span shares characters with one of some others."""
    return any(start < span[1] and span[0] < end for start, end in known)


def _widened(one: Ranked, decision: Decision) -> Span:
    """A sentence with what it points back to right before it, and with good ones beside it."""
    candidate, text = one.candidate, one.candidate.hit.passage.text
    span, taken = candidate.span, 0
    if candidate.earlier:
        span = _joined(text, candidate.earlier, span) or span
    for other in decision.ranked:
        if taken == _MOST_BESIDE or other.score < decision.ranked[0].score - _BESIDE:
            break
        if other.candidate.number == candidate.number and not _is_in(
            other.candidate.text, text[slice(*span)]
        ):
            wider = _joined(text, *sorted([span, other.candidate.span]))
            span, taken = wider or span, taken + bool(wider)
    return span


def _is_in(sentence: str, quoted: str) -> bool:
    """Whether every word of a sentence is quoted already: captions and titles repeat what is told."""
    return set(words(sentence)) <= set(words(quoted))


def _joined(text: str, one: Span, next_one: Span) -> Span | None:
    """Two sentences as one quotation, if the second follows the first in its paragraph."""
    between = text[one[1] : next_one[0]]
    follows = one[1] <= next_one[0] and not between.strip() and "\n\n" not in between
    return (one[0], next_one[1]) if follows and next_one[1] - one[0] <= _LONGEST else None


def _labels(quotes: Sequence[Quote]) -> list[str]:
    """The dates to show before quotes: where documents differ in date or language."""
    return labels([hit.document.published for _, hit, _ in quotes])
