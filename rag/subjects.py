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
from .mentions import mentions, years
from .text import fold, sentences, words
from .types import Document

# What a sentence names in place of the subject: a person is no rival of a company, but a product is.
_RIVALS = {
    PERSON: {PERSON},
    ORGANISATION: {ORGANISATION, THING},
    THING: {ORGANISATION, THING},
    PLACE: {PLACE},
}
_NUMBER = re.compile(r" \d+\b")
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
        asked, models = _years(question), _models(question)
        if not (asked and self.years) and not models:
            return False
        there = set(words(text))
        if asked and self.years and not asked & there:
            first, last = min(self.years), max(self.years)
            if not any(first <= year <= last for year in asked):
                return True
        own = _models(self.title)
        return any(
            own.get(word, number) != number and number not in there
            for word, number in models.items()
        )

    def alone(self) -> str:
        """The name that the title begins with, and its number, if it has no other name; else nothing.

        No year is part of it, whatever the title runs together: "Acme Annual Report 2023". A sentence may be borne out under such a one only: a title of two companies, or of a contract
        with somebody, does not say of whom each sentence is.
        """
        named = [one for one in self.names if one.kind != PLACE and not one.weak]
        opens = len(self.title) - len(self.title.lstrip(_MARKS))
        if len(named) != 1 or named[0].start > opens:
            return ""
        number = _NUMBER.match(self.title, named[0].end)
        name = self.title[opens : number.end() if number else named[0].end]
        return " ".join(word for word in name.split() if not years(word))


@lru_cache(maxsize=256)
def subject(title: str) -> Subject:
    """The subject of the document with a title."""
    names = _named(title)
    rivals = {rival for one in names for rival in _RIVALS.get(one.kind, ())}
    own = frozenset(map(fold, words(title)))
    return Subject(title, own, _years(title), names, frozenset(rivals))


def name_above(document: Document, said: AbstractSet[str], text: str, before: str) -> str:
    """The name that a document's title begins with, if a sentence has it, a text not, and is of it.

    Args:
        document: The document that the text is from.
        said: The folded words of the sentence.
        text: A sentence of the document, or two.
        before: What stands before it, which must not name or point to anything else either.
    """
    about = subject(document.short_title)
    name = about.alone()
    lacking = said - {fold(word) for word in words(text)} - function_words()
    if not lacking & {fold(word) for word in words(name)}:
        return ""
    texts = [text, *(before[slice(*span)] for span in sentences(before, document.language))]
    return "" if any(_names_others(one, about, said) for one in texts) else name


def _names_others(text: str, about: Subject, known: AbstractSet[str]) -> bool:
    """Whether a text points back, or names anything but places, the subject, and what has known words."""
    pointers = follow_ups(text).pointers
    return starts_with(words_of(text), pointers) > 0 or any(
        one.kind != PLACE and not one.weak and not about.is_named(one) and not one.own <= known
        for one in _named(text)
    )


def _years(text: str) -> frozenset[str]:
    return frozenset(text[start:end] for start, end in years(text))


def _models(text: str) -> dict[str, str]:
    """The numbers right behind words, by the word: those of models, sections and the like, no years."""
    every = [fold(word) for word in words(text)]
    return {
        word: number
        for word, number in pairwise(every)
        if word.isalpha() and number.isdigit() and not years(number)
    }


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
