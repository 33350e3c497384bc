"""Word by word: how well a passage meets each word of a question, whatever its language.

A sum of vectors says what a text is about; that a passage has something for every word of the
question it cannot say. So each word of the question looks for the nearest word of the passage,
as each token does in late interaction (Khattab and Zaharia 2020, "ColBERT"), with the static
vectors: "thủ đô" is near "capital". A word counts as much as its pieces weigh in a sum, squared,
which the embedder has learned: what asks, and what stands everywhere, weighs little.

A word that the embedder knows only in parts has the sum of their vectors and is compared whole: the
"na" of "mRNA" is not met by that of another word. One that it has to spell out, most of it in single
letters, means nothing to it, and is met by the very same word alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.types import PieceMatch

from .arrays import Ids, Matrix

# OpenBLAS shares out products of more multiplications than these.
_OF_ONE_THREAD = 262_144


@runtime_checkable
class Pieces(Protocol):
    """An embedder with a vector for each piece of a text, as ``StaticEmbedder``."""

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        """The pieces of each text, in order."""
        ...

    def token_begins(self, ids: Ids) -> NDArray[np.bool_]:
        """Whether a word begins with each of some pieces, shape (number of pieces,)."""
        ...

    def token_weights(self, ids: Ids) -> Matrix:
        """How much pieces count in a sum of their vectors, shape (number of pieces,), >= 0."""
        ...

    def token_texts(self, ids: Ids) -> list[str]:
        """Pieces as a person reads them."""
        ...

    def word_vectors(self, ids: Ids, starts: Ids) -> Matrix:
        """The vectors of words, shape (number of words, dimension), of length 1 or all zeros.

        Args:
            ids: Their pieces, one word after the other.
            starts: Where the pieces of each word begin, the first at 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """The different words of a text.

    ``keys`` is a number for each, the same for the same pieces; ``pieces`` are those of all words,
    and each word's begin at its place in ``starts``.
    """

    keys: Ids
    pieces: Ids
    starts: Ids

    def __len__(self) -> int:
        return len(self.keys)

    def spans(self) -> list[tuple[int, int]]:
        """Where the pieces of each word begin and end."""
        starts = self.starts.tolist()
        return [*zip(starts, [*starts[1:], len(self.pieces)], strict=False)]

    def among(self, places: Ids) -> Words:
        """Those at some places, in that order."""
        lengths = np.diff(self.starts, append=len(self.pieces))[places]
        starts = np.cumsum(lengths) - lengths
        within = np.arange(lengths.sum()) - np.repeat(starts, lengths)
        pieces = self.pieces[np.repeat(self.starts[places], lengths) + within]
        return Words(self.keys[places], pieces, starts)


def joined(every: Sequence[Words]) -> Words:
    """The words of several texts, one text after the other; there is at least one text."""
    sizes = [len(one.pieces) for one in every]
    firsts = np.cumsum([0, *sizes[:-1]])
    return Words(
        np.concatenate([one.keys for one in every]),
        np.concatenate([one.pieces for one in every]),
        np.concatenate([one.starts + first for one, first in zip(every, firsts, strict=True)]),
    )


