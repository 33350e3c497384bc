"""What there is to learn from: parallel text, dictionaries, articles and glosses in a folder.

The folder holds any of these, for any languages; every language beside English is learned from its
own files::

    parallel/NAME.XX.tsv      English, tab, language XX; neighbouring lines may be neighbours
    dictionary/A_B_NAME.tsv   a word of language A, tab, words of language B between bars; one is en
    text/NAME.XX.jsonl.gz     articles in language XX: {"title": …, "text": …}, a paragraph a line
    wordnet/data.*            the Princeton WordNet's files: English words and what they mean
    eval/NAME.XX.tsv          as in parallel/, to measure with and never to learn from
    sources.toml              what else there is to know of the files: see sources.py

``XX`` is a code of ISO 639; a file whose name has none is Vietnamese.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.text import normalize, sentences

from .sources import ENGLISH, Source, language_of, name_of, read_sources

_FILES = ("parallel/*.tsv", "dictionary/*.tsv", "text/*.jsonl.gz")
_SHORTEST_ARTICLE_SENTENCE = 20
_LONGEST_SENTENCE = 600

Pair = tuple[str, str]


@dataclass(frozen=True)
class Corpus:
    """All text of a folder in one language, normalized; English comes first in every pair.

    Attributes:
        language: The language, ISO 639. That of English has articles and glosses only.
        parallel: Sentences and their translations, by the name of their file.
        words: Words and their translations.
        articles: Sentences of each article, the first is its title.
        glosses: English words with what they mean.
        sources: What else is known of files, by their names.
        counts: How many pairs, words, articles or glosses each file has, by its path.
    """

    language: str
    parallel: dict[str, list[Pair]] = field(default_factory=dict)
    words: list[Pair] = field(default_factory=list)
    articles: list[list[str]] = field(default_factory=list)
    glosses: list[Pair] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """What is known of a file."""
        return self.sources.get(name, Source())


def read_corpora(folder: Path) -> list[Corpus]:
    """Read a folder as this module describes it: every language in it, English last.

    Raises:
        DocumentError: A file's name or ``sources.toml`` is not as described.
    """
    found = {language_of(path) for kind in _FILES for path in folder.glob(kind)}
    return [read_corpus(folder, language) for language in [*sorted(found - {ENGLISH}), ENGLISH]]


def read_corpus(folder: Path, language: str = "vi") -> Corpus:
    """Read what a folder has of one language.

    Raises:
        DocumentError: A file's name or ``sources.toml`` is not as described.
    """
    corpus = Corpus(language, sources=read_sources(folder))
    for kind in _FILES:
        for path in sorted(folder.glob(kind)):
            if language_of(path) == language:
                corpus.counts[path.relative_to(folder)] = _take(corpus, path)
    if language == ENGLISH:
        for path in sorted(folder.glob("wordnet/data.*")):
            found = list(_glosses(path))
            corpus.glosses.extend(found)
            corpus.counts[path.relative_to(folder)] = len(found)
    corpus.words[:] = sorted(set(corpus.words))
    return corpus


def read_evaluation(folder: Path, language: str) -> dict[str, list[Pair]]:
    """The pairs that a folder has to measure a language with, by the name of their file."""
    paths = [path for path in sorted(folder.glob("eval/*.tsv")) if language_of(path) == language]
    return {
        name_of(path): [(line[0], line[1]) for line in _lines(path) if len(line) == 2]
        for path in paths
    }


def shares(counts: Sequence[int]) -> list[float]:
    """How often each language is drawn: by the square root of how much there is of it.

    One with little is not lost beside one with much (Conneau and Lample 2019, "Cross-lingual
    Language Model Pretraining", whose exponent is 0.5 too).
    """
    roots = [math.sqrt(count) for count in counts]
    return [root / sum(roots) for root in roots]


def _take(corpus: Corpus, path: Path) -> int:
    """Add what a file has; how much that was."""
    if path.parent.name == "text":
        articles = list(_articles(path, corpus.language))
        corpus.articles.extend(articles)
        return len(articles)
    is_dictionary = path.parent.name == "dictionary"
    pairs = list(_entries(path) if is_dictionary else _pairs(path))
    (corpus.words if is_dictionary else corpus.parallel.setdefault(name_of(path), [])).extend(pairs)
    return len(pairs)


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield normalize(line.rstrip("\n")).split("\t")


def _pairs(path: Path) -> Iterator[Pair]:
    for fields in _lines(path):
        if len(fields) == 2 and all(0 < len(side) <= _LONGEST_SENTENCE for side in fields):
            yield fields[0], fields[1]


def _entries(path: Path) -> Iterator[Pair]:
    """Each word with each of its translations."""
    english_first = path.stem.startswith("en_")
    for fields in _lines(path):
        if len(fields) != 2:
            continue
        for meaning in fields[1].split("|"):
            # What stands in brackets explains the translation, and is none.
            bare = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", meaning).strip(" ,.;")
            if bare and fields[0]:
                yield (fields[0], bare) if english_first else (bare, fields[0])


def _articles(path: Path, language: str) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            article = json.loads(line)
            text = normalize(article["text"])
            found = [text[start:end] for start, end in sentences(text, language)]
            kept = [s for s in found if _SHORTEST_ARTICLE_SENTENCE <= len(s) <= _LONGEST_SENTENCE]
            if len(kept) > 1:
                yield [normalize(article["title"]), *kept]


def _glosses(path: Path) -> Iterator[Pair]:
    """The words of each set of synonyms, and what they mean with the examples.

    The format is that of the manual page wndb(5WN): after the fourth field, as many pairs of a
    word and a number as that field says in hexadecimal; the gloss follows a bar.
    """
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(" "):
                continue
            head, _, gloss = line.partition("|")
            fields = head.split(" ")
            count = int(fields[3], 16)
            words = [re.sub(r"\([a-z]+\)$", "", word) for word in fields[4 : 4 + 2 * count : 2]]
            yield ", ".join(word.replace("_", " ") for word in words), gloss.strip()
