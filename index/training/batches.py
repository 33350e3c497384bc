"""Batches to learn from: pairs of bags of pieces that mean the same, or belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.text import fold

from .corpus import RUNNING, WEIGHTS, Corpus

Ids = NDArray[np.int64]

# How often a text of another language is read without its diacritics.
_BARE = 0.2
# Sentences that follow each other are drawn in runs, so that a batch holds wrong answers from the
# same article: those a question is easily mistaken in. Neighbours overlap, so one in so many counts.
_RUN, _STRIDE = 8, 3
# What asks, and says nothing of the topic: an embedder learns to pass over it.
_ASKING = {
    "en": "what is the|who was|when did|where is|which of the|how many|how much did|why does"
    "|what did|in what year was|what type of|how long|whose|what happened to|tell me about",
    "vi": "là gì|ai là|khi nào|ở đâu|cái nào|bao nhiêu|tại sao|vì sao lại|như thế nào"
    "|năm nào|điều gì đã|loại nào|bao lâu|của ai|hãy cho biết|người nào đã",
}


@dataclass(frozen=True)
class Bags:
    """Bags of pieces: those of bag ``i`` begin at ``pieces[offsets[i]]``."""

    pieces: Ids
    offsets: Ids


class Texts:
    """Texts as pieces, each known by its row."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._pending: list[str] = []
        self._rows: dict[str, int] = {}
        self._pieces: Ids = np.zeros(0, np.int64)
        self._starts: Ids = np.zeros(1, np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, texts: Sequence[str]) -> Ids:
        """The rows of texts, taking in those that are new."""
        rows = []
        for text in texts:
            if text not in self._rows:
                self._rows[text] = len(self._rows)
                self._pending.append(text)
            rows.append(self._rows[text])
        return np.array(rows, np.int64)

    def finish(self) -> None:
        """Tokenize what was taken in."""
        encoded = self._tokenizer.encode_batch_fast(self._pending, add_special_tokens=False)
        ids = [np.array(one.ids, np.int64) for one in encoded]
        self._pieces = np.concatenate(ids)
        self._starts = np.cumsum([0, *map(len, ids)])
        self._pending.clear()

    def counts(self, size: int) -> Ids:
        """How often each piece stands in the texts."""
        return np.bincount(self._pieces, minlength=size)

    def bags(self, *columns: Ids, keep: NDArray[np.float64] | None = None,
             random: np.random.Generator | None = None) -> Bags:  # fmt: skip
        """One bag for each row of the columns, of all texts in that row; -1 is no text.

        Args:
            columns: Rows of texts, each of shape (number of bags,).
            keep: The share of the first column's pieces that are kept, for each bag.
            random: Chooses which.
        """
        texts = np.stack(columns, axis=1).reshape(-1)
        there = texts >= 0
        starts = np.where(there, self._starts[texts], 0)
        lengths = np.where(there, self._starts[texts + 1] - starts, 0)
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        pieces = self._pieces[np.repeat(starts, lengths) + places]
        if keep is not None and random is not None:
            shares = np.ones(texts.shape)
            shares[:: len(columns)] = keep
            kept = random.random(len(pieces)) < np.repeat(shares, lengths)
            segments = np.repeat(np.arange(len(texts)), lengths)[kept]
            pieces, lengths = pieces[kept], np.bincount(segments, minlength=len(texts))
        sizes = lengths.reshape(-1, len(columns)).sum(axis=1)
        return Bags(pieces, np.cumsum(sizes) - sizes)


@dataclass(frozen=True)
class Group:
    """Pairs of one kind.

    Attributes:
        name: What kind.
        share: How often a batch of it is drawn.
        draw: A batch of so many pairs.
    """

    name: str
    share: float
    draw: Callable[[int, np.random.Generator], tuple[Bags, Bags]]


@dataclass(frozen=True)
class Taught:
    """English texts that the teacher knows, with their translations where there is one."""

    english: Ids
    other: Ids
    other_bare: Ids


