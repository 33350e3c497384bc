"""The names that texts are searched for: those of Unicode's CLDR, and those of ``concepts.toml``."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from .language import number_words
from .text import fold, lowered

_WORD = re.compile(r"[^\W_]+")
# A name of one word of Vietnamese is a syllable when it is no longer than this: "Pháp", "Nhật".
_SYLLABLE = 4
# What CLDR lists beside territories and present currencies: the world, tests, the unknown.
_NO_TERRITORIES = frozenset(["001", "QO", "UM", "UN", "XA", "XB", "ZZ", "EZ", "CP", "CQ"])
_NO_CURRENCY = re.compile(r"X(?!AF|CD|OF|PF)")
_KINDS = ("territory", "currency", "unit", "name")
# Both ways in which a tone is written over two vowels: "Thuỵ" and "Thụy", "hoà" and "hòa".
_TONES = (("oà", "òa"), ("oá", "óa"), ("oạ", "ọa"), ("oả", "ỏa"), ("uỳ", "ùy"), ("uý", "úy"), ("uỵ", "ụy"), ("uỷ", "ủy"))  # fmt: skip


class Need(enum.Enum):
    """What a name needs to count, besides standing there."""

    NOTHING = enum.auto()
    INITIALS = enum.auto()  # each word begins with a capital
    CAPITALS = enum.auto()  # all of it is in capitals
    A_COUNTRY = enum.auto()  # nothing around it says that it is another word


@dataclass(frozen=True, slots=True)
class Name:
    """What a name stands for, and what it needs to count."""

    keys: tuple[str, ...]
    need: Need


@dataclass(frozen=True, slots=True)
class Speakers:
    """The words that tell a country of one syllable from another word; see ``concepts.toml``."""

    for_a_country: frozenset[str]
    never: frozenset[str]
    before: frozenset[str]


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rag").joinpath("concepts.toml").read_text("utf-8"))


def _listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


@cache
def speakers() -> Speakers:
    """What speaks for and against a country of one syllable."""
    table = _table()["speaks"]
    names = ("for_a_country", "only_with_another", "before")
    return Speakers(*(frozenset(_listed(table[name])) for name in names))


@cache
def known_names() -> tuple[dict[str, Name], dict[str, int]]:
    """All names, and how many words those that begin with a word have at most.

    Returns:
        Names by their words in lower case with a space between, and again without their
        diacritics; the most words of a name by its first word.
    """
    capitals = _table()["capitals"]
    always, bare_too = frozenset(_listed(capitals["always"])), frozenset(_listed(capitals["bare"]))
    names: dict[str, Name] = {}
    for key, name, language in _all_names():
        words = _WORD.findall(lowered(name))
        written = " ".join(words)
        need = Need.INITIALS if fold(written) in always else Need.NOTHING
        if name.isupper() and len(name) > 1:
            need = Need.CAPITALS
        elif language == "vi" and len(words) == 1 and len(written) <= _SYLLABLE:
            need = Need.A_COUNTRY
        _note(names, written, key, need)
        bare = fold(written)
        if len(words) > 1 and bare != written:
            _note(names, bare, key, Need.INITIALS if bare in bare_too else need)
        for one, other in _TONES:
            for old, new in ((one, other), (other, one)):
                if old in written:
                    _note(names, written.replace(old, new), key, need)
    longest: dict[str, int] = {}
    for written in names:
        words = written.split()
        longest[words[0]] = max(len(words), longest.get(words[0], 0))
    return names, longest


def _note(names: dict[str, Name], written: str, key: str, need: Need) -> None:
    known = names.get(written)
    if known is None:
        names[written] = Name((key,), need)
    elif key not in known.keys:
        # What needs nothing in one language is the same word in another: "Italy", "Canada".
        names[written] = Name((*known.keys, key), min(known.need, need, key=lambda one: one.value))


def _all_names() -> Iterator[tuple[str, str, str]]:
    """Every key with a name of it and the language of the name."""
    listed = [
        (f"{kind}:{slug}", name, language)
        for kind in _KINDS
        for slug, by_language in _table()[kind].items()
        for language, names in by_language.items()
        for name in _listed(names)
    ]
    yield from listed
    people = {name: key for key, name, _ in listed}
    for language in number_words():
        phrases = _listed(_table()["languages"].get(language, ""))
        for key, name in _of_unicode(language):
            if not key.startswith("language:") or not phrases or name not in people:
                yield key, name, language
                continue
            for phrase in phrases:
                yield people[name], phrase.format(name), language
                yield key, phrase.format(name), language


def _of_unicode(language: str) -> Iterator[tuple[str, str]]:
    """The names that CLDR has for territories, languages and present currencies."""
    from babel import Locale

    locale = Locale(language)
    no_codes = frozenset(_listed(_table()["capitals"]["codes"]))
    for code, name in locale.territories.items():
        if code not in _NO_TERRITORIES:
            # "Myanmar (Burma)" are two names, "Cocos (Keeling) Islands" is one.
            for part in name.removesuffix(")").split(" (") if name.endswith(")") else [name]:
                yield f"territory:{code.lower()}", part
    for code, name in locale.languages.items():
        if len(code) == 2 and name not in _listed(_table()["languages"]["never"]):
            yield f"language:{code}", name
    for code, name in locale.currencies.items():
        if "(" not in name and not _NO_CURRENCY.match(code):
            yield f"currency:{code.lower()}", name
            if code not in no_codes:
                yield f"currency:{code.lower()}", code


@cache
def known_signs() -> tuple[dict[str, str], re.Pattern[str]]:
    """What signs stand for, and a pattern that finds them where they are not part of a word."""
    from babel import Locale

    signs = {"°C": "unit:celsius", "°F": "unit:fahrenheit"}
    for language in number_words():
        for code, sign in Locale(language).currency_symbols.items():
            if not sign.isalpha() and code != "XXX":
                signs.setdefault(sign, f"currency:{code.lower()}")
    listed = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
    signs["đ"] = "currency:vnd"
    return signs, re.compile(rf"(?<![^\W\d_])(?:{listed})|(?<=\d)đ(?![^\W_])")
