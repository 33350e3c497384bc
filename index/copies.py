"""Which passages are one text in several places: near by their vectors, and the same by their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.language import negations
from rag.text import word_spans

from .records import Reader

# Passages whose vectors are this close may be the same text in another place ...
NEAR_DUPLICATE = 0.97
# ... and are if no more than this share of their words is in one of them alone.
_MOST_OF_ONE_ALONE = 0.1


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a text, and those of them that tell it from another on the same form.

    These are figures, what is written with a capital, and what denies.
    """

    words: frozenset[str]
    telling: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Wording:
        """The wording of a text."""
        spans = [(word, text[start]) for word, start, _ in word_spans(text)]
        telling = {word for word, first in spans if first.isupper() or first.isdigit()}
        every = frozenset(word for word, _ in spans)
        return cls(every, frozenset(telling | every & negations()))

    def is_that_of(self, other: Wording) -> bool:
        """Whether texts whose vectors are near say the same, but for a few words."""
        alone = self.words ^ other.words
        few = len(alone) <= _MOST_OF_ONE_ALONE * len(self.words | other.words)
        return few and not alone & (self.telling | other.telling)


@dataclass(frozen=True, slots=True)
class Wordings:
    """The wordings of passages for one search, each read once."""

    reader: Reader
    _known: dict[int, Wording] = field(default_factory=dict)

    def are_copies(self, passage: int, others: Sequence[int]) -> list[bool]:
        """Whether each of some passages has the text of another; all are given by their ids."""
        if not others:
            return []
        new = [one for one in {passage, *others} if one not in self._known]
        for found, _ in self.reader.passages(new):
            self._known[found.id] = Wording.of(found.text)
        own = self._known.get(passage)
        return [
            own is not None and one in self._known and self._known[one].is_that_of(own)
            for one in others
        ]
