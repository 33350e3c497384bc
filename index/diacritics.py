"""Text typed without diacritics gets them back: "thu do cua nuoc Phap" is "thủ đô của nước Pháp".

Each word becomes the likeliest of its forms, given its neighbours: the best way through all forms
of all words (Viterbi 1967), by how often a form stands in a corpus and how often right behind
another (Jelinek and Mercer 1980: both interpolated). ``training/diacritics.py`` counts them, in a
table for each language; a language without one is left as it is typed.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path

from rag.language import detect_language, function_words
from rag.text import fold, lowered, words

_FOLDER = Path(__file__).parent / "model"
# Names look like Vietnamese, a sentence has words such as "là" and "của".
_FEWEST_FUNCTION_WORDS = 2
# What is between two words where a sentence begins or pauses, and any figure: both have neighbours.
PAUSE, FIGURE = ".", "0"
# What the form right before says of a form, against what its frequency says.
_OF_PAIRS = 0.75
# Letters; a figure with what hangs on it; marks. White space and hyphens only lie between.
PART = re.compile(r"(?P<word>[^\W\d_]+)|(?P<figure>[\d_][\w.,:/]*)|[^\s\w-]+")


@dataclass(frozen=True, slots=True)
class Form:
    """A word as it is written, and how often; ``following`` as the table has it, yet unread."""

    text: str
    count: int
    following: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a language: its forms by the word without diacritics, the likeliest first."""

    forms: dict[str, tuple[Form, ...]]
    total: int
    _read: dict[str, dict[str, int]] = field(default_factory=dict)

    def following(self, form: Form) -> dict[str, int]:
        """How often each form stands right behind this one, where it was often enough."""
        if form.text not in self._read:
            fields = form.following.split(" ")
            self._read[form.text] = dict(zip(fields[::2], map(int, fields[1::2]), strict=False))
        return self._read[form.text]


@dataclass(frozen=True, slots=True)
class _Way:
    """The likeliest forms up to one, the last of them, and the logarithm of how likely they are."""

    score: float
    form: Form
    before: _Way | None


def path_of(folder: Path, language: str) -> Path:
    """Where the table of a language lies in a model's folder."""
    return folder / f"diacritics.{language}.tsv.gz"


def read_table(path: Path) -> Table:
    """Read what ``training/diacritics.py`` writes.

    A line is a word without diacritics, one of its forms, how often this stands in the corpus, and
    the forms behind it, each with a figure; tabs between the four.
    """
    forms: dict[str, tuple[Form, ...]] = {}
    total = 0
    for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines():
        bare, text, count, following = line.split("\t")
        form = Form(text, int(count), following)
        forms[bare] = (*forms.get(bare, ()), form)
        total += form.count
    return Table(forms, total)


@cache
def _table(language: str) -> Table | None:
    path = path_of(_FOLDER, language)
    return read_table(path) if path.exists() else None


def restored(question: str, language: str | None = None) -> str | None:
    """A question with the diacritics it was probably meant to have.

    Args:
        question: A question, in any language.
        language: Its language, ISO 639-1; detected if left out.

    Returns:
        The question with nothing but diacritics added; ``None`` where it has some, where its
        language has no table, where nothing is to add, and where there is too little to tell it from
        names and foreign words: "La La Land", "Winston Ma".
    """
    if fold(question) != lowered(question):
        return None
    language = language or detect_language(question)
    table = _table(language)
    if table is None or len(function_words(language) & {*words(question)}) < _FEWEST_FUNCTION_WORDS:
        return None
    found = with_diacritics(question, table)
    return None if found == question else found


def with_diacritics(text: str, table: Table) -> str:
    """The same text with the likeliest diacritics."""
    parts = list(PART.finditer(text))
    likeliest = _likeliest([_choices(part, table) for part in parts], table)
    pieces, reached = [], 0
    for part, form in zip(parts, likeliest, strict=True):
        pieces.append(text[reached : part.start()])
        pieces.append(_like(part[0], form.text) if part["word"] else part[0])
        reached = part.end()
    return "".join([*pieces, text[reached:]])


def _choices(part: re.Match[str], table: Table) -> tuple[Form, ...]:
    if part["word"]:
        return table.forms.get(part[0].lower()) or (Form(part[0], 0),)
    return _mark(FIGURE if part["figure"] else PAUSE, table)


def _mark(mark: str, table: Table) -> tuple[Form, ...]:
    """A figure or a pause: a table of few texts may lack them."""
    return table.forms.get(mark) or (Form(mark, 0),)


def _likeliest(choices: Iterable[tuple[Form, ...]], table: Table) -> list[Form]:
    """The likeliest sequence of forms, one of each place's choices."""
    pause = _mark(PAUSE, table)[0]
    ends = [_Way(0.0, pause, None)]
    for forms in choices:
        ends = [_best_way(form, ends, table) for form in forms]
    way: _Way = max(ends, key=attrgetter("score"))
    found: list[Form] = []
    while way.before:
        found.append(way.form)
        way = way.before
    return found[::-1]


def _best_way(form: Form, ends: list[_Way], table: Table) -> _Way:
    by_itself = (1 - _OF_PAIRS) * max(form.count, 1) / table.total

    def score(way: _Way) -> float:
        behind = table.following(way.form).get(form.text, 0) / max(way.form.count, 1)
        return way.score + math.log(by_itself + _OF_PAIRS * behind)

    best = max(ends, key=score)
    return _Way(score(best), form, best)


def _like(typed: str, form: str) -> str:
    """A form in the capitals that were typed."""
    return "".join(
        letter.upper() if one.isupper() else letter for one, letter in zip(typed, form, strict=True)
    )
