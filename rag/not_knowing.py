"""Texts in which a model says, in its own words, that the documents do not tell."""

from __future__ import annotations

from .language import sentence_patterns
from .markers import without_markers
from .messages import NO_ANSWER
from .text import collapse, lowered, normalize, sentences

# A model answers in the language asked for, or falls back to English.
_OTHERWISE = "en"


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
    said = False
    for start, end in sentences(text, language):
        sentence = text[start:end]
        bare = lowered(collapse(without_markers(sentence))).strip(" “”\"'*_>#-")
        cited = without_markers(sentence) != sentence
        if not any(char.isalnum() for char in bare):
            continue
        if _is("unknowing", bare, language) or (
            not cited and _is("unknowing_alone", bare, language)
        ):
            if _goes_on(bare, cited=cited):
                return False
            said = True
        elif cited or not _is("beside_unknowing", bare, language):
            return False
    return said


def _is(name: str, sentence: str, language: str) -> bool:
    patterns = [
        *sentence_patterns(name, language),
        *(sentence_patterns(name, _OTHERWISE) if language != _OTHERWISE else ()),
    ]
    return any(pattern.search(sentence) for pattern in patterns)


def _goes_on(sentence: str, *, cited: bool) -> bool:
    """Whether a sentence that says so goes on to tell something: "..., but it costs 5 dollars [1]"."""
    return cited and any(
        f" {word} " in sentence for word in ("but", "however", "nhưng", "tuy nhiên")
    )
