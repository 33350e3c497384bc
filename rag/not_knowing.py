"""Texts in which a model says, in its own words, that the documents do not tell."""

from __future__ import annotations

import re

from .language import sentence_patterns
from .markers import without_markers
from .messages import NO_ANSWER
from .text import collapse, lowered, normalize, sentences

# A model answers in the language asked for, or falls back to English.
_OTHERWISE = "en"
# What a document says, whatever it says, is an answer.
_QUOTED = re.compile(r"[“\"][^“”\"]+[”\"][ .]*\[\d")


def says_it_does_not_know(text: str, language: str) -> bool:
    """Whether a text says that there is no answer, and nothing else.

    "The passages do not mention it. Please ask the company." does; "The price is not given, but it
    costs 5 dollars to enter [1]." answers something.

    Args:
        text: What a model wrote, with its markers.
        language: The language that it was to write in, ISO 639-1.
    """
    text = normalize(text).replace(NO_ANSWER, " ").strip()
    if not any(char.isalnum() for char in text):
        return True
    if _QUOTED.search(text):
        return False
    said = False
    for start, end in sentences(text, language):
        sentence = text[start:end]
        bare = lowered(collapse(without_markers(sentence))).strip(" “”\"'*_>#-")
        cited = without_markers(sentence) != sentence
        if not any(char.isalnum() for char in bare):
            continue
        end = _end("unknowing", bare, language)
        if not (end or cited):
            end = _end("unknowing_alone", bare, language)
        if end:
            if cited and _goes_on(bare[end:]):
                return False
            said = True
        elif cited or not _end("beside_unknowing", bare, language):
            return False
    return said


def _end(name: str, sentence: str, language: str) -> int:
    """Where the first pattern that a sentence has ends in it; 0 if it has none."""
    patterns = [
        *sentence_patterns(name, language),
        *(sentence_patterns(name, _OTHERWISE) if language != _OTHERWISE else ()),
    ]
    found = (pattern.search(sentence) for pattern in patterns)
    return next((match.end() for match in found if match), 0)


def _goes_on(rest: str) -> bool:
    """Whether what follows tells something after all: "..., but it costs 5 dollars [1]"."""
    return any(f" {word} " in rest for word in ("but", "however", "nhưng", "tuy nhiên"))
