"""What a text names, and which kind of thing each name is likely to be.

Nothing here is certain: a kind is what the name's own letters, the words around it and the known
names of countries say. Enough to tell what "he", "there" and "that company" may stand for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .concepts import concepts
from .follow_ups import (
    ORGANISATION,
    PERSON,
    PLACE,
    THING,
    FollowUps,
    Word,
    ends_with,
    syllable,
    words_of,
)
from .language import function_words
from .text import fold

# A run of words in capitals, with a version behind it: "World AI Conference", "SenseNova 5.5".
_WITHIN = ("of",)
_VERSION = re.compile(r" \d+(?:\.\d+)*\b(?![,.]?\d| [a-z])")
_NO_NAMES = ("day:", "month:", "year:", "date:", "currency:", "unit:")
_LIST = re.compile(r"\s*(?:,|，|、|,? and|,? và|&)\s+(?:the )?")
_SENTENCE_END = re.compile(r"[.!?:;\n“”\"(\[—–]")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: ``text[start:end]``, what kind of thing it is, and whether that is sure.

    A name that is only the first word of a sentence may be no name: then ``weak``. It is
    ``placed`` behind a word such as "in".
    """

    name: str
    start: int
    end: int
    kind: str
    weak: bool = False
    placed: bool = False


def mentions(text: str, known: FollowUps) -> list[Mention]:
    """The names of a text in order, without titles, countries and other territories included.

    Args:
        text: A question or an answer.
        known: The words that tell what stands beside them.
    """
    every = words_of(text)
    meanings = concepts(text)
    territories = [(one.start, one.end) for one in meanings if one.key.startswith("territory:")]
    no_names = [(one.start, one.end) for one in meanings if one.key.startswith(_NO_NAMES)]
    found: list[Mention] = []
    for first, last in _runs(text, every, known):
        start, end = every[first].start, every[last - 1].end
        if version := _VERSION.match(text, end):
            end = version.end()
        if any(begin <= start and end <= finish for begin, finish in no_names):
            continue
        place = any(begin <= start and end <= finish for begin, finish in territories)
        kind = PLACE if place else _kind(text[start:end], every, first, last, known)
        placed = bool(ends_with(every[:first], known.before_places))
        weak = last - first == 1 and _opens(text, start) and not place and _plain(text[start:end])
        found.append(Mention(text[start:end], start, end, kind, weak, placed))
    return found


def years(text: str) -> list[tuple[int, int]]:
    """Where years stand in a text."""
    return [match.span() for match in _YEAR.finditer(text)]


def listed(text: str, named: Sequence[Mention]) -> str:
    """The first of some names in a text with those that are listed behind it: "H20, L20 and L2"."""
    end = named[0].end
    for one in named[1:]:
        if not _LIST.fullmatch(text, end, one.start):
            break
        end = one.end
    return text[named[0].start : end]


def _runs(text: str, every: Sequence[Word], known: FollowUps) -> list[tuple[int, int]]:
    """The runs of words in capitals, from and up to word numbers, without titles and acronyms."""
    runs: list[tuple[int, int]] = []
    position = 0
    while position < len(every):
        first = position
        while position < len(every) and _capital(text, every, position, first):
            position += 1
        if position == first:
            position += 1
            continue
        begun = first
        while begun < position and _no_name(text, every, begun, known, first):
            begun += 1
        if begun < position:
            runs.append((begun, position))
    return runs


def _capital(text: str, every: Sequence[Word], position: int, first: int) -> bool:
    if position == len(every):
        return False
    word = every[position]
    capital = any(letter.isupper() for letter in text[word.start : word.end])
    if position == first:
        return capital
    if not capital:
        return word.text in _WITHIN and _capital(text, every, position + 1, first)
    between = text[every[position - 1].end : word.start]
    return between in (" ", "-")


def _no_name(text: str, every: Sequence[Word], position: int, known: FollowUps, first: int) -> bool:
    """Whether a word in capitals does not belong to the name that it opens."""
    word = every[position]
    if text[word.start : word.end] in known.acronyms or word.text in _WITHIN:
        return True
    if (word.text,) in known.titles:
        return True
    opens = position == first and _opens(text, word.start)
    return opens and (word.text in function_words() or fold(word.text) in function_words("en"))


def _opens(text: str, start: int) -> bool:
    """Whether a word is the first of its sentence."""
    before = text[:start].rstrip()
    return not before or bool(_SENTENCE_END.match(before[-1]))


def _plain(name: str) -> bool:
    """Whether only the first letter of a name says that it is one."""
    return name[1:].islower() or len(name) == 1


def _kind(name: str, every: Sequence[Word], first: int, last: int, known: FollowUps) -> str:
    before = every[:first]
    if ends_with(before, known.titles):
        return PERSON
    own = {word.text for word in every[first:last]}
    if any((word,) in known.no_persons for word in own) or ends_with(before, known.no_persons):
        return ORGANISATION
    if ends_with(before, known.articles):  # "the Eiffel Tower"
        return THING
    if any(not _plain(part) for part in re.split(r"[ -]", name)):
        return THING
    if ends_with(before, known.before_places):
        return PLACE
    return PERSON if last - first > 1 else THING


def foreign(word: Word) -> bool:
    """Whether a word, in a question of a language of syllables, is none: a name in small letters."""
    return not syllable().fullmatch(fold(word.text)) and not word.text.isnumeric()
