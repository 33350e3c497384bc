"""All metrics, in the order in which reports show them."""

from __future__ import annotations

from rag.llm.backend import Backend

from .abstention import abstention_metrics
from .answers import answer_metrics
from .citations import citation_metrics
from .cost import cost_metrics
from .judged import judged_metrics
from .metric import Metric
from .retrieval import retrieval_metrics


def metrics(judge: Backend | None = None) -> tuple[Metric, ...]:
    """All metrics.

    Args:
        judge: Who judges what only a language model can; without one that is not graded.
    """
    return (
        *retrieval_metrics(),
        *citation_metrics(),
        *answer_metrics(),
        *abstention_metrics(),
        *judged_metrics(judge),
        *cost_metrics(),
    )
