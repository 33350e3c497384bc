"""What a question asks for: its kind of answer, whom and what it names, and what about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .concepts import Concept, concepts
from .language import asked_kinds, function_words, telling_words
from .question_names import names_of
from .relations import relations
from .text import fold, word_spans, words

# A question asks about so many words behind "which" or before "nào" at most.
_FOCUS = 3
# Kinds whose answer shows in figures or names: "năm nào" is answered without the word "năm".
_IN_FIGURES = frozenset(["time", "duration", "place"])
_LEADS_TO_FOCUS = {
    "en": re.compile(r"\b(?:which|what|how many|how much)\b", re.IGNORECASE),
    "vi": re.compile(r"\b(?:bao nhiêu|bao nhieu|mấy|may)\b", re.IGNORECASE),
}
_ENDS_FOCUS = {"vi": re.compile(r"\b(?:nào|nao|gì|gi)\b", re.IGNORECASE)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, taken apart.

    ``kinds`` are those of ``rag.language.asked_kinds``, or ``identity`` where it asks who or what
    somebody is that it names, or ``published`` where it asks when an article was. ``compares`` says that
    it asks about more than one, and ``topic`` is the question but for what asks when an article was
    published. ``names`` are folded words, a name each.
    ``relation`` is what is asked about them: the question without its names and figures, and
    ``focus`` the part of it that the answer is one of ("company" in "which company"). ``keys``
    are the names and figures that are the same in every language, ``name_keys`` those of each name.
    """

    text: str
    language: str
    kinds: frozenset[str]
    names: tuple[tuple[str, ...], ...]
    relation: str
    focus: str
    relations: frozenset[str]
    keys: frozenset[str]
    name_keys: Mapping[tuple[str, ...], frozenset[str]]
    compares: bool = False
    topic: str = ""


def taken_apart(question: str, language: str, texts: Sequence[str] = (), latest: str = "") -> Asked:
    """Take a question apart.

    Args:
        question: The question.
        language: Its language, ISO 639-1.
        texts: Passages that may answer it: in a question typed without capitals, the words that
            have one wherever they stand there are names.
        latest: The end of the question, where what stands before it was asked earlier: the kind
            of answer is the one that the end asks for, if it does.
    """
    found = concepts(question, language)
    added = latest if question.endswith(latest) else ""
    kinds = _kinds(added, language) or _kinds(question, language)
    named = names_of(question, texts, found)
    covered = {word for name in named for word in name}
    covered |= {word for kind in kinds for word in words(fold(kinds[kind])) if kind in _IN_FIGURES}
    publishing = telling_words("publishing") if "published" in kinds else frozenset()
    figured = {place for one in found for place in range(one.start, one.end)}
    relation = [
        question[start:end]
        for word, start, end in word_spans(question)
        if word not in function_words()
        and fold(word) not in covered
        and word not in publishing
        and start not in figured
        and not word[0].isdigit()
    ]
    asks_who_that_is = named and not relation and set(kinds) <= {"person"}
    return Asked(
        question,
        language,
        frozenset(["identity"] if asks_who_that_is else kinds),
        named,
        " ".join(relation),
        _kept(
            _focus(added, language) or _focus(question, language),
            lambda word: fold(word) not in covered,
        ),
        _relations(question, language, named),
        frozenset(one.key for one in found),
        {name: _keys_of(name, question, found) for name in named},
        _compares(question),
        _kept(question, lambda word: fold(word) in covered or word not in publishing)
        if publishing
        else question,
    )


def _compares(question: str) -> bool:
    """Whether a question asks for more than one thing, or about more than one."""
    text = f" {' '.join(words(question))} "
    return any(f" {one} " in text for one in telling_words("comparing"))


def _keys_of(name: tuple[str, ...], question: str, found: Sequence[Concept]) -> frozenset[str]:
    """The keys of the known names that a name of the question is, or holds."""
    return frozenset(
        one.key
        for one in found
        if set(words(fold(question[one.start : one.end]))) <= set(name)
        and not one.key.startswith("number:")
    )


def _kinds(question: str, language: str) -> dict[str, str]:
    """The kinds that a question asks for, the particular in place of the general."""
    kinds = dict(asked_kinds(question, language))
    # "How many ... users who switch" asks for no person, "how old was he when" for no time.
    for kind, word in (("person", "who"), ("time", "when")):
        if (
            len(kinds) > 1
            and kinds.get(kind) == word
            and re.search(rf"[^.?!]\s+{word}\b", question)
        ):
            del kinds[kind]
    # When an article was published is told at its head, not in what it tells.
    if "published" in kinds and "time" not in kinds:
        del kinds["published"]
    elif "published" in kinds:
        return {"published": kinds["published"]}
    if "duration" in kinds:
        kinds.pop("amount", None)
    # "ngày mấy" asks for a day and for no amount.
    for kind, asking in list(kinds.items()):
        others = (f" {other} " for other in kinds.values() if other != asking)
        if any(f" {asking} " in other for other in others):
            del kinds[kind]
    if len(kinds) > 1:
        kinds.pop("choice", None)
    return kinds


def _relations(question: str, language: str, named: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """The known relations that a question asks about, outside of its names."""
    own = {word for name in named for word in name}
    rest = [
        "_" if fold(word) in own else question[start:end]
        for word, start, end in word_spans(question)
    ]
    return relations(" ".join(rest), language)


def _focus(question: str, language: str) -> str:
    """The words that say what the answer is one of."""
    ends = _ENDS_FOCUS.get(language)
    if ends and (match := ends.search(question)):
        return _run(question[: match.start()], backwards=True)
    leads = _LEADS_TO_FOCUS.get(language)
    if leads and (match := leads.search(question)):
        return _run(question[match.end() :], backwards=False)
    return ""


def _kept(text: str, keep: Callable[[str], bool]) -> str:
    """Some of the words of a text, with spaces between; each is asked about in small letters."""
    return " ".join(text[start:end] for word, start, end in word_spans(text) if keep(word))


def _run(text: str, *, backwards: bool) -> str:
    """The words with a topic at one end of a text."""
    spans = list(word_spans(text))
    run: list[str] = []
    for word, start, end in reversed(spans) if backwards else spans:
        if word in function_words() or len(run) == _FOCUS:
            break
        run.append(text[start:end])
    return " ".join(reversed(run) if backwards else run)
