"""What a document is about, as its title says, and which of its sentences tell of that.

A report on a company, a contract, somebody's CV: the title names whom all of it is about, and few of
the sentences do again.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .follow_ups import (
    ORGANISATION,
    PERSON,
    PLACE,
    THING,
    follow_ups,
    starts_with,
    words_of,
)
from .language import function_words
from .mentions import mentions
from .text import fold, words

# What a sentence names in place of the subject: a person is no rival of a company, but a product is.
_RIVALS = {
    PERSON: {PERSON},
    ORGANISATION: {ORGANISATION, THING},
    THING: {ORGANISATION, THING},
    PLACE: {PLACE},
}
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_NUMBER = re.compile(r" (?!(?:1[5-9]|20)\d\d\b)\d+\b")
_MARKS = "# \t“\"'"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text: the kind of thing, where it stands, whether it may be none.

    ``own`` are its folded words but for those that many names have, such as "Holdings".
    """

    kind: str
    own: frozenset[str]
    start: int
    end: int
    weak: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A title: its folded words, its years, what it names, and what kinds of things take the place of that."""

    title: str
    words: frozenset[str]
    years: frozenset[str]
    names: tuple[Name, ...]
    rivals: frozenset[str]

    def is_told_of(self, *sentences: str) -> bool:
        """Whether sentences name nothing else that they could be about."""
        return not any(
            one.kind in self.rivals and not one.weak and not self.is_named(one)
            for sentence in sentences
            for one in _named(sentence)
        )

    def is_named(self, name: Name) -> bool:
        """Whether a name is one of the title, or part of one: "Khôi", and not "Nguyễn Văn Tám"."""
        return name.own <= self.words or any(one.own <= name.own for one in self.names if one.own)

    def is_of_another(self, question: str, text: str) -> bool:
        """Whether a question is about another year than the title, or another number of what it names.

        Not where a text has that year, or that number. A title of two years is of those between, too.
        """
        asked, there = [fold(word) for word in words(question)], set(words(text))
        years = set(_YEAR.findall(question))
        if self.years and years and not years & there:
            first, last = min(self.years), max(self.years)
            if not any(first <= year <= last for year in years):
                return True
        own = [fold(word) for word in words(self.title)]
        numbered = {one: number for one, number in pairwise(own) if _is_model(one, number)}
        return any(
            numbered.get(one, number) != number and number not in there
            for one, number in pairwise(asked)
            if _is_model(one, number)
        )

    def alone(self) -> str:
        """The name that the title begins with, and its number, if it has no other name; else nothing.

        A sentence may be borne out under such a one only: a title of two companies, or of a contract
        with somebody, does not say of whom each sentence is.
        """
        named = [one for one in self.names if one.kind != PLACE and not one.weak]
        opens = len(self.title) - len(self.title.lstrip(_MARKS))
        if len(named) != 1 or named[0].start > opens:
            return ""
        number = _NUMBER.match(self.title, named[0].end)
        return self.title[opens : number.end() if number else named[0].end]


@lru_cache(maxsize=256)
def subject(title: str) -> Subject:
    """The subject of the document with a title."""
    names = _named(title)
    rivals = {rival for one in names for rival in _RIVALS.get(one.kind, ())}
    own = frozenset(map(fold, words(title)))
    return Subject(title, own, frozenset(_YEAR.findall(title)), names, frozenset(rivals))


def names_others(text: str, about: Subject, known: AbstractSet[str]) -> bool:
    """Whether a text points back, or names anything but places, the subject, and what has known words."""
    pointers = follow_ups(text).pointers
    return starts_with(words_of(text), pointers) > 0 or any(
        one.kind != PLACE and not one.weak and not about.is_named(one) and not one.own <= known
        for one in _named(text)
    )


def _is_model(word: str, number: str) -> bool:
    return word.isalpha() and number.isdigit() and not _YEAR.fullmatch(number)


# The same passages are asked again and again.
@lru_cache(maxsize=4096)
def _named(text: str) -> tuple[Name, ...]:
    """What a text names."""
    known = follow_ups(text)
    common = {word for phrase in known.no_persons for word in phrase} | function_words()
    found = []
    for one in mentions(text, known):
        every = frozenset(map(fold, words(one.name)))
        own = every - {fold(word) for word in common} or every
        found.append(Name(one.kind, own, one.start, one.end, one.weak))
    return tuple(found)
