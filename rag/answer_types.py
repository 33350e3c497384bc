"""Whether a sentence tells the kind of thing that a question asks for.

A figure or a name that the question holds already is no answer to it. What is looked for are the
forms that ``rag.figures`` and ``rag.concepts`` read in every language, capitals, and the telling
words of ``languages.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .concepts import Concept, concepts
from .language import function_words, telling_words
from .question import Asked
from .relations import relations, unit_of, unit_words
from .text import fold, word_spans, words

# A word that is counted stands within so many characters behind its number.
_BEHIND = 24
# What may stand between a sign of money and its number, and how a number is labelled: "; Staff: 12".
_LEADS = re.compile(r"[\s)\]:=]{0,4}-?")
_LONGEST_LABEL = 80
_LABEL = re.compile(r"(?:\A|; )((?:[^\s;:]+ ){0,3}[^\s;:]+): ?$")
# What does not always show: a place may be "the old mill", one of some "the east stairs".
_LEAST = {"choice": 0.5, "manner": 0.4, "place": 0.3, "reason": 0.3, "person": 0.2}
# From here on a sentence tells what is asked for, if not in so many words.
TELLS = 0.8
# What the keys of dates begin with.
DATES = ("year:", "month:", "date:", "day:", "century:", "decade:", "weekday:")
_NUMBERS = ("number:", "percent:")
_TELLS_WHO = re.compile(
    r"\s?[,(–—-]\s?[^\W\d]|\s(?:is|was|are|were|là|từng là|vốn là)\s", re.IGNORECASE
)
_CLOCK = re.compile(
    r"\b\d{1,2}(?:[:.h]\d\d)?\s?(?:giờ|h\b|a\.?m\b|p\.?m\b|o'clock)"
    r"|(?<![\d:.])(?:[01]?\d|2[0-3]):[0-5]\d(?![\d:]|\.\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sentence tells: its names, each as folded words, its figures and known names, and relations."""

    text: str
    language: str
    names: tuple[tuple[tuple[str, ...], int, int], ...]
    concepts: tuple[Concept, ...]
    relations: frozenset[str]


def shown(sentence: str, language: str) -> Shown:
    """The names and figures of a sentence."""
    return Shown(
        sentence,
        language,
        tuple(_names(sentence)),
        tuple(concepts(sentence, language)),
        relations(sentence, language),
    )


def values(told: Shown, asked: Asked) -> frozenset[str]:
    """What of the asked kind a sentence tells, in a form that no language changes.

    For a person, place or one of some these are names; for a time the keys of dates; for an amount
    or a duration those of numbers. Empty where the sentence tells none, or the kind has no values.
    """
    found: set[str] = set()
    dates = [
        one for one in told.concepts if one.key.startswith(DATES) and one.key not in asked.keys
    ]
    numbers = [
        one
        for one in told.concepts
        if one.key.startswith(_NUMBERS)
        and one.key not in asked.keys
        and not _dated(one, told.concepts)
    ]
    if "time" in asked.kinds:
        found |= {one.key for one in dates}
        found |= {match[0].lower() for match in _CLOCK.finditer(told.text)}
    if "duration" in asked.kinds:
        found |= {one.key for one in numbers if _behind(told.text, one, telling_words("periods"))}
    if "amount" in asked.kinds:
        found |= {one.key for one in numbers}
    if asked.kinds & {"person", "place", "choice"}:
        found |= {" ".join(name) for name, _, _ in told.names if not _asked_for(name, asked)}
    return frozenset(found)


def fits(told: Shown, asked: Asked) -> float:
    """How well a sentence shows the kind of thing that is asked for, in [0, 1].

    It is 0.5 where the question asks for nothing that shows. A figure of another year than the one that
    is asked about is half of one.
    """
    shares = [max(_LEAST.get(kind, 0.0), _fits(kind, told, asked)) for kind in asked.kinds]
    fit = max(shares, default=0.5)
    return fit / 2 if "amount" in asked.kinds and _is_of_another_year(told, asked) else fit


def _is_of_another_year(told: Shown, asked: Asked) -> bool:
    """Whether a question is about a year, and a sentence begins with another: "For 2024 …", "Năm 2024 …"."""
    sought = {key for key in asked.keys if key.startswith("year:")}
    years = {one.key: one.start for one in told.concepts if one.key.startswith("year:")}
    if not sought or not years or sought & years.keys():
        return False
    before = words(told.text[: min(years.values())])
    return all(word in function_words() for word in before)


