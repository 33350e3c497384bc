"""What a person wants: an answer, a summary, to know which documents there are, or only to talk.

Only what is wholly of one of the patterns in ``intents.toml`` is no question: one that merely begins
like a greeting is asked of the documents.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from .language import function_words, time_words
from .text import Span, fold, normalize, word_spans
from .types import Intent


@dataclass(frozen=True, slots=True)
class Aim:
    """What a person wants, and what a summary or a list is to be about.

    ``topic`` is empty where that is the documents altogether; ``single`` says whether one is meant.
    Of talk it is the kind: ``greeting``, ``thanks``, ``farewell`` or ``self``, what is asked of the program.
    ``newest`` says whether the latest documents are meant, ``language`` is that of what was said, ISO
    639-1, empty for a question.
    """

    intent: Intent
    topic: str = ""
    single: bool = False
    newest: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What one language says, as regular expressions of folded words."""

    language: str
    talk: dict[str, tuple[re.Pattern[str], ...]]
    listing: tuple[re.Pattern[str], ...]
    summary: tuple[re.Pattern[str], ...]
    around: tuple[re.Pattern[str], re.Pattern[str]]
    documents: re.Pattern[str]
    plural: re.Pattern[str]
    of_all: frozenset[str]


def aim_of(said: str) -> Aim:
    """What a person wants by what they say.

    Args:
        said: A question, a request or a greeting, in any language; with or without diacritics.
    """
    said = normalize(said)
    spans = [(fold(word), start, end) for word, start, end in word_spans(said)]
    for patterns in _patterns():
        kept = _without(patterns.around, [word for word, _, _ in spans])
        for text in dict.fromkeys([_joined(spans, (0, len(spans))), _joined(spans, kept)]):
            for kind, ways in patterns.talk.items():
                if any(one.fullmatch(text) for one in ways):
                    return Aim(Intent.TALK, kind, language=patterns.language)
        text = _joined(spans, kept)
        for intent, ways in (
            (Intent.LISTING, patterns.listing),
            (Intent.SUMMARY, patterns.summary),
        ):
            for one in ways:
                if match := one.fullmatch(text):
                    place = match.start(match.lastgroup or 0)
                    topic = match[match.lastgroup] if match.lastgroup else ""
                    first = kept[0] + text[:place].count(" ")
                    within = spans[first : first + len(topic.split())]
                    return _about(intent, said, within, patterns)
    return Aim(Intent.ANSWER)


def _about(
    intent: Intent, said: str, topic: Sequence[tuple[str, int, int]], patterns: _Patterns
) -> Aim:
    """A summary or a list, of what is left of its topic without the words for documents."""
    topic = topic[slice(*_without(patterns.around, [word for word, _, _ in topic]))]
    text = " ".join(word for word, _, _ in topic)
    single = bool(patterns.documents.search(text)) and not patterns.plural.search(text)
    loud = said.isupper()
    newest = _places(text, _newest())
    covered = _places(text, patterns.documents) | _places(text, patterns.plural) | newest
    empty = patterns.of_all | function_words()
    # "AI" is an acronym in English and the word "who" in Vietnamese.
    own = [
        n
        for n, (word, start, end) in enumerate(topic)
        if n not in covered
        and (word not in empty or (end - start > 1 and said[start:end].isupper() and not loud))
    ]
    named = said[topic[own[0]][1] : topic[own[-1]][2]] if own else ""
    return Aim(intent, named, single, bool(newest) and not own, patterns.language)


def _places(text: str, pattern: re.Pattern[str]) -> set[int]:
    """The numbers of the words of a text that are in a match."""
    return {
        place
        for match in pattern.finditer(text)
        for place in range(text[: match.start()].count(" "), text[: match.end()].count(" ") + 1)
    }


@cache
def _newest() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(map(fold, time_words('newest'))))})\b")


def _joined(spans: Sequence[tuple[str, int, int]], kept: Span) -> str:
    return " ".join(word for word, _, _ in spans[slice(*kept)])


def _without(around: tuple[re.Pattern[str], re.Pattern[str]], words: Sequence[str]) -> Span:
    """The words between what says nothing in front and behind, but never none."""
    text, (before, behind) = " ".join(words), around
    first = before.match(text)
    start = first.end() if first else 0
    last = behind.search(text, start)
    end = last.start() if last else len(text)
    if start >= end:
        return 0, len(words)
    return text[:start].count(" "), len(words) - text[end:].count(" ")


@cache
def _patterns() -> tuple[_Patterns, ...]:
    tables = tomllib.loads(resources.files("rag").joinpath("intents.toml").read_text("utf-8"))
    return tuple(_compiled(language, table) for language, table in tables.items())


def _compiled(language: str, table: dict[str, Any]) -> _Patterns:
    plural = [one for one in table["plural"] if one.endswith("s")]
    documents = f"(?:{'|'.join([*plural, *table['documents']])})"
    around = "|".join(sorted(table["around"], key=len, reverse=True))

    def patterns(listed: Sequence[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(one.replace("{documents}", documents)) for one in listed)

    return _Patterns(
        language,
        {kind: patterns(listed) for kind, listed in table["talk"].items()},
        patterns(table["listing"]),
        patterns(table["summary"]),
        (re.compile(rf"(?:(?:{around}) )+"), re.compile(rf"(?: (?:{around}))+$")),
        re.compile(rf"\b{documents}\b"),
        re.compile(rf"\b(?:{'|'.join(table['plural'])})\b"),
        frozenset(table["of_all"]),
    )
