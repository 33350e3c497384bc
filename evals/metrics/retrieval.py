"""How well passages are found, computed by ir-measures (trec_eval, and its own reciprocal rank).

Sources: recall and reciprocal rank as in Voorhees 1999, "The TREC-8 Question Answering Track
Report"; nDCG as in Järvelin and Kekäläinen 2002, "Cumulated Gain-based Evaluation of IR
Techniques". What is ranked are the parts of what a case expects: alternatives count once, and a
second passage with the same words is no second find. Several parts in one passage stand one after
the other, which only nDCG notices. Where whole documents are expected, as in BEIR, documents are
ranked by their best passage. A case with one part, as XQuAD's, has the usual figures.
"""

from __future__ import annotations

from functools import lru_cache, partial

from rag.evals.suite import Case

from .evidence import judged, parts_held, whole_documents
from .metric import Grade, Metric, Result

# How deep rankings are looked at, and how many passages are asked for where they stand for documents.
DEPTH = 10
_PASSAGES_OF_DOCUMENTS = 50

_MEASURES = {
    "recall@1": ("R@1", "passage that answers comes first"),
    "recall@5": ("R@5", "passages that answer are among the first 5"),
    "recall@10": ("R@10", "passages that answer are among the first 10"),
    "mrr@10": ("RR@10", "1 / rank of the first passage that answers"),
    "ndcg@10": ("nDCG@10", "passages that answer stand early"),
}


def retrieval_metrics() -> tuple[Metric, ...]:
    """Recall at 1, 5 and 10, reciprocal rank and nDCG at 10; and whether the right document leads."""
    ranked = tuple(
        Metric(name, title, partial(_grade, measure))
        for name, (measure, title) in _MEASURES.items()
    )
    return (*ranked, Metric("document@1", "first passage is of a document that answers", _leads))


def depth(case: Case) -> int:
    """How many passages are to be sought for a case."""
    return _PASSAGES_OF_DOCUMENTS if whole_documents(case) else DEPTH


@lru_cache(maxsize=256)
def ranked_measure(
    measure: str, relevant: tuple[tuple[str, int], ...], ranking: tuple[str, ...]
) -> float:
    """A measure of one ranking.

    Args:
        measure: As ir-measures names it, such as ``nDCG@10``.
        relevant: Each relevant item with its grade.
        ranking: The items found, the best first.
    """
    import ir_measures

    judgements = [ir_measures.Qrel("case", item, grade) for item, grade in relevant]
    # trec_eval ranks by score, and equal scores by name.
    found = [ir_measures.ScoredDoc("case", item, -rank) for rank, item in enumerate(ranking)]
    found = found or [ir_measures.ScoredDoc("case", "(nothing)", 0.0)]
    asked = ir_measures.parse_measure(measure)
    return float(ir_measures.calc_aggregate([asked], judgements, found)[asked])


def ranked_parts(case: Case, result: Result) -> list[list[str]]:
    """What was found, rank by rank: the names of the parts that a passage is the first to hold.

    One that holds none has a name of its own.
    """
    ranking: list[list[str]] = []
    seen: set[int] = set()
    documents: set[str] = set()
    for hit in result.ranking:
        if whole_documents(case):
            if hit.document.uri in documents:
                continue
            documents.add(hit.document.uri)
        held = parts_held(case, hit.document, hit.passage.start, hit.passage.end) - seen
        seen |= held
        ranking.append([_part(n) for n in sorted(held)] or [f"passage {len(ranking)}"])
    return ranking[:DEPTH]


def _grade(measure: str, case: Case, result: Result) -> Grade | None:
    if not judged(case):
        return None
    relevant = tuple(
        (_part(number), max(one.grade for one in alternatives))
        for number, alternatives in case.parts.items()
    )
    ranking = ranked_parts(case, result)
    kind, _, cut = measure.partition("@")
    if kind == "R":  # of passages, each of which may hold several parts
        ranking = ranking[: int(cut)]
        measure = f"R@{max(1, sum(map(len, ranking)))}"
    places = [
        f"{one} at {n}"
        for n, held in enumerate(ranking, 1)
        for one in held
        if one in dict(relevant)
    ]
    value = ranked_measure(measure, relevant, tuple(one for held in ranking for one in held))
    return Grade(value, ", ".join(places) or "not found")


def _leads(case: Case, result: Result) -> Grade | None:
    """Whether the first passage is of an expected document, whichever passage of it."""
    if not judged(case):
        return None
    first = result.ranking[0].document.name if result.ranking else ""
    expected = {one.document for one in case.expected if one.document}
    return Grade(float(first in expected), first or "nothing found")


def _part(number: int) -> str:
    return f"part {number}"
