"""Questions as they were meant: with their diacritics, and misspelled words as the documents have them.

"Ghandi" is in no document, and "gandhi" has the same letters. Most slips are one letter too many, too
few or wrong, or two neighbours swapped (Damerau 1964). A wrong letter is not mended: "Novartis" is not
"Novantis", and to be told of somebody else is worse than not to be understood. Only what no document
holds and the embedder does not know as a word is taken for a slip.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.language import function_words
from rag.text import Span, fold, word_spans

from .alignment import Alignment
from .diacritics import restored
from .lexical import Lexical

# Shorter words are near to too many others; longer ones are none.
_SHORTEST, _LONGEST = 5, 40
# A word of so many letters, in so many pieces, may have two slips.
_LONG, _PIECES = 8, 3
# So many letters behind a word that is known are an ending: "fumble" and "fumbled".
_ENDING = 3


@dataclass(frozen=True, slots=True)
class Speller:
    """Corrects questions to one state of an index.

    Without vectors of pieces there is no ``alignment``: then nobody knows which words are words, and
    only diacritics are added.
    """

    lexical: Lexical
    alignment: Alignment | None

    def corrected(self, question: str, language: str | None = None) -> str:
        """A question as it was probably meant.

        Args:
            question: The question.
            language: Its language, ISO 639-1; detected if left out.
        """
        question = restored(question, language) or question
        if self.alignment is None:
            return question
        parts, reached = [], 0
        for word, start, end in word_spans(question):
            meant = self._meant(self.alignment, word, question, (start, end))
            if meant:
                parts += [question[reached:start], _as_large(meant, question[start:end])]
                reached = end
        return "".join([*parts, question[reached:]])

    def _meant(self, alignment: Alignment, word: str, question: str, span: Span) -> str | None:
        """The word of the documents that one which none of them holds was meant to be."""
        bare = fold(word)
        if not _SHORTEST <= len(bare) <= _LONGEST or not (bare.isascii() and bare.isalpha()):
            return None
        if word in function_words():
            return None
        if self.lexical.holds(word):
            return None
        pieces = alignment.pieces_of(word)
        is_name = span[0] > 0 and question[span[0]].isupper()
        if len(pieces) < 2 or (len(pieces) == 2 and not is_name and _is_ending(pieces[1])):
            return None
        slips = 2 if len(bare) >= _LONG and len(pieces) >= _PIECES else 1
        return self._nearest(bare, 1, slips) or self._nearest(bare, 2, slips)

    def _nearest(self, bare: str, apart: int, slips: int) -> str | None:
        """The nearest word of those so far apart; of equally near ones the most alike, then frequent."""
        from rapidfuzz.distance import Indel, JaroWinkler

        best: tuple[float, float, int] | None = None
        nearest = None
        for word, count in self.lexical.spelled_like(bare, apart).items():
            other = fold(word)
            swapped = sorted(bare) == sorted(other)
            distance = 1 if swapped else Indel.distance(bare, other)
            one_way = swapped or distance == abs(len(bare) - len(other))
            if not one_way or distance > slips or (distance > 1 and bare[0] != other[0]):
                continue
            rank = -distance, JaroWinkler.similarity(bare, other), count
            if best is None or rank > best:
                best, nearest = rank, word
        return nearest


def _is_ending(piece: str) -> bool:
    return len(piece) <= _ENDING


def _as_large(word: str, typed: str) -> str:
    """A word with the capital that was typed."""
    return word[:1].upper() + word[1:] if typed[:1].isupper() else word
