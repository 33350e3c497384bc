"""What a document is about, as its title says, and which of its sentences tell of that.

A report on a company, a contract, somebody's CV: the title names whom all of it is about, and few of
the sentences do again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .follow_ups import ORGANISATION, PERSON, PLACE, THING, follow_ups
from .mentions import mentions
from .text import fold, words

# What a sentence names in place of the subject: a person is no rival of a company, but a product is.
_RIVALS = {
    PERSON: {PERSON},
    ORGANISATION: {ORGANISATION, THING},
    THING: {ORGANISATION, THING},
    PLACE: {PLACE},
}


# A name: the kind of thing, its folded words, and whether it may be none.
Named = tuple[str, frozenset[str], bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """A title: its folded words, and the kinds of things that take the place of what it names."""

    words: frozenset[str]
    rivals: frozenset[str]

    def is_told_of(self, *sentences: str) -> bool:
        """Whether sentences name nothing else that they could be about."""
        return not any(
            kind in self.rivals and not weak and not self.words & own
            for sentence in sentences
            for kind, own, weak in _named(sentence)
        )


@lru_cache(maxsize=256)
def subject(title: str) -> Subject:
    """The subject of the document with a title."""
    rivals = {rival for kind, _, _ in _named(title) for rival in _RIVALS.get(kind, ())}
    return Subject(frozenset(map(fold, words(title))), frozenset(rivals))


# The same passages are asked again and again.
@lru_cache(maxsize=4096)
def _named(text: str) -> tuple[Named, ...]:
    """What a text names."""
    return tuple(
        (one.kind, frozenset(map(fold, words(one.name))), one.weak)
        for one in mentions(text, follow_ups(text))
    )