def _fits(kind: str, told: Shown, asked: Asked) -> float:
    if kind == "published":  # the head of a document tells it, whatever its other sentences show
        return 0.5
    if kind == "reason":
        return float(_tells(told.text, telling_words("reasons")))
    if kind == "identity":
        return 1.0 if any(_is_told_of(name, told) for name in asked.names) else 0.2
    if kind == "manner":
        return float(_tells(told.text, telling_words("means")))
    if kind == "amount":
        return _amount(told, asked)
    if kind == "person":
        return max(
            (_person(told, name) for name in told.names if not _asked_for(name[0], asked)),
            default=0.0,
        )
    if kind == "place":
        return max(
            (_place(told, name) for name in told.names if not _asked_for(name[0], asked)),
            default=0.0,
        )
    return float(bool(values(told, asked)))


def _is_told_of(name: tuple[str, ...], told: Shown) -> bool:
    """Whether a sentence says of a name who or what it is: "Ma, a professor", "Ma là giáo sư"."""
    return any(
        parts[-len(name) :] == name and _TELLS_WHO.match(told.text, end)
        for parts, _, end in told.names
    )


def _amount(told: Shown, asked: Asked) -> float:
    """How well a sentence tells a figure of what is asked for, in its unit."""
    amounts = [
        one
        for one in told.concepts
        if one.key.startswith(_NUMBERS)
        and one.key not in asked.keys
        and (not _dated(one, told.concepts) or _has_sign(told, one, leading=True))
    ]
    costs_nothing = "price" in asked.relations and _is_gratis(told.text)
    if not amounts or costs_nothing:
        return float(costs_nothing)
    units = {unit_of(relation) for relation in asked.relations} - {"", "count"}
    if units:
        return 1.0 if any(_in_unit(told, one, unit) for one in amounts for unit in units) else 0.2
    counted = {fold(word) for word in asked.focus.split()}
    if any(_behind(told.text, one, counted) for one in amounts):
        return 1.0
    behind = (relations(told.text[one.end : one.end + _BEHIND], told.language) for one in amounts)
    if any(asked.relations & known for known in behind):
        return 1.0
    if asked.relations & told.relations:
        return TELLS  # "employs 340 people" counts the employees
    return 0.4 if counted and told.language == asked.language else 0.6


def _in_unit(told: Shown, one: Concept, unit: str) -> bool:
    """Whether a number is told in a unit: behind it, or as a sign of money beside it."""
    if unit == "money" and _has_sign(told, one):
        return True
    behind = told.text[one.end - 1 : one.end + _BEHIND].partition(";")[0]
    return _tells(behind, unit_words(unit), loose=True)


def _is_gratis(text: str) -> bool:
    """Whether a text says that something costs nothing: "Fee: free", and not "free software"."""
    return _gratis().search(text.lower()) is not None


@cache
def _gratis() -> re.Pattern[str]:
    known = "|".join(map(re.escape, sorted(telling_words("gratis"))))
    return re.compile(rf"(?::|\b(?:is|are|was|were|là|được)) (?:{known})(?:[.;,]|$)")


def _has_sign(told: Shown, one: Concept, *, leading: bool = False) -> bool:
    """Whether a sign of money stands beside a number; ``leading`` if it must stand in front.

    With one in front of it a number is no year: "$1995", but "In 2020 dollars were banned".
    """
    signs = (each for each in told.concepts if each.key.startswith("currency:"))
    return any(
        _beside(told.text, one, sign) for sign in signs if sign.start < one.start or not leading
    )


def _beside(text: str, number: Concept, sign: Concept) -> bool:
    """Whether a sign of money is that of a number: "$5", "(USD): 5", "5 million dollars"."""
    if sign.start < number.start:
        taken = text[: sign.start].rstrip()[-1:].isdigit()  # "5 USD, 300 people"
        return not taken and _LEADS.fullmatch(text[sign.end : number.start]) is not None
    return sign.start - number.end <= _BEHIND and ";" not in text[number.end : sign.start]


def _asked_for(name: tuple[str, ...], asked: Asked) -> bool:
    """Whether a name is one of the question's own."""
    own = {word for one in asked.names for word in one}
    question = {fold(word) for word, _, _ in word_spans(asked.text)}
    return set(name) <= own or set(name) <= question


