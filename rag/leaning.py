"""How a question, read by itself, leans on the ones before it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from .antecedents import named_in
from .follow_ups import (
    MATTER,
    OPENING_PERSON,
    FollowUps,
    Word,
    ends_with,
    follow_ups,
    starts_with,
    words_of,
)
from .language import detect_language, function_words
from .mentions import Mention, foreign

# A question with more words of its own topic is whole, if it names something ...
_FEW = 4
# ... and a fragment or an elliptic question has no more than these.
_VERY_FEW = 3
# With more, it is whole even if it names nothing.
_MANY = 6
# A text of more words stands alone, whatever it points at.
_LONG = 60
# Behind so many words of a topic a pointer may mean what they say, if the question is not short.
_SOMETHING = 2


class Way(enum.Enum):
    """How a question leans on the ones before it."""

    ALONE = enum.auto()
    POINTING = enum.auto()
    FRAGMENT = enum.auto()
    ELLIPTIC = enum.auto()


@dataclass(frozen=True, slots=True)
class Pointer:
    """Words from number ``first`` up to ``last`` of a question that mean something of a kind."""

    first: int
    last: int
    kind: str


@dataclass(frozen=True, slots=True)
class Leaning:
    """A question as read by itself; a fragment's own words are those from ``first`` to ``last``."""

    question: str
    way: Way
    known: FollowUps
    words: tuple[Word, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    topic: int = 0
    first: int = 0
    last: int = 0


def leaning_of(question: str) -> Leaning:
    """Find out how a question leans on others."""
    known = follow_ups(question)
    words = tuple(words_of(question))
    topic = _topic(words)
    if len(words) > _LONG:
        return Leaning(question, Way.ALONE, known, words, topic=topic)
    pointers = _pointers(question, words, known)
    opened = starts_with(words, known.openings)
    closed = ends_with(words[opened:], known.closings)
    first, last = opened, len(words) - closed
    way = Way.ALONE
    if pointers:
        way = Way.POINTING
    elif not topic:
        way = Way.ELLIPTIC
    elif _is_fragment(question, words[first:last], known, marked=bool(opened or closed)):
        way = Way.FRAGMENT
    elif topic <= _VERY_FEW and _is_elliptic(question, words, known, bool(opened)):
        way = Way.ELLIPTIC
    return Leaning(question, way, known, words, pointers, topic, first, last)


def _topic(words: Sequence[Word]) -> int:
    """How many words carry a topic."""
    return sum(word.text not in function_words() for word in words)


def _pointers(question: str, words: Sequence[Word], known: FollowUps) -> tuple[Pointer, ...]:
    """The words of a question that point at something outside it."""
    void = _void(words, known)
    named = named_in(question, known)
    found: list[Pointer] = []
    position = 0
    while position < len(words):
        pointer = _pointer_at(position, words, known, definite=not named)
        capitals = question[words[position].start : words[position].end].isupper()
        shouted = capitals and len(words[position].text) > 1
        if (
            pointer
            and position not in void
            and not shouted
            and _points_out(pointer, question, words, known, named)
        ):
            found.append(pointer)
        position = pointer.last if pointer else position + 1
    return tuple(found)


def _pointer_at(
    position: int, words: Sequence[Word], known: FollowUps, *, definite: bool
) -> Pointer | None:
    """The longest phrase that may point back and begins with a word of a question."""
    ahead = words[position:]
    size = starts_with(ahead, known.pointers)
    longer = starts_with(ahead, known.definite) if definite else 0
    if longer > size and not starts_with(ahead[longer:], known.defined_by):
        kind = known.definite[tuple(word.text for word in ahead[:longer])]
        return Pointer(position, position + longer, kind)
    if not size:
        return None
    return Pointer(
        position, position + size, known.pointers[tuple(word.text for word in ahead[:size])]
    )


def _void(words: Sequence[Word], known: FollowUps) -> set[int]:
    """The numbers of the words that stand where a pointer points at nothing."""
    joined = " ".join(word.text for word in words)
    starts = [
        len(" ".join(word.text for word in words[:number])) + (number > 0)
        for number in range(len(words))
    ]
    return {
        number
        for pattern in known.unresolved
        for match in pattern.finditer(joined)
        for number, start in enumerate(starts)
        if match.start() <= start < match.end()
    }


def _points_out(
    pointer: Pointer,
    question: str,
    words: Sequence[Word],
    known: FollowUps,
    named: Sequence[Mention],
) -> bool:
    """Whether a word that may point back does, and not at what the question itself has named."""
    here = tuple(word.text for word in words[pointer.first : pointer.last])
    before = words[: pointer.first]
    end = pointer.last == len(words)
    topic = _topic(words)
    if pointer.kind == OPENING_PERSON:
        following = question[words[pointer.last].start] if not end else ""
        return not before and question[0].isupper() and following.islower()
    if known.pointers.get(here) == MATTER:
        if topic > (_FEW if named else _MANY):
            return False
        if here in known.relative and before and not end:
            # "companies that offer": behind a word of the topic it begins a relative clause.
            follows = before[-1].text in function_words() and not ends_with(before, known.reporting)
            return follows and words[pointer.last].text not in ("who", "whose")
        return True
    joined = not end and bool(ends_with(before, known.reporting | known.conjunctions))
    long = topic > _FEW
    said = _topic(before)
    owned = here in known.possessives
    if any(one.end <= words[pointer.first].start for one in named):
        return not (owned or joined or long)
    return not ((long and owned and said) or ((long or joined) and said >= _SOMETHING))


def _asks(question: str, words: Sequence[Word], known: FollowUps) -> bool:
    """Whether words hold a word that asks; "AI" is none."""
    if starts_with(words, known.verbs_first):
        return True
    return any(
        starts_with(words[number:], known.asking) and not question[word.start : word.end].isupper()
        for number, word in enumerate(words)
    )


def _is_fragment(question: str, words: Sequence[Word], known: FollowUps, *, marked: bool) -> bool:
    """Whether words only name something, as an answer does to "about what?"."""
    if not words or _asks(question, words, known):
        return False
    topic = [word for word in words if word.text not in function_words()]
    if marked:
        return len(topic) <= 2 * _FEW
    named = named_in(question, known)
    rest = [word for word in topic if not any(one.start <= word.start < one.end for one in named)]
    return not rest or (not named and len(rest) <= _VERY_FEW and len(words) <= 2 * _VERY_FEW)


def _is_elliptic(question: str, words: Sequence[Word], known: FollowUps, opened: bool) -> bool:
    """Whether a question of few words asks about something that it does not name."""
    if named_in(question, known):
        return False
    language = detect_language(question, default="")
    topic = [word for word in words if word.text not in function_words()]
    if language == "vi" and any(foreign(word) for word in topic):
        return False
    joined = " ".join(word.text for word in words)
    verbs = any(starts_with(words[number:], known.verbs_first) for number in range(len(words)))
    return (
        opened
        or (bool(starts_with(words, known.prepositions)) and not verbs)
        or any(pattern.search(joined) for pattern in known.relational)
    )
