"""What a question asks for: its kind of answer, whom and what it names, and what about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from .concepts import Concept, concepts
from .language import asked_kinds, function_words, telling_words
from .relations import relations
from .text import Span, fold, word_spans, words

# A question asks about so many words behind "which" or before "nào" at most.
_FOCUS = 3
# Kinds whose answer shows in figures or names: "năm nào" is answered without the word "năm".
_OPENS = ("", ".", "!", "?", ":", "\n", "-", "•", "#", "|")
_ENDS = (".", "?", "!")
_CALENDAR = ("month:", "weekday:")
# Typed in small letters a name of so many words at most is sought.
_LONGEST_NAME = 4
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
    it asks about more than one, and ``topic`` is the question but for what asks when an article was published. ``names`` are folded words, a name each.
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
    named = _names(question, texts, found)
    covered = {word for name in named for word in name}
    covered |= {word for kind in kinds for word in words(fold(kinds[kind])) if kind in _IN_FIGURES}
    publishing = telling_words("publishing") if "published" in kinds else frozenset()
    spans = [(one.start, one.end) for one in found]
    relation = [
        question[start:end]
        for word, start, end in word_spans(question)
        if word not in function_words()
        and fold(word) not in covered
        and not {word, fold(word)} & publishing
        and not any(first <= start < last for first, last in spans)
        and not word[0].isdigit()
    ]
    asks_who_that_is = named and not relation and set(kinds) <= {"person"}
    return Asked(
        question,
        language,
        frozenset(["identity"] if asks_who_that_is else kinds),
        named,
        " ".join(relation),
        _without(covered, _focus(added, language) or _focus(question, language)),
        _relations(question, language, named),
        frozenset(one.key for one in found),
        {name: _keys_of(name, question, found) for name in named},
        _compares(question),
        _without(publishing, question) if publishing else question,
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


def _names(
    question: str, texts: Sequence[str], known: Sequence[Concept]
) -> tuple[tuple[str, ...], ...]:
    """The names of a question, each as its folded words.

    A question's first word has a capital anyway. It belongs to a name where it has another within,
    where the next word has one too and the texts do not write it small, or where they always write
    it with one.
    """
    tokens = [
        (fold(word), question[start:end], start, end) for word, start, end in word_spans(question)
    ]
    capital = [any(map(str.isupper, token)) for _, token, _, _ in tokens]
    if not any(capital):
        return _names_in_small_letters(question, texts)
    for place, (_, token, start, _) in enumerate(tokens):
        opens = not place or question[tokens[place - 1][3] : start].strip()[:1] in _ENDS
        if opens and capital[place] and not _capital_within(tokens[place : place + 1]):
            following = tokens[place + 1][1] if any(capital[place + 1 : place + 2]) else ""
            capital[place] = _opens_with_a_name(token, following, texts)
    found: list[list[str]] = []
    written: dict[str, str] = {}
    reached = -1
    for (word, token, start, end), is_name in zip(tokens, capital, strict=True):
        if (
            not is_name
            or token in telling_words("roles")
            or _is_no_name(question, (start, end), known)
        ):
            continue
        if reached >= 0 and question[reached:start] in (" ", "-"):
            found[-1].append(word)
        else:
            found.append([word])
            written[word] = token
        reached = end
    # A lone syllable such as "Kỹ" opens a name of common words: "Kỹ thuật phần mềm".
    return tuple(
        dict.fromkeys(
            tuple(name)
            for name in found
            if len(name) > 1 or written[name[0]].isascii() or concepts(written[name[0]])
        )
    )


def _is_no_name(question: str, span: Span, known: Sequence[Concept]) -> bool:
    """Whether a word in capitals is "I", the "No." of a number, or a month or weekday."""
    start, end = span
    if question[start:end] == "I" or question[start : end + 2] == "No. ":
        return True
    return any(one.key.startswith(_CALENDAR) and one.start <= start < one.end for one in known)


def _names_in_small_letters(question: str, texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What texts write with capitals of a question that has none.

    Of several words what they write so together, "lam giang"; a lone word where they never write it
    small. One typed with diacritics is no name without them: "giáng" is not "Giang".
    """
    spans = list(word_spans(question))
    asked = [word for word, _, _ in spans]
    large, small = _written(question, texts)
    found: list[tuple[str, ...]] = []
    place = 0
    names = _names_of_several_words(texts, {fold(word) for word in asked})
    while place < len(asked):
        bare = tuple(map(fold, asked[place : place + _LONGEST_NAME]))
        name = next((bare[:n] for n in range(len(bare), 1, -1) if bare[:n] in names), ())
        if not name and asked[place] in large - small:
            name = bare[:1]
        if name:
            found.append(name)
        place += max(1, len(name))
    return tuple(dict.fromkeys(found))


def _names_of_several_words(texts: Sequence[str], of: AbstractSet[str]) -> set[tuple[str, ...]]:
    """Runs of words with capitals, two and more, that consist of some folded words."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        run: list[str] = []
        reached = -1
        for word, start, end in word_spans(text):
            bare = fold(word)
            if bare not in of or not text[start].isupper():
                run = []
                continue
            run = [*run, bare] if run and text[reached:start] in (" ", "-") else [bare]
            reached = end
            found |= {
                tuple(run[at:]) for at in range(max(0, len(run) - _LONGEST_NAME), len(run) - 1)
            }
    return found


def _opens_with_a_name(word: str, following: str, texts: Sequence[str]) -> bool:
    """Whether the first word of a question is (part of) a name; ``following`` is the next, if it is."""
    bare = fold(word)
    if bare in function_words():
        return False
    large, small = _written(word, texts)
    if bare in {fold(one) for one in large - small}:
        return True
    both = (bare, fold(following))
    if following and both in _names_of_several_words(texts, set(both)):
        return True
    # "Zhou Hongyi", and not "Chiếc Halo".
    return bool(following) and bare not in small and word.isascii() == following.isascii()


def _capital_within(tokens: Sequence[tuple[str, str, int, int]]) -> bool:
    return any(any(map(str.isupper, token[1:])) for _, token, _, _ in tokens)


def _written(question: str, texts: Sequence[str]) -> tuple[set[str], set[str]]:
    """The words of a question that texts write with a capital, and those that they write without.

    The capital of a word that opens a sentence says nothing. A word typed without diacritics may have
    any there; one typed with some has these.
    """
    asked = {word for word in words(question) if word not in function_words()}
    large: set[str] = set()
    small: set[str] = set()
    for text in texts:
        for written, start, end in word_spans(text):
            for word in {written, fold(written)} & asked:
                if word[0].isdigit():
                    continue
                if not text[start].isupper():
                    small.add(word)
                elif (
                    text[:start].rstrip(" “\"'‘(")[-1:] not in _OPENS
                    or text[start + 1 : end] != text[start + 1 : end].lower()
                ):
                    large.add(word)
    return large, small


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


def _without(others: AbstractSet[str], text: str) -> str:
    """The words of a text but for some, given in small letters, with their diacritics or without."""
    spans = word_spans(text)
    return " ".join(
        text[start:end] for word, start, end in spans if not {word, fold(word)} & others
    )


def _run(text: str, *, backwards: bool) -> str:
    """The words with a topic at one end of a text."""
    spans = list(word_spans(text))
    run: list[str] = []
    for word, start, end in reversed(spans) if backwards else spans:
        if word in function_words() or len(run) == _FOCUS:
            break
        run.append(text[start:end])
    return " ".join(reversed(run) if backwards else run)
