"""The names in a question, however it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from .concepts import Concept, concepts
from .language import function_words, telling_words
from .text import fold, word_spans, words

_OPENS = ("", ".", "!", "?", ":", "\n", "-", "•", "#", "|")
_ENDS = (".", "?", "!")
_CALENDAR = ("month:", "weekday:")
# Typed in small letters a name of so many words at most is sought.
_LONGEST_NAME = 4

# A word: folded, as it is typed, its start and its end.
Token = tuple[str, str, int, int]


def names_of(
    question: str, texts: Sequence[str], known: Sequence[Concept]
) -> tuple[tuple[str, ...], ...]:
    """The names of a question, each as its folded words.

    A question's first word has a capital anyway. It belongs to a name where it has another within,
    where the next word has one too and the texts do not write it small, or where they always write
    it with one.

    Args:
        question: The question.
        texts: Passages that may answer it.
        known: The names and figures of the question that are the same in every language.
    """
    tokens: list[Token] = [
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
    runs: list[list[Token]] = []
    for one, is_name in zip(tokens, capital, strict=True):
        if not is_name or one[1] in telling_words("roles"):
            continue
        if runs and question[runs[-1][-1][3] : one[2]] in (" ", "-"):
            runs[-1].append(one)
        else:
            runs.append([one])
    calendar = {one.start for one in known if one.key.startswith(_CALENDAR)}
    names = (
        tuple(word for word, *_ in run) for run in runs if not _is_no_name(question, run, calendar)
    )
    return tuple(dict.fromkeys(names))


def _is_no_name(question: str, run: Sequence[Token], calendar: AbstractSet[int]) -> bool:
    """Whether a lone word in capitals is "I", the "No." of a number, a month, a weekday, or a syllable.

    ``calendar`` is where months and weekdays begin. "Kỹ" opens a name of common words: "Kỹ thuật phần mềm".
    """
    if len(run) > 1:
        return False
    _, typed, start, end = run[0]
    if typed == "I" or question[start : end + 2] == "No. ":
        return True
    if start in calendar:
        return True
    return not typed.isascii() and not concepts(typed)


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
