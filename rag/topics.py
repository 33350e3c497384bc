"""What a summary or a list of documents is to be about: a request without its verb, taken apart.

Words for documents, and words that join, are taken off its ends only, and no word in capitals is: "the
article about the Washington Post" is about the Washington Post, "the paper mill" about a mill.
Vietnamese is compared with its diacritics where the request has any: "Hà Nội" is no "hả" and no "nói".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from .concepts import concepts
from .language import language_name, languages
from .text import fold, word_spans
from .types import Intent

_LONGEST_PHRASE = 4
# A name that can only be a file's.
FILE = re.compile(
    r"\w\.(?:txt|md|pdf|docx?|pptx?|xlsx?|csv|tsv|html?|epub|eml|jsonl?|zip)\b", re.IGNORECASE
)
_LANGUAGE = "language:"
_YEAR = re.compile("(?:19|20)[0-9]{2}")


class Token(NamedTuple):
    """A word of a request: as it is compared, in small letters, without diacritics; where it stands."""

    word: str
    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Topic:
    """What a summary or a list is to be about.

    ``text`` is empty for documents altogether. ``of_documents`` says that these are spoken of,
    ``single`` that one is, ``newest`` and ``oldest`` that these are meant, ``count`` of them if that
    is said, ``points`` that what was cited last is, and ``place`` which of that, from 1, if not all;
    ``these`` that it may be. ``spoken`` is the language of the documents, ISO 639-1, if it is named,
    ``kind`` what they are, such as a report, and ``period`` the words for when they were published.
    """

    text: str = ""
    of_documents: bool = False
    single: bool = False
    newest: bool = False
    oldest: bool = False
    count: int = 0
    points: bool = False
    place: int = 0
    these: bool = False
    spoken: str = ""
    kind: str = ""
    period: str = ""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of one language in their order, by the names of their lists in ``intents.toml``.

    A request without diacritics is compared with ``bare`` ones.
    """

    written: Mapping[str, tuple[str, ...]]
    bare: Mapping[str, tuple[str, ...]]

    def of(self, tokens: Sequence[Token]) -> Mapping[str, tuple[str, ...]]:
        """The phrases to compare a request with."""
        return self.bare if all(one.word == one.folded for one in tokens) else self.written


def phrases(table: Mapping[str, Sequence[str]]) -> Phrases:
    """Lists of phrases, by name, with their diacritics and without."""
    written = {name: tuple(listed) for name, listed in table.items()}
    return Phrases(written, {name: tuple(map(fold, own)) for name, own in written.items()})


def tokens_of(said: str) -> list[Token]:
    """The words of a request."""
    return [Token(word, fold(word), start, end) for word, start, end in word_spans(said)]


def topic_of(said: str, tokens: Sequence[Token], known: Phrases, asking: str) -> Topic | None:
    """What a request is about.

    Args:
        said: The whole request.
        tokens: Its words but for those that say what is to be done.
        known: The words of its language.
        asking: Which of the lists of words makes a question of it.

    Returns:
        ``None`` where it is a question, or about nothing that can be told.
    """
    own = known.of(tokens)
    whole = " ".join(_compared(one, own is known.bare) for one in tokens)
    if any(f" {phrase} " in f" {whole} " for phrase in own[asking]):
        return None
    if not tokens:
        return Topic()
    if whole in own["pronouns"]:
        return None
    if whole in own["pointing"]:
        # What a list is to be about must be said.
        points = Topic(points=True, of_documents=True, single=True)
        return points if asking == Intent.SUMMARY else None
    stripping = _Stripping(said, tokens, own, bare=own is known.bare)
    stripping.front()
    stripping.back()
    return stripping.topic()


def named_language(phrase: str) -> str:
    """The language that a phrase names, "Vietnamese" or "tiếng Việt", ISO 639-1; or nothing."""
    names = {language_name(code).lower(): code for code in languages()}
    whole = [one for one in concepts(phrase) if (one.start, one.end) == (0, len(phrase))]
    keys = [one.key for one in whole if one.key.startswith(_LANGUAGE)]
    return names.get(phrase.lower(), "") or (keys[0].removeprefix(_LANGUAGE) if keys else "")


def number_of(phrase: str, own: Mapping[str, tuple[str, ...]]) -> int:
    """How many a word says, in figures or as one of ``counts``; 0 for any other word, and for one."""
    if phrase in own["counts"]:
        return own["counts"].index(phrase) + 2
    if _YEAR.fullmatch(phrase):
        return 0
    return int(phrase) if re.fullmatch("[2-9]|[1-9][0-9]{1,5}", phrase) else 0


def _compared(token: Token, bare: bool) -> str:
    return token.folded if bare else token.word


class _Noted(TypedDict):
    """What was taken off a topic, as ``Topic`` calls it."""

    newest: bool
    oldest: bool
    count: int
    spoken: str
    kind: str


