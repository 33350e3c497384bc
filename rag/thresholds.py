"""How much of a sentence its evidence must hold for each verdict: all in one place.

Calibrated on the split ``dev`` of the suite ``verdicts`` (``python -m rag.evals.benchmarks.verdicts``)
with the bundled embedder, and by ``--replaced``, which puts a random word of other sentences in place of
one with a topic: the share of those that is still supported, and of true sentences that is. Of 184
and 200 such sentences; another draw gives 8.2% where the one below gave 3.8%.

Across languages, by the three values MET_ACROSS, COVERED_ACROSS, UNMET_ACROSS:

    0.25 0.8 0.08   6.5%   70.5%        0.28 0.7 0.12   9.8%   72.6%
    0.28 0.8 0.08   3.8%   68.4%        0.3  0.8 0.2   25.0%   76.8%
    0.33 0.8 0.08   3.3%   61.1%        0.4  0.9 0.08   1.1%   50.5%

Within one language 0.4, 0.97, 0.03 and 0.5, 0.97, 0.03 alike: 4.0% and 96.2%; 0.5, 0.9, 0.1: 9.0%, 96.2%.
"""

from __future__ import annotations

# The share of a sentence's words, by rarity, that makes its evidence worth showing.
PARTLY = 0.35
# Between two languages words differ, so closeness in meaning can carry a sentence part way.
CLOSE = 0.6
# From how near on (a cosine) a piece of the evidence counts as what a word of the sentence says:
# within one language, and between two.
MET_WITHIN, MET_ACROSS = 0.5, 0.28
# The same for a word in capitals that stands nowhere in the evidence: "University", "Đại học".
MET_NAME = 0.45
# The share of the words, by their weight for the embedder, that must be met for "supported" ...
COVERED_WITHIN, COVERED_ACROSS = 0.97, 0.8
# ... and the largest share that a word which is not met may have.
UNMET_WITHIN, UNMET_ACROSS = 0.03, 0.08
# The share that must be met for a sentence to be about the same as its evidence: only then does
# the evidence contradict it. The second where only a name differs.
SAME_TOPIC, SAME_BUT_NAME = 0.5, 0.75
# What an entailment model must be sure of, as a probability, to raise or to lower a verdict; set
# by judgement, no such model could be had.
ENTAILED, CONTRADICTED = 0.8, 0.8
