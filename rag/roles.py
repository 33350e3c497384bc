"""Who does what to whom: whether a sentence relates its names and figures as a quote does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations, pairwise, product

from .contrasts import acting_behind, articles, beside, harmless, owner_before, owner_behind
from .differing import Difference, is_rival, placed_words, text_of, words_of, written
from .meeting import Met, same_words
from .opposites import opposites
from .statement import Figure, Name, Statement
from .thresholds import MET_ACROSS, MET_WITHIN
from .types import Reason, ReasonKind

# How many words before a name may hold the preposition that keeps it out of what is told.
_BESIDE = 3
# How many words behind what leads to it a name may stand; Vietnamese writes syllables.
_LED = 5
# A name of so few capitals is rather a term.
_TERM = 4


def relation_differences(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> list[Difference]:
    """Where a quote says the opposite, has the parts swapped, or tells it of another.

    Args:
        sentence: The sentence.
        quote: The quote.
        found: How each word of the sentence is met; see ``rag.meeting``.
    """
    return [
        *opposites(sentence, quote, found),
        *swapped(sentence, quote),
        *owned_by_others(sentence, quote),
        *moved(sentence, quote, found),
        *led_otherwise(sentence, quote, found),
        *of_another_clause(sentence, quote, found),
    ]


def swapped(sentence: Statement, quote: Statement) -> Iterator[Difference]:
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
            if set(here) & set(behind) or _is_in_order(
                sentence, quote, (one, other), (here, behind)
            ):
                continue
            said = f"{text_of(sentence, one)} … {text_of(sentence, other)}"
            yield Difference(Reason(ReasonKind.RELATION, said, contradicts=True))
            return


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
    pairs = list(product(*places))
    of_clause = [pair for pair in pairs if quote.clauses[pair[0]] == quote.clauses[pair[1]]]
    for here, there in of_clause or pairs:
        if _is_beside(quote, here) or _is_beside(quote, there):
            return True
        low, high = min(here, there), max(here, there)
        # Whoever stands first acts, unless something says that the second does.
        if _one_phrase(quote, low, high) or (here < there) == (_acts(quote, high) == own):
            return True
    return False


def owned_by_others(sentence: Statement, quote: Statement) -> Iterator[Difference]:
    """What a sentence says is one's and the quote says is another's: "Google's GPT"."""
    there = list(_owned(quote))
    for owner, own in _owned(sentence):
        others = [
            one for one, thing in there if set(thing) & set(_where(own, sentence, quote, [thing]))
        ]
        others = [words for words in others if not _where(owner, sentence, quote, [words])]
        same = [
            one
            for one, thing in there
            if _where(own, sentence, quote, [thing]) and _where(owner, sentence, quote, [one])
        ]
        if others and not same:
            said = text_of(sentence, sorted((*owner, *own)))
            instead = text_of(quote, others[0])
            reason = Reason(ReasonKind.RELATION, said, instead, contradicts=True)
            yield Difference(reason, grave=True)
            return


def _owned(statement: Statement) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Names and the names of what is theirs."""
    names = _names(statement)
    for one, other in pairwise(names):
        between = statement.words[one[-1] + 1 : other[0]]
        last = statement.words[one[-1]]
        if len(between) == 1 and between[0] in owner_behind():
            yield other, one
        elif (len(between) == 1 and between[0] in owner_before()) or (
            not between and last in owner_before()
        ):
            yield one, other


def moved(sentence: Statement, quote: Statement, found: Sequence[Met]) -> Iterator[Difference]:
    """Words that stand elsewhere in their clause than in a quote of the same language.

    What a preposition leads may stand anywhere. Whether another order says another thing is not
    known; it is not taken for the same.
    """
    if sentence.language != quote.language:
        return
    if _is_passive(sentence) != _is_passive(quote):
        return
    placed = [(place, found[place].places[0]) for place in sentence.terms if found[place].by_form]
    clauses = [quote.clauses[there] for _, there in placed]
    most = max(clauses, key=clauses.count, default=0)
    placed = [(place, there) for place, there in placed if quote.clauses[there] == most]
    kept = set(_rising([there for _, there in placed]))
    for place, there in placed:
        if there in kept or _is_beside(sentence, place) or _is_beside(quote, there):
            continue
        yield Difference(Reason(ReasonKind.RELATION, text_of(sentence, (place,))))
        return


def _is_passive(statement: Statement) -> bool:
    return any(word in acting_behind() for word in statement.words)


def _rising(numbers: Sequence[int]) -> list[int]:
    """The longest rising sequence of some numbers."""
    best: list[list[int]] = []
    for number in numbers:
        before = max((one for one in best if one[-1] < number), key=len, default=[])
        best.append([*before, number])
    return max(best, key=len, default=[])


