"""Documents, vectors and an embedder made from a seed, for measuring without a model."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rag.index.arrays import Matrix

# Syllables make words that differ from each other and from those of any language's lists.
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


class HashingEmbedder:
    """A text's vector is the sum of random vectors, one for each of its words.

    Quick, deterministic, and near for texts that share words: a stand-in for a model where not
    the model is measured.

    Args:
        dimension: The length of a vector.
        max_tokens: How many words it is said to read.
        seconds: How long a batch takes at least.
        windows: Whether it embeds the sentences of passages too.
    """

    def __init__(
        self,
        dimension: int = 384,
        max_tokens: int = 256,
        seconds: float = 0.0,
        windows: bool = False,
    ) -> None:
        self.name = f"hashing-{dimension}"
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.windows = windows
        self.embedded = 0
        self._seconds = seconds
        self._words: dict[str, Matrix] = {}

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1."""
        if not query:
            self.embedded += len(texts)
            time.sleep(self._seconds)
        sums = [
            np.sum([self._vector(word) for word in text.lower().split() or [""]], axis=0)
            for text in texts
        ]
        matrix = np.asarray(sums, dtype=np.float32).reshape(len(texts), self.dimension)
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        return np.asarray(matrix / lengths, dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many words each text has."""
        return [len(text.split()) for text in texts]

    def _vector(self, word: str) -> Matrix:
        if word not in self._words:
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
            numbers = np.random.default_rng(seed).standard_normal(self.dimension)
            self._words[word] = numbers.astype(np.float32)
        return self._words[word]


class Language:
    """Words in the proportions of a natural language: the n-th is 1/n as frequent as the first.

    Source: Zipf 1949, "Human Behavior and the Principle of Least Effort".

    Args:
        size: How many words there are.
        seed: What everything is drawn from.
    """

    def __init__(self, size: int = 50_000, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        count = len(_SYLLABLES)
        self.words = [
            _SYLLABLES[n // count**2 % count]
            + _SYLLABLES[n // count % count]
            + _SYLLABLES[n % count]
            for n in range(size)
        ]
        shares = 1 / np.arange(1, size + 1)
        self._steps = np.cumsum(shares / shares.sum())

    def draw(self, count: int) -> list[str]:
        """Some words, in no order."""
        places = np.searchsorted(self._steps, self._random.random(count))
        return [self.words[min(place, len(self.words) - 1)] for place in places]

    def sentences(self, count: int, length: int = 12) -> str:
        """Some sentences of so many words."""
        drawn = self.draw(count * length)
        return " ".join(
            " ".join(drawn[start : start + length]).capitalize() + "."
            for start in range(0, len(drawn), length)
        )


def clustered(count: int, dimension: int = 384, seed: int = 0) -> Iterator[Matrix]:
    """Vectors that lie as embeddings do, some thousand at a time.

    Points around 2,000 centres of very different sizes in a space of 40 dimensions, and noise
    in all of them: harder for an inverted file than separate clusters, easier than none.

    Yields:
        Matrices of shape (up to 10,000, dimension), rows of length 1.
    """
    random = np.random.default_rng(seed)
    inner, centres = 40, 2000
    basis = random.standard_normal((inner, dimension)).astype(np.float32) / inner**0.5
    places = random.standard_normal((centres, inner)).astype(np.float32)
    sizes = random.pareto(1.2, centres) + 1
    for start in range(0, count, 10_000):
        part = min(10_000, count - start)
        chosen = random.choice(centres, size=part, p=sizes / sizes.sum())
        spread = 0.7 * random.standard_normal((part, inner)).astype(np.float32)
        noise = random.standard_normal((part, dimension)).astype(np.float32)
        matrix = (places[chosen] + spread) @ basis + 0.25 * (inner / dimension) ** 0.5 * noise
        yield (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def windowed(batches: Iterable[Matrix], count: int, seed: int = 0) -> Iterator[Matrix]:
    """Each vector, and after it those of its windows: near it (cosine about 0.75), and unlike.

    Args:
        batches: Vectors of passages, shape (any, dimension), rows of length 1.
        count: How many vectors each passage has, its own among them.
        seed: What the windows are drawn from.

    Yields:
        For each batch a matrix of shape (count times as many, dimension), rows of length 1.
    """
    random = np.random.default_rng(seed)
    for batch in batches:
        noise = random.standard_normal((len(batch), count, batch.shape[1])).astype(np.float32)
        noise[:, 0] = 0
        near = batch[:, None] + 0.9 * batch.shape[1] ** -0.5 * noise
        rows = near.reshape(-1, batch.shape[1])
        yield np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
