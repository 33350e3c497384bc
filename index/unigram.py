"""Texts into the pieces of the bundled model, as the tokenizers library does, but soon ready.

Nearly all the time that the library takes to load goes into a trie of 50,000 pieces. Here a
dictionary is enough. Few pairs of neighbouring words can be taken together in this model, and where
two cannot, the best way to cut a text is the best way to cut what comes before and the best way to
cut what comes after. So a text falls into words and short runs of words. They recur, and each is
cut once.

The pieces are exactly those of the library. Texts with characters that the two may know from
different versions of Unicode are left to it.
"""

from __future__ import annotations

import json
import math
import re
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

Cut = Callable[[Sequence[str]], list[list[int]]]

# What the tokenizers library writes for the space before a word.
SPACE = "▁"
# European letters, signs, Chinese, Japanese, Korean, wide forms, pictures. A test compares them all.
_STRANGE = re.compile(
    "[^\0-\u05ff\u1e00-\u2bff\u3000-\u32fe\u3300-\u9fff\uac00-\ud7a3\uff00-\uffef"
    "\ufb00-\ufb06\ufe0f\ufeff\ufffd\U0001f300-\U0001faff]"
)
_WITH_PUNCTUATION = (
    *range(0x600),
    *range(0x1E00, 0x2C00),
    *range(0x3000, 0x3300),
    *range(0xFF00, 0xFFF0),
)
# Scores as near as this may be one score, rounded differently.
_TIE = 1e-6
_BEGINNING = -1  # the id of what is no piece
_MOST_REMEMBERED = 50_000
_LONGEST_REMEMBERED = 64
_SHAPE: dict[str, Any] = {
    "added_tokens": [],
    "normalizer": {
        "type": "Sequence",
        "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}],
    },
    "pre_tokenizer": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"String": "\n"}, "behavior": "Removed", "invert": False},
            {"type": "Split", "pattern": {"String": "\t"}, "behavior": "Removed", "invert": False},
            {"type": "Punctuation", "behavior": "Removed"},
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
        ],
    },
    "post_processor": None,
}