def led_otherwise(
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
        if own[one] and min(away[: len(own[one])], default=0) <= min(
            away[len(own[one]) :], default=0
        ):
            continue
        if own[one] and near and not near & (own[one] | of_phrase) and near <= others:
            rival = next(words for words in there if words[0] in near)
            led = (*leading, *one)
            said = text_of(sentence, led)
            yield Difference(
                Reason(ReasonKind.RELATION, said, text_of(quote, rival), contradicts=True)
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


@lru_cache(maxsize=4096)
def _names(statement: Statement) -> tuple[tuple[int, ...], ...]:
    """The names of a statement, and its first word where that may be one: "Reyes defeated"."""
    found = [one.words for one in statement.names if one.keys or not _is_term(statement, one)]
    taken = {place for one in statement.names for place in one.words}
    spans = [(one.start, one.end) for one in statement.figures]
    for place, token in enumerate(statement.tokens):
        dated = any(start <= token.start < end for start, end in spans)
        if token.capital and statement.has_topic(place) and place not in taken and not dated:
            found.append((place,))
    return tuple(sorted(found))


def _is_term(statement: Statement, name: Name) -> bool:
    """Whether a name is a term in capitals that takes no part: "AI", "CEO", "API"."""
    written = text_of(statement, name.words)
    return len(written) <= _TERM and written.isupper() and written.isalpha()


def _numbers(statement: Statement) -> list[tuple[int, ...]]:
    listed = [
        words_of(statement, one)
        for one in statement.figures
        if not (one.is_date or statement.is_label(one))
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
    return any(
        statement.words[place] in beside() and not harmless().ending(statement.words, place + 1)
        for place in range(max(0, first - _BESIDE), first)
    )


def _acts(statement: Statement, first: int) -> bool:
    """Whether what stands before a name says that it acts: "by", "bị", "bởi"."""
    for place in range(first - 1, max(-1, first - 1 - _BESIDE), -1):
        if statement.words[place] in acting_behind():
            return not harmless().ending(statement.words, place + 1)
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


def of_another_clause(
    sentence: Statement, quote: Statement, found: Sequence[Met]
) -> Iterator[Difference]:
    """What is told of one and the quote tells of another.

    The clause of the quote that holds most of the sentence opens with what the sentence does not
    name, and what the sentence opens with stands in another clause; or a figure of the sentence
    stands in another, and that one has its own.
    """
    least = MET_WITHIN if sentence.language == quote.language else MET_ACROSS
    placed = placed_words(sentence, quote, found, least)
    subject = next((p for p in sorted(placed) if not _is_beside(sentence, p)), None)
    if subject is None:
        return
    weights: dict[int, float] = {}
    numbered = {place for one in sentence.figures for place in words_of(sentence, one)}
    for place, places in placed.items():
        if place != subject and place not in numbered:
            for clause in {quote.clauses[one] for one in places}:
                weights[clause] = weights.get(clause, 0.0) + 1 / len(places)
    if not weights:
        return
    best = max(weights, key=lambda clause: weights[clause])
    yield from _figure_of_another(sentence, quote, best)
    if any(quote.clauses[place] == best for place in placed[subject]):
        return
    matched = {place for places in placed.values() for place in places}
    opening = next(
        (p for p in range(len(quote.words)) if quote.clauses[p] == best and quote.has_topic(p)),
        None,
    )
    if opening is None or opening in matched:
        return
    before = [p for p in range(opening) if quote.clauses[p] == best]
    if any(quote.words[place] not in articles() for place in before):
        return  # "They are enticing …": of whom it tells is said before
    is_name = any(opening in one.words for one in quote.names)
    said, instead = text_of(sentence, (subject,)), text_of(quote, (opening,))
    reason = Reason(ReasonKind.RELATION, said, instead, contradicts=is_name)
    yield Difference(reason)


def _figure_of_another(sentence: Statement, quote: Statement, clause: int) -> Iterator[Difference]:
    """Figures of a sentence for which the clause that is meant has another."""

    def of_clause(figure: Figure) -> bool:
        return any(quote.clauses[place] == clause for place in words_of(quote, figure))

    keys = {key for one in sentence.figures for key in one.keys}
    numbers = [one for one in sentence.figures if not (one.is_date or sentence.is_label(one))]
    for one in numbers if len(numbers) == 1 else ():
        same = [o for o in quote.figures if o.keys & one.keys]
        if not same or any(of_clause(o) for o in same):
            continue
        rivals = [
            o
            for o in quote.figures
            if of_clause(o) and is_rival(one, o) and not (o.keys & keys or quote.is_label(o))
        ]
        if rivals:
            said, instead = text_of(sentence, words_of(sentence, one)), written(quote, rivals[0])
            reason = Reason(ReasonKind.FIGURE, said, instead, contradicts=True)
            yield Difference(reason, grave=True)
            return
