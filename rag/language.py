"""Which language a text is in, and what ``languages.toml`` knows of it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

# Letters that only Vietnamese uses, among the languages written in Latin script:
# the horned vowels, đ, and vowels that carry a tone and another mark at once. Romanian has ă too.
_VIETNAMESE = re.compile("[ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]", re.IGNORECASE)

# Letters with a mark that Vietnamese has, beside those that other languages have, too.
_MARKED = re.compile(f"{_VIETNAMESE.pattern}|[àáâãèéêìíòóôõùúýăĩũ]", re.IGNORECASE)

# Below this probability the model is guessing, as it does for names and figures alone; the
# short questions of tests/rag/test_language.py lie above it.
_CONFIDENT = 0.5
# Without diacritics "là" and "để" look like words of French and Spanish. Above this probability
# the model knows better; of Vietnamese questions typed so it takes one in 150 for another language.
_CERTAIN = 0.9
_SAMPLE_CHARACTERS = 4000


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("rag").joinpath("languages.toml").read_text("utf-8"))


@cache
def function_words(language: str | None = None) -> frozenset[str]:
    """The words without a topic of a language, or of all languages; with and without diacritics."""
    from .text import fold

    tables = [_tables().get(language, {})] if language else list(_tables().values())
    listed = {word for table in tables for word in table.get("function_words", "").split()}
    return frozenset(listed | {fold(word) for word in listed})


@cache
def abbreviations(language: str) -> frozenset[str]:
    """Abbreviations whose full stop does not end a sentence in that language."""
    return frozenset(_tables().get(language, {}).get("abbreviations", ()))


def follow_up_tables() -> dict[str, Mapping[str, Any]]:
    """How a question leans on earlier ones, by language; ``rag.follow_ups`` reads it."""
    return {code: table["follow_up"] for code, table in _tables().items() if "follow_up" in table}


def asked_kinds(question: str, language: str) -> dict[str, str]:
    """The kinds of thing that a question asks for, each with the words that ask for it.

    Args:
        question: The question.
        language: Its language, ISO 639-1.

    Returns:
        Of ``person``, ``time``, ``duration``, ``amount``, ``place``, ``reason``, ``manner`` and
        ``choice`` (which of some); empty where it asks for nothing that shows on the surface.
    """
    # "AI" is an acronym in English and the word "who" in Vietnamese.
    lower = re.sub(r"\b[A-Z]{2,}\b", "_", question) if not question.isupper() else question
    asked = " ".join(unicodedata.normalize("NFC", lower).lower().split()).rstrip("?!. ")
    found: dict[str, str] = {}
    for kind, patterns in _kinds(language, bare=asked.isascii()).items():
        for pattern in patterns:
            if kind not in found and (match := pattern.search(asked)):
                found[kind] = match.group()
    return found


@cache
def _kinds(language: str, *, bare: bool) -> dict[str, tuple[re.Pattern[str], ...]]:
    from .text import fold

    kinds = _tables().get(language, {}).get("kinds", {})
    return {
        kind: tuple(re.compile(fold(one) if bare else one) for one in patterns)
        for kind, patterns in kinds.items()
    }


def question_kinds(question: str, language: str) -> frozenset[str]:
    """Which of a person, a time and an amount a question asks for."""
    return frozenset(asked_kinds(question, language)) & {"person", "time", "duration", "amount"}


@cache
def sentence_patterns(name: str, language: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of sentences in small letters, of a language, and of all where it has none.

    Args:
        name: ``unknowing``, ``unknowing_alone`` or ``beside_unknowing`` of ``languages.toml``.
        language: ISO 639-1.
    """
    tables = _tables()
    own = tables.get(language, {}).get(name)
    listed = own or [one for table in tables.values() for one in table.get(name, ())]
    return tuple(re.compile(pattern) for pattern in listed)


@cache
def time_words(name: str) -> frozenset[str]:
    """Phrases of any language that say something of time.

    Args:
        name: What they say, as ``times`` in ``languages.toml`` calls it: ``newest``, ``after``, …
    """
    return frozenset(
        phrase for table in _tables().values() for phrase in table.get("times", {}).get(name, ())
    )


@cache
def back_references(language: str) -> tuple[Any, ...]:
    """Patterns with which a sentence opens that only an earlier one explains."""
    import regex

    listed = _tables().get(language, {}).get("back_references", ())
    return tuple(regex.compile(pattern) for pattern in listed)


