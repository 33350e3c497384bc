"""Sentences that point back: "He said", "Ông Han cho biết" need one that says who."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .answer_types import names_a_person
from .language import back_references, telling_words
from .text import Span, fold, word_spans

# One that points back may follow another that does; further back than this nothing is looked for.
_FARTHEST = 8
# A heading has fewer words.
_FEWEST_WORDS = 3


def points_back(sentence: str, language: str) -> bool:
    """Whether a sentence opens with what only an earlier one explains."""
    opening = sentence.lstrip("\"“'‘(«- ")
    return any(pattern.match(opening) for pattern in back_references(language))


def antecedent(text: str, spans: Sequence[Span], place: int, language: str) -> int | None:
    """The place of the sentence that says who or what another one means.

    A short name is looked for where the whole of it stands; a pronoun leans on the nearest
    sentence before it that points back itself no more, that of a person on one that names somebody.

    Args:
        text: What the spans are spans of.
        spans: Sentences, in order.
        place: Which of them points back.
        language: The language of the text, ISO 639-1.

    Returns:
        A place before it; ``None`` where the sentence points back to nothing that is there.
    """
    sentence = text[slice(*spans[place])]
    if not points_back(sentence, language):
        return None
    short = _short_name(sentence)
    nearest: int | None = None
    for earlier in range(place - 1, max(-1, place - _FARTHEST - 1), -1):
        candidate = text[slice(*spans[earlier])]
        if short and _holds_longer(candidate, short):
            return earlier
        if short or not _is_a_sentence(candidate) or points_back(candidate, language):
            continue
        if not _means_a_person(sentence) or names_a_person(candidate, language):
            return earlier
        nearest = earlier if nearest is None else nearest
    return nearest


def _means_a_person(sentence: str) -> bool:
    """Whether a sentence opens with a pronoun of persons."""
    opening = [word for word, _, _ in word_spans(sentence)][:3]
    return any(word in telling_words("persons") for word in opening)


def _is_a_sentence(sentence: str) -> bool:
    """Whether something can say who or what is meant: a heading or a date cannot."""
    spelled = [word for word, _, _ in word_spans(sentence) if word.isalpha()]
    return len(spelled) >= _FEWEST_WORDS and sentence.rstrip()[-1:] not in "?:"


def _short_name(sentence: str) -> str:
    """The one word of a name behind its title: "Han" in "Theo ông Han, ...", or nothing."""
    match = re.match(
        r"\W*(?:theo |according to )?(?:ông|bà|anh|chị|cô|mr\.?|mrs\.?|ms\.?|dr\.?) (\w+)",
        sentence,
        re.IGNORECASE,
    )
    return match[1] if match and match[1][0].isupper() else ""


def _holds_longer(sentence: str, short: str) -> bool:
    """Whether a sentence has a name of several words with a given one among them."""
    spans = list(word_spans(sentence))
    for place, (word, start, end) in enumerate(spans):
        if fold(word) != fold(short) or not sentence[start].isupper():
            continue
        before = (
            place
            and sentence[spans[place - 1][1]].isupper()
            and sentence[spans[place - 1][2] : start] == " "
        )
        titles = ("ông", "bà", "anh", "chị", "cô", "mr", "mrs", "ms", "dr")
        before = before and spans[place - 1][0] not in titles
        after = (
            place + 1 < len(spans)
            and sentence[spans[place + 1][1]].isupper()
            and sentence[end : spans[place + 1][1]] == " "
        )
        if before or after:
            return True
    return False
