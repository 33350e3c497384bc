"""How well passages are found, computed by ir-measures, which asks trec_eval.

Sources: recall and reciprocal rank as in Voorhees 1999, "The TREC-8 Question Answering Track
Report"; nDCG as in Järvelin and Kekäläinen 2002, "Cumulated Gain-based Evaluation of IR
Techniques". What is ranked are the parts of what a case expects: each stands at the rank of the
first passage that holds it, so alternatives count once and a second passage with the same words
is no second find. A case with one part, as XQuAD's, has the usual figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

from rag.evals.suite import Case

from .evidence import judged, parts_held
from .metric import Grade, Metric, Result

# How many passages are asked for.
DEPTH = 10

_MEASURES = {
    "recall@1": ("R@1", "passage that answers comes first"),
    "recall@5": ("R@5", "passages that answer are among the first 5"),
    "recall@10": ("R@10", "passages that answer are among the first 10"),
    "mrr@10": ("RR@10", "1 / rank of the first passage that answers"),
    "ndcg@10": ("nDCG@10", "passages that answer stand early"),
}


def retrieval_metrics() -> tuple[Metric, ...]:
    """Recall at 1, 5 and 10, reciprocal rank and nDCG at 10."""
    return tuple(
        Metric(name, title, partial(_grade, name)) for name, (_, title) in _MEASURES.items()
    )


@lru_cache(maxsize=256)
def ranked_measures(
    relevant: tuple[tuple[str, int], ...], ranking: tuple[str, ...]
) -> Mapping[str, float]:
    """All measures of one ranking, by the names used here.

    Args:
        relevant: Each relevant item with its grade.
        ranking: The items found, the best first.
    """
    import ir_measures

    measures = {name: ir_measures.parse_measure(given) for name, (given, _) in _MEASURES.items()}
    judgements = [ir_measures.Qrel("case", item, grade) for item, grade in relevant]
    # trec_eval ranks by score, and equal scores by name.
    found = [ir_measures.ScoredDoc("case", item, -rank) for rank, item in enumerate(ranking)]
    found = found or [ir_measures.ScoredDoc("case", "(nothing)", 0.0)]
    values = ir_measures.calc_aggregate(list(measures.values()), judgements, found)
    return {name: float(values[measure]) for name, measure in measures.items()}


def ranked_parts(case: Case, result: Result) -> tuple[str, ...]:
    """What was found, rank by rank: the name of a part, or of a passage that holds none."""
    ranking: list[str] = []
    seen: set[int] = set()
    for rank, hit in enumerate(result.ranking[:DEPTH]):
        held = parts_held(case, hit.document, hit.passage.start, hit.passage.end) - seen
        seen |= held
        ranking += [_part(number) for number in sorted(held)] or [f"passage {rank}"]
    return tuple(ranking)


def _grade(name: str, case: Case, result: Result) -> Grade | None:
    if not judged(case):
        return None
    relevant = tuple(
        (_part(number), max(one.grade for one in alternatives))
        for number, alternatives in case.parts.items()
    )
    ranking = ranked_parts(case, result)
    places = [f"{part} at {ranking.index(part) + 1}" for part, _ in relevant if part in ranking]
    return Grade(ranked_measures(relevant, ranking)[name], ", ".join(places) or "not found")


def _part(number: int) -> str:
    return f"part {number}"
