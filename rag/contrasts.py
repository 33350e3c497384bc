"""What words say of how things relate: opposites, bounds, units, denials; see ``contrasts.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from .text import lowered

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text in lower case, where it stands, and whether it begins with a capital."""

    word: str
    start: int
    end: int
    capital: bool


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text in Unicode NFC, each once, digits and letters together: ``a100``."""
    lower = lowered(text)
    return tuple(
        Token(match[0], match.start(), match.end(), text[match.start()].isupper())
        for match in _WORD.finditer(lower)
    )


class Phrases:
    """Phrases, each with what it means, that are found in a sequence of words.

    Args:
        meanings: What each phrase means.
    """

    def __init__(self, meanings: Mapping[str, Any]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
        for phrase, meaning in meanings.items():
            words = tuple(_WORD.findall(lowered(unicodedata.normalize("NFC", phrase))))
            self._by_first.setdefault(words[0], []).append((words, meaning))
        for listed in self._by_first.values():
            listed.sort(key=lambda one: -len(one[0]))

    def found(self, words: Sequence[str]) -> Iterator[tuple[Any, int, int]]:
        """Meanings in order, with the first word and the one behind the last; none within another."""
        place = 0
        while place < len(words):
            for phrase, meaning in self._by_first.get(words[place], ()):
                if tuple(words[place : place + len(phrase)]) == phrase:
                    yield meaning, place, place + len(phrase)
                    place += len(phrase) - 1
                    break
            place += 1

    def ending(self, words: Sequence[str], end: int) -> Any:
        """The meaning of the longest phrase whose last word is the one before ``end``, if any."""
        for start in range(max(0, end - 4), end):
            for phrase, meaning in self._by_first.get(words[start], ()):
                if tuple(words[start:end]) == phrase:
                    return meaning
        return None

    def beginning(self, words: Sequence[str], start: int) -> Any:
        """The meaning of the longest phrase that begins at a word, if any."""
        for phrase, meaning in self._by_first.get(words[start], ()) if start < len(words) else ():
            if tuple(words[start : start + len(phrase)]) == phrase:
                return meaning
        return None


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rag").joinpath("contrasts.toml").read_text("utf-8"))


def _listed(by_language: Mapping[str, str]) -> list[str]:
    return [one.strip() for names in by_language.values() for one in names.split(",")]


@cache
def poles() -> Phrases:
    """Phrases that are one end of a scale: tuples of (scale, end), the ends of a scale 0 and 1."""
    meanings: dict[str, tuple[tuple[int, int], ...]] = {}
    for scale, row in enumerate(_table()["opposites"]):
        for end, name in enumerate(("one", "other")):
            for phrase in _listed(row[name]):
                meanings[phrase] = (*meanings.get(phrase, ()), (scale, end))
    return Phrases(meanings)


@cache
def same() -> Phrases:
    """Phrases that say the same: the numbers of their groups."""
    meanings: dict[str, tuple[int, ...]] = {}
    for number, group in enumerate(_table()["same"]["groups"]):
        for phrase in _row(group):
            meanings[phrase] = (*meanings.get(phrase, ()), number)
    return Phrases(meanings)


@cache
def light() -> frozenset[str]:
    """Words that frame what is told, and claim nothing themselves."""
    return frozenset(_row(_table()["same"]["light"]))


def _row(listed: str) -> list[str]:
    return [one.strip() for one in listed.replace("|", ",").split(",")]


@cache
def bounds(section: str, *, behind: bool = False) -> Phrases:
    """Phrases that make a figure the least (1) or the most (-1) of what is meant.

    Args:
        section: ``bounds`` of figures, ``times`` of dates.
        behind: Those that stand behind it, else those before it.
    """
    names = {"least_behind": 1, "most_behind": -1} if behind else {"least": 1, "most": -1}
    table = _table()[section]
    return Phrases({p: value for name, value in names.items() for p in _listed(table[name])})


@cache
def units() -> Phrases:
    """Words behind a number that are its unit: tuples of its kind and its key."""
    return Phrases(
        {
            phrase: (kind, f"{kind}:{key}")
            for kind, by_key in _table()["units"].items()
            for key, by_language in by_key.items()
            for phrase in _listed(by_language)
        }
    )


@cache
def each() -> frozenset[str]:
    """Words before a unit of time that make it a rate: "a day", "mỗi năm"."""
    return frozenset(_listed(_table()["rates"]["each"]))


@cache
def no_denials() -> Phrases:
    """Phrases with a word that denies which deny nothing."""
    return Phrases(dict.fromkeys(_listed(_table()["denying"]["never"]), True))


@cache
def hidden_denials() -> Phrases:
    """Words that deny and are no negations."""
    return Phrases(dict.fromkeys(_listed(_table()["denying"]["also"]), True))


@cache
def denied_until() -> frozenset[str]:
    """Words at which the reach of a denial ends."""
    return frozenset(_listed(_table()["denying"]["until"]))


@cache
def acting_behind() -> frozenset[str]:
    """Words with which the one who acts stands behind what is done."""
    return frozenset(_listed(_table()["passive"]["by"]))


@cache
def owner_before() -> frozenset[str]:
    """Words between two names that make the second the first one's: "Meta's Llama"."""
    return frozenset(_listed(_table()["passive"]["owner_before"]))


@cache
def owner_behind() -> frozenset[str]:
    """Words between two names that make the first the second one's: "Llama của Meta"."""
    return frozenset(_listed(_table()["passive"]["owner_behind"]))


@cache
def harmless() -> Phrases:
    """Phrases that end with such a word, or with one of ``beside``, and mean neither."""
    return Phrases(dict.fromkeys(_listed(_table()["passive"]["never"]), True))


@cache
def articles() -> frozenset[str]:
    """Words that may stand before the one of which a clause tells."""
    return frozenset(_listed(_table()["passive"]["articles"]))


@cache
def clause_openers() -> frozenset[str]:
    """Words that begin a clause of its own."""
    return frozenset(_listed(_table()["passive"]["clauses"]))


@cache
def beside() -> frozenset[str]:
    """Prepositions behind which a name takes no part in what is told."""
    return frozenset(_listed(_table()["passive"]["beside"]))
