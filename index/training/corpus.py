"""What there is to learn from: parallel text, dictionaries, articles and glosses in a folder.

The folder holds any of these; every language beside English is learned from its own files::

    parallel/*.tsv       English, tab, the other language; neighbouring lines may be neighbours
    dictionary/A_B_*.tsv a word of language A, tab, words of language B between bars
    text/*.jsonl.gz      articles: {"title": …, "text": …}, a paragraph a line
    wordnet/data.*       the Princeton WordNet's files: English words and what they mean
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.text import normalize, sentences

# Files whose neighbouring lines are neighbouring sentences of running text.
RUNNING = ("alt_wikinews", "d2l_vn", "debian_guides_vi", "bible_bbe_vi1934", "msdocs_d365_projectops",
           "ms_security101", "react_docs_vi", "reactjs_org_vi", "vue_docs_vi")  # fmt: skip

# How often a file is drawn from, for each of its pairs; 1 for files that are not named. Interface
# texts are many and odd, two wordings of one old book are enough; news is what people ask about.
WEIGHTS = {
    "alt_wikinews": 4.0,
    "tatoeba_opus": 3.0,
    "d2l_vn": 1.5,
    "gettext_ui_vi": 0.25,
    "bible_bbe_vi1934": 0.5,
    "bible_nheb_vi1934": 0.5,
    "dict_examples_envi": 1.0,
    "libreoffice_help_vi": 0.75,
}

_SHORTEST_ARTICLE_SENTENCE = 20
_LONGEST_SENTENCE = 600

Pair = tuple[str, str]


@dataclass(frozen=True)
class Corpus:
    """All text of a folder, normalized; English comes first in every pair.

    Attributes:
        parallel: Sentences and their translations, by the name of their file.
        words: Words and their translations.
        articles: Sentences of each article, the first is its title.
        glosses: English words with what they mean.
    """

    parallel: dict[str, list[Pair]]
    words: list[Pair]
    articles: list[list[str]]
    glosses: list[Pair]


def read_corpus(folder: Path) -> Corpus:
    """Read a folder as this module describes it."""
    parallel = {path.stem: list(_pairs(path)) for path in sorted(folder.glob("parallel/*.tsv"))}
    words = [p for path in sorted(folder.glob("dictionary/*.tsv")) for p in _entries(path)]
    articles = [a for path in sorted(folder.glob("text/*.jsonl.gz")) for a in _articles(path)]
    glosses = [g for path in sorted(folder.glob("wordnet/data.*")) for g in _glosses(path)]
    return Corpus(parallel, sorted(set(words)), articles, glosses)


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


def _articles(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            article = json.loads(line)
            text = normalize(article["text"])
            found = [text[start:end] for start, end in sentences(text, "vi")]
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