@cache
def telling_words(kind: str) -> frozenset[str]:
    """Words of any language that tell something, by what ``languages.toml`` calls them.

    Args:
        kind: ``people``, ``before_places``, ``reasons``, ``credits`` or another list of the table.
    """
    return frozenset(word for table in _tables().values() for word in table.get(kind, ()))


@cache
def negations() -> frozenset[str]:
    """The words of any language that deny; with and without diacritics."""
    from .text import fold

    listed = [word for table in _tables().values() for word in table.get("negations", ())]
    return frozenset(form for word in listed for form in (word, fold(word)))


@cache
def magnitudes() -> dict[str, int]:
    """Words of any language behind a figure, such as "million", and the power of ten they are."""
    from .text import fold

    listed = [pair for table in _tables().values() for pair in table.get("magnitudes", {}).items()]
    return {form: power for word, power in listed for form in (word, fold(word))}


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language writes numbers in words; what each field holds says ``languages.toml``."""

    values: Mapping[str, int]
    multipliers: Mapping[str, int]
    in_compounds: frozenset[str]
    before_multiplier: frozenset[str]
    joints: frozenset[str]
    ordinals: Mapping[str, int]


@cache
def number_words() -> dict[str, NumberWords]:
    """The number words of every language that has some, by its code."""
    return {
        language: NumberWords(
            table["numbers"],
            {word: 10**power for word, power in table["magnitudes"].items() if len(word) > 1}
            | table["number_multipliers"],
            frozenset(table["number_in_compounds"]),
            frozenset(table["number_before_multiplier"]),
            frozenset(table["number_joints"]),
            table["ordinals"],
        )
        for language, table in _tables().items()
        if "numbers" in table
    }


def languages() -> tuple[str, ...]:
    """The codes of the languages that ``languages.toml`` lists, ISO 639-1."""
    return tuple(_tables())


def language_name(language: str) -> str:
    """The English name of a language, or its code where the table does not know it."""
    return str(_tables().get(language, {}).get("name", language))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_tables()))
    return identifier


def detect_language(text: str, default: str = "en") -> str:
    """The language of a text, ISO 639-1.

    Letters that only Vietnamese has decide first, then a majority of function words (a
    question is often too short for statistics, and Vietnamese is often typed without
    diacritics: that the model may deny if it is certain), then the model of py3langid.

    Args:
        text: A question or a document; only its beginning is read.
        default: What to answer for a text that shows nothing, such as a lone name.

    Returns:
        A code that ``languages.toml`` lists, or ``default``.
    """
    sample = unicodedata.normalize("NFC", text[:_SAMPLE_CHARACTERS])
    whole = _voting(sample)
    # A name tells where somebody is from, not in which language one asks about them.
    rest = _named().sub(_without_name, sample)
    tokens = _voting(rest)
    marked = sum(1 for token in tokens if _VIETNAMESE.search(token))
    if marked and marked * 10 >= len(tokens):
        return "vi"
    counts = {code: sum(token in function_words(code) for token in tokens) for code in ("en", "vi")}
    best = max(counts, key=lambda code: counts[code])
    decided = counts[best] > 2 * (sum(counts.values()) - counts[best])
    decided = decided and counts[best] * 5 >= len(tokens)
    if decided and (marked or best != "vi"):
        return best
    # "blah blah" is Indonesian by 0.79, "blah" is nothing.
    code, probability = _identifier().classify(rest if len(set(tokens)) != 1 else tokens[0])
    if decided and float(probability) < _CERTAIN:
        return best
    if float(probability) >= _CONFIDENT:
        return str(code)
    if counts[best] > sum(counts.values()) - counts[best] and counts[best] * 5 >= len(tokens):
        return best
    named = sum(1 for token in whole if _VIETNAMESE.search(token))
    return "vi" if named and named * 10 >= len(whole) else default


@cache
def _named() -> Any:
    """What may be a name: several words in capitals, or one behind a word in small letters."""
    import regex

    capital = r"\p{Lu}[\p{L}\p{M}]+"
    return regex.compile(rf"\b{capital}(?: {capital})+|(?<=[\p{{Ll}}\p{{M}}] ){capital}")


def _voting(text: str) -> list[str]:
    """The words of a text that tell its language: "AI" is an acronym, and the word "who" in Vietnamese."""
    from .text import words

    return words(re.sub(r"\b[A-Z]{2,}\b", " ", text))


def _without_name(run: Any) -> str:
    """Words in capitals, of which those go that make a Vietnamese name."""
    first, *more = run.group().split(" ")
    asks = first if more and first.lower() in function_words("en") else ""
    return asks if _MARKED.search(run.group()) else run.group()
