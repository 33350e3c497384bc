"""The sentences that may answer a question, and what speaks for each of them.

What a sentence lacks may stand beside it, so each share is taken of the sentence, of it with its
neighbours, and of its passage. Across languages no words are shared: there pieces, names and
figures speak.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from rag.llm.backend import Request

from .answer_types import DATES, Shown, fits, shown
from .concepts import concepts
from .question import Asked, taken_apart
from .references import antecedent
from .subjects import subject
from .text import Span, fold, sentences, word_spans, words
from .types import Hit
from .weighing import Weighed, Weighing

# A sentence with fewer words is a heading or a caption.
_FEWEST_WORDS = 4
# But for what is called something and is something: "Founded: 1347".
_FACT = re.compile(r"[^\W\d_][^:\n]{0,60}: \S")
_CLOSES = (".", "!", "…", ";", ":", "。")
# A heading has at most so many words, and none of these.
_MOST_HEADING_WORDS = 15
_MARKED_HEADING = re.compile("#{1,6} ")
_FRONT_MATTER = re.compile(r"---\n[^\n]*:[\s\S]*\n---")
_NO_HEADING = re.compile(r"[\d|\t:=]")
# A sentence of so many words is as long as any.
_LONG = 40
# What a few of the shares count together, and how much what is met counts for what is held.
_SENTENCE, _PASSAGE, _DENSE, _KIND, _RANK, _MET = 0.4, 0.25, 0.2, 0.1, 0.05, 0.7
# What is left of it in a passage that has none of the names in the question.
_NAMELESS = 0.6
# What speaks for a sentence, in the order of its numbers; every one is a share in [0, 1].
FEATURES = (
    "held", "held_resolved", "held_around", "held_passage",
    "met", "met_resolved", "met_around", "met_passage",
    "dense", "dense_resolved",
    "relation", "relation_resolved", "relation_around", "relation_passage",
    "names_resolved", "names_around", "names_passage",
    "keys_resolved", "keys_around",
    "told", "told_resolved", "told_around", "told_passage", "told_named",
    "least", "focus",
    "fits", "fits_person", "fits_time", "fits_amount", "fits_duration", "fits_place", "fits_reason",
    "fits_choice", "fits_manner",
    "score", "score_share", "first", "window", "length", "closed", "plain",
)  # fmt: skip
# The kind of a question for the date of an article, which stands within so many characters.
_PUBLISHED, _HEAD = "published", 500
_KINDS = ("person", "time", "amount", "duration", "place", "reason", "choice", "manner")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage: the passage's number, its span in it, and what it tells.

    ``earlier`` is the span of the sentence of the same passage that it points back to, if any;
    ``foreign`` says whether it is in another language than the question, ``dated`` whether it tells at
    the head of its document when that was published.
    """

    number: int
    hit: Hit
    span: Span
    earlier: Span | None
    told: Shown
    foreign: bool
    features: tuple[float, ...]
    dated: bool = False

    @property
    def text(self) -> str:
        """The sentence."""
        return self.hit.passage.text[slice(*self.span)]

    @property
    def passage_keys(self) -> frozenset[str]:
        """The names and figures of the whole passage."""
        document = self.hit.document
        return frozenset(one.key for one in concepts(self.hit.passage.text, document.language))

    def feature(self, name: str) -> float:
        """What speaks for it by one of ``FEATURES``."""
        return self.features[FEATURES.index(name)]


def candidates(request: Request) -> tuple[Asked, list[Candidate]]:
    """The question of a request, taken apart, and the sentences of its passages."""
    texts = [hit.passage.text for hit in request.hits]
    question, latest = _as_meant(request)
    asked = taken_apart(question, request.language, texts, latest)
    cut = [_cut(hit) for hit in request.hits]
    every = [
        text
        for hit, spans in zip(request.hits, cut, strict=True)
        for text in (*(hit.passage.text[slice(*span)] for span in spans), hit.document.short_title)
    ]
    whole, relation, focus = request.weigh([asked.topic, asked.relation, asked.focus], every)
    best = max((hit.score for hit in request.hits), default=0) or 1.0
    found: list[Candidate] = []
    reached = 0
    for number, (hit, spans) in enumerate(zip(request.hits, cut, strict=True), start=1):
        part = slice(reached, reached + len(spans) + 1)
        reached = part.stop
        passage = _Passage(
            hit, spans, asked, best, number, *(_part(one, part) for one in (whole, relation, focus))
        )
        found += passage.candidates(hit.document.language != request.language)
    return asked, found


def _as_meant(request: Request) -> tuple[str, str]:
    """The question and what was asked last, corrected; the one still ends with the other if it did."""
    latest = request.meant(request.latest)
    begins = request.question.removesuffix(request.latest)
    if request.latest and begins.strip() and begins != request.question:
        return request.meant(begins) + latest, latest
    return request.meant(request.question), latest


