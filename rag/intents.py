"""What a person wants: an answer, a summary, to know which documents there are, or only to talk.

Only what is wholly of one of the patterns in ``intents.toml`` is no question: one that merely begins
like a greeting is asked of the documents. What a summary or a list is to be about, ``rag.topics`` tells.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from importlib import resources
from typing import Any

from .text import fold, normalize
from .topics import (
    FILE,
    Phrases,
    Token,
    Topic,
    named_language,
    number_of,
    phrases,
    tokens_of,
    topic_of,
)
from .types import Intent

# What is longer is a question, or a text that somebody pasted.
_MOST_WORDS = 40
# Of so many words at most is what stands around a request.
_LONGEST_AROUND = 6
# Behind a request without diacritics these may be a part of its topic: "chau A", "gia nha".
_AMBIGUOUS = frozenset(["a", "nha", "di", "voi", "vay", "nhe"])
# The lists of phrases that a request and its topic are told apart by.
_LISTS = (
    "front", "behind", "documents", "plural", "leading", "trailing", "pointing", "pronouns",
    "ordinals", "several", "newest", "oldest", "counts", "kinds", "demonstratives",
)  # fmt: skip
_GREETING_ENDS = re.compile(r"[,.!;:…]+")
_NOTHING = Topic()


@dataclass(frozen=True, slots=True)
class Aim:
    """What a person wants, and what a summary or a list is to be about.

    ``language`` is that of the request, ISO 639-1, empty for a question; ``reply`` the one that the
    person wants the answer in, if they say. Of talk ``topic.text`` is the kind: ``greeting``, ``thanks``,
    ``farewell`` or ``self``, what is asked of the program.
    """

    intent: Intent
    topic: Topic = _NOTHING
    language: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What one language says, as regular expressions of folded words."""

    language: str
    talk: Mapping[str, tuple[re.Pattern[str], ...]]
    ways: tuple[tuple[Intent, tuple[re.Pattern[str], ...]], ...]
    length: re.Pattern[str]
    paired: Mapping[str, str]
    in_language: frozenset[str]
    phrases: Phrases


def aim_of(said: str) -> Aim:
    """What a person wants by what they say.

    Args:
        said: A question, a request or a greeting, in any language; with or without diacritics.
    """
    said = normalize(said)
    every = tokens_of(said)
    if 0 < len(every) <= _MOST_WORDS:
        for patterns in _patterns():
            if aim := _talk(said, every, patterns) or _request(said, every, patterns):
                return aim
    return Aim(Intent.ANSWER)


def without_greeting(said: str) -> str:
    """A question without the greeting or thanks in front of it: "Hello, who is Winston Ma?"."""
    begins, *rest = _GREETING_ENDS.split(said, maxsplit=1)
    if rest and tokens_of(rest[0]) and aim_of(begins).intent is Intent.TALK:
        return rest[0].strip()
    return said


def _talk(said: str, every: Sequence[Token], patterns: _Patterns) -> Aim | None:
    for text in (_joined(every), _joined(_bare(said, every, patterns))):
        for kind, ways in patterns.talk.items():
            if any(one.fullmatch(text) for one in ways):
                return Aim(Intent.TALK, Topic(kind), patterns.language)
    return None


def _request(said: str, every: Sequence[Token], patterns: _Patterns) -> Aim | None:
    """A list or a summary, if that is what is wanted."""
    whole = _bare(said, every, patterns)
    shorter, reply = _without_language(said, whole, patterns)
    for intent, ways in patterns.ways:
        # "How many documents are in French?" names no language to answer in.
        kept = whole if intent is Intent.LISTING else shorter
        text = _joined(kept)
        for match in filter(None, (one.fullmatch(text) for one in ways)):
            topic = _topic(said, kept, match, intent, patterns.phrases)
            if topic is not None:
                return Aim(
                    intent, topic, patterns.language, reply if intent is Intent.SUMMARY else ""
                )
    return None


def _topic(
    said: str, kept: Sequence[Token], match: re.Match[str], intent: Intent, known: Phrases
) -> Topic | None:
    """What a list or a summary is to be about, of which the verb and its like are known."""
    group = match.lastgroup
    first = match.string[: match.start(group)].count(" ") if group else 0
    size = len(match[group].split()) if group else 0
    named = kept[first : first + size]
    if group in ("language", "spoken"):
        spoken = named_language(said[named[0].start : named[-1].end])
        return Topic(of_documents=True, spoken=spoken) if spoken else None
    if group == "period":
        return Topic(of_documents=True, period=said[named[0].start : named[-1].end])
    if intent is Intent.LISTING and not group:
        return _listed(match[0], known.bare)
    topic = topic_of(said, named, known, intent.value)
    speaks_of_documents = topic and (topic.of_documents or FILE.search(topic.text))
    return topic if group != "document" or speaks_of_documents else None


