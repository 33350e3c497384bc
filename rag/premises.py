"""Whether a sentence shows that a question takes something for granted which is not so."""

from __future__ import annotations

from .candidates import Candidate
from .question import Asked

# What of a kind a question names and the sentence names otherwise cannot both be so.
_KINDS = ("year:", "date:", "month:", "territory:", "percent:")
# A sentence that lacks what the question supposes must meet all the rest of it.
_MEETS = 0.75


def contradicts(asked: Asked, candidate: Candidate) -> bool:
    """Whether a sentence tells what is asked about of another time, place or share.

    "Why was ChatGPT launched in 2021?" supposes a year; a sentence on that launch that names
    another year, in a passage that nowhere names the one supposed, contradicts it.

    Args:
        asked: The question.
        candidate: A sentence that answers it.
    """
    if not (asked.names and candidate.feature("names_resolved") == 1.0):
        return False
    if min(candidate.feature("relation_resolved"), candidate.feature("told_resolved")) < _MEETS:
        return False
    there = {one.key for one in candidate.told.concepts}
    passage = candidate.passage_keys
    for kind in _KINDS:
        if kind[:-1] in ("year", "date", "month") and "time" in asked.kinds:
            continue
        supposed = {key for key in asked.keys if key.startswith(kind)}
        told = {key for key in there if key.startswith(kind)}
        if supposed and told and not supposed & passage and not told & asked.keys:
            return True
    return False
