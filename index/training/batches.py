"""Batches to learn from: pairs of bags of pieces that mean the same, or belong together.

A batch holds English and one other language, so that no wrong answer is told by its language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.language import follow_up_tables
from rag.text import fold

from .corpus import Corpus, shares
from .sources import ENGLISH
from .texts import Bags, Ids, Texts, sometimes_bare

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

Draw = Callable[[int, np.random.Generator], tuple[Bags, Bags]]


@dataclass(frozen=True)
class Group:
    """Pairs of one kind in one language.

    Attributes:
        name: What kind.
        language: In which language beside English, ISO 639.
        share: How often a batch of it is drawn.
        draw: A batch of so many pairs.
    """

    name: str
    language: str
    share: float
    draw: Draw


@dataclass(frozen=True)
class _Aligned:
    """Rows of sentence pairs, the chance that one up to each is drawn, where runs may begin."""

    language: str
    english: Ids
    other: Ids
    bare: Ids
    chances: NDArray[np.float64]
    runs: Ids

    def side(self, drawn: Ids, random: np.random.Generator, is_english: bool) -> Ids:
        """One language of the pairs that were drawn."""
        if is_english:
            return self.english[drawn]
        return sometimes_bare(self.other, self.bare, drawn, random)


@dataclass(frozen=True)
class _Articles:
    """Rows of sentences in all articles, each with its title, and where runs may begin."""

    language: str
    titles: Ids
    sentences: Ids
    bare: Ids
    runs: Ids


def asking_phrases(language: str) -> list[str]:
    """What asks in a language: phrases of the recipe, else what ``languages.toml`` has, else none."""
    if language in _ASKING:
        return _ASKING[language].split("|")
    return list(follow_up_tables().get(language, {}).get("asking", ()))


def groups(corpora: Sequence[Corpus], texts: Texts) -> list[Group]:
    """All kinds of pairs that corpora give; their texts are taken in, but not yet tokenized."""
    aligned = [_aligned(corpus, texts) for corpus in corpora if corpus.parallel]
    words = [(corpus.language, _columns(corpus.words, texts)) for corpus in corpora if corpus.words]
    glosses = [(c.language, _columns(c.glosses, texts)) for c in corpora if c.glosses]
    articles = [_articles(corpus, texts) for corpus in corpora if corpus.articles]
    languages = [corpus.language for corpus in corpora if corpus.language != ENGLISH]
    asking = {
        language: texts.rows([*phrases, *map(fold, phrases)])
        for language in (ENGLISH, *languages)
        for phrases in [asking_phrases(language)]
    }
    found = [
        ("translations", 0.26,
         [(a.language, len(a.english), _translations(a, texts)) for a in aligned]),
        ("dictionary", 0.1, [(code, len(w[0]), _dictionary(w, texts)) for code, w in words]),
        ("meanings", 0.06, [(code, len(g[0]), _meanings(g, texts)) for code, g in glosses]),
        ("neighbours", 0.08, [(a.language, len(a.runs), _neighbours(a, texts)) for a in aligned]),
        ("questions", 0.22,
         [(a.language, len(a.runs), _questions(a, asking, texts)) for a in aligned]),
        ("article questions", 0.1,
         [(a.language, len(a.runs), _article_questions(a, asking, texts)) for a in articles]),
        ("article neighbours", 0.04,
         [(a.language, len(a.runs), _article_neighbours(a, texts)) for a in articles]),
    ]  # fmt: skip
    return [group for name, share, ways in found for group in _divided(name, share, ways)]


def _divided(name: str, share: float, ways: Iterable[tuple[str, int, Draw]]) -> Iterator[Group]:
    """The groups of one kind, each language with its part of the kind's share."""
    there = [way for way in ways if way[1]]
    parts = shares([count for _, count, _ in there])
    for part, (language, _, draw) in zip(parts, there, strict=True):
        yield Group(name, language, share * part, draw)


