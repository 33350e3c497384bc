"""The words by which a question leans on the ones before it, as ``languages.toml`` lists them.

Words of all languages are looked for in every question, since people mix them. A question typed
without any diacritics is compared with the words of its own language without theirs: "no" is "nó"
in Vietnamese only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .language import detect_language, follow_up_tables
from .text import fold, word_spans

Phrase = tuple[str, ...]

# No phrase has more words.
_LONGEST = 6

# What a pointer may stand for. ``people`` are persons or organisations, ``several`` anything.
PERSON, PEOPLE, SEVERAL, THING = "person", "people", "several", "thing"
OPENING_PERSON = "opening_person"
ORGANISATION, PLACE, MATTER = "organisation", "place", "matter"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, case-folded, and its span."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The words of one way of writing; each mapping and set holds phrases as tuples of words.

    ``pointers`` are words for something named before and what they may stand for, ``definite``
    those that are so only in a question without a name ("the company") and where no word of
    ``defined_by`` follows, ``possessives`` those of
    them that a noun follows and ``adverbs`` those that stand for "in X", both with what a name
    becomes in their place. ``openings`` and ``closings`` stand around what is put in place of
    something ("what about X?"). ``asking`` are words that ask, ``verbs_first`` verbs that do so
    at the beginning. A pointer behind one of ``reporting`` or of ``conjunctions`` means what the question itself
    has named; ``relative`` are pointers that may also begin a relative clause. ``asks_for`` are words that ask for a kind of thing. ``unresolved`` are patterns in which a pointer points at nothing, ``relational`` those
    of questions for a part of something not named. ``syllable`` is what every word of the
    language looks like without diacritics, where that says something.
    """

    pointers: Mapping[Phrase, str]
    definite: Mapping[Phrase, str]
    defined_by: frozenset[Phrase]
    openings: frozenset[Phrase]
    closings: frozenset[Phrase]
    asking: frozenset[Phrase]
    verbs_first: frozenset[Phrase]
    prepositions: frozenset[Phrase]
    before_places: frozenset[Phrase]
    articles: frozenset[Phrase]
    possessives: Mapping[Phrase, str]
    adverbs: Mapping[Phrase, str]
    reporting: frozenset[Phrase]
    conjunctions: frozenset[Phrase]
    relative: frozenset[Phrase]
    titles: frozenset[Phrase]
    no_persons: frozenset[Phrase]
    asks_for: Mapping[Phrase, str]
    acronyms: frozenset[str]
    unresolved: tuple[re.Pattern[str], ...]
    relational: tuple[re.Pattern[str], ...]


def words_of(text: str) -> list[Word]:
    """The words of a text in order; of a number with separators only the whole."""
    found: list[Word] = []
    for word, start, end in word_spans(text):
        if not found or start >= found[-1].end:
            found.append(Word(word, start, end))
    return found


def starts_with(words: Sequence[Word], phrases: Container[Phrase]) -> int:
    """How many words the longest of some phrases takes that some words begin with."""
    own = tuple(word.text for word in words[:_LONGEST])
    sizes = range(len(own), 0, -1)
    return next((size for size in sizes if own[:size] in phrases), 0)


def ends_with(words: Sequence[Word], phrases: frozenset[Phrase]) -> int:
    """How many words the longest of some phrases takes that some words end with."""
    own = tuple(word.text for word in words[-_LONGEST:])
    sizes = range(len(own), 0, -1)
    return next((size for size in sizes if own[-size:] in phrases), 0)


def follow_ups(question: str) -> FollowUps:
    """The words to look for in a question."""
    plain = question.isascii() and detect_language(question, default="en") == "vi"
    return _of("vi" if plain else "")


@cache
def syllable() -> re.Pattern[str]:
    """What every word without diacritics looks like in the languages that say so."""
    listed = [table["syllable"] for table in follow_up_tables().values() if "syllable" in table]
    return re.compile("|".join(listed) or r"(?!)")


@cache
def _of(plain: str) -> FollowUps:
    """The words of all languages as they are written, or of one, ``plain``, also without diacritics."""
    tables = follow_up_tables()
    tables = {plain: tables[plain]} if plain else tables

    def phrases(name: str) -> frozenset[Phrase]:
        return frozenset(
            form
            for code, table in tables.items()
            for phrase in table[name]
            for form in _forms(phrase, code == plain)
        )

    def templates(name: str) -> dict[Phrase, str]:
        return {
            form: table[name]
            for code, table in tables.items()
            for phrase in table[f"{name}s"]
            for form in _forms(phrase, code == plain)
        }

    def patterns(name: str) -> tuple[re.Pattern[str], ...]:
        listed = [(one, code == plain) for code, table in tables.items() for one in table[name]]
        return tuple(re.compile(fold(one) if folded else one) for one, folded in listed)

    pointers = {
        form: kind
        for code, table in tables.items()
        for phrase, kind in _pointers(table)
        for form in _forms(phrase, code == plain and (" " in phrase or phrase in table["tellable"]))
    }
    definite = {
        tuple(f"{table['nouns']['definite']} {noun}".split()): kind
        for table in tables.values()
        if table["nouns"]["definite"]
        for kind in (ORGANISATION, THING, PLACE)  # "the founder" is one that was not named
        for noun in table["nouns"][kind]
    }
    return FollowUps(
        pointers=pointers,
        definite=definite,
        defined_by=frozenset(
            (word,) for table in tables.values() for word in table["nouns"]["defined_by"]
        ),
        openings=phrases("openings"),
        closings=phrases("closings"),
        asking=phrases("asking"),
        verbs_first=phrases("verbs_first"),
        prepositions=phrases("prepositions"),
        before_places=phrases("before_places"),
        articles=phrases("articles"),
        possessives=templates("possessive"),
        adverbs=templates("adverb"),
        reporting=phrases("reporting"),
        conjunctions=phrases("conjunctions"),
        relative=phrases("relative"),
        titles=phrases("titles"),
        no_persons=phrases("no_persons"),
        asks_for={
            form: kind
            for code, table in tables.items()
            for phrase, kind in _asks_for(table)
            for form in _forms(phrase, code == plain)
        },
        acronyms=frozenset(one for table in tables.values() for one in table["acronyms"]),
        unresolved=patterns("unresolved"),
        relational=patterns("relational"),
    )


def _pointers(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The phrases of a language that point back, each with what it may stand for."""
    for kind, listed in table["pointers"].items():
        yield from ((phrase, kind) for phrase in listed)
    nouns = table["nouns"]
    for kind in (PERSON, ORGANISATION, THING, PLACE):
        for noun in nouns[kind]:
            for word in nouns["demonstratives"]:
                yield f"{noun} {word}" if nouns["after"] else f"{word} {noun}", kind


def _asks_for(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The phrases of a language that ask for something, each with what kind of thing that is."""
    for kind, listed in table["asks_for"].items():
        yield from ((phrase, kind) for phrase in listed)
    nouns = table["nouns"]
    for kind in (PERSON, ORGANISATION, THING, PLACE):
        for noun in nouns[kind]:
            yield from ((asked.format(noun), kind) for asked in nouns["asked"])


def _forms(phrase: str, folded: bool) -> list[Phrase]:
    return [tuple(form.split()) for form in ([phrase, fold(phrase)] if folded else [phrase])]