def _person(told: Shown, name: tuple[tuple[str, ...], int, int]) -> float:
    """How much a name looks like that of a person."""
    parts, start, end = name
    known = {one.key.partition(":")[0] for one in told.concepts if start <= one.start < end}
    if known & {"territory", "currency", "language", "month", "weekday", "year"}:
        return 0.1
    if _place(told, name) == 1.0:
        return 0.2
    around = told.text[max(0, start - 28) : start] + " | " + told.text[end : end + 36]
    titled = _tells(around, telling_words("people"))
    if titled:
        return 1.0
    return 0.8 if 2 <= len(parts) <= 4 else 0.4


def names_a_person(sentence: str, language: str) -> bool:
    """Whether a sentence has a name that a title or a profession beside it shows to be a person's."""
    told = Shown(sentence, language, tuple(_names(sentence)), (), frozenset())
    return any(_person(told, name) == 1.0 for name in told.names)


def _place(told: Shown, name: tuple[tuple[str, ...], int, int]) -> float:
    """How much a name looks like that of a place."""
    _, start, end = name
    if any(one.key.startswith("territory:") and start <= one.start < end for one in told.concepts):
        return 1.0
    before = told.text[max(0, start - 16) : start]
    found = re.search(
        r"(\w+)(?:\s+(?:the|thành phố|tỉnh|tp\.?|quận|kỳ))?\s+$", before, re.IGNORECASE
    )
    return 1.0 if found and found[1].lower() in telling_words("before_places") else 0.5


def _names(sentence: str) -> Iterable[tuple[tuple[str, ...], int, int]]:
    """Runs of words in capitals, but for a lone first word and acronyms that are no names."""
    run: list[tuple[str, int, int]] = []
    spans = list(word_spans(sentence))
    for position, (word, start, end) in enumerate(spans):
        token = sentence[start:end]
        capital = any(map(str.isupper, token)) and token not in telling_words("roles")
        opening = position == 0 and not any(map(str.isupper, token[1:]))
        capital = capital and not (opening and word in function_words())
        near = run and sentence[run[-1][2] : start] in (" ", "-", "&", ". ")
        if run and not (capital and near):
            yield from _whole(run, sentence)
            run = []
        if capital:
            run.append((fold(word), start, end))
    yield from _whole(run, sentence)


def _whole(
    run: list[tuple[str, int, int]], sentence: str
) -> Iterable[tuple[tuple[str, ...], int, int]]:
    if not run:
        return
    start, end = run[0][1], run[-1][2]
    alone = (
        len(run) == 1 and not sentence[:start].strip(' "“(') and sentence[start + 1 : end].islower()
    )
    if not alone:
        yield tuple(word for word, _, _ in run), start, end


def _dated(one: Concept, every: tuple[Concept, ...]) -> bool:
    """Whether a number is part of a date: the 2024 of "in 2024"."""
    return any(
        other.key.startswith(DATES) and other.start <= one.start and one.end <= other.end
        for other in every
    )


def _behind(text: str, one: Concept, wanted: Iterable[str]) -> bool:
    """Whether one of some words stands shortly behind a number, or is its label: "Staff: 12"."""
    behind = text[one.end : one.end + _BEHIND].partition(";")[0]
    near = [fold(word) for word, _, _ in word_spans(behind)][:3]
    if label := _LABEL.search(text, max(0, one.start - _LONGEST_LABEL), one.start):
        near += [fold(word) for word, _, _ in word_spans(label[1])]
    bare = {fold(word) for word in wanted}
    return any(word in bare or word.removesuffix("s") in bare for word in near)


def _tells(text: str, phrases: frozenset[str], *, loose: bool = False) -> bool:
    """Whether a text holds one of some words or phrases; loose where one may follow a digit."""
    return bool(_pattern(phrases, loose=loose).search(text.lower()))


@cache
def _pattern(phrases: frozenset[str], *, loose: bool) -> re.Pattern[str]:
    listed = "|".join(re.escape(one) for one in sorted(phrases, key=len, reverse=True))
    before = r"(?<![^\W\d_])" if loose else r"(?<![^\W_])"
    return re.compile(rf"{before}(?:{listed})(?![^\W_])")
