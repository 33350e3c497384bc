"""In what a sentence and a quote differ: figures, dates, units, names, denials, relations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from .meeting import Met, same_words
from .relations import acting_behind, beside
from .statement import Figure, Name, Statement
from .text import fold
from .thresholds import MET_ACROSS, MET_NAME, MET_WITHIN
from .types import Reason, ReasonKind

# How many words before a name may hold the preposition that keeps it out of what is told.
_BESIDE = 3
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


@dataclass(frozen=True, slots=True)
class Difference:
    """A reason, and whether without it nothing can be said to be borne out (``grave``)."""

    reason: Reason
    grave: bool = False


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
        *_opposites(sentence, source.quote),
        *_swapped(sentence, source.quote, found),
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
            rivals = [o for o in quote.figures if o not in matched and _rival(one, o)]
            kind = ReasonKind.DATE if one.is_date else ReasonKind.FIGURE
            instead = _written(quote, rivals[0]) if rivals else ""
            reason = Reason(kind, said, instead, contradicts=bool(rivals))
            yield Difference(reason, grave=bool(rivals) or not _may_be_counted(one))
        elif one.unit and not any(o.unit in ("", one.unit) for o in others):
            rival = any(o.unit_kind == one.unit_kind for o in others)
            instead = _written(quote, others[0])
            yield Difference(Reason(ReasonKind.UNIT, said, instead, contradicts=rival), grave=True)
        elif one.unit and not any(o.unit for o in others):
            yield Difference(Reason(ReasonKind.UNIT, said, _written(quote, others[0])))
        elif one.bound and all(o.bound == -one.bound for o in others):
            reason = Reason(ReasonKind.RELATION, said, _written(quote, others[0]), contradicts=True)
            yield Difference(reason, grave=True)


def _written(quote: Statement, figure: Figure) -> str:
    return quote.text[figure.start : max(figure.end, figure.unit_span[1])]


def _same(one: Figure, other: Figure, source: Source) -> bool:
    """Whether a figure of a quote is that of the sentence, as exact as the sentence has it."""
    shared = one.keys & other.keys
    if not one.is_date:
        return len(shared) >= 2 or (bool(shared) and not one.several)
    for kind in ("date:", "month:", "day:", "year:"):
        finest = {key for key in one.keys if key.startswith(kind)}
        if kind == "month:":
            dated = {key for key in finest if "-" in key}
            finest = dated if dated else set() if _has(one, "day:") else finest
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
    if year not in one.keys or _has(other, "year:"):
        return False
    return any(key in other.keys for key in _without_year(one))


def _without_year(one: Figure) -> set[str]:
    """The day of a date, or the month of one that has no day."""
    days = {key for key in one.keys if key.startswith("day:")}
    return days or {key for key in one.keys if key.startswith("month:") and "-" not in key}


def _has(figure: Figure, kind: str) -> bool:
    return any(key.startswith(kind) for key in figure.keys)


def _pieced_together(one: Figure, quote: Statement, source: Source) -> bool:
    """Whether a quote has the day and the year of a date apart: "in 2024 … on July 9"."""
    if not one.is_date or not _has(one, "year:"):
        return False
    wanted = _without_year(one)
    days = [o for o in quote.figures if wanted & o.keys and not _has(o, "year:")]
    years = {key for key in one.keys if key.startswith("year:")}
    return bool(wanted and days and any(years & o.keys for o in quote.figures))


def _rival(one: Figure, other: Figure) -> bool:
    """Whether one figure stands where the other could: of one kind, and of no other unit."""
    if one.is_date != other.is_date or _has(one, "percent:") != _has(other, "percent:"):
        return False
    return not (one.unit_kind and other.unit_kind) or one.unit_kind == other.unit_kind


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
        said = _text(sentence, name.words)
        known = fold(said) in around
        if known and len(missing) < len(name.words):
            continue  # "Fang Han", where the quote says "ông Han"
        others = [one for one in source.quote.names if not _is_named(one, source.quote, sentence)]
        instead = _text(source.quote, others[0].words) if others and not known else ""
        reason = Reason(ReasonKind.NAME, said, instead, contradicts=bool(instead))
        yield Difference(reason)


def _missing(name: Name, sentence: Statement, quote: Statement, found: Sequence[Met]) -> list[int]:
    """The words of a name that are not met."""
    if name.keys & quote.keys:
        return []
    nearest = 1.0 if name.keys else MET_NAME
    return [
        place
        for place in name.words
        if sentence.words[place] not in ("s",)
        and not (found[place].by_form or found[place].similarity >= nearest)
    ]


def _is_named(name: Name, quote: Statement, sentence: Statement) -> bool:
    """Whether a sentence has a name of the quote too, or a part of it."""
    return bool(name.keys & sentence.keys) or any(
        same_words(quote.words[place], sentence) for place in name.words
    )


def _text(statement: Statement, words: Sequence[int]) -> str:
    first, last = statement.tokens[words[0]], statement.tokens[words[-1]]
    return statement.text[first.start : last.end]


# -- denials ------------------------------------------------------------------------------------


def _denial_differences(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> Iterator[Difference]:
    """What one of the two denies and the other does not."""
    least = MET_WITHIN if sentence.language == quote.language else MET_ACROSS
    denied_here = {place for reached in sentence.denials for place in reached}
    denied_there = {place for reached in quote.denials for place in reached}
    for reached in sentence.denials:
        met = [found[place] for place in reached if found[place].similarity >= least]
        places = {place for one in met for place in one.places}
        if places & denied_there or (not places and quote.denials):
            continue
        clear = not quote.may_deny and not sentence.may_deny
        said = _text(sentence, reached) if reached else ""
        yield Difference(Reason(ReasonKind.NEGATION, said, contradicts=clear), grave=clear)
    heads = {reached[0] for reached in quote.denials if reached}
    for place in sentence.terms:
        one = found[place]
        if place in denied_here or one.similarity < least or not one.places:
            continue
        denied = set(one.places) <= denied_there
        if not denied or sentence.denials:
            continue
        clear = bool(set(one.places) & heads) and not sentence.may_deny
        found_there = _text(quote, sorted(one.places))
        said = sentence.text[sentence.tokens[place].start : sentence.tokens[place].end]
        reason = Reason(ReasonKind.NEGATION, said, found_there, contradicts=clear)
        yield Difference(reason, grave=clear)
        return


# -- relations ----------------------------------------------------------------------------------


def _opposites(sentence: Statement, quote: Statement) -> Iterator[Difference]:
    """What a sentence says and the quote says the opposite of, and nowhere the same."""
    said_otherwise: set[int] = set()
    for scale, ends in sentence.poles.items():
        there = quote.poles.get(scale, {})
        for pole, places in ends.items():
            if pole not in there and 1 - pole in there and 1 - pole not in ends:
                if _said(sentence, quote, places) or said_otherwise & set(places):
                    continue
                said_otherwise |= set(places)
                instead = _text(quote, there[1 - pole][:1])
                reason = Reason(
                    ReasonKind.RELATION, _text(sentence, places), instead, contradicts=True
                )
                yield Difference(reason, grave=True)


def _said(sentence: Statement, quote: Statement, places: Sequence[int]) -> bool:
    """Whether a quote has the words too, or says the same by another scale."""
    if all(same_words(sentence.words[place], quote) for place in places):
        return True
    return any(
        pole in quote.poles.get(scale, {})
        for scale, ends in sentence.poles.items()
        for pole, own in ends.items()
        if set(own) & set(places)
    )


def _swapped(sentence: Statement, quote: Statement, found: Sequence[Met]) -> Iterator[Difference]:
    """Two names that have each other's part: who bought whom.

    In one text one stands before the other, in the other behind it, and nothing says that the one
    who acts stands behind.
    """
    taking = [(n, places) for n in _parties(sentence) if (places := _where(n, sentence, quote))]
    for (one, here), (other, there) in combinations(taking, 2):
        if _one_phrase(sentence, one, other):
            continue
        ordered = {(a < b, _acts_behind(quote, min(a, b), max(a, b))) for a in here for b in there}
        if any(_one_phrase_at(quote, a, b) for a in here for b in there):
            continue
        own = _acts_behind(sentence, one[-1], other[0])
        # Whoever stands first acts, unless something says that the second does.
        if ordered and all(first != (behind == own) for first, behind in ordered):
            reason = Reason(
                ReasonKind.RELATION,
                f"{_text(sentence, one)} … {_text(sentence, other)}",
                contradicts=True,
            )
            yield Difference(reason)
            return


def _parties(sentence: Statement) -> list[tuple[int, ...]]:
    """The names and plain numbers of a sentence, but for those that stand beside what is told."""
    names = [one.words for one in sentence.names]
    first = sentence.tokens[0] if sentence.tokens else None
    if first and first.capital and sentence.has_topic(0) and all(0 not in one for one in names):
        names.append((0,))  # "Reyes defeated …": whether it is a name, the quote must tell
    numbers = [
        tuple(n for n, t in enumerate(sentence.tokens) if one.start <= t.start < one.end)
        for one in sentence.figures
        if not one.is_date
    ]
    return sorted(
        one for one in [*names, *numbers] if one and not _is_beside(sentence, one[0])
    )


def _where(words: Sequence[int], sentence: Statement, quote: Statement) -> tuple[int, ...]:
    """Where a party of a sentence stands in a quote, as one of its parties."""
    keys = {key for one in sentence.names if one.words == tuple(words) for key in one.keys}
    places = {place for word in words for place in same_words(sentence.words[word], quote)}
    parties = _parties(quote)
    known = {one.words: one.keys for one in quote.names}
    return tuple(
        one[0]
        for one in parties
        if places & set(one) or (keys and keys & known.get(tuple(one), frozenset()))
    )


def _is_beside(statement: Statement, first: int) -> bool:
    """Whether a name stands behind a preposition of place, time or source."""
    for place in range(first - 1, max(-1, first - 1 - _BESIDE), -1):
        if statement.words[place] in beside():
            return True
        if statement.has_topic(place) and not statement.tokens[place].capital:
            return False
    return False


def _acts_behind(statement: Statement, first: int, last: int) -> bool:
    """Whether between two names something says that the second acts: "by", "bị", "bởi"."""
    return any(word in acting_behind() for word in statement.words[first + 1 : last])


def _one_phrase(statement: Statement, one: Sequence[int], other: Sequence[int]) -> bool:
    return _one_phrase_at(statement, one[-1], other[0])


def _one_phrase_at(statement: Statement, one: int, other: int) -> bool:
    """Whether nothing is told between two names: "Qwen của Alibaba", "China and the US"."""
    low, high = min(one, other), max(one, other)
    return not any(
        statement.has_topic(place) and not statement.tokens[place].capital
        for place in range(low + 1, high)
    ) and not _acts_behind(statement, low, high)


def said_by_opposites(sentence: Statement, quote: Statement) -> Iterable[int]:
    """The words of a sentence whose end of a scale the quote has too: "widen", "nới rộng"."""
    for scale, ends in sentence.poles.items():
        for pole, places in ends.items():
            if pole in quote.poles.get(scale, {}):
                yield from places