class _Stripping:
    """Takes words off the ends of a topic, and notes what they say of it."""

    def __init__(
        self, said: str, tokens: Sequence[Token], own: Mapping[str, tuple[str, ...]], *, bare: bool
    ) -> None:
        self._said, self._tokens, self._own, self._bare = said, tokens, own, bare
        self._loud = said.isupper()
        self._first, self._last = 0, len(tokens)
        self._single = self._several = self._newest = self._oldest = self._these = False
        self._count = 0
        self._spoken = self._kind = ""

    def front(self) -> None:
        """Take off what a topic begins with."""
        while size := self._note(range(min(_LONGEST_PHRASE, self._last - self._first), 0, -1), 1):
            self._first += size

    def back(self) -> None:
        """Take off what a topic ends with: "the Sora article"."""
        while size := self._note(range(min(_LONGEST_PHRASE, self._last - self._first), 0, -1), -1):
            self._last -= size

    def topic(self) -> Topic | None:
        """What is left."""
        of_documents = self._single or self._several
        single = self._single and not self._several
        if self._first < self._last:
            last = _compared(self._tokens[self._last - 1], self._bare)
            if last in self._own["leading"]:  # "Han in the article" is about Han
                return None
            text = self._said[self._tokens[self._first].start : self._tokens[self._last - 1].end]
            if place := self._place():
                return Topic("", True, True, points=True, place=place)
            own = [_compared(one, self._bare) for one in self._tokens[self._first : self._last]]
            if " ".join(own) in self._own["kinds"]:
                self._kind = text
            return Topic(text, of_documents, single, **self._noted())
        if not of_documents:
            return None
        return Topic("", True, single, **self._noted(), these=self._these)

    def _noted(self) -> _Noted:
        return {
            "newest": self._newest,
            "oldest": self._oldest,
            "count": self._count if self._newest or self._oldest else 0,
            "spoken": self._spoken,
            "kind": self._kind,
        }

    def _place(self) -> int:
        """Which of the documents is meant by what is left: "the second one"."""
        own = [_compared(one, self._bare) for one in self._tokens[self._first : self._last]]
        left = " ".join(own).removesuffix(" one")
        return self._own["ordinals"].index(left) + 1 if left in self._own["ordinals"] else 0

    def _note(self, sizes: range, way: int) -> int:
        """How many words at one end say nothing of the topic itself, the most first."""
        for size in sizes:
            at = self._first if way > 0 else self._last - size
            if self._is_capital(at):
                continue
            phrase = " ".join(_compared(one, self._bare) for one in self._tokens[at : at + size])
            if self._takes(phrase, at, size, way):
                return size
        return 0

    def _takes(self, phrase: str, at: int, size: int, way: int) -> bool:
        own = self._own
        if phrase in own["plural"] and (way < 0 or self._ends(at + size)):
            self._several = True
        elif phrase in own["documents"] and (way < 0 or self._ends(at + size)):
            self._single = True
        elif phrase in own["newest"] and (way > 0 or self._single or self._several):
            self._newest = True
        elif phrase in own["oldest"] and (way > 0 or self._single or self._several):
            self._oldest = True
        elif count := self._counted(phrase, at, size, way):
            self._count, self._several = count, True
        elif (way > 0 and phrase in own["leading"]) or (way < 0 and phrase in own["trailing"]):
            pass
        elif spoken := self._language(at, size):
            self._spoken = spoken
        else:
            return False
        if phrase in own["kinds"]:
            self._kind = phrase
        self._several = self._several or phrase in own["several"]
        self._these = self._these or phrase in own["demonstratives"]
        return True

    def _ends(self, at: int) -> bool:
        """Whether a word for a document ends there: it is no part of a name, "paper mill"."""
        if at == self._last or self._is_capital(at):
            return True
        behind = [_compared(one, self._bare) for one in self._tokens[at : at + _LONGEST_PHRASE]]
        lists = ("leading", "trailing", "newest", "oldest")
        known = {phrase for name in lists for phrase in self._own[name]}
        phrases = [" ".join(behind[:size]) for size in range(1, len(behind) + 1)]
        named = any(
            named_language(self._said[self._tokens[at].start : one.end])
            for one in self._tokens[at : at + 3]
        )
        return named or any(one in known for one in phrases)

    def _counted(self, phrase: str, at: int, size: int, way: int) -> int:
        """How many are meant: in front of a word for documents or for their age, or behind the latter.

        Any other number belongs to what the documents are about: "the iPhone 15 article".
        """
        count = number_of(phrase, self._own)
        if not count:
            return 0
        around = [_compared(one, self._bare) for one in self._tokens]
        ages = self._own["newest"] + self._own["oldest"]
        nouns = self._own["documents"] + self._own["plural"]
        before, behind = f" {' '.join(around[:at])} ", f" {' '.join(around[at + size :])} "
        # What follows is more than a number in "mới nhất năm 2020": there "năm" is the year.
        ends = at + size == len(self._tokens)
        if ends and any(before.endswith(f" {one} ") for one in ages):
            return count
        leads = at == self._first and any(behind.startswith(f" {one} ") for one in ages + nouns)
        return count if way > 0 and leads else 0

    def _language(self, at: int, size: int) -> str:
        """The language that words name which stand beside a word for documents."""
        before = " ".join(_compared(one, self._bare) for one in self._tokens[max(0, at - 2) : at])
        behind = [_compared(one, self._bare) for one in self._tokens[at + size : at + size + 2]]
        nouns = {*self._own["documents"], *self._own["plural"]}
        beside = {before, before.rpartition(" ")[2], " ".join(behind), *behind[:1]} & nouns
        span = self._said[self._tokens[at].start : self._tokens[at + size - 1].end]
        return named_language(span) if beside else ""

    def _is_capital(self, at: int) -> bool:
        token = self._tokens[at]
        if self._loud or token.start == 0 or not self._said[token.start].isupper():
            return False
        return not named_language(self._said[token.start : token.end])
