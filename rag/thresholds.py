"""How much of a sentence its evidence must hold for each verdict: all in one place."""

from __future__ import annotations

# The share of a sentence's words, by rarity, that makes its evidence worth showing.
PARTLY = 0.35
# Between two languages words differ, so closeness in meaning can carry a sentence part way.
CLOSE = 0.6
# From how near on a piece of the evidence counts as what a word of the sentence says: within one
# language, and between two.
MET_WITHIN, MET_ACROSS = 0.5, 0.3
# The same for a word in capitals that stands nowhere in the evidence: "University", "Đại học".
MET_NAME = 0.45
# The share of the words, by their weight for the embedder, that must be met for "supported" ...
COVERED_WITHIN, COVERED_ACROSS = 0.97, 0.75
# ... and the largest share that a single word which is not met may have.
UNMET_WITHIN, UNMET_ACROSS = 0.03, 0.2
# The share that must be met for a sentence to be about the same as its evidence: only then does
# the evidence contradict it.
SAME_TOPIC = 0.5
# The same where only a name differs.
SAME_BUT_NAME = 0.75
# What an entailment model must be sure of, as a probability, to raise or to lower a verdict.
ENTAILED, CONTRADICTED = 0.8, 0.8
