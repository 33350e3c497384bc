"""The pieces of text that have a vector: whole words, parts of rare words, sequences of words.

A static vector is best learned for what has a meaning by itself. A Vietnamese word is often
several syllables with spaces between, and a syllable by itself means little: "Trung Quốc" is
China, "trung" is middle. So can English names: "New York". Pieces are therefore the parts of words
that a Unigram tokenizer finds (Kudo 2018, "Subword Regularization"), every frequent word as a
whole, and sequences of words that stand together far more often than by chance. Each scores the
logarithm of its share of all words, so that of two ways to cut a text the likelier one wins.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.index.unigram import SPACE
from rag.language import function_words
from rag.text import fold

UNKNOWN = "[UNK]"
_LONGEST_SEQUENCE = 3
_LEAST_SEEN = 8
# How many times more often than by chance the words of a sequence stand together.
_COHESION = 12.0
# One in so many texts is also seen without diacritics.
_BARE = 3


@dataclass(frozen=True)
class Sizes:
    """How many pieces there are of each kind, at most."""

    parts: int = 8_000
    words: int = 34_000
    sequences: int = 14_000

    def with_room_for(self, languages: int) -> Sizes:
        """The sizes for English and so many other languages; these are for one."""
        more = max(0, languages - 1)
        return Sizes(
            self.parts + more * _MORE.parts,
            self.words + more * _MORE.words,
            self.sequences + more * _MORE.sequences,
        )


# What each further language gets.
_MORE = Sizes(parts=2_000, words=12_000, sequences=6_000)


def train_pieces(english: Sequence[str], others: Sequence[str], sizes: Sizes) -> Any:
    """Train a tokenizer.

    Args:
        english: English texts.
        others: Texts of the other languages; some of them are also seen without diacritics.
        sizes: How many pieces there are.

    Returns:
        A ``tokenizers.Tokenizer``.
    """
    from tokenizers import Tokenizer, decoders, models

    normalizer, splitter = _normalizer(), _splitter()

    def stretches(given: Iterable[str]) -> Iterator[str]:
        """Words with nothing but spaces between, as the tokenizer will see them."""
        for text in given:
            for stretch, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
                yield stretch.replace(SPACE, " ")

    texts = [*stretches(english), *stretches(others)]
    texts += stretches(fold(text) for text in others[::_BARE])
    counts = Counter(word for text in texts for word in text.split())
    total = counts.total()
    pieces = dict(_parts(counts, sizes.parts))
    for word, count in _most_frequent(counts, sizes.words):
        pieces[SPACE + word] = math.log(count / total)
    for sequence, count in _most_frequent(_sequences(texts, counts), sizes.sequences):
        pieces[SPACE + sequence.replace(" ", SPACE)] = math.log(count / total)
    scored = [(piece, round(score, 3)) for piece, score in pieces.items()]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=0))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.Metaspace(SPACE, "always")
    return tokenizer


def _normalizer() -> Any:
    from tokenizers import normalizers

    return normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])


def _splitter() -> Any:
    """Punctuation and line ends separate and are left out; words stay together otherwise.

    A regular expression that does the same takes the tokenizer twice as long.
    """
    from tokenizers import pre_tokenizers

    lines = [pre_tokenizers.Split(end, "removed") for end in ("\n", "\t")]
    punctuation = pre_tokenizers.Punctuation("removed")
    spaces = pre_tokenizers.Metaspace(SPACE, "always", split=False)
    return pre_tokenizers.Sequence([*lines, punctuation, spaces])


def _most_frequent(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [one for one in ordered[:most] if one[1] > 1]


def _parts(counts: Counter[str], size: int) -> list[tuple[str, float]]:
    """The unknown piece and the parts of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, "always", split=True)
    trainer = trainers.UnigramTrainer(
        vocab_size=size, unk_token=UNKNOWN, special_tokens=[UNKNOWN], show_progress=False
    )
    # A word's share of parts grows with the logarithm of its count: frequent ones come whole.
    words = (word for word, count in counts.items() for _ in range(count.bit_length()))
    tokenizer.train_from_iterator(words, trainer)
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def _sequences(texts: Sequence[str], counts: Counter[str]) -> Counter[str]:
    """The sequences of words that stand together more often than by chance, and how often."""
    total = counts.total()
    found: Counter[str] = Counter()
    shorter = {word for word, count in counts.items() if count >= _LEAST_SEEN}
    for length in range(2, _LONGEST_SEQUENCE + 1):
        longer: Counter[str] = Counter()
        for text in texts:
            longer.update(_windows(text.split(), length, shorter))
        shorter = set()
        for sequence, count in longer.items():
            words = sequence.split()
            chance = math.prod(counts[word] / total for word in words) * total
            if count >= _LEAST_SEEN and count > _COHESION ** (length - 1) * chance:
                shorter.add(sequence)
                if not function_words() & {words[0], words[-1]}:
                    found[sequence] = count
    return found


def _windows(words: list[str], length: int, known: set[str]) -> Iterator[str]:
    """Sequences of words whose beginning and end, one word shorter, are known; no numbers."""
    for at in range(len(words) - length + 1):
        window = words[at : at + length]
        if " ".join(window[1:]) in known and " ".join(window[:-1]) in known:
            sequence = " ".join(window)
            if not re.search(r"\d", sequence):
                yield sequence
