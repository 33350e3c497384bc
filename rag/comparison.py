"""In what a sentence and a quote differ: figures, dates, units, names, denials, relations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .contrasts import light, tokens
from .differing import Difference, has_kind, is_rival, likewise, placed_words, text_of, written
from .follow_ups import follow_ups
from .language import number_words
from .meeting import Met, same_words
from .roles import relation_differences
from .statement import Figure, Name, Statement
from .text import fold
from .thresholds import MET_ACROSS, MET_NAME, MET_WITHIN
from .types import Reason, ReasonKind

# How many words with a topic a denial is about before all.
_REACH = 3
# A number up to this may be counted from what the quote lists.
_COUNTED = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A quote and what stands around it.

    ``around`` is the text of the passage and the document's title, ``published`` the document's
    date.
    """

    quote: Statement
    around: str = ""
    published: dt.date | None = None


def differences(sentence: Statement, source: Source, found: Sequence[Met]) -> list[Difference]:
    """All in which a sentence differs from a quote, but for its plain words.

    Args:
        sentence: The sentence.
        source: The quote.
        found: How each word of the sentence is met; see ``rag.meeting``.
    """
    return [
        *figure_differences(sentence, source),
        *_name_differences(sentence, source, found),
        *_denial_differences(sentence, source.quote, found),
        *relation_differences(sentence, source.quote, found),
    ]


# -- figures ------------------------------------------------------------------------------------


def figure_differences(sentence: Statement, source: Source) -> Iterator[Difference]:
    """Figures and dates that a quote lacks, or has with another unit or bound."""
    quote = source.quote
    held = {one: [o for o in quote.figures if _same(one, o, source)] for one in sentence.figures}
    matched = {other for others in held.values() for other in others}
    for one, others in held.items():
        said = sentence.text[one.start : max(one.end, one.unit_span[1])]
        if not others:
            if _pieced_together(one, quote, source):
                continue
            rivals = [o for o in quote.figures if o not in matched and is_rival(one, o)]
            kind = ReasonKind.DATE if one.is_date else ReasonKind.FIGURE
            instead = written(quote, rivals[0]) if rivals else ""
            reason = Reason(kind, said, instead, contradicts=bool(rivals))
            yield Difference(reason, grave=bool(rivals) or not _may_be_counted(one))
        elif one.unit and not any(o.unit in ("", one.unit) for o in others):
            rival = any(o.unit_kind == one.unit_kind for o in others)
            instead = written(quote, others[0])
            yield Difference(Reason(ReasonKind.UNIT, said, instead, contradicts=rival), grave=True)
        elif one.unit and not any(o.unit for o in others):
            yield Difference(Reason(ReasonKind.UNIT, said, written(quote, others[0])))
        elif one.rate and not any(o.rate in ("", one.rate) for o in others):
            reason = Reason(ReasonKind.UNIT, one.rate, others[0].rate, contradicts=True)
            yield Difference(reason, grave=True)
        elif one.bound and not any(o.bound == one.bound for o in others):
            rivals = [o for o in others if o.bound]
            if one.is_date and not rivals:
                continue
            instead = written(quote, (rivals or others)[0])
            reason = Reason(ReasonKind.RELATION, said, instead, contradicts=bool(rivals))
            yield Difference(reason, grave=bool(rivals))
    yield from _spelled_numbers(sentence, quote)


def _spelled_numbers(sentence: Statement, quote: Statement) -> Iterator[Difference]:
    """Words that may be numbers, "năm" and "one", where the quote has another before the same word."""
    spoken = number_words().get(sentence.language)
    numbers = {one.end: one for one in quote.figures if not one.is_date and not one.unit}
    for place, word in enumerate(sentence.words[:-1]):
        start = sentence.tokens[place].start
        value = spoken.values.get(word) if spoken and len(word) > 1 else None
        if value is None or any(one.start <= start < one.end for one in sentence.figures):
            continue
        for other in same_words(sentence.words[place + 1], quote):
            before = quote.tokens[other - 1].end if other else -1
            figure = numbers.get(before)
            if figure and f"number:{value}" not in figure.keys:
                reason = Reason(ReasonKind.FIGURE, word, written(quote, figure), contradicts=True)
                yield Difference(reason, grave=True)


def _same(one: Figure, other: Figure, source: Source) -> bool:
    """Whether a figure of a quote is that of the sentence, as exact as the sentence has it."""
    shared = one.keys & other.keys
    if not one.is_date:
        return len(shared) >= 2 or (bool(shared) and not one.several)
    for kind in ("date:", "month:", "day:", "year:"):
        finest = {key for key in one.keys if key.startswith(kind)}
        if kind == "month:":
            dated = {key for key in finest if "-" in key}
            finest = dated if dated else set() if has_kind(one, "day:") else finest
        if finest & other.keys:
            return True
        if finest and kind in ("date:", "month:"):
            return _of_that_year(one, other, source)
        if finest:
            return bool({key for key in shared if key.startswith("number:")})
    return False


def _of_that_year(one: Figure, other: Figure, source: Source) -> bool:
    """Whether a date without a year is the one that the sentence has, in the document's year."""
    year = f"year:{source.published.year}" if source.published else ""
    if year not in one.keys or has_kind(other, "year:"):
        return False
    return any(key in other.keys for key in _without_year(one))


def _without_year(one: Figure) -> set[str]:
    """The day of a date, or the month of one that has no day."""
    days = {key for key in one.keys if key.startswith("day:")}
    return days or {key for key in one.keys if key.startswith("month:") and "-" not in key}


