"""What a word that points back may mean: a name of the exchanges before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .follow_ups import (
    OPENING_PERSON,
    ORGANISATION,
    PEOPLE,
    PERSON,
    PLACE,
    SEVERAL,
    THING,
    FollowUps,
    follow_ups,
    starts_with,
    words_of,
)
from .language import function_words
from .markers import without_markers
from .mentions import Mention, foreign, listed, mentions
from .text import fold

# Which kinds of names a pointer may mean; of those in the second list only if there is no other.
_MAY_MEAN = {
    PERSON: ([PERSON], []),
    OPENING_PERSON: ([PERSON], []),
    ORGANISATION: ([ORGANISATION, THING], [PERSON]),
    THING: ([THING, ORGANISATION], []),
    PEOPLE: ([ORGANISATION, THING], [PERSON]),
    SEVERAL: ([ORGANISATION, THING], [PERSON]),
    PLACE: ([PLACE], []),
}
_Named = tuple[str, Sequence[Mention]]
_Among = tuple[str, Sequence[Mention], list[str]]

_ANYTHING = [PERSON, ORGANISATION, THING]
# What a question must have asked for so that a pointer means the answer to it.
_ANSWERED = {
    PERSON: [PERSON],
    OPENING_PERSON: [PERSON],
    ORGANISATION: [ORGANISATION, PERSON],
    THING: [THING],
    PEOPLE: [PERSON, ORGANISATION],
    SEVERAL: [PERSON, ORGANISATION, THING],
    PLACE: [PLACE],
}


# How much of an answer is searched for names.
_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that stands alone, and its answer."""

    question: str
    answer: str


def meant(kind: str, exchanges: Sequence[Exchange], taken: Sequence[str] = ()) -> str:
    """The name that a pointer stands for, or an empty text where there is none of its kind.

    Args:
        kind: What the pointer may stand for, as in ``rag.follow_ups``.
        exchanges: What was said before, the latest first.
        taken: Names that other words of the question stand for.
    """
    for exchange in exchanges:
        known = follow_ups(exchange.question)
        answer = without_markers(exchange.answer[:_CHARACTERS])
        wanted = asked_for(exchange.question, known)
        if wanted == PERSON and _asks_who_that_is(exchange.question, known):
            wanted = ""
        asked = [one for one in named_in(exchange.question, known) if _can_be(one, kind, taken)]
        told = [
            one
            for one in mentions(answer, follow_ups(answer))
            if (not one.weak or _is_answer(one, wanted))
            and fold(one.name) not in fold(exchange.question)
            and _can_be(one, kind, taken)
        ]
        for text, named, kinds in _order(kind, wanted, (exchange.question, asked), (answer, told)):
            for number, one in enumerate(named):
                if one.kind in kinds:
                    return _as_told(kind, text, named[number:])
    return ""


def _order(kind: str, wanted: str, asked: _Named, told: _Named) -> Iterator[_Among]:
    """Where to look for what a pointer means, and for which kinds of names, the likeliest first."""
    likely, possible = _MAY_MEAN[kind]
    if wanted in _ANSWERED[kind]:
        yield *told, likely
        if kind != THING and (wanted == kind or kind in (PEOPLE, SEVERAL, OPENING_PERSON)):
            yield *told, _ANYTHING
        yield *asked, likely
        yield *told, _ANYTHING
    else:
        yield *asked, likely
        yield *asked, possible
    # Who did something is told with names of other things, and they are not what "it" is.
    if wanted != PERSON:
        yield *told, likely
        yield *told, possible


def named_in(question: str, known: FollowUps) -> list[Mention]:
    """The names in a question; a first word with a capital is one only if it is no syllable."""
    return [
        one for one in mentions(question, known) if not one.weak or foreign(words_of(one.name)[0])
    ]


def asked_for(question: str, known: FollowUps) -> str:
    """The kind of thing that a question asks for, or an empty text."""
    words = words_of(question)
    found = [
        (size, known.asks_for[tuple(word.text for word in words[number : number + size])])
        for number in range(len(words))
        if (size := starts_with(words[number:], known.asks_for))
        and question[words[number].start : words[number].end] != "AI"
    ]
    return max(found, key=lambda one: one[0])[1] if found else ""


def _asks_who_that_is(question: str, known: FollowUps) -> bool:
    """Whether a question asks who somebody is: "he" is then whom it names, and no name of its answer."""
    named = named_in(question, known)
    return any(one.kind == PERSON for one in named) and all(
        word.text in function_words() or any(one.start <= word.start < one.end for one in named)
        for word in words_of(question)
    )


def _is_answer(one: Mention, wanted: str) -> bool:
    """Whether the first word of an answer is a name: what was asked for, and no syllable."""
    return wanted in (PERSON, ORGANISATION, PLACE) and foreign(words_of(one.name)[0])


def _can_be(one: Mention, kind: str, taken: Sequence[str]) -> bool:
    """Whether a name can be what a pointer stands for, by its letters: only things have figures."""
    if one.name in taken:
        return False
    agent = kind in (PERSON, OPENING_PERSON, ORGANISATION, PEOPLE, PLACE)
    return not (agent and any(letter.isdigit() for letter in one.name))


def _as_told(kind: str, text: str, named: Sequence[Mention]) -> str:
    return listed(text, named) if kind in (PEOPLE, SEVERAL) else named[0].name
