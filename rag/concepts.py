"""Names and figures of a text in a form that no language changes, with exact offsets.

``Trung Quốc``, ``China`` and ``Chinese`` are ``territory:cn``; ``80 tỉ USD`` and ``$80bn`` are
``number:80000000000`` and ``currency:usd``. Which names there are says ``rag.known_names``. A
name is found in a text of any language, since people mix them.

A name of several words is found in capitals or without, with its diacritics or typed with none.
One that is also an ordinary word counts only in capitals, and a Vietnamese name of one syllable
("Anh", "Mỹ") only where nothing around says that it is something else: rather none than a wrong
one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .figures import figures
from .known_names import Name, Need, known_names, known_signs, speakers
from .text import Span, lowered

_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of a name.
_BETWEEN = frozenset([" ", "-", ".", ". ", "\n", "\u00a0", "'", "’", " & ", " - ", "–"])
_CLUSTER = re.compile(r"[^\u0300-\u036f]?[\u0300-\u036f]*")
_SENTENCE_ENDS = '.!?:;\n“"«(…'


@dataclass(frozen=True, slots=True)
class Concept:
    """A name or a figure: its key, and where it stands; several keys may have one place."""

    key: str
    start: int
    end: int


def concepts(text: str, language: str | None = None) -> list[Concept]:
    """The names and figures of a text, in the order in which they stand there.

    Args:
        text: Any text; offsets count its characters, in whatever Unicode form it is.
        language: Its language, ISO 639-1, which decides how numbers and dates are read;
            ``None`` where it is unknown: then an ambiguous one has all its readings.

    Returns:
        Concepts with keys such as ``territory:us``, ``currency:vnd``, ``language:vi``,
        ``unit:kilometre``, ``name:world-war-2``, and those of ``rag.figures.figures``. No key
        holds a space.
    """
    if unicodedata.is_normalized("NFC", text):
        return _concepts(text, language)
    clusters = [match for match in _CLUSTER.finditer(text) if match[0]]
    composed = [unicodedata.normalize("NFC", match[0]) for match in clusters]
    spans = [
        match.span() for match, letters in zip(clusters, composed, strict=True) for _ in letters
    ]
    return [
        Concept(one.key, spans[one.start][0], spans[one.end - 1][1])
        for one in _concepts("".join(composed), language)
    ]


def _concepts(text: str, language: str | None) -> list[Concept]:
    found = [
        Concept(key, figure.start, figure.end)
        for figure in figures(text, language)
        for key in figure.keys
    ]
    found += [Concept(key, start, end) for keys, (start, end) in _names(text) for key in keys]
    signs, pattern = known_signs()
    found += [Concept(signs[sign[0]], sign.start(), sign.end()) for sign in pattern.finditer(text)]
    return list(_outermost(sorted(found, key=lambda one: (one.start, -one.end))))


def _outermost(found: Iterable[Concept]) -> Iterator[Concept]:
    """Leave out what stands within another: "thứ hai" in "Chiến tranh thế giới thứ hai"."""
    start = reached = -1
    for one in found:
        if one.end > reached or (one.start, one.end) == (start, reached):
            yield one
            start, reached = one.start, one.end


def _names(text: str) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The names of a text, the longest that begin at each word."""
    lower = lowered(text)
    names, longest = known_names()
    spans = [match.span() for match in _WORD.finditer(lower)]
    following = 0
    for first, (start, end) in enumerate(spans):
        most = longest.get(lower[start:end])
        if most is None or first < following:
            continue
        joined, candidates = "", []
        for last in range(first, min(first + most, len(spans))):
            if last > first and lower[spans[last - 1][1] : spans[last][0]] not in _BETWEEN:
                break
            joined = f"{joined} {lower[slice(*spans[last])]}" if joined else lower[start:end]
            if joined in names:
                candidates.append((last, names[joined]))
        for last, name in reversed(candidates):
            if _counts(name, text, spans, first, last):
                yield name.keys, (start, spans[last][1])
                following = last + 1
                break


def _counts(name: Name, text: str, spans: list[Span], first: int, last: int) -> bool:
    """Whether what is written like a name is one."""
    match name.need:
        case Need.NOTHING:
            return True
        case Need.INITIALS:
            return all(text[start].isupper() for start, _ in spans[first : last + 1])
        case Need.CAPITALS:
            return text[spans[first][0] : spans[last][1]].isupper()
        case Need.A_COUNTRY:
            return _is_a_country(text, spans, first)


def _is_a_country(text: str, spans: list[Span], first: int) -> bool:
    """Whether a Vietnamese word of one syllable, such as "Mỹ", is a country where it stands.

    In the middle of a sentence its capital says so, unless a word in capitals beside it makes
    it part of another name ("Mỹ Linh", "Tuấn Anh"). At the beginning, where any word has one,
    what follows must speak for a country.
    """
    start, end = spans[first]
    if not text[start].isupper():
        return False
    say = speakers()
    before = text[slice(*spans[first - 1])] if first else ""
    gap = text[spans[first - 1][1] : start] if first else "\n"
    opening = any(mark in gap for mark in _SENTENCE_ENDS)
    after, behind = "", "\n"
    if first + 1 < len(spans):
        after, behind = text[slice(*spans[first + 1])], text[end : spans[first + 1][0]]
    if behind == " " and after[0].isupper():
        return False
    if not opening:
        part_of_a_name = gap == " " and before[0].isupper() and lowered(before) not in say.before
        return not part_of_a_name
    if behind in ("-", " - ", "–", ", ") and after[0].isupper():
        return _is_named(lowered(after))
    if behind == " " and after == "và" and first + 2 < len(spans):
        return _is_named(lowered(text[slice(*spans[first + 2])]))
    return (
        behind == " " and after in say.for_a_country and lowered(text[start:end]) not in say.never
    )


def _is_named(lower: str) -> bool:
    """Whether a word begins the name of something known."""
    return lower in known_names()[1]
