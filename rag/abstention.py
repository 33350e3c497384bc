"""Whether the passages answer a question: one decision, before anything is written.

The sentences are ranked, and what speaks for the best of them and for all of them together is
brought to two probabilities by logistic regressions, whose coefficients are in ``weights.toml``: that
the passages are to the point at all, and that they answer. The first is what decides whether a
language model is asked, which can itself say that it does not know; by the second sentences are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.llm.backend import Request

from .answer_types import shown
from .candidates import Candidate, candidates, held_names
from .question import Asked
from .subjects import subject
from .text import fold
from .types import Hit
from .weights import Weights, weights

# What is taken of the best sentence ...
_OF_THE_BEST = (
    "held_resolved", "held_passage", "met_resolved", "met_around", "met_passage", "dense_resolved",
    "relation_resolved", "relation_around", "relation_passage", "least", "focus", "fits",
    "names_resolved", "names_passage", "keys_resolved", "told_resolved", "told_around",
    "told_passage", "told_named", "score",
)  # fmt: skip
# ... and what of the best of all of them.
_OF_ALL = (
    "held_passage",
    "met_passage",
    "dense",
    "names_passage",
    "told_passage",
    "told_named",
    "score",
)
# Where the names may stand for what a sentence tells to be told of them.
_WHERE = ("resolved", "around", "passage")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A sentence with its score: the higher, the likelier it answers the question."""

    candidate: Candidate
    score: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to answer.

    ``relevance`` is the probability that the passages have to do with the question, ``probability`` that
    they answer it, each in [0, 1]. ``ranked`` are the sentences, the best first.
    """

    relevance: float
    probability: float
    asked: Asked
    ranked: tuple[Ranked, ...]

    def is_relevant(self, least: float) -> bool:
        """Whether a relevance of ``least`` is reached, and there is anything to answer with."""
        return bool(self.ranked) and self.relevance >= least

    def answers(self, least: float) -> bool:
        """Whether a probability of ``least`` is reached, and there is anything to answer with."""
        return bool(self.ranked) and self.probability >= least


def decide(request: Request) -> Decision:
    """Decide whether the passages of a request answer its question.

    Args:
        request: The question with its passages. What is decided already is not decided again.
    """
    if request.decision:
        return request.decision
    asked, found = candidates(request)
    ranked = rank(of_the_named(asked, found))
    if not ranked:
        return Decision(0.0, 0.0, asked, ())
    told, own = signs(asked, ranked), weights()
    relevance, chance = own.relevant.probability(told), own.answering.probability(told)
    if not can_be_told(asked, ranked):
        chance = 0.0
    return Decision(relevance, chance, asked, head_first(asked, ranked))


def is_about(decision: Decision) -> bool:
    """Whether passages that were sought with a topic, for a summary or a list, are about it.

    One of them must have all of its names, if it has some: then that is enough for one that is
    nothing but names.
    """
    best = max((one.candidate.hit.score for one in decision.ranked), default=0.0)
    named = not decision.asked.names or any(
        one.candidate.feature("names_passage") == 1.0 for one in decision.ranked
    )
    return named and (best >= ABOUT or is_name(decision.asked))


def is_name(asked: Asked) -> bool:
    """Whether a topic is nothing but names: "Quảng Nam", and not "the harbour of Quảng Nam"."""
    return bool(asked.names) and not asked.relation


def names_in(asked: Asked, hit: Hit) -> set[tuple[str, ...]]:
    """The names of a question that a passage has."""
    return held_names(asked, shown(hit.passage.text, hit.document.language))


def can_be_told(asked: Asked, ranked: Sequence[Ranked]) -> bool:
    """Whether the best documents can tell what is asked at all, whatever speaks for their sentences.

    When an article was published only its head tells, what somebody says only who names them. Where
    nothing is asked about, nothing can be told; nor of 2020 by a report on 2023 that does not name that year.
    """
    if not asked.relation and not asked.names:
        return False
    hit = ranked[0].candidate.hit
    if subject(hit.document.short_title).is_of_another(asked.text, hit.passage.text):
        return False
    if "published" in asked.kinds:
        best = ranked[0].candidate.hit.document.uri
        heads = (one.candidate for one in ranked if one.candidate.dated)
        return any(one.hit.document.uri == best for one in heads)
    if "opinion" not in asked.relations:
        return True
    held = {name for one in ranked for name in held_names(asked, one.candidate.told)}
    sought = [name for name in asked.names if len(name) > 1 and name not in held]
    if not sought:
        return True  # without reading whole documents, which may be books
    documents = {one.candidate.hit.document.uri: one.candidate.hit.document for one in ranked}
    texts = [fold(one.text) for one in documents.values()]
    return all(
        any(_names(name, text) for text in texts)
        for name in sought
        if not asked.name_keys.get(name)
    )


def _names(name: Sequence[str], text: str) -> bool:
    """Whether a text without diacritics has a name, perhaps with two more words within it."""
    between = r"\W+(?:\w+\W+){0,2}?"
    return re.search(rf"(?<!\w){between.join(map(re.escape, name))}(?!\w)", text) is not None


def of_the_named(asked: Asked, found: Sequence[Candidate]) -> Sequence[Candidate]:
    """The sentences of documents that have a name of the question, where there are any.

    What is told of somebody else, however well, is no answer.
    """
    named = {one.hit.document.uri for one in found if one.feature("names_passage")}
    chosen = [one for one in found if one.hit.document.uri in named] if asked.names else []
    return chosen or found


def head_first(asked: Asked, ranked: Sequence[Ranked]) -> tuple[Ranked, ...]:
    """Sentences in their order, but where it is asked when an article was published its head first."""
    best = next((one.candidate.hit.document.uri for one in ranked), "")
    heads = [
        one for one in ranked if one.candidate.dated and one.candidate.hit.document.uri == best
    ]
    if "published" not in asked.kinds or not heads:
        return tuple(ranked)
    lifted = Ranked(heads[0].candidate, ranked[0].score)
    return (lifted, *(one for one in ranked if one is not heads[0]))


def rank(found: Sequence[Candidate], given: Weights | None = None) -> tuple[Ranked, ...]:
    """Sentences by what speaks for them, the best first.

    Args:
        found: The sentences.
        given: The weights; those of the program if left out.
    """
    own = given or weights()
    scored = []
    for one in found:
        shares = zip(own.foreign if one.foreign else own.same, one.features, strict=True)
        score = sum(weight * share for weight, share in shares)
        scored.append(Ranked(one, score + own.offset * one.foreign))
    return tuple(sorted(scored, key=lambda one: -one.score))


def signs(asked: Asked, ranked: Sequence[Ranked]) -> dict[str, float]:
    """What speaks for and against answering, by name.

    Args:
        asked: The question.
        ranked: At least one sentence, the best first.
    """
    best = ranked[0]
    rest = [one.score for one in ranked[1:]]
    told = {name: best.candidate.feature(name) for name in _OF_THE_BEST}
    told |= {
        f"{name}_of_all": max(one.candidate.feature(name) for one in ranked) for name in _OF_ALL
    }
    told |= {
        f"whole_{where}": max(_whole(one.candidate, where) for one in ranked) for where in _WHERE
    }
    told |= {
        "rank": best.score,
        "ahead": min(_FAR_AHEAD, best.score - rest[0]) if rest else _FAR_AHEAD,
        "foreign": float(best.candidate.foreign),
        "told_of_another": best.candidate.feature("told_resolved")
        * (1 - best.candidate.feature("names_around")),
        "names_missing": 1 - min(1.0, max(one.candidate.feature("names_around") for one in ranked)),
        "names_nothing": float(not asked.names),
        "relates_nothing": float(not asked.relations),
        "typed": float(bool(asked.kinds)),
    }
    return told


def _whole(one: Candidate, where: str) -> float:
    """How far a sentence tells the kind of thing asked for, what is asked, and of whom, at once."""
    return one.feature("fits") * one.feature("told_resolved") * one.feature(f"names_{where}")


# Below this relevance no language model is asked. Of the answerable questions that the weights were
# not fitted to, 0.9% (XQuAD, 466), 0.6% (gazette, 312) and none (seeds and miscellany, 283) are below
# it, of those that are off topic 73% (60), 25% (24), and 61% and 81% (18 and 16).
CLEARLY_NOT = 0.1

# The least score of the best passage. The titles of XQuAD's articles as topics, every other article in the
# index: of 24 that are there 22 are taken for there in English and 19 in Vietnamese, of 24 that are
# not 5 and 4, which the others mostly mention ("Construction", "Southern California").
ABOUT = 0.34

# Beyond this the second sentence says nothing any more.
_FAR_AHEAD = 5.0
