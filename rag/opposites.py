"""Whether a quote says the opposite of a sentence: "rose" where that has "fell"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .differing import Difference, text_of
from .meeting import Met, same_words
from .statement import Statement
from .types import Reason, ReasonKind


def opposites(sentence: Statement, quote: Statement, found: Sequence[Met]) -> Iterator[Difference]:
    """What a sentence says and the quote says the opposite of in the same place."""
    otherwise: set[int] = set()
    for scale, ends in sentence.poles.items():
        there = quote.poles.get(scale, {})
        if len(ends) > 1 or not there:
            continue  # a sentence that says both is compared in its order alone
        ((pole, said),) = ends.items()
        rivals = {place for places in there.get(1 - pole, ()) for place in places}
        for places in said:
            if not rivals or otherwise & set(places):
                continue
            same = {p for of_phrase in there.get(pole, ()) for p in of_phrase}
            same |= {p for place in places for p in same_words(sentence.words[place], quote)}
            same -= rivals
            if same and not _nearer(sentence, places, found, rivals, same):
                continue
            otherwise |= set(places)
            instead = text_of(quote, there[1 - pole][0])
            reason = Reason(
                ReasonKind.RELATION, text_of(sentence, places), instead, contradicts=True
            )
            yield Difference(reason, grave=True)


def _nearer(
    sentence: Statement,
    places: Sequence[int],
    found: Sequence[Met],
    rivals: Iterable[int],
    same: Iterable[int],
) -> bool:
    """Whether what stands beside some words of a sentence stands nearer to their opposites."""
    for start, step in ((places[-1], 1), (places[0], -1)):
        place = start + step
        while 0 <= place < len(sentence.words) and not sentence.has_topic(place):
            place += step
        if 0 <= place < len(sentence.words) and (anchors := found[place].places):
            far = min(abs(a - one) for a in anchors for one in same)
            near = min(abs(a - one) for a in anchors for one in rivals)
            if near != far:
                return near < far
    return False
