"""What a question means in its conversation: what it leans on, and the language of its answer.

Without a model, by words alone. A question leans on the ones before it in three ways, and is made
to stand alone accordingly:

- it *points* at something named before ("where does he teach?"): the name is put there, or the
  question before it in front where it is no name that is meant ("why did they do that?");
- it is a *fragment* ("and Google?", "còn ở Mỹ thì sao?"): it takes the place of the one name of its
  kind in the question before, or is added to it;
- it is *elliptic* ("why?", "giá bao nhiêu?"): the question before comes in front.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from .antecedents import Exchange, meant, named_in
from .follow_ups import (
    MATTER,
    OPENING_PERSON,
    PERSON,
    PLACE,
    THING,
    FollowUps,
    Word,
    ends_with,
    follow_ups,
    starts_with,
    words_of,
)
from .language import detect_language, function_words
from .mentions import Mention, foreign, mentions, years
from .types import Turn

# A question with more words of its own topic is whole, if it names something ...
_FEW = 4
# ... and a fragment or an elliptic question has no more than these.
_VERY_FEW = 3
# With more, it is whole even if it names nothing.
_MANY = 6
# Behind so many words of a topic a pointer may mean what they say, if the question is not short.
_SOMETHING = 2
# How many questions that lean on each other are worked out one after another.
_LINKS = 6
# How many exchanges are searched for what a word points at.
_EXCHANGES = 3


def answer_language(question: str, history: Sequence[Turn], wanted: str = "") -> str:
    """The language to answer in, ISO 639-1.

    Args:
        question: The question asked last.
        history: Earlier exchanges, oldest first; a question that shows no language, such as a
            lone name, is in that of the question before it.
        wanted: The language that the person has set; empty for that of the question.
    """
    if wanted:
        return wanted
    language = "en"
    for asked in [*(turn.question for turn in history[-_LINKS:]), question]:
        language = detect_language(asked, default=language)
    return language


def standalone(question: str, history: Sequence[Turn]) -> str:
    """A question that can be understood without the conversation.

    Args:
        question: The question asked last.
        history: Earlier exchanges, oldest first.

    Returns:
        The question with what it leaves out or points at, or as it is where it leans on nothing.
    """
    asked = [*(turn.question for turn in history), question]
    first = len(history)
    while first and _read(asked[first]).way is not Way.ALONE:
        first -= 1
    whole = _Whole((asked[first],))
    exchanges = [Exchange(turn.question, turn.answer) for turn in history[:first][-_EXCHANGES:]]
    begin = max(first, len(history) - _LINKS)
    for position in range(begin, len(history)):
        exchanges.append(Exchange(whole.text, history[position].answer))
        whole = _completed(asked[position + 1], whole, exchanges[: -_EXCHANGES - 1 : -1])
    return whole.text


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
class _Read:
    """A question as read by itself; a fragment's own words are those from ``first`` to ``last``."""

    question: str
    way: Way
    known: FollowUps
    words: tuple[Word, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    topic: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class _Whole:
    """Questions that make sense together, and one without a topic of its own behind them."""

    questions: tuple[str, ...]
    bare: str = ""

    @property
    def text(self) -> str:
        return " ".join(filter(None, [*self.questions, self.bare]))


def _read(question: str) -> _Read:
    """Find out how a question leans on others."""
    known = follow_ups(question)
    words = tuple(words_of(question))
    topic = _topic(words)
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
    return _Read(question, way, known, words, pointers, topic, first, last)


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
        if len(here) == 1 and here[0].isascii() and before and not end:
            # "companies that offer": behind a word of the topic it begins a relative clause.
            follows = before[-1].text in function_words() and not ends_with(before, known.reporting)
            return follows and words[pointer.last].text not in ("who", "whose")
        return True
    within = any(one.end <= words[pointer.first].start for one in named) or (
        topic > _FEW and _topic(before) >= (1 if here in known.possessives else _SOMETHING)
    )
    refers = here in known.possessives or ends_with(before, known.reporting) or topic > _FEW
    return not (within and refers)


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


def _completed(question: str, whole: _Whole, exchanges: Sequence[Exchange]) -> _Whole:
    """A question that leans on others, with what it takes from them.

    Args:
        question: The question.
        whole: The one before it, complete.
        exchanges: That one with its answer first, then earlier ones.
    """
    read = _read(question)
    if read.way is Way.FRAGMENT:
        return _substituted(read, whole, exchanges[0]) or _added(question, whole)
    if read.way is Way.POINTING:
        return _named(read, whole, exchanges)
    return _added(question, whole, bare=not read.topic)


def _added(question: str, whole: _Whole, *, bare: bool = False) -> _Whole:
    """A question behind the ones it leans on: the first of those, and the last."""
    kept = whole.questions[:1] + whole.questions[1:][-1:]
    return _Whole(kept, question) if bare else _Whole((*kept, question))


def _named(read: _Read, whole: _Whole, exchanges: Sequence[Exchange]) -> _Whole:
    """A question with names in place of the words that point at them."""
    question = read.question
    names: dict[str, str] = {}
    for kind in dict.fromkeys(pointer.kind for pointer in read.pointers):
        names[kind] = "" if kind == MATTER else meant(kind, exchanges, list(names.values()))
    for pointer in reversed(read.pointers):
        name = names[pointer.kind]
        if not name:
            continue
        here = tuple(word.text for word in read.words[pointer.first : pointer.last])
        following = read.words[pointer.last : pointer.last + 1]
        if (
            here in read.known.possessives
            and following
            and following[0].text not in function_words()
        ):
            name = read.known.possessives[here].format(name)
        start, end = read.words[pointer.first].start, read.words[pointer.last - 1].end
        question = f"{question[:start]}{name}{question[end:]}"
    return _Whole((question,)) if all(names.values()) else _added(question, whole)


def _substituted(read: _Read, whole: _Whole, exchange: Exchange) -> _Whole | None:
    """The question before with a fragment in its place, where it has one place for it."""
    words = read.words[read.first : read.last]
    size = starts_with(words, read.known.prepositions)
    placed = bool(size and starts_with(words, read.known.before_places))
    own = words[size:] or words
    before = whole.text
    given = read.question[own[0].start : own[-1].end]
    if len(own) == 1 and years(given):
        spans = years(before)
    else:
        new = _only_name(read, own, exchange)
        kind = PLACE if placed and new else new
        spans = _places_for(kind, before, read.known) if kind else []
    if len(spans) == 1:
        start, end = spans[0]
        return _Whole((f"{before[:start]}{given}{before[end:]}",))
    if size:
        fragment = read.question[words[0].start : words[-1].end]
        return _Whole((f"{before.rstrip(' ?？')} {fragment}?",))
    return None


def _only_name(read: _Read, own: Sequence[Word], exchange: Exchange) -> str:
    """The kind of the one name that a fragment is, or nothing."""
    topic = [word for word in own if (word.text,) not in read.known.articles]
    inside = [
        one
        for one in mentions(read.question, read.known)
        if own[0].start <= one.start and one.end <= own[-1].end
    ]
    marked = read.first > 0 or read.last < len(read.words)
    if len(inside) == 1 and all(
        inside[0].start <= word.start < inside[0].end or (word.text,) in read.known.titles
        for word in topic
    ):
        common = inside[0].weak and (not marked or _is_common(inside[0].name, exchange))
        return "" if common else inside[0].kind
    if len(topic) == 1 and not inside and marked and foreign(topic[0]):
        return "" if detect_language(read.question, default="") != "vi" else THING
    return ""


def _is_common(name: str, exchange: Exchange) -> bool:
    """Whether what may be a name at the beginning of a question is another word."""
    spoken = {word.text for word in words_of(f"{exchange.question} {exchange.answer}")}
    text = f"{exchange.question} {exchange.answer}"
    return not foreign(words_of(name)[0]) or (name.lower() in spoken and name not in text)


def _places_for(kind: str, text: str, known: FollowUps) -> list[tuple[int, int]]:
    """Where a question has names that one of a kind can stand in place of."""
    named = named_in(text, known)
    if kind == PLACE:
        places = [one for one in named if one.kind == PLACE]
        behind = [one for one in places if one.placed]
        return [(one.start, one.end) for one in (behind if len(behind) == 1 else places)]
    others = [one for one in named if one.kind != PLACE]
    alike = [one for one in others if (one.kind == PERSON) == (kind == PERSON)]
    return [(one.start, one.end) for one in (alike if len(alike) == 1 else others)]