def groups(corpus: Corpus, texts: Texts) -> list[Group]:
    """All kinds of pairs that a corpus gives; its texts are taken in, but not yet tokenized."""
    english, other, bare, weights, runs = _aligned(corpus, texts)
    words = _columns(corpus.words, texts)
    glosses = _columns(corpus.glosses, texts)[:2]
    titles, sentences, bare_sentences, inside = _articles(corpus, texts)
    asking = {
        language: texts.rows([*phrases.split("|"), *fold(phrases).split("|")])
        for language, phrases in _ASKING.items()
    }
    chances = np.cumsum(weights) / weights.sum()

    def translations(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = np.searchsorted(chances, random.random(size))
        return texts.bags(english[drawn]), texts.bags(_perhaps(other, bare, drawn, random))

    def dictionary(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = random.integers(len(words[0]), size=size)
        return texts.bags(words[0][drawn]), texts.bags(_perhaps(words[1], words[2], drawn, random))

    def meanings(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = random.integers(len(glosses[0]), size=size)
        return texts.bags(glosses[0][drawn]), texts.bags(glosses[1][drawn])

    def side(drawn: Ids, random: np.random.Generator, is_english: bool) -> Ids:
        return english[drawn] if is_english else _perhaps(other, bare, drawn, random)

    def neighbours(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(runs, size, random)
        ways = random.random(2) < 0.5
        return (
            texts.bags(side(drawn, random, bool(ways[0]))),
            texts.bags(side(drawn + 1, random, bool(ways[1]))),
        )

    def questions(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(runs, size, random)
        asks, answers = random.random(2) < 0.5
        phrases = random.choice(asking["en" if asks else "vi"], size)
        keep = random.uniform(0.15, 0.6, size)
        question = texts.bags(side(drawn, random, bool(asks)), phrases, keep=keep, random=random)
        beside = np.where(random.random(size) < 0.6, drawn + 1, drawn)
        first = english[drawn] if answers else other[drawn]
        second = english[beside] if answers else other[beside]
        second = np.where(beside == drawn, -1, second)
        return question, texts.bags(first, second)

    def article_questions(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(inside, size, random)
        asked = _perhaps(sentences, bare_sentences, drawn, random)
        keep = random.uniform(0.1, 0.6, size)
        title = np.where(random.random(size) < 0.5, titles[drawn], -1)
        phrases = random.choice(asking["vi"], size)
        question = texts.bags(asked, title, phrases, keep=keep, random=random)
        beside = np.where(random.random(size) < 0.6, sentences[drawn + 1], -1)
        return question, texts.bags(sentences[drawn], beside)

    def article_neighbours(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(inside, size, random)
        first = _perhaps(sentences, bare_sentences, drawn, random)
        return texts.bags(first), texts.bags(sentences[drawn + 1])

    kinds = [
        (Group("translations", 0.26, translations), english),
        (Group("dictionary", 0.1, dictionary), words[0]),
        (Group("meanings", 0.06, meanings), glosses[0]),
        (Group("neighbours", 0.08, neighbours), runs),
        (Group("questions", 0.22, questions), runs),
        (Group("article questions", 0.1, article_questions), inside),
        (Group("article neighbours", 0.04, article_neighbours), inside),
    ]
    return [group for group, there in kinds if len(there)]


def taught_texts(corpus: Corpus, english: Sequence[str], texts: Texts) -> Taught:
    """The teacher's texts with the translations that the corpus has of some."""
    translation: dict[str, str] = {}
    for pairs in corpus.parallel.values():
        translation.update(pairs)
    others = [translation.get(text, "") for text in english]
    rows = texts.rows(others)
    none = np.array([not text for text in others])
    bare = texts.rows([fold(text) for text in others])
    return Taught(texts.rows(english), np.where(none, -1, rows), np.where(none, -1, bare))


def taught_bags(
    taught: Taught, drawn: Ids, texts: Texts, random: np.random.Generator
) -> tuple[Bags, Bags]:
    """The texts that were drawn in English, and translated where they can be."""
    other = _perhaps(taught.other, taught.other_bare, drawn, random)
    english = taught.english[drawn]
    return texts.bags(english), texts.bags(np.where(other < 0, english, other))


def _columns(pairs: Sequence[tuple[str, str]], texts: Texts) -> tuple[Ids, Ids, Ids]:
    return (
        texts.rows([one for one, _ in pairs]),
        texts.rows([other for _, other in pairs]),
        texts.rows([fold(other) for _, other in pairs]),
    )


def _aligned(corpus: Corpus, texts: Texts) -> tuple[Ids, Ids, Ids, NDArray[np.float64], Ids]:
    """All sentence pairs, how often each is drawn, and where a neighbour follows."""
    pairs = [pair for name in corpus.parallel for pair in corpus.parallel[name]]
    weights = [WEIGHTS.get(name, 1.0) for name, listed in corpus.parallel.items() for _ in listed]
    runs, at = [], 0
    for name, listed in corpus.parallel.items():
        if name in RUNNING:
            runs.append(np.arange(at, max(at, at + len(listed) - _RUN * _STRIDE - 1)))
        at += len(listed)
    places = np.concatenate(runs) if runs else np.zeros(0, np.int64)
    # Long sentences say more than short ones.
    lengths = [min(1.0, 0.2 + len(one.split()) / 10) for one, _ in pairs]
    return (*_columns(pairs, texts), np.array(weights) * np.array(lengths), places)


def _articles(corpus: Corpus, texts: Texts) -> tuple[Ids, Ids, Ids, Ids]:
    """The sentences of all articles, each with its title, and where a run may begin."""
    titles = [article[0] for article in corpus.articles for _ in article[1:]]
    sentences = [sentence for article in corpus.articles for sentence in article[1:]]
    last = len(sentences) - _RUN * _STRIDE - 1
    return (
        texts.rows(titles),
        texts.rows(sentences),
        texts.rows([fold(sentence) for sentence in sentences]),
        np.arange(max(0, last)),
    )


def _perhaps(written: Ids, bare: Ids, drawn: Ids, random: np.random.Generator) -> Ids:
    """Some of the rows that were drawn, without diacritics."""
    without = random.random(len(drawn)) < _BARE
    return np.where(without, bare[drawn], written[drawn])


def _runs(places: Ids, size: int, random: np.random.Generator) -> Ids:
    """Rows in runs of some sentences with gaps between."""
    starts = random.choice(places, -(-size // _RUN))
    return np.asarray((starts[:, None] + np.arange(_RUN) * _STRIDE).reshape(-1)[:size])