def _listed(text: str, own: Mapping[str, tuple[str, ...]]) -> Topic:
    """Which documents a list without a topic is to hold, by its folded text."""

    def rest_without(name: str) -> str:
        return reduce(lambda left, one: left.replace(f" {one} ", " "), own[name], rest)

    rest = f" {text} "
    newest, oldest = (rest_without(name) != rest for name in ("newest", "oldest"))
    rest = rest_without("newest" if newest else "oldest")
    counts = filter(None, (number_of(word, own) for word in rest.split()))
    count = next(counts, 0) if newest or oldest else 0
    several = any(f" {one} " in rest for one in own["plural"] + own["several"])
    single = (newest or oldest) and not (count or several)
    return Topic(of_documents=True, single=single, newest=newest, oldest=oldest, count=count)


def _without_language(
    said: str, tokens: Sequence[Token], patterns: _Patterns
) -> tuple[Sequence[Token], str]:
    """A request without the language that its answer is wanted in, and that language."""
    for size in (1, 2, 3):
        if len(tokens) > size + 1 and tokens[-size - 1].folded in patterns.in_language:
            language = named_language(said[tokens[-size].start : tokens[-1].end])
            if language:
                return _bare(said, tokens[: -size - 1], patterns), language
    return tokens, ""


def _bare(said: str, tokens: Sequence[Token], patterns: _Patterns) -> Sequence[Token]:
    """A request without what stands around it, the longest phrases first; never nothing."""
    own = patterns.phrases.of(tokens)
    bare = own is patterns.phrases.bare
    first, last = 0, len(tokens)
    paired: set[str] = set()
    while size := _around(said, tokens[first:last], own["front"], 1, bare=bare):
        paired.add(patterns.paired.get(_joined(tokens[first : first + size]), ""))
        first += size
    if first < last and tokens[-1].folded in paired:
        last -= 1
    behind = [one for one in own["behind"] if not bare or " " in one or one not in _AMBIGUOUS]
    while size := _around(said, tokens[first:last], behind, -1, bare=bare):
        last -= size
    for size in range(min(_LONGEST_AROUND, last - first - 1), 0, -1):
        if patterns.length.fullmatch(_joined(tokens[last - size : last])):
            return tokens[first : last - size]
    return tokens[first:last] if first < last else tokens


def _around(
    said: str, tokens: Sequence[Token], known: Sequence[str], way: int, *, bare: bool
) -> int:
    """How many words at one end say nothing, of at most six; a name says something."""
    for size in range(min(_LONGEST_AROUND, len(tokens)), 0, -1):
        own = tokens[:size] if way > 0 else tokens[-size:]
        capital = own[0].start > 0 and said[own[0].start].isupper() and not said.isupper()
        if not capital and " ".join(one.folded if bare else one.word for one in own) in known:
            return size
    return 0


def _joined(tokens: Sequence[Token]) -> str:
    return " ".join(one.folded for one in tokens)


@cache
def _patterns() -> tuple[_Patterns, ...]:
    tables = tomllib.loads(resources.files("rag").joinpath("intents.toml").read_text("utf-8"))
    return tuple(_compiled(language, table) for language, table in tables.items())


def _filled(pattern: str, part: tuple[str, str]) -> str:
    return pattern.replace(*part)


def _compiled(language: str, table: Mapping[str, Any]) -> _Patterns:
    count = f"(?:[0-9]+|{'|'.join(map(fold, table['counts']))})"
    age = "|".join(map(fold, table["newest"] + table["oldest"]))
    parts = {
        "{files}": f"(?:{'|'.join(table['files'])})",
        "{count}": count,
        "{aged}": f"(?:{count} )?(?:{age})(?: {count})?",
    }

    def compiled(listed: Sequence[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(reduce(_filled, parts.items(), one)) for one in listed)

    lists = {name: table[name] for name in _LISTS}
    return _Patterns(
        language,
        {kind: compiled(listed) for kind, listed in table["talk"].items()},
        (
            (Intent.LISTING, compiled(table["listing"])),
            (Intent.SUMMARY, compiled(table["summary"])),
        ),
        re.compile(table["length"]),
        {fold(one): fold(other) for one, other in table["paired"].items()},
        frozenset(map(fold, table["in_language"])),
        phrases({**lists, **table["asking"]}),
    )
