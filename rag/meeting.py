"""Which words of a quote say what the words of a sentence say, in its language or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .contrasts import tokens
from .statement import Statement
from .text import fold
from .types import PieceMatch

# Two words are forms of one when they begin alike and end differently by so many letters.
_STEM, _ENDING = 5, 3
# How far a word's neighbours are that tell which of several places is meant.
_NEIGHBOURS = 3
# A piece of a word speaks for the word when it is so large a part of it.
_MOST_OF_IT = 0.65


@dataclass(frozen=True, slots=True)
class Met:
    """How a word is met: its weight, how nearly in [0, 1], and by which words of the quote."""

    weight: float
    similarity: float
    places: tuple[int, ...] = ()
    by_form: bool = False


def met(sentence: Statement, quote: Statement, pieces: Sequence[PieceMatch]) -> list[Met]:
    """How each word of a sentence is met by a quote.

    Args:
        sentence: The sentence.
        quote: The quote.
        pieces: The pieces of the sentence in order, each with the nearest of the quote; none where
            the embedder has no vectors of pieces: then only the same words meet.
    """
    by_piece = _by_word(sentence, pieces)
    even = 1 / max(1, len(sentence.words))
    found = []
    for place, word in enumerate(sentence.words):
        piece, share = by_piece.get(place, (None, even))
        share = max(share, even / 2)  # rare names weigh little, but are not nothing
        if places := same_words(word, quote):
            found.append(Met(share, 1.0, places, by_form=True))
        elif piece and piece.similarity > 0:
            found.append(Met(share, piece.similarity, _places(piece.nearest, quote)))
        else:
            found.append(Met(share, 0.0))
    return [_placed(place, found) for place in range(len(found))]


def _placed(place: int, found: Sequence[Met]) -> Met:
    """A word that may be met in several places as met in the one nearest to its neighbours'."""
    one = found[place]
    runs = _runs(one.places)
    if len(runs) < 2:
        return one
    for away in range(1, _NEIGHBOURS + 1):
        anchors = {
            p
            for other in (place - away, place + away)
            if 0 <= other < len(found) and len(_runs(found[other].places)) == 1
            for p in found[other].places
        }
        if anchors:
            best = min(runs, key=lambda run: min(abs(p - a) for p in run for a in anchors))
            return Met(one.weight, one.similarity, best, one.by_form)
    return one


def _runs(places: Sequence[int]) -> list[tuple[int, ...]]:
    """Places cut where one does not follow the other."""
    runs: list[tuple[int, ...]] = []
    for place in sorted(set(places)):
        if runs and place == runs[-1][-1] + 1:
            runs[-1] = (*runs[-1], place)
        else:
            runs.append((place,))
    return runs


def same_words(word: str, quote: Statement) -> tuple[int, ...]:
    """Where a word stands in a quote: as it is, typed without diacritics, or in another form."""
    forms, stems = _forms(quote)
    places = list(quote.places.get(word, ())) or list(forms.get(word, ()))
    if not places and word.isascii():
        if word.endswith("s") and len(word) > 3:
            places += quote.places.get(word[:-1], ())
        places += quote.places.get(f"{word}s", ())
        for other, where in stems.get(word[:_STEM], ()) if len(word) >= _STEM else ():
            if _same_stem(word, other):
                places += where
    return tuple(places)


@lru_cache(maxsize=4096)
def _forms(
    quote: Statement,
) -> tuple[dict[str, list[int]], dict[str, list[tuple[str, list[int]]]]]:
    """The words of a quote without their diacritics, and by how they begin."""
    forms: dict[str, list[int]] = {}
    stems: dict[str, list[tuple[str, list[int]]]] = {}
    for word, places in quote.places.items():
        if not word.isascii():
            forms.setdefault(fold(word), []).extend(places)
        elif len(word) >= _STEM:
            stems.setdefault(word[:_STEM], []).append((word, places))
    return forms, stems


def _same_stem(word: str, other: str) -> bool:
    least = max(_STEM, len(word) - _ENDING, len(other) - _ENDING)
    return word[:least] == other[:least]


def _places(nearest: str, quote: Statement) -> tuple[int, ...]:
    """Where the words of a piece stand in a quote one after another."""
    wanted = [one.word for one in tokens(nearest)]
    starts = quote.places.get(wanted[0], ()) if wanted else ()
    return tuple(
        place
        for start in starts
        if list(quote.words[start : start + len(wanted)]) == wanted
        for place in range(start, start + len(wanted))
    )


def _by_word(
    sentence: Statement, pieces: Sequence[PieceMatch]
) -> dict[int, tuple[PieceMatch | None, float]]:
    """For each word the piece that speaks for it, if one does, and the word's weight.

    A piece of several words speaks for each of them; of a word that is cut into pieces the first,
    if it is nearly all of it: the pieces of a rare name say nothing.
    """
    found: dict[int, tuple[PieceMatch | None, float]] = {}
    words = sentence.words
    place = offset = 0
    for piece in pieces:
        parts = [one.word for one in tokens(piece.piece)]
        for part in parts:
            at = place
            reach = offset
            while at < len(words) and not words[at].startswith(part, reach):
                at, reach = at + 1, 0
            if at == len(words):
                break
            known, share = found.get(at, (None, 0.0))
            whole = reach == 0 and len(part) >= _MOST_OF_IT * len(words[at])
            found[at] = (piece if whole else known, share + piece.weight / len(parts))
            place, offset = at, reach + len(part)
            if offset >= len(words[at]):
                place, offset = at + 1, 0
    return found