def _pieced_together(one: Figure, quote: Statement, source: Source) -> bool:
    """Whether a quote has the day and the year of a date apart: "in 2024 … on July 9"."""
    if not one.is_date or not has_kind(one, "year:"):
        return False
    wanted = _without_year(one)
    days = [o for o in quote.figures if wanted & o.keys and not has_kind(o, "year:")]
    years = {key for key in one.keys if key.startswith("year:")}
    return bool(wanted and days and any(years & o.keys for o in quote.figures))


def _may_be_counted(one: Figure) -> bool:
    values = [key.partition(":")[2] for key in one.keys if key.startswith("number:")]
    return not one.unit and any(v.isdigit() and 2 <= int(v) <= _COUNTED for v in values)


# -- names --------------------------------------------------------------------------------------


def _name_differences(
    sentence: Statement, source: Source, found: Sequence[Met]
) -> Iterator[Difference]:
    """Names that a quote lacks."""
    around = f" {fold(source.around)} "
    for name in sentence.names:
        missing = _missing(name, sentence, source.quote, found)
        if not missing:
            continue
        said = text_of(sentence, name.words)
        known = fold(said) in around
        if known and len(missing) < len(name.words):
            continue  # "Fang Han", where the quote says "ông Han"
        others = [one for one in source.quote.names if not _is_named(one, source.quote, sentence)]
        instead = text_of(source.quote, others[0].words) if others and not known else ""
        # Vietnamese writes "Dàn nhạc Thính phòng": a capital that makes no name.
        doubtful = sentence.language != source.quote.language and len(name.words) == 1
        contradicts = bool(instead) and not (doubtful and not name.keys)
        reason = Reason(ReasonKind.NAME, said, instead, contradicts=contradicts)
        yield Difference(reason)


def _missing(name: Name, sentence: Statement, quote: Statement, found: Sequence[Met]) -> list[int]:
    """The words of a name that are not met."""
    if name.keys & quote.keys:
        return []
    nearest = 1.0 if name.keys else MET_NAME
    return [
        place
        for place in name.words
        if sentence.words[place] != "s"
        and not (found[place].by_form and (place == 0 or _is_name_there(found[place], quote)))
        and not _is_near(found[place], nearest)
    ]


def _is_name_there(one: Met, quote: Statement) -> bool:
    """Whether a word of a name stands in a quote in capitals too, if that has any."""
    capitals = any(token.capital for token in quote.tokens)
    return not capitals or any(_is_capital(quote, place) for place in one.places)


def _is_capital(statement: Statement, place: int) -> bool:
    token = statement.tokens[place]
    return any(not char.islower() for char in statement.text[token.start : token.end])


def _is_near(one: Met, least: float) -> bool:
    return not one.by_form and one.similarity >= least


def _is_named(name: Name, quote: Statement, sentence: Statement) -> bool:
    """Whether a sentence has a name of the quote too, or a part of it."""
    return bool(name.keys & sentence.keys) or any(
        same_words(quote.words[place], sentence) for place in name.words
    )


# -- denials ------------------------------------------------------------------------------------


def _denial_differences(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> Iterator[Difference]:
    """What one of the two denies and the other does not."""
    least = MET_WITHIN if sentence.language == quote.language else MET_ACROSS
    placed = placed_words(sentence, quote, found, least)
    denied_here = {place for reached in sentence.denials for place in reached}
    denied_there = {place for reached in quote.denials for place in reached}
    may_deny = quote.may_deny or sentence.may_deny
    for reached in sentence.denials:
        met = [placed[place] for place in reached[:_REACH] if place in placed]
        held = sum(not denied_there.isdisjoint(places) for places in met)
        fewer = len(quote.denials) < len(sentence.denials)
        if 2 * held < len(met) or (not met and fewer):
            said = text_of(sentence, reached[:_REACH]) if reached else ""
            reason = Reason(ReasonKind.NEGATION, said, contradicts=not may_deny)
            yield Difference(reason, grave=not may_deny)
    reached_there = {place for reached in quote.denials for place in reached[:_REACH]}
    heads = {place for reached in quote.denials for place in reached[:1]}
    for place, places in placed.items():
        if place in denied_here or not denied_there.issuperset(places):
            continue
        if not sentence.has_topic(place) or sentence.words[place] in light():
            continue
        if reached_there.isdisjoint(places):
            continue
        clear = not heads.isdisjoint(places) and not sentence.may_deny
        said, instead = text_of(sentence, (place,)), text_of(quote, sorted(places))
        reason = Reason(ReasonKind.NEGATION, said, instead, contradicts=clear)
        yield Difference(reason, grave=clear)
        return


# -- words --------------------------------------------------------------------------------------


def said_likewise(sentence: Statement, quote: Statement) -> Iterator[int]:
    """The words of a sentence for which the quote has others that say the same: "nới rộng"."""
    for places, _ in likewise(sentence, quote):
        yield from places


def referred_to(sentence: Statement, source: Source) -> Iterator[int]:
    """The plain words of a sentence that stand around a quote which says "it" or "this"."""
    spaced = f" {' '.join(source.quote.words)} "
    pointers = follow_ups(source.quote.text).pointers
    if not any(f" {' '.join(phrase)} " in spaced for phrase in pointers):
        return
    around = {one.word for one in tokens(source.around)}
    for place in sentence.terms:
        if sentence.words[place] in around and not sentence.tokens[place].capital:
            yield place