class Alignment:
    """Aligns questions with passages, and remembers the words of the passages it saw last.

    Args:
        pieces: The embedder.
        most: How many passages are remembered; one takes about two kibibytes.
    """

    def __init__(self, pieces: Pieces, most: int = 10_000) -> None:
        self._pieces, self._most = pieces, most
        self._known: OrderedDict[int, Words] = OrderedDict()
        self._guard = threading.Lock()

    def of_passages(self, question: str, passages: Mapping[int, str]) -> dict[int, float]:
        """How well passages meet a question, in [0, 1], by passage id.

        Args:
            question: The question.
            passages: The words of each passage, by its id; one id always means the same words.
        """
        with self._guard:
            known = {one: self._known[one] for one in passages if one in self._known}
        new = [one for one in passages if one not in known]
        known |= zip(new, self._words([passages[one] for one in new]), strict=True)
        with self._guard:
            for one in passages:
                self._known[one] = known[one]
                self._known.move_to_end(one)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        shares = self._shares(question, [known[one] for one in passages])
        return dict(zip(passages, shares.tolist(), strict=True))

    def of_texts(self, question: str, texts: Sequence[str]) -> Matrix:
        """How well texts meet a question, in [0, 1], shape (number of texts,)."""
        return self._shares(question, self._words(texts))

    def matches(self, question: str, text: str) -> list[PieceMatch]:
        """Which word of a text is nearest to each word of a question, the heaviest word first.

        Their weights times their similarities sum to what ``of_texts`` gives.
        """
        asked, held = self._words([question, text])
        weights = self._weights(asked)
        # A text without words still has something to be nearest to: nothing, which is not near.
        nearness = np.pad(self._nearness(asked, held), ((0, 0), (0, 1)))
        best = nearness.argmax(axis=1)
        similar = nearness.max(axis=1).tolist()
        names = [*self._texts(held), ""]
        matches = [
            PieceMatch(word, names[place] if similarity else "", share, similarity)
            for word, place, share, similarity in zip(
                self._texts(asked), best.tolist(), weights.tolist(), similar, strict=True
            )
            if share
        ]
        return sorted(matches, key=lambda one: -one.weight)

    def aligned(self, sentence: str, texts: Sequence[str]) -> list[list[PieceMatch]]:
        """The pieces of a sentence in order, each with the nearest piece of each text.

        Unlike in ``matches`` a piece stands as often as in the sentence, and also where it weighs
        nothing. Their weights sum to 1, or are all 0.
        """
        (asked,) = self._pieces.token_ids([sentence])
        held = self._distinct(texts)
        weights = self._pieces.token_weights(asked) ** 2
        shares = (weights / (weights.sum() or 1)).tolist()
        each, places = np.unique(np.concatenate([asked[:0], *held]), return_inverse=True)
        nearness = np.clip(self._products(asked, each), 0, 1)
        pieces, names = self._pieces.token_texts(asked), self._pieces.token_texts(each)
        found = []
        start = 0
        for ids in held:
            own = places[start : start + len(ids)]
            start += len(ids)
            best = own[nearness[:, own].argmax(axis=1)] if len(ids) else np.zeros(len(asked), int)
            found.append(
                [
                    PieceMatch(piece, names[place], share, float(nearness[row, place]))
                    if len(ids)
                    else PieceMatch(piece, "", share, 0.0)
                    for row, (piece, place, share) in enumerate(
                        zip(pieces, best.tolist(), shares, strict=True)
                    )
                ]
            )
        return found

    def pieces_of(self, word: str) -> list[str]:
        """The pieces of a word as a person reads them; one that the embedder knows whole has one."""
        (ids,) = self._pieces.token_ids([word])
        texts = self._pieces.token_texts(ids)
        weights = self._pieces.token_weights(ids).tolist()
        # A piece without weight is only the space before a word.
        return [text for text, weight in zip(texts, weights, strict=True) if weight]

    def _products(self, asked: Ids, each: Ids) -> Matrix:
        """The cosines of two lots of pieces, shape (number asked, number of the others).

        In blocks so small that they are not shared out to threads, which would wait longer for
        each other than one of them computes.
        """
        left, right = (self._pieces.word_vectors(ids, np.arange(len(ids))) for ids in (asked, each))
        size = max(1, _OF_ONE_THREAD // max(1, left.size))
        blocks = [left @ right[first : first + size].T for first in range(0, len(each), size)]
        return np.concatenate(blocks, axis=1) if blocks else left @ right.T

    def _distinct(self, texts: Sequence[str]) -> list[Ids]:
        return [np.unique(ids) for ids in self._pieces.token_ids(texts)] if texts else []

    def understood(self, question: str) -> float:
        """The share of a question's words, by weight, that the embedder did not have to spell out.

        The vector of the whole question says no more of it than that. A question without any
        words is understood: there is nothing in it that is not.
        """
        (asked,) = self._words([question])
        weights = self._weights(asked)
        return 1 - float(weights[self._spelled(asked)].sum())

    def _words(self, texts: Sequence[str]) -> list[Words]:
        """The different words of each text."""
        return [self._different(ids) for ids in self._pieces.token_ids(texts)] if texts else []

    def _different(self, ids: Ids) -> Words:
        begins = self._pieces.token_begins(ids)
        starts = [*({0} if len(ids) else ()), *(np.flatnonzero(begins[1:]) + 1).tolist()]
        pieces = ids.tolist()
        ends = [*starts[1:], len(pieces)]
        parts = dict.fromkeys(tuple(pieces[a:b]) for a, b in zip(starts, ends, strict=False))
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        return Words(
            # A tuple of whole numbers has the same hash everywhere, of 64 bits: it serves as a name.
            np.fromiter(map(hash, parts), np.int64, len(parts)),
            np.fromiter(chain.from_iterable(parts), np.int64, int(lengths.sum())),
            np.cumsum(lengths) - lengths,
        )

    def each(self, question: str, texts: Sequence[str]) -> tuple[Matrix, Matrix]:
        """How well texts meet each word of a question.

        Returns:
            The weights of the words, together 1 (or 0 where none counts), shape (number of words,),
            and how near the nearest word of each text is to each, in [0, 1], shape (number of
            words, number of texts).
        """
        return self._met(question, self._words(texts))

    def _shares(self, question: str, texts: Sequence[Words]) -> Matrix:
        weights, met = self._met(question, texts)
        return np.asarray(weights @ met, dtype=np.float32)

    def _met(self, question: str, texts: Sequence[Words]) -> tuple[Matrix, Matrix]:
        (asked,) = self._words([question])
        weights = self._weights(asked)
        met = np.zeros((len(asked), len(texts)), dtype=np.float32)
        filled = [row for row, words in enumerate(texts) if len(words)]
        if not filled or not len(asked):
            return weights, met
        together = joined([texts[row] for row in filled])
        _, firsts, places = np.unique(together.keys, return_index=True, return_inverse=True)
        nearness = self._nearness(asked, together.among(firsts))
        starts = np.cumsum([0, *(len(texts[row]) for row in filled[:-1])])
        met[:, filled] = np.maximum.reduceat(nearness[:, places], starts, axis=1)
        return weights, met

    def _weights(self, words: Words) -> Matrix:
        """What each of a question's words counts; together 1, or 0 where none counts.

        One that is spelled out counts as its heaviest letter: many letters are not many words.
        """
        if not len(words):
            return np.zeros(0, dtype=np.float32)
        squares = self._pieces.token_weights(words.pieces) ** 2
        sums, most = (add.reduceat(squares, words.starts) for add in (np.add, np.maximum))
        weights = np.where(self._spelled(words), most, sums)
        return np.asarray(weights / (weights.sum() or 1), dtype=np.float32)

    def _nearness(self, asked: Words, held: Words) -> Matrix:
        """How near words are to each word of a question, shape (asked, held), in [0, 1]."""
        if not len(asked) or not len(held):
            return np.zeros((len(asked), len(held)), dtype=np.float32)
        one, other = (self._pieces.word_vectors(w.pieces, w.starts) for w in (asked, held))
        nearness = np.clip(one @ other.T, 0, 1)
        spelled = self._spelled(asked)
        nearness[spelled] = asked.keys[spelled, None] == held.keys
        return np.asarray(nearness, dtype=np.float32)

    def _spelled(self, words: Words) -> NDArray[np.bool_]:
        """Which words have half of their letters or more in pieces of one letter, and several."""
        texts = self._pieces.token_texts(words.pieces)
        # A piece without weight is only the space before a word.
        lengths = np.where(self._pieces.token_weights(words.pieces) > 0, [*map(len, texts)], 0)
        # Chinese has no small letters: there a character means something.
        single = np.where([text.islower() for text in texts], lengths == 1, False)
        spelled = [
            lengths[start:end].sum() > 1 and 2 * single[start:end].sum() >= lengths[start:end].sum()
            for start, end in words.spans()
        ]
        return np.array(spelled, dtype=np.bool_)

    def _texts(self, words: Words) -> list[str]:
        """Words as a person reads them."""
        texts = self._pieces.token_texts(words.pieces)
        return ["".join(texts[start:end]) for start, end in words.spans()]
