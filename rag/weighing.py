"""What texts have for each part of a question, as an index that knows its words can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .language import function_words
from .text import fold, words


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one text has for a question; every number lies in [0, 1].

    ``held`` says of each word of the question whether the text holds it (less than 1 where it
    does so only without its diacritics), ``met`` of each piece how near the nearest piece of the
    text is, in any language. ``dense`` is how near the whole is to the whole.
    """

    held: tuple[float, ...]
    met: tuple[float, ...]
    dense: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """Some texts weighed against a question.

    ``words`` are the weights of the question's words in this index, the rarer the more, and
    ``pieces`` those of its pieces; each sum to 1, or there are none. With an embedder that has no
    vectors of pieces, words stand for pieces.
    """

    words: tuple[float, ...]
    pieces: tuple[float, ...]
    texts: tuple[Weighed, ...]


# Each of some questions, against the same texts.
Weigh = Callable[[Sequence[str], Sequence[str]], list[Weighing]]


def by_words(questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
    """Weigh by words alone, all alike: for texts that are in no index."""
    vocabularies = [{fold(word) for word in words(text)} for text in texts]
    found = []
    for question in questions:
        every = list(dict.fromkeys(fold(word) for word in words(question)))
        asked = [word for word in every if word not in function_words()] or every
        held = [tuple(float(word in there) for word in asked) for there in vocabularies]
        weights = (1 / len(asked),) * len(asked) if asked else ()
        found.append(Weighing(weights, weights, tuple(Weighed(one, one, 0.0) for one in held)))
    return found
