"""How often each form of a word stands in a corpus, and behind which: for ``index/diacritics.py``."""

from __future__ import annotations

import gzip
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rag.index.diacritics import FIGURE, PART, PAUSE, path_of
from rag.text import fold

from .corpus import Corpus
from .sources import ENGLISH

# Where fewer words than this have any, they are in names and borrowed words, as "café" is in English:
# of the bundled model's English texts no file has more than 0.0016, of the Vietnamese none less than 0.6.
_FEWEST_MARKED = 0.004


@dataclass(frozen=True)
class Least:
    """What is left out as too rare.

    Attributes:
        form: How often a form stands at least.
        pair: How often two forms stand together at least.
        share: The share that a form has at least, of all with its letters.
        plain: How often a form without diacritics stands at least, where it is the only one with
            its letters: it tells something of its neighbours only.
    """

    form: int = 4
    pair: int = 3
    share: float = 0.001
    plain: int = 50


def texts_of(corpus: Corpus) -> list[str]:
    """The different texts of a corpus that are in its language."""
    texts = [other for pairs in corpus.parallel.values() for _, other in pairs]
    texts += [other for _, other in corpus.words]
    texts += [sentence for article in corpus.articles for sentence in article]
    return list(dict.fromkeys(texts))


def tokens(text: str) -> Iterator[str]:
    """The forms of a text as ``index/diacritics.py`` sees them, between two pauses."""
    yield PAUSE
    for part in PART.finditer(unicodedata.normalize("NFC", text)):
        yield part[0].lower() if part["word"] else FIGURE if part["figure"] else PAUSE
    yield PAUSE


def table_of(texts: Iterable[str], least: Least) -> str:
    """The table of a language, as ``index.diacritics.read_table`` describes its lines.

    Args:
        texts: Texts of the language, in NFC.
        least: What is left out.

    Returns:
        The table; empty where hardly a word has diacritics.
    """
    forms: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        found = list(tokens(text))
        forms.update(found)
        pairs.update(pairwise(found))
    marked = sum(count for form, count in forms.items() if fold(form) != form)
    if marked < _FEWEST_MARKED * forms.total():
        return ""
    kept = _kept(forms, least)
    following: dict[str, list[str]] = defaultdict(list)
    for (one, next_), count in sorted(pairs.items()):
        if count >= least.pair and {one, next_} <= kept.keys():
            following[one].append(f"{next_} {count}")
    rows = sorted((kept[form], -forms[form], form) for form in kept)
    return "".join(
        f"{bare}\t{form}\t{-count}\t{' '.join(following[form])}\n" for bare, count, form in rows
    )


def _kept(forms: Counter[str], least: Least) -> dict[str, str]:
    """The forms that are kept, each with what it is without diacritics."""
    together: Counter[str] = Counter()
    bare = {form: fold(form) for form, count in forms.items() if count >= least.form}
    for form in bare:
        together[bare[form]] += forms[form]

    def is_kept(form: str) -> bool:
        count, all_of_them = forms[form], together[bare[form]]
        if form == bare[form] and count == all_of_them:
            return count >= least.plain
        return count >= least.share * all_of_them and len(form) == len(bare[form])

    return {form: letters for form, letters in bare.items() if is_kept(form)}


def write_tables(corpora: Sequence[Corpus], folder: Path, least: Least | None = None) -> list[Path]:
    """Write a table for each language beside English that has diacritics; the same bytes each time."""
    written = []
    for corpus in corpora:
        table = "" if corpus.language == ENGLISH else table_of(texts_of(corpus), least or Least())
        if table:
            path = path_of(folder, corpus.language)
            path.write_bytes(gzip.compress(table.encode("utf-8"), mtime=0))
            written.append(path)
    return written