def _translations(aligned: _Aligned, texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = np.searchsorted(aligned.chances, random.random(size))
        return texts.bags(aligned.english[drawn]), texts.bags(aligned.side(drawn, random, False))

    return draw


def _dictionary(words: tuple[Ids, Ids, Ids], texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = random.integers(len(words[0]), size=size)
        return texts.bags(words[0][drawn]), texts.bags(
            sometimes_bare(words[1], words[2], drawn, random)
        )

    return draw


def _meanings(glosses: tuple[Ids, Ids, Ids], texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = random.integers(len(glosses[0]), size=size)
        return texts.bags(glosses[0][drawn]), texts.bags(glosses[1][drawn])

    return draw


def _neighbours(aligned: _Aligned, texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(aligned.runs, size, random)
        ways = random.random(2) < 0.5
        return (
            texts.bags(aligned.side(drawn, random, bool(ways[0]))),
            texts.bags(aligned.side(drawn + 1, random, bool(ways[1]))),
        )

    return draw


def _questions(aligned: _Aligned, asking: Mapping[str, Ids], texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(aligned.runs, size, random)
        asks, answers = random.random(2) < 0.5
        phrases = _phrases(asking[ENGLISH if asks else aligned.language], size, random)
        keep = random.uniform(0.15, 0.6, size)
        asked = aligned.side(drawn, random, bool(asks))
        question = texts.bags(asked, phrases, keep=keep, random=random)
        beside = np.where(random.random(size) < 0.6, drawn + 1, drawn)
        sentences = aligned.english if answers else aligned.other
        second = np.where(beside == drawn, -1, sentences[beside])
        return question, texts.bags(sentences[drawn], second)

    return draw


def _article_questions(articles: _Articles, asking: Mapping[str, Ids], texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(articles.runs, size, random)
        asked = sometimes_bare(articles.sentences, articles.bare, drawn, random)
        keep = random.uniform(0.1, 0.6, size)
        title = np.where(random.random(size) < 0.5, articles.titles[drawn], -1)
        phrases = _phrases(asking[articles.language], size, random)
        question = texts.bags(asked, title, phrases, keep=keep, random=random)
        beside = np.where(random.random(size) < 0.6, articles.sentences[drawn + 1], -1)
        return question, texts.bags(articles.sentences[drawn], beside)

    return draw


def _article_neighbours(articles: _Articles, texts: Texts) -> Draw:
    def draw(size: int, random: np.random.Generator) -> tuple[Bags, Bags]:
        drawn = _runs(articles.runs, size, random)
        first = sometimes_bare(articles.sentences, articles.bare, drawn, random)
        return texts.bags(first), texts.bags(articles.sentences[drawn + 1])

    return draw


def _columns(pairs: Sequence[tuple[str, str]], texts: Texts) -> tuple[Ids, Ids, Ids]:
    return (
        texts.rows([one for one, _ in pairs]),
        texts.rows([other for _, other in pairs]),
        texts.rows([fold(other) for _, other in pairs]),
    )


def _aligned(corpus: Corpus, texts: Texts) -> _Aligned:
    """All sentence pairs, how often each is drawn, and where a neighbour follows."""
    pairs = [pair for listed in corpus.parallel.values() for pair in listed]
    weights = [
        corpus.source(name).weight for name in corpus.parallel for _ in corpus.parallel[name]
    ]
    runs, at = [np.zeros(0, np.int64)], 0
    for name, listed in corpus.parallel.items():
        if corpus.source(name).running:
            runs.append(np.arange(at, max(at, at + len(listed) - _RUN * _STRIDE - 1)))
        at += len(listed)
    # Long sentences say more than short ones.
    lengths = [min(1.0, 0.2 + len(one.split()) / 10) for one, _ in pairs]
    weighed = np.array(weights) * np.array(lengths)
    chances = np.cumsum(weighed) / weighed.sum()
    return _Aligned(corpus.language, *_columns(pairs, texts), chances, np.concatenate(runs))


def _articles(corpus: Corpus, texts: Texts) -> _Articles:
    titles = [article[0] for article in corpus.articles for _ in article[1:]]
    sentences = [sentence for article in corpus.articles for sentence in article[1:]]
    return _Articles(
        corpus.language,
        texts.rows(titles),
        texts.rows(sentences),
        texts.rows([fold(sentence) for sentence in sentences]),
        np.arange(max(0, len(sentences) - _RUN * _STRIDE - 1)),
    )


def _phrases(rows: Ids, size: int, random: np.random.Generator) -> Ids:
    """One of the phrases for each, where there are any."""
    return random.choice(rows, size) if len(rows) else np.full(size, -1)


def _runs(places: Ids, size: int, random: np.random.Generator) -> Ids:
    """Rows in runs of some sentences with gaps between."""
    starts = random.choice(places, -(-size // _RUN))
    return np.asarray((starts[:, None] + np.arange(_RUN) * _STRIDE).reshape(-1)[:size])
