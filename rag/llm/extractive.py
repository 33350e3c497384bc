"""Answers without a language model: the sentences that fit best, quoted word for word.

Always there, no network. A sentence is weighed by how many of the question's words it and
its passage hold, how close its meaning is, and whether it has the kind of thing that is
asked for. When even the best falls short, the documents do not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from rag.language import question_kinds
from rag.markers import defused
from rag.messages import NO_ANSWER
from rag.settings import AnswerSettings
from rag.text import collapse, fold, names, sentences, word_spans, words
from rag.types import Hit

from .backend import Finished, Request

# Weights of the parts of a sentence's evidence, set by judgement; what they achieve is in
# evals/LOG.md.
_SENTENCE, _CONTEXT, _DENSE, _KIND, _RANK = 0.4, 0.25, 0.2, 0.1, 0.05
# What is left of the evidence in a passage that has none of the names in the question.
_NAMELESS = 0.6
# A further sentence is quoted when it is this close to the best one ...
_NEAR_BEST = 0.8
# ... and shares at most this much of its words with those before it.
_MOST_OVERLAP = 0.6
# A sentence with fewer words is a heading or a caption.
_FEWEST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage, the number of the passage, and its evidence in [0, 1]."""

    text: str
    number: int
    evidence: float


class ExtractiveBackend:
    """Quotes the best-supported sentences of the passages.

    Args:
        settings: How many sentences, and how much evidence makes an answer.
    """

    name = "extractive"

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    async def stream(self, request: Request) -> AsyncGenerator[str | Finished, None]:
        """Write the quotes, each in quotation marks with its marker, or ``NO_ANSWER``."""
        ranked = await asyncio.to_thread(weigh, request)
        chosen = self._chosen(ranked)
        if not chosen:
            yield NO_ANSWER
        for position, candidate in enumerate(chosen):
            separator = "\n\n" if position else ""
            quote = defused(collapse(candidate.text))
            yield f"{separator}“{quote}” [{candidate.number}]"
        yield Finished()

    def _chosen(self, ranked: Sequence[Candidate]) -> list[Candidate]:
        """The best sentence and those nearly as good, without repeating one another."""
        if not ranked or ranked[0].evidence < self._settings.evidence:
            return []
        chosen: list[Candidate] = []
        seen: set[str] = set()
        for candidate in ranked:
            if len(chosen) == self._settings.sentences:
                break
            own = set(words(candidate.text))
            close = candidate.evidence >= ranked[0].evidence * _NEAR_BEST
            if close and len(own & seen) <= _MOST_OVERLAP * len(own):
                chosen.append(candidate)
                seen |= own
        return chosen


def weigh(request: Request) -> list[Candidate]:
    """Every sentence of a request's passages with its evidence, best first."""
    found: list[Candidate] = []
    for same_language in (True, False):
        numbered = [
            (number, hit)
            for number, hit in enumerate(request.hits, start=1)
            if (hit.document.language == request.language) is same_language
        ]
        if numbered:
            found += _weighed(request, numbered)
    return sorted(found, key=lambda candidate: -candidate.evidence)


def _weighed(request: Request, numbered: Sequence[tuple[int, Hit]]) -> list[Candidate]:
    texts: list[str] = []
    owners: list[tuple[int, int]] = []
    for position, (_, hit) in enumerate(numbered):
        for start, end in sentences(hit.passage.text, hit.document.language):
            sentence = hit.passage.text[start:end]
            if len(words(sentence)) >= _FEWEST_WORDS and not _asks(sentence):
                owners.append((len(texts), position))
                texts.append(sentence)
    contexts = request.evidence(request.question, [hit.passage.text for _, hit in numbered])
    weighed = request.evidence(request.question, texts)
    kinds = question_kinds(request.question, request.language)
    asked_names = [words(fold(name)) for name in names(request.latest or request.question)]
    named = [_holds_any(asked_names, hit) for _, hit in numbered]
    best_score = max(hit.score for _, hit in numbered) or 1.0
    candidates = []
    for index, position in owners:
        number, hit = numbered[position]
        lexical, dense = weighed[index]
        fits = not kinds or any(kind.search(texts[index]) for kind in kinds)
        evidence = (
            _SENTENCE * lexical
            + _CONTEXT * contexts[position][0]
            + _DENSE * dense
            + _KIND * fits
            + _RANK * hit.score / best_score
        )
        evidence *= 1 if named[position] else _NAMELESS
        candidates.append(Candidate(texts[index], number, evidence))
    return candidates


def _asks(sentence: str) -> bool:
    """Whether a sentence is a question: it may repeat the person's own, and answers nothing."""
    return sentence.rstrip("\"”’'») ").endswith(("?", "？"))


def _holds_any(asked_names: Sequence[Sequence[str]], hit: Hit) -> bool:
    """Whether a passage has one of some names, or none was asked for.

    A name has capitals: ``Pháp`` is not in ``biện pháp``.
    """
    text = hit.passage.text
    there = [
        fold(word) if text[start].isupper() or text[start].isdigit() else ""
        for word, start, _ in word_spans(text)
    ]
    return not asked_names or any(
        list(name) == there[first : first + len(name)]
        for name in asked_names
        for first in range(len(there) - len(name) + 1)
    )
