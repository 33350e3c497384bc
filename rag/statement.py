"""What a sentence states, as far as it can be compared: figures, names, denials, relations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from .concepts import Concept, concepts
from .contrasts import (
    Token,
    bounds,
    clause_openers,
    denied_until,
    each,
    hidden_denials,
    light,
    no_denials,
    poles,
    same,
    tokens,
    units,
)
from .language import function_words, magnitudes, negations, number_words
from .text import Span

_DATES = ("year", "month", "date", "day")
_FIGURES = ("number", "percent", "ordinal", "century", "decade", "weekday")
_NAMES = ("territory", "name", "language")
_UNITS = ("currency", "unit")
_RANGE = re.compile(r"\d\s?[-–—]\s?\d|\s(?:to|đến|tới)\s")
# How many words from a figure its rate may stand: "36,000 vehicles a day".
_AROUND = 10
# A word in capitals of so few letters before a full stop is rather an abbreviation.
_ABBREVIATED = 3
# Where a sentence ends, and where what a denial reaches does.
_SENTENCE_ENDS = re.compile(r"[.;:!?][\s”\"'’)]|\n")
_CLAUSE_ENDS = re.compile(r"[,.;:!?()“”\"\n–—]")
_MONEY_KINDS = {"currency": "money", "unit": "measure"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or a date.

    ``keys`` are its readings, ``several`` tells that it is a range, ``bound`` that it is the least
    (1) or the most (-1), and ``rate`` for each of which time it is: "a day", "mỗi năm".
    """

    keys: frozenset[str]
    start: int
    end: int
    is_date: bool
    several: bool = False
    unit: str = ""
    unit_kind: str = ""
    unit_span: Span = (0, 0)
    bound: int = 0
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A name: the keys it is known by, if it is, and the numbers of its words."""

    keys: frozenset[str]
    words: tuple[int, ...]


@dataclass(frozen=True)
class Statement:
    """A text as what it states; made by ``statement``."""

    text: str
    language: str

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its words."""
        return tokens(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words in lower case."""
        return tuple(one.word for one in self.tokens)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where each word stands, as numbers of words."""
        found: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            found.setdefault(word, []).append(place)
        return found

    @cached_property
    def _concepts(self) -> list[Concept]:
        known = self.language if self.language in number_words() else None
        return concepts(self.text, known)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Its numbers and dates, in order."""
        by_place: dict[Span, set[str]] = {}
        for one in self._concepts:
            if one.key.partition(":")[0] in (*_DATES, *_FIGURES):
                by_place.setdefault((one.start, one.end), set()).add(one.key)
        found = [self._figure(frozenset(keys), span) for span, keys in by_place.items()]
        found += self._spoken([(one.start, one.end) for one in found])
        return tuple(sorted(found, key=lambda one: one.start))

    def _figure(self, keys: frozenset[str], span: Span) -> Figure:
        start, end = span
        is_date = any(key.partition(":")[0] in _DATES for key in keys)
        several = bool(_RANGE.search(self.text, start, end))
        unit, kind, unit_span = ("", "", (end, end)) if is_date else self._unit(start, end)
        first = self._first_at(min(start, unit_span[0]) if unit else start)
        behind = self._first_at(max(end, unit_span[1]))
        section = "times" if is_date else "bounds"
        bound = bounds(section).ending(self.words, first) or 0
        if not is_date and not bound:
            bound = bounds("bounds", behind=True).beginning(self.words, behind) or 0
        rate = "" if is_date else self._rate(first, behind)
        return Figure(keys, start, end, is_date, several, unit, kind, unit_span, bound, rate)

    def _rate(self, first: int, behind: int) -> str:
        """For each of which time a figure is, as the words nearest to it say."""
        last = len(self.tokens) - 1
        for start, end in ((behind, min(last, behind + _AROUND)), (max(0, first - _AROUND), first)):
            for place in range(start, end):
                known = units().beginning(self.words, place + 1)
                if self.words[place] in each() and known and known[0] == "time":
                    return str(known[1])
        return ""

    def _unit(self, start: int, end: int) -> tuple[str, str, Span]:
        """The unit of a number: a known one beside it, or a word behind it."""
        for one in self._concepts:
            kind, _, key = one.key.partition(":")
            if kind in _UNITS:
                behind = one.start <= end + 2 and one.end > end and one.start > start
                if behind or 0 <= start - one.end <= 1:
                    kind = _MONEY_KINDS[kind]
                    return f"{kind}:{key}", kind, (one.start, one.end)
        place = self._first_at(end)
        known = units().beginning(self.words, place)
        if known and self.tokens[place].start <= end + 2:
            return known[1], known[0], (self.tokens[place].start, self.tokens[place].end)
        return "", "", (end, end)

    def _spoken(self, taken: list[Span]) -> list[Figure]:
        """Numbers in words that count only before a unit: "one minute", "năm phút"."""
        spoken = number_words().get(self.language)
        found: list[Figure] = []
        for place, token in enumerate(self.tokens[:-1]):
            value = spoken.values.get(token.word) if spoken else None
            if value is None or any(start <= token.start < end for start, end in taken):
                continue
            if len(token.word) == 1:  # "a year" is each year, or any
                continue
            if units().beginning(self.words, place + 1):
                keys = frozenset([f"number:{value}"])
                found.append(self._figure(keys, (token.start, token.end)))
        return found

    def is_label(self, figure: Figure) -> bool:
        """Whether a number is part of a name: "GPT-4"."""
        before = self.text[max(0, figure.start - 2) : figure.start]
        return before[-1:] == "-" and before[:1].isalpha()

    def _first_at(self, position: int) -> int:
        """The number of the first word that begins at a position or behind it."""
        return next(
            (n for n, one in enumerate(self.tokens) if one.start >= position), len(self.tokens)
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        """All that its figures and names are known by."""
        return frozenset().union(*self.readings)

    @cached_property
    def readings(self) -> list[frozenset[str]]:
        """What each of its figures and known names is known by."""
        every = [one.keys for one in self.figures] + [one.keys for one in self.names]
        return [keys for keys in every if keys]

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """Its names: known ones, and words in capitals that do not just begin it."""
        found: list[Name] = []
        taken = {
            place
            for one in self.figures
            for place, token in enumerate(self.tokens)
            if one.start <= token.start < max(one.end, one.unit_span[1])
        }
        by_place: dict[Span, set[str]] = {}
        for one in self._concepts:
            if one.key.partition(":")[0] in _NAMES:
                by_place.setdefault((one.start, one.end), set()).add(one.key)
        for (start, end), keys in by_place.items():
            own = [n for n, one in enumerate(self.tokens) if start <= one.start < end]
            if own and taken.isdisjoint(own):
                found.append(Name(frozenset(keys), tuple(own)))
                taken |= set(own)
        run: list[int] = []
        for place, token in enumerate(self.tokens):
            counts = place not in taken and self._is_name(place)
            if run and (
                not counts or self.text[self.tokens[place - 1].end : token.start] not in " -."
            ):
                found.append(Name(frozenset(), tuple(run)))
                run = []
            if counts:
                run.append(place)
        if run:
            found.append(Name(frozenset(), tuple(run)))
        return tuple(sorted(found, key=lambda one: one.words))

    def _is_name(self, place: int) -> bool:
        token = self.tokens[place]
        written = self.text[token.start : token.end]
        if any(char.isupper() for char in written[1:]) or (
            token.capital and any(char.isdigit() for char in written)
        ):
            return True
        if not token.capital or token.word in negations():
            return False
        before = self.text[: token.start].rstrip(" “\"'‘«(")
        opens = not before or before[-1] in ".!?:\n"
        if not opens:
            return True
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
        joined = following and self.text[token.end : following.start] in (" ", "-")
        is_name = self.has_topic(place) and token.word not in light()
        return bool(joined and following and following.capital and is_name)

    @cached_property
    def denials(self) -> tuple[tuple[int, ...], ...]:
        """For each word that denies the numbers of all words behind it in what it may deny."""
        harmless = {
            place for _, start, end in no_denials().found(self.words) for place in range(start, end)
        }
        return tuple(
            self._behind(place)
            for place, token in enumerate(self.tokens)
            if place not in harmless and self._denies(token)
        )

    def _denies(self, token: Token) -> bool:
        if token.word not in negations():
            return False
        if token.word == "t":
            return self.text[token.start - 1 : token.start] in ("'", "’")
        # Without its marks "đừng" is also "dung"; it counts where nothing has marks.
        return self.language != "vi" or not token.word.isascii() or self.text.isascii()

    def _behind(self, place: int) -> tuple[int, ...]:
        """The words with a topic behind one, until something ends what it reaches."""
        found = []
        for other in range(place + 1, len(self.tokens)):
            gap = self.text[self.tokens[other - 1].end : self.tokens[other].start]
            if _CLAUSE_ENDS.search(gap) or self.words[other] in denied_until():
                break
            if self.has_topic(other):
                found.append(other)
        return tuple(found)

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        """The number of the clause that each word is in."""
        found, number = [], 0
        for place, token in enumerate(self.tokens):
            gap = self.text[self.tokens[place - 1].end : token.start] if place else ""
            ended = bool(_SENTENCE_ENDS.search(gap)) and not self._is_short(place - 1)
            number += ended or token.word in clause_openers()
            found.append(number)
        return tuple(found)

    def _is_short(self, place: int) -> bool:
        """Whether a word is rather an abbreviation with its full stop: "Dr.", "TP."."""
        token = self.tokens[place]
        return token.capital and len(token.word) <= _ABBREVIATED

    @cached_property
    def may_deny(self) -> bool:
        """Whether a word in it denies without being a negation: "lacks", "thiếu"."""
        return any(True for _ in hidden_denials().found(self.words))

    @cached_property
    def poles(self) -> dict[int, dict[int, list[tuple[int, ...]]]]:
        """For each scale the ends of it that are said, each time with the numbers of its words."""
        found: dict[int, dict[int, list[tuple[int, ...]]]] = {}
        for meanings, start, end in poles().found(self.words):
            for scale, pole in meanings:
                ends = found.setdefault(scale, {})
                ends.setdefault(pole, []).append(tuple(range(start, end)))
        return found

    @cached_property
    def groups(self) -> dict[int, tuple[int, ...]]:
        """The groups of phrases that say the same, of which it has one, with its words."""
        found: dict[int, tuple[int, ...]] = {}
        for numbers, start, end in same().found(self.words):
            for number in numbers:
                found[number] = (*found.get(number, ()), *range(start, end))
        return found

    def has_topic(self, place: int) -> bool:
        """Whether a word is to be found in what bears a statement out."""
        word = self.words[place]
        known = self.language if self.language in ("en", "vi") else None
        return not (
            word in function_words(known)
            or word in negations()
            or word in magnitudes()
            or word[0].isdigit()
            or (len(word) == 1 and word.isascii())
        )

    @cached_property
    def terms(self) -> tuple[int, ...]:
        """The numbers of its words with a topic that belong to no figure, unit or known name."""
        spans = [(one.start, one.end) for one in self.figures]
        spans += [one.unit_span for one in self.figures if one.unit]
        named = {place for one in self.names for place in one.words}
        return tuple(
            place
            for place, token in enumerate(self.tokens)
            if self.has_topic(place)
            and token.word not in light()
            and place not in named
            and not any(start <= token.start < end for start, end in spans)
        )


@lru_cache(maxsize=4096)
def statement(text: str, language: str) -> Statement:
    """What a text states.

    Args:
        text: A sentence or a quote, in Unicode NFC.
        language: Its language, ISO 639-1.
    """
    return Statement(text, language)
