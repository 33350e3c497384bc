"""What a question means in its conversation: what it leans on, and the language of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from .language import detect_language, follow_ups, function_words, question_kinds
from .text import names, words
from .types import Turn

# A question with at most this many words of its own topic may lean on the one before it.
_FEW = 4


def answer_language(question: str, history: Sequence[Turn], wanted: str = "") -> str:
    """The language to answer in, ISO 639-1.

    Args:
        question: The question asked last.
        history: Earlier exchanges, oldest first; a question that shows no language, such as a
            lone name, is in that of the question before it.
        wanted: The language that the person has set; empty for that of the question.
    """
    if wanted:
        return wanted
    language = "en"
    for asked in [*(turn.question for turn in history), question]:
        language = detect_language(asked, default=language)
    return language


def pointing_words() -> frozenset[str]:
    """Words that point back, without diacritics: those that a standalone question has not."""
    from .text import fold

    return frozenset(fold(word) for phrase in follow_ups(opening=False) for word in phrase.split())


def standalone(question: str, history: Sequence[Turn]) -> str:
    """A follow-up question together with those it leans on; any other as it is.

    A question leans on the last one when it has no topic of its own ("why?"), or points back
    in a few words ("what did they say?", "còn Google thì sao?") without asking something whole
    about something named ("and who is Winston Ma?").
    """
    asked = [question]
    for turn in reversed(history):
        if not _leans(asked[-1]):
            break
        asked.append(turn.question)
    return " ".join(reversed(asked))


def _leans(question: str) -> bool:
    tokens = words(question)
    topic = [word for word in tokens if word not in function_words()]
    spaced = f" {' '.join(tokens)} "
    points_back = any(phrase in spaced for phrase in follow_ups(opening=False))
    points_back = points_back or spaced.startswith(tuple(follow_ups(opening=True)))
    whole = names(question) and any(question_kinds(question, code) for code in ("en", "vi"))
    return not topic or (points_back and len(topic) <= _FEW and not whole)