def _cut(hit: Hit) -> list[Span]:
    return sentences(hit.passage.text, hit.document.language)


def _part(weighing: Weighing, part: slice) -> Weighing:
    return Weighing(weighing.words, weighing.pieces, weighing.texts[part])


@dataclass(frozen=True, slots=True)
class _Has:
    """The names, keys and relations of a question that each sentence of a passage has, and its title."""

    names: Sequence[AbstractSet[Any]]
    keys: Sequence[AbstractSet[Any]]
    relations: Sequence[AbstractSet[Any]]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage with its sentences, weighed, and behind them the title of its document."""

    hit: Hit
    spans: list[Span]
    asked: Asked
    best: float
    number: int
    whole: Weighing
    relation: Weighing
    focus: Weighing

    def candidates(self, foreign: bool) -> list[Candidate]:
        """The sentences that may answer, with what speaks for each."""
        hit, text = self.hit, self.hit.passage.text
        title = shown(hit.document.short_title, hit.document.language)
        told = [shown(text[slice(*span)], hit.document.language) for span in self.spans]
        has = _Has(
            [held_names(self.asked, one) for one in (*told, title)],
            _keys(self.asked, told, title),
            [one.relations & self.asked.relations for one in (*told, title)],
        )
        about = subject(hit.document.short_title)
        other = about.is_of_another(self.asked.text, text)
        above: list[int] = []  # the heading that a sentence stands under
        found = []
        for place, span in enumerate(self.spans):
            dated = self._is_dated(span, told[place])
            sentence = told[place].text
            is_head = dated and _PUBLISHED in self.asked.kinds
            is_heading = _is_heading(text, self.spans, place)
            above = [place] if is_heading else above
            if not is_head and (
                (len(words(sentence)) < _FEWEST_WORDS and not _FACT.match(sentence))
                or _asks(sentence)
                or is_heading
            ):
                continue
            back = antecedent(text, self.spans, place, hit.document.language)
            resolved = [place] if back is None else [back, place]
            under = not other and about.is_told_of(*(told[one].text for one in resolved))
            context = [*above, len(self.spans)] if under else above
            features = self._shares(place, resolved, context, has) + self._own(place, told[place])
            features += (self._plain(features),)
            earlier = None if back is None else self.spans[back]
            found.append(
                Candidate(self.number, hit, span, earlier, told[place], foreign, features, dated)
            )
        return found

    def _is_dated(self, span: Span, told: Shown) -> bool:
        """Whether a sentence is at the head of its document and tells when that was published."""
        published = self.hit.document.published
        if published is None or self.hit.passage.start + span[0] > _HEAD:
            return False
        return any(one.key == f"date:{published.isoformat()}" for one in told.concepts)

    def _shares(
        self, place: int, own: Sequence[int], context: Sequence[int], has: _Has
    ) -> tuple[float, ...]:
        """What a sentence has of the question: alone, with what it leans on, around it, in its passage.

        ``own`` are the sentence and the one that it points back to, ``context`` what goes with them: a
        heading, the title. The title goes with the passage, too.
        """
        asked = self.asked
        title = len(self.spans)
        resolved = [*own, *context]
        near = [*range(max(0, place - 1), min(title, place + 2)), *context]
        alone, passage = [place], range(title + 1)
        four = (alone, resolved, near, passage)
        named = _share(has.names, resolved, len(asked.names))
        dense = [self.whole.texts[one].dense for one in own]
        return (
            *(_held(self.whole, where) for where in four),
            *(_met(self.whole, where) for where in four),
            self.whole.texts[place].dense,
            max(dense),
            *(_either(self.relation, where) for where in four),
            named,
            *(_share(has.names, where, len(asked.names)) for where in (near, passage)),
            *(_share(has.keys, where, len(asked.keys)) for where in (resolved, near)),
            *(self._told(has, where) for where in four),
            named * self._told(has, resolved),
        )

    def _told(self, has: _Has, where: Sequence[int]) -> float:
        """Whether sentences tell what is asked about: by known words, or else by meaning."""
        known = len(self.asked.relations)
        return _share(has.relations, where, known) if known else _either(self.relation, where)

    def _own(self, place: int, told: Shown) -> tuple[float, ...]:
        """What a sentence is by itself, and what its passage is among those that were found."""
        fit = fits(told, self.asked)
        start = self.hit.passage.start + self.spans[place][0]
        window = self.hit.window
        return (
            _least(self.relation, place),
            _either(self.focus, [place]),
            fit,
            *(fit - 0.5 if kind in self.asked.kinds else 0.0 for kind in _KINDS),
            self.hit.score,
            self.hit.score / self.best,
            1 / self.number,
            float(bool(window and window[0] <= start < window[1])),
            min(1.0, len(words(told.text)) / _LONG),
            float(_is_closed(told.text)),
        )

    def _plain(self, features: Sequence[float]) -> float:
        """A few shares in weights set by judgement, which rank well within one language."""
        of = dict(zip(FEATURES, features, strict=False))
        evidence = (
            _SENTENCE * max(of["held"], _MET * of["met"])
            + _PASSAGE * max(of["held_passage"], _MET * of["met_passage"])
            + _DENSE * of["dense"]
            + _KIND * of["fits"]
            + _RANK * of["score_share"]
        )
        return evidence * (_NAMELESS if self.asked.names and not of["names_passage"] else 1)


def _keys(asked: Asked, told: Sequence[Shown], title: Shown) -> list[AbstractSet[str]]:
    """The keys of a question that each sentence has, and the title, whose date is that of those with none."""
    titled = {one.key for one in title.concepts} & asked.keys
    dates = {key for key in titled if key.startswith((*DATES, "number:"))}
    has: list[AbstractSet[str]] = []
    for each in told:
        own = {one.key for one in each.concepts}
        dated = any(key.startswith(DATES) for key in own)
        has.append((own if dated else own | dates) & asked.keys)
    return [*has, titled - dates]


def _share(sets: Sequence[AbstractSet[Any]], where: Sequence[int], of: int) -> float:
    """How many of so many things some sentences have together; all of nothing."""
    return len(set().union(*(sets[one] for one in where))) / of if of else 1.0


def _best(texts: Sequence[Weighed], part: str, where: Sequence[int]) -> list[float]:
    """For each word or piece, how the best of some texts has it."""
    rows = [getattr(texts[one], part) for one in where]
    return [max(column) for column in zip(*rows, strict=True)]


def _held(weighing: Weighing, where: Sequence[int]) -> float:
    shares = _best(weighing.texts, "held", where)
    return sum(w * s for w, s in zip(weighing.words, shares, strict=True))


def _met(weighing: Weighing, where: Sequence[int]) -> float:
    shares = _best(weighing.texts, "met", where)
    return sum(w * s for w, s in zip(weighing.pieces, shares, strict=True))


def _either(weighing: Weighing, where: Sequence[int]) -> float:
    """How texts have a part of the question, by its words or by its pieces; 1 of nothing."""
    if not weighing.words:
        return 1.0
    return max(_held(weighing, where), _met(weighing, where))


def _least(weighing: Weighing, place: int) -> float:
    """How a sentence meets the worst met of the heavier pieces; 1 of nothing."""
    heavy = max(weighing.pieces, default=0) / 2
    met = weighing.texts[place].met
    return min((s for w, s in zip(weighing.pieces, met, strict=True) if w >= heavy), default=1.0)


def _is_heading(text: str, spans: Sequence[Span], place: int) -> bool:
    """Whether a line stands over a text: it tells nothing, though it may have all that is asked about.

    Lines with figures or marks may be of a list or a table, and in notes no line is closed. What
    Markdown marks as a heading is one, and what a text says of itself before it begins is like one.
    """
    start, end = spans[place]
    if _MARKED_HEADING.match(text, start) or _FRONT_MATTER.fullmatch(text, start, end):
        return True
    if place + 1 == len(spans):
        return False
    line, below = (text[slice(*span)] for span in spans[place : place + 2])
    between = text[spans[place][1] : spans[place + 1][0]]
    return (
        "\n" in between
        and not _is_closed(line)
        and (_is_closed(below) or _asks(below))
        and line[0].isalpha()
        and not _NO_HEADING.search(line)
        and len(words(line)) <= _MOST_HEADING_WORDS
    )


def _is_closed(sentence: str) -> bool:
    return sentence.rstrip("\"”’') ")[-1:] in _CLOSES


def _asks(sentence: str) -> bool:
    """Whether a sentence is a question: it may repeat the person's own, and answers nothing."""
    return sentence.rstrip("\"”’'») ").endswith(("?", "？"))


def held_names(asked: Asked, told: Shown) -> set[tuple[str, ...]]:
    """The names of a question that a sentence has, in this language or another.

    A name has capitals: ``Pháp`` is not in ``biện pháp``.
    """
    text = told.text
    there = [
        fold(word) if any(map(str.isupper, text[start:end])) or text[start].isdigit() else ""
        for word, start, end in word_spans(text)
    ]
    keys = {one.key for one in told.concepts}
    return {
        name
        for name in asked.names
        if any(list(name) == there[at : at + len(name)] for at in range(len(there) - len(name) + 1))
        or _known(name, asked) & keys
    }


def _known(name: tuple[str, ...], asked: Asked) -> frozenset[str]:
    """What a name of the question means in every language, where that is known."""
    return asked.name_keys.get(name, frozenset())
