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

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .antecedents import Exchange, meant, named_in
from .follow_ups import (
    MATTER,
    PERSON,
    PLACE,
    THING,
    FollowUps,
    Word,
    ends_with,
    starts_with,
    words_of,
)
from .language import detect_language, function_words
from .leaning import Leaning, Pointer, Way, leaning_of
from .markers import without_markers
from .mentions import foreign, mentions, years
from .types import Answer, Turn

# How many questions that lean on each other are worked out one after another.
_LINKS = 6
# How many exchanges are searched for what a word points at.
_EXCHANGES = 3


def turn_of(answer: Answer) -> Turn:
    """The exchange that an answer ends, as what follows leans on it."""
    cited = dict.fromkeys(citation.document.uri for citation in answer.citations)
    return Turn(answer.question, without_markers(answer.text), tuple(cited))


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
    while first and leaning_of(asked[first]).way is not Way.ALONE:
        first -= 1
    whole = _Whole((asked[first],))
    exchanges = [Exchange(turn.question, turn.answer) for turn in history[:first][-_EXCHANGES:]]
    begin = max(first, len(history) - _LINKS)
    for position in range(begin, len(history)):
        exchanges.append(Exchange(whole.text, history[position].answer))
        whole = _completed(asked[position + 1], whole, exchanges[: -_EXCHANGES - 1 : -1])
    return whole.text


@dataclass(frozen=True, slots=True)
class _Whole:
    """Questions that make sense together, and one without a topic of its own behind them."""

    questions: tuple[str, ...]
    bare: str = ""

    @property
    def text(self) -> str:
        return " ".join(filter(None, [*self.questions, self.bare]))


def _completed(question: str, whole: _Whole, exchanges: Sequence[Exchange]) -> _Whole:
    """A question that leans on others, with what it takes from them.

    Args:
        question: The question.
        whole: The one before it, complete.
        exchanges: That one with its answer first, then earlier ones.
    """
    leaning = leaning_of(question)
    if leaning.way is Way.FRAGMENT:
        return _substituted(leaning, whole, exchanges[0]) or _added(question, whole)
    if leaning.way is Way.POINTING:
        return _named(leaning, whole, exchanges)
    return _added(question, whole, bare=not leaning.topic)


def _added(question: str, whole: _Whole, *, bare: bool = False) -> _Whole:
    """A question behind the ones it leans on: the first of those, and the last."""
    kept = whole.questions[:1] + whole.questions[1:][-1:]
    return _Whole(kept, question) if bare else _Whole((*kept, question))


def _named(leaning: Leaning, whole: _Whole, exchanges: Sequence[Exchange]) -> _Whole:
    """A question with names in place of the words that point at them."""
    question = leaning.question
    names: dict[str, str] = {}
    for kind in dict.fromkeys(pointer.kind for pointer in leaning.pointers):
        names[kind] = "" if kind == MATTER else meant(kind, exchanges, list(names.values()))
    for pointer in reversed(leaning.pointers):
        if name := names[pointer.kind]:
            start = leaning.words[pointer.first].start
            end = leaning.words[pointer.last - 1].end
            question = f"{question[:start]}{_in_place(pointer, name, leaning)}{question[end:]}"
    return _Whole((question,)) if all(names.values()) else _added(question, whole)


def _in_place(pointer: Pointer, name: str, leaning: Leaning) -> str:
    """A name in the form that the words have which it stands in place of."""
    here = tuple(word.text for word in leaning.words[pointer.first : pointer.last])
    following = leaning.words[pointer.last : pointer.last + 1]
    if here in leaning.known.possessives and following:
        owns = following[0].text not in function_words()
        return leaning.known.possessives[here].format(name) if owns else name
    if here in leaning.known.adverbs:
        behind = ends_with(leaning.words[: pointer.first], leaning.known.before_places)
        return name if behind else leaning.known.adverbs[here].format(name)
    return name


def _substituted(leaning: Leaning, whole: _Whole, exchange: Exchange) -> _Whole | None:
    """The question before with a fragment in its place, where it has one place for it."""
    words = leaning.words[leaning.first : leaning.last]
    size = starts_with(words, leaning.known.prepositions)
    placed = bool(size and starts_with(words, leaning.known.before_places))
    own = words[size:] or words
    before = whole.text
    given = leaning.question[own[0].start : own[-1].end]
    if len(own) == 1 and years(given):
        spans = years(before)
    else:
        new = _only_name(leaning, own, exchange)
        kind = PLACE if placed and new else new
        spans = _places_for(kind, before, leaning.known) if kind else []
    if len(spans) == 1:
        start, end = spans[0]
        return _Whole((f"{before[:start]}{given}{before[end:]}",))
    if size:
        fragment = leaning.question[words[0].start : words[-1].end]
        return _Whole((f"{before.rstrip(' ?？')} {fragment}?",))
    return None


def _only_name(leaning: Leaning, own: Sequence[Word], exchange: Exchange) -> str:
    """The kind of the one name that a fragment is, or nothing."""
    topic = [word for word in own if (word.text,) not in leaning.known.articles]
    inside = [
        one
        for one in mentions(leaning.question, leaning.known)
        if own[0].start <= one.start and one.end <= own[-1].end
    ]
    marked = leaning.first > 0 or leaning.last < len(leaning.words)
    if len(inside) == 1 and all(
        inside[0].start <= word.start < inside[0].end or (word.text,) in leaning.known.titles
        for word in topic
    ):
        common = inside[0].weak and (not marked or _is_common(inside[0].name, exchange))
        return "" if common else inside[0].kind
    if len(topic) == 1 and not inside and marked and foreign(topic[0]):
        return "" if detect_language(leaning.question, default="") != "vi" else THING
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
    # What has figures is no company or person: "Q3", "GPT-4".
    others = [one for one in named if one.kind != PLACE and not re.search(r"\d", one.name)]
    others = others or [one for one in named if one.kind != PLACE]
    alike = [one for one in others if (one.kind == PERSON) == (kind == PERSON)]
    return [(one.start, one.end) for one in (alike if len(alike) == 1 else others)]
