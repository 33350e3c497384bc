"""In what a sentence and a quote differ: figures, dates, units, names, denials, relations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from .language import follow_ups, number_words
from .meeting import Met, same_words
from .relations import acting_behind, beside, tokens
from .statement import Figure, Name, Statement
from .text import fold
from .thresholds import MET_ACROSS, MET_NAME, MET_WITHIN
from .types import Reason, ReasonKind

# How many words before a name may hold the preposition that keeps it out of what is told.
_BESIDE = 3
# How many words behind what leads to it a name may stand; Vietnamese writes syllables.
_LED = 5
# A name of so few capitals is rather a term.
_TERM = 4
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
        *_opposites(sentence, source.quote, found),
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
        elif one.rate and not any(o.rate in ("", one.rate) for o in others):
            reason = Reason(ReasonKind.UNIT, one.rate, others[0].rate, contradicts=True)
            yield Difference(reason, grave=True)
        elif one.bound and not any(o.bound == one.bound for o in others):
            rivals = [o for o in others if o.bound]
            if rivals:
                instead = _written(quote, rivals[0])
                reason = Reason(ReasonKind.RELATION, said, instead, contradicts=True)
                yield Difference(reason, grave=True)
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
                reason = Reason(ReasonKind.FIGURE, word, _written(quote, figure), contradicts=True)
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
        if sentence.words[place] != "s"
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


def _opposites(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> Iterator[Difference]:
    """What a sentence says and the quote says the opposite of in the same place."""
    otherwise: set[int] = set()
    for scale, ends in sentence.poles.items():
        there = quote.poles.get(scale, {})
        if len(ends) > 1 or not there:
            continue  # a sentence that says both is compared in its order alone
        ((pole, places),) = ends.items()
        rivals = there.get(1 - pole, ())
        if not rivals or otherwise & set(places):
            continue
        same = {*there.get(pole, ())}
        same |= {p for place in places for p in same_words(sentence.words[place], quote)}
        same -= set(rivals)
        if same and not _nearer(sentence, places, found, rivals, same):
            continue
        otherwise |= set(places)
        said, instead = _text(sentence, places), _text(quote, rivals[:1])
        reason = Reason(ReasonKind.RELATION, said, instead, contradicts=True)
        yield Difference(reason, grave=True)


def _nearer(
    sentence: Statement,
    places: Sequence[int],
    found: Sequence[Met],
    rivals: Iterable[int],
    same: Iterable[int],
) -> bool:
    """Whether what stands beside some words of a sentence stands nearer to their opposites."""
    beside_it = [
        place
        for direction in (1, -1)
        for place in _neighbours(sentence, places[-1] if direction > 0 else places[0], direction)
    ]
    for place in beside_it:
        if anchors := found[place].places:
            far = min(abs(a - one) for a in anchors for one in same)
            near = min(abs(a - one) for a in anchors for one in rivals)
            if near != far:
                return near < far
    return False


def _neighbours(sentence: Statement, start: int, direction: int) -> Iterator[int]:
    """The nearest two words with a topic in a direction."""
    place, count = start + direction, 0
    while 0 <= place < len(sentence.words) and count < 2:
        if sentence.has_topic(place):
            yield place
            count += 1
        place += direction


def _swapped(sentence: Statement, quote: Statement, found: Sequence[Met]) -> Iterator[Difference]:
    """Two names, or two numbers, that have each other's part: who bought whom.

    In one text one stands before the other, in the other behind it, and nothing says that the one
    who acts stands behind; or what stands before a name stands before the other there.
    """
    for parties, there in (
        (_names(sentence), _names(quote)),
        (_numbers(sentence), _numbers(quote)),
    ):
        taking = [(one, at) for one in parties if (at := _where(one, sentence, quote, there))]
        for (one, here), (other, behind) in combinations(taking, 2):
            if set(here) & set(behind) or _is_in_order(sentence, quote, (one, other), (here, behind)):
                continue
            said = f"{_text(sentence, one)} … {_text(sentence, other)}"
            yield Difference(Reason(ReasonKind.RELATION, said, contradicts=True))
            return
    yield from _led_otherwise(sentence, quote, found)


def _is_in_order(
    sentence: Statement,
    quote: Statement,
    parties: tuple[Sequence[int], Sequence[int]],
    places: tuple[Sequence[int], Sequence[int]],
) -> bool:
    """Whether two parties of a sentence may have the same parts in a quote."""
    one, other = parties
    if _is_beside(sentence, one[0]) or _is_beside(sentence, other[0]):
        return True
    if _one_phrase(sentence, one[-1], other[0]):
        return True
    own = _acts(sentence, other[0])
    for here in places[0]:
        for there in places[1]:
            if _is_beside(quote, here) or _is_beside(quote, there):
                return True
            low, high = min(here, there), max(here, there)
            # Whoever stands first acts, unless something says that the second does.
            if _one_phrase(quote, low, high) or (here < there) == (_acts(quote, high) == own):
                return True
    return False


def _led_otherwise(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> Iterator[Difference]:
    """Names that stand behind what stands before another one in the quote: "professor at X"."""
    parties, there = _names(sentence), _names(quote)
    own = {one: set(_where(one, sentence, quote, there)) for one in parties}
    starts = sorted(one[0] for one in there)
    for one in parties:
        leading = _leading(sentence, one[0], parties)
        anchors = {p for place in leading for p in found[place].places}
        behind = {s for p in anchors if (s := _first_behind(p, starts)) is not None}
        near = {s for start in behind for s in starts if _one_phrase(quote, start, s)}
        others = {s for other in parties if other != one for s in own[other]}
        of_phrase = {s for o in parties if _one_phrase(sentence, one[0], o[0]) for s in own[o]}
        away = [min(abs(s - p) for p in anchors) for s in (*own[one], *near)] if anchors else []
        if own[one] and min(away[: len(own[one])], default=0) <= min(away[len(own[one]) :], default=0):
            continue
        if own[one] and near and not near & (own[one] | of_phrase) and near <= others:
            rival = next(words for words in there if words[0] in near)
            led = (*leading, *one)
            said = _text(sentence, led)
            yield Difference(
                Reason(ReasonKind.RELATION, said, _text(quote, rival), contradicts=True)
            )
            return


def _first_behind(place: int, starts: Sequence[int]) -> int | None:
    """The first name that begins a few words behind a word."""
    return next((start for start in starts if 0 < start - place <= _LED), None)


def _leading(
    sentence: Statement, first: int, parties: Sequence[tuple[int, ...]]
) -> tuple[int, ...]:
    """The last words with a topic before a name, if no other name lies between."""
    taken = {place for one in parties for place in one}
    found: list[int] = []
    for place in range(first - 1, max(-1, first - 5), -1):
        gap = sentence.text[sentence.tokens[place].end : sentence.tokens[place + 1].start]
        if place in taken or "," in gap:
            break
        if sentence.has_topic(place):
            found.append(place)
    return tuple(reversed(found[:2]))


def _names(statement: Statement) -> list[tuple[int, ...]]:
    """The names of a statement, and its first word where that may be one: "Reyes defeated"."""
    found = [one.words for one in statement.names if one.keys or not _is_term(statement, one)]
    taken = {place for one in statement.names for place in one.words}
    spans = [(one.start, one.end) for one in statement.figures]
    for place, token in enumerate(statement.tokens):
        dated = any(start <= token.start < end for start, end in spans)
        if token.capital and statement.has_topic(place) and place not in taken and not dated:
            found.append((place,))
    return sorted(found)


def _is_term(statement: Statement, name: Name) -> bool:
    """Whether a name is a term in capitals that takes no part: "AI", "CEO", "API"."""
    written = _text(statement, name.words)
    return len(written) <= _TERM and written.isupper() and written.isalpha()


def _numbers(statement: Statement) -> list[tuple[int, ...]]:
    listed = [
        tuple(n for n, t in enumerate(statement.tokens) if one.start <= t.start < one.end)
        for one in statement.figures
        if not one.is_date
    ]
    return [one for one in listed if one]


def _where(
    words: Sequence[int],
    sentence: Statement,
    quote: Statement,
    parties: Sequence[tuple[int, ...]],
) -> tuple[int, ...]:
    """Where a party of a sentence stands in a quote, as one of its parties."""
    keys = {key for one in sentence.names if one.words == tuple(words) for key in one.keys}
    places = {place for word in words for place in same_words(sentence.words[word], quote)}
    known = {one.words: one.keys for one in quote.names}
    return tuple(
        one[0] for one in parties if places & set(one) or keys & known.get(one, frozenset())
    )


def _is_beside(statement: Statement, first: int) -> bool:
    """Whether a name stands behind a preposition of place, time or source."""
    before = statement.words[max(0, first - _BESIDE) : first]
    return any(word in beside() for word in before)


def _acts(statement: Statement, first: int) -> bool:
    """Whether what stands before a name says that it acts: "by", "bị", "bởi"."""
    for place in range(first - 1, max(-1, first - 1 - _BESIDE), -1):
        if statement.words[place] in acting_behind():
            return True
        if statement.has_topic(place) and not statement.tokens[place].capital:
            return False
    return False


def _one_phrase(statement: Statement, one: int, other: int) -> bool:
    """Whether nothing is told between two names: "Qwen của Alibaba", "China and the US"."""
    one, other = min(one, other), max(one, other)
    between = range(one + 1, other)
    told = any(
        statement.has_topic(place)
        and not statement.tokens[place].capital
        and statement.words[place] not in beside()
        for place in between
    )
    return not told and not _acts(statement, other)


def said_likewise(sentence: Statement, quote: Statement) -> Iterator[int]:
    """The words of a sentence for which the quote has others that say the same: "nới rộng"."""
    for group, places in sentence.groups.items():
        if group in quote.groups:
            yield from places
    for scale, ends in sentence.poles.items():
        for pole, places in ends.items():
            if pole in quote.poles.get(scale, {}):
                yield from places


def referred_to(sentence: Statement, source: Source) -> Iterator[int]:
    """The plain words of a sentence for which the quote has "it" or "this", and what stands
    around it has the word."""
    spaced = f" {' '.join(source.quote.words)} "
    if not any(phrase in spaced for phrase in follow_ups(opening=False)):
        return
    around = {one.word for one in tokens(source.around)}
    yield from (place for place in sentence.terms if sentence.words[place] in around)
