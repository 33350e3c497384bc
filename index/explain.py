"""Why a passage was found: what each part of its score rests on."""

from __future__ import annotations

import dataclasses

import numpy as np

from rag.concepts import concepts
from rag.errors import DocumentError
from rag.text import fold, words
from rag.types import (
    Explanation,
    Held,
    Hit,
    NameMatch,
    NearestWindow,
    PieceMatch,
    ScorePart,
    WordMatch,
)

from .alignment import Alignment
from .arrays import Matrix
from .fusion import Parts, terms
from .lexical import Lexical
from .records import under_title
from .rerank import RERANKED_WEIGHT
from .search import Question, Search
from .selection import Conditions

# Of so many pieces of a question, the heaviest, it is told what they met.
_MOST_PIECES = 6


def explained(search: Search, question: str, hit: Hit, conditions: Conditions) -> Explanation:
    """Why a search found a passage.

    Args:
        search: The search, of the state of the index in which the passage was found.
        question: The question that it was found for, normalized.
        hit: The passage that was found.
        conditions: What the search was narrowed to.

    Raises:
        DocumentError: The index holds the passage no more.
    """
    found = search.reader.passages([hit.passage.id])
    if not found or found[0][0] != hit.passage:
        raise DocumentError("The index does not hold this passage any more.", "Search again.")
    text, lexical = under_title(hit.document.short_title, hit.passage.text), search.snapshot.lexical
    asked = search.asked(question)
    given = {name: value for name, value in dataclasses.asdict(conditions).items() if value}
    return Explanation(
        hit.score,
        _parts(search, hit),
        _words(lexical, asked, text),
        _names(lexical, asked.text, text),
        _nearest_window(search, asked.vector, hit),
        _pieces(search.alignment, asked.text, text),
        {name: str(value) for name, value in given.items()},
    )


def _parts(search: Search, hit: Hit) -> tuple[ScorePart, ...]:
    """What the score is the sum of; a passage that no reranker has read got 0 of it."""
    alignment, reranks = search.alignment, search.reranker is not None
    weight = search.settings.dense_weight
    lexical, concepts_, dense, aligned = np.array(
        [[hit.lexical], [hit.concepts], [hit.dense], [hit.aligned]], dtype=np.float32
    )
    parts = Parts(lexical, concepts_, dense, aligned if alignment else None)
    rest = 1 - RERANKED_WEIGHT if reranks else 1.0
    every = [(one.name, float(one.shares[0]), one.weight * rest) for one in terms(parts, weight)]
    if reranks:
        every.append(("reranked", hit.reranked or 0.0, RERANKED_WEIGHT))
    return tuple(ScorePart(name, share, of_it, share * of_it) for name, share, of_it in every)


def _words(lexical: Lexical, question: Question, text: str) -> tuple[WordMatch, ...]:
    present = set(words(text))
    bare = {fold(word) for word in present}

    def held(word: str) -> Held:
        if word in present:
            return Held.AS_WRITTEN
        return Held.WITHOUT_DIACRITICS if fold(word) in bare else Held.NO

    weights = lexical.rarity(question.words)
    return tuple(WordMatch(word, weight, held(word)) for word, weight in weights.items())


def _names(lexical: Lexical, question: str, text: str) -> tuple[NameMatch, ...]:
    asked = {one.key: question[one.start : one.end] for one in reversed(concepts(question))}
    held: dict[str, dict[str, None]] = {}
    for one in concepts(text):
        held.setdefault(one.key, {})[text[one.start : one.end]] = None
    weights = lexical.concept_rarity(asked)
    return tuple(
        NameMatch(key, name, weights[key], tuple(held.get(key, ())))
        for key, name in reversed(asked.items())
    )


def _nearest_window(search: Search, query: Matrix, hit: Hit) -> NearestWindow:
    vectors, _ = search.reader.window_vectors([hit.passage.id])
    start, end = hit.window or (hit.passage.start, hit.passage.end)
    return NearestWindow(
        hit.document.text[start:end],
        start,
        end,
        float((vectors @ query).max()),
        search.typical(query),
    )


def _pieces(alignment: Alignment | None, question: str, text: str) -> tuple[PieceMatch, ...]:
    if alignment is None:
        return ()
    # As the index keeps the words of a passage, which is what the search compared.
    return tuple(alignment.matches(question, " ".join(words(text)))[:_MOST_PIECES])