class Unigram:
    """Cuts texts into the likeliest pieces (Kudo 2018, "Subword Regularization").

    May be used by many threads.

    Args:
        pieces: The pieces, with "▁" for a space. A piece's id is its place.
        scores: The logarithm of how likely each is.
        unknown: The id of the piece that stands for characters which are in no other.
        library: The same in the tokenizers library, for the texts that are left to it.

    Raises:
        ValueError: With these pieces it cannot be done word by word.
    """

    def __init__(
        self, pieces: Sequence[str], scores: Sequence[float], unknown: int, library: Cut
    ) -> None:
        least = min(scores)
        if least > 0 or not math.isfinite(sum(scores)):
            raise ValueError("the scores are not logarithms of shares")
        self._stretch = re.compile(f"[^{re.escape(_punctuation())}\n\t]+")
        self._ids = dict(zip(pieces, range(len(scores)), strict=True))
        if self._stretch.fullmatch(pieces[unknown]) or SPACE not in self._ids:
            raise ValueError("the unknown piece may stand in a text, or the space is unknown")
        self._scores = [*scores]
        self._scores[unknown] = least - 10.0  # the library's cost of an unknown character
        self.pieces, self.unknown, self._library = pieces, unknown, library
        self._longest = max(map(len, pieces))
        parts, sequences = _in_kinds(pieces)
        self._parts = _parts(parts, self._ids, unknown)
        self._following = _following(sequences)
        self._remembered: dict[str, list[int]] = {}

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of the pieces of each text, in order."""
        library = self._library
        return [library([one])[0] if _STRANGE.search(one) else self._of(one) for one in texts]

    def _of(self, text: str) -> list[int]:
        # Python makes another small sigma of one at the end of a word.
        plain = unicodedata.normalize("NFKC", text).replace("Σ", "σ").lower().replace(SPACE, " ")
        ids: list[int] = []
        for stretch in self._stretch.findall(plain):
            ids += self._of_stretch(stretch)
        if self.unknown in ids:  # one for all unknown characters in a row
            unknown = self.unknown
            ids = [one for last, one in pairwise([-1, *ids]) if one != unknown or last != unknown]
        return ids

    def _of_stretch(self, stretch: str) -> list[int]:
        """The pieces of a text without punctuation, each unknown character by itself."""
        ids: list[int] = []
        total, summed = 0.0, 0
        for run in self._runs(stretch.removeprefix(" ").split(" ")):
            found = self._remembered.get(run)
            if found is None:
                found, tied = self._best(run, 0.0)
                if tied:  # then what comes before decides how the scores are rounded
                    for one in ids[summed:]:
                        total += self._scores[one]
                    summed = len(ids)
                    found, _ = self._best(run, total)
                else:
                    self._remember(run, found)
            ids += found
        return ids

    def _runs(self, words: list[str]) -> list[str]:
        """Words, together with the next where a piece may reach into it."""
        runs = []
        run = last = words[0]
        for word in words[1:]:
            following = self._following.get(last)
            if following is not None and word.startswith(following):
                run = f"{run} {word}"
            else:
                runs.append(run)
                run = word
            last = word
        runs.append(run)
        return runs

    def _best(self, run: str, before: float) -> tuple[list[int], bool]:
        """The pieces of a run, and whether another way to cut it may be as good.

        Adds and compares as the library does: of two ways with one score, the first found wins,
        that whose last piece is the longer.

        Args:
            run: Words with single spaces between.
            before: The score of all pieces before the run.
        """
        text = f"{SPACE}{run.replace(' ', SPACE)}"
        size = len(text)
        scores = [before, *[-math.inf] * size]
        ways = [(0, 0)] * (size + 1)  # where the last piece of the best way begins, and its id
        tied = [False] * (size + 1)
        known: Mapping[str, int]
        for start in range(size):
            here = scores[start]
            known, missing = (
                (self._ids, _BEGINNING) if text[start] == SPACE else (self._parts, None)
            )
            for end in range(start + 1, min(start + self._longest, size) + 1):
                piece = known.get(text[start:end], missing)
                if piece is None:
                    if end > start + 1:
                        break
                    piece = self.unknown
                if piece == _BEGINNING:
                    continue
                score = self._scores[piece] + here
                lead = score - scores[end]
                if lead > 0:
                    scores[end], ways[end] = score, (start, piece)
                if lead > _TIE:
                    tied[end] = False
                elif lead >= -_TIE:
                    tied[end] = True
        ids, doubtful, end = [], False, size
        while end > 0:
            doubtful = doubtful or tied[end]
            end, piece = ways[end]
            ids.append(piece)
        return ids[::-1], doubtful

    def _remember(self, run: str, ids: list[int]) -> None:
        if len(run) <= _LONGEST_REMEMBERED:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[run] = ids


def unigram_of(content: bytes, library: Cut) -> Unigram | None:
    """Read a tokenizer, or nothing if it is not of the one shape that is understood here.

    Args:
        content: A tokenizer as the tokenizers library writes it, in JSON.
        library: What cuts texts with the library.
    """
    if any(word not in content for word in (b'"Unigram"', b'"Punctuation"', b'"NFKC"')):
        return None  # a large vocabulary takes long to read
    try:
        # 50,000 lists of two would have the garbage collector at work for as long as the reading.
        # A piece that is damaged so has a comma in it, and no text with commas gets this far.
        given = json.loads(content.replace(b"],[", b","))
        model = given["model"]
        if model["type"] != "Unigram" or model.get("byte_fallback"):
            return None
        if {name: given.get(name) for name in _SHAPE} != _SHAPE:
            return None
        vocabulary = [*chain.from_iterable(model["vocab"])]
        return Unigram(vocabulary[::2], vocabulary[1::2], model["unk_id"], library)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None  # the library says what is wrong with it


def _punctuation() -> str:
    """What the library takes for punctuation, of the characters that are not strange."""
    characters = map(chr, _WITH_PUNCTUATION)
    return string.punctuation + "".join(c for c in characters if unicodedata.category(c)[0] == "P")


def _in_kinds(pieces: Sequence[str]) -> tuple[list[str], list[str]]:
    """The pieces that begin within a word, and those that go on after a space."""
    parts: list[str] = []
    sequences: list[str] = []
    for piece in pieces:
        last = piece.rfind(SPACE)
        if last < 0:
            parts.append(piece)
        elif last > 0:
            sequences.append(piece)
    return parts, sequences


def _parts(parts: Sequence[str], ids: Mapping[str, int], unknown: int) -> dict[str, int]:
    """The ids of parts of words, and with what they begin."""
    found = {part[:length]: _BEGINNING for part in parts for length in range(2, len(part))}
    return found | {part[0]: unknown for part in parts} | {part: ids[part] for part in parts}


def _following(sequences: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """With what the next word begins where one piece takes a word and some of the next."""
    found: dict[str, list[str]] = {}
    for sequence in sequences:
        before, last, *words = sequence.split(SPACE)
        if before or not last or "" in words:
            raise ValueError(f"the piece {sequence!r} is not a sequence of words")
        for word in words:
            found.setdefault(last, []).append(word)
            last = word
    return {word: tuple(after) for word, after in found.items()}
