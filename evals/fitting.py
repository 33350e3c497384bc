"""Fits the weights of ranking and abstaining: ``python -m rag.evals.fitting FOLDER``.

FOLDER holds ``xquad.en.json`` and ``xquad.vi.json`` (see ``labelled.py``); the cases of the split
``dev`` of the suites of this project are taken too, never those of ``test``. It prints
``rag/weights.toml``, with the figures reached on what it was not fitted to. No randomness but which
paragraph is in which language.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.abstention import CLEARLY_NOT, Ranked, can_be_told, head_first, of_the_named, rank, signs
from rag.candidates import FEATURES
from rag.settings import Settings, load_settings
from rag.weights import Logistic, Weights

from .labelled import Labelled, of_suite, of_xquad
from .reading import load_suite
from .runner import indexed

OWN = ("seeds", "miscellany", "gazette")
# Penalties of squared weights, and how much a case of our own counts beside one of XQuAD, which
# asks about other things than people do, when ranking.
_RANKING_PENALTY, _ANSWERING_PENALTY = 4.0, 0.03
_OWN_RANKING = 4.0
# How much worse it is to refuse what can be answered than to answer what cannot.
_REFUSAL = 1.4

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """How some questions fare: counts, and shares of them.

    ``unasked`` are the answerable ones that no language model would be asked, ``spared`` those off topic.
    """

    name: str
    asked: int
    first: float
    false_refusals: float
    false_answers: float
    near_misses: float
    unasked: float
    spared: float


def fitted(cases: Sequence[Labelled]) -> Weights:
    """The weights that rank the right sentences first and tell the answerable questions apart."""
    ranking = _ranking([one for one in cases if one.right])
    n = len(FEATURES)
    same, foreign = tuple(ranking[:n].tolist()), tuple(ranking[n:-1].tolist())
    nothing = Logistic({}, 0.0)
    own = Weights(same, foreign, float(ranking[-1]), nothing, nothing)
    some = [one for one in cases if one.found]
    # A near miss is to the point, though it is not answered.
    clear = [one for one in some if one.kind != "near-miss"]
    return replace(own, relevant=_deciding(clear, own), answering=_deciding(some, own))


def _deciding(cases: Sequence[Labelled], own: Weights) -> Logistic:
    """What tells answerable questions from the others."""
    told = [signs(one.asked, _ranked(one, own)) for one in cases]
    names = list(told[0])
    matrix = np.array([[each[name] for name in names] for each in told])
    answerable = np.array([one.kind == "answerable" for one in cases])
    sources = np.array([one.source for one in cases])
    found = _logistic(matrix, answerable, _balanced(answerable, sources))
    return Logistic(dict(zip(names, found[:-1].tolist(), strict=True)), float(found[-1]))


def _ranking(cases: Sequence[Labelled]) -> Array:
    """Weights under which a softmax over the sentences gives the right ones most."""
    from scipy.optimize import minimize

    rows = [_design(one) for one in cases]
    matrix = np.concatenate(rows)
    sizes = np.array([len(one) for one in rows])
    starts = np.cumsum([0, *sizes[:-1]])
    owner = np.repeat(np.arange(len(rows)), sizes)
    right = np.concatenate(
        [np.isin(np.arange(len(r)), one.right) for r, one in zip(rows, cases, strict=True)]
    )
    counts = np.array([1.0 if one.source == "xquad" else _OWN_RANKING for one in cases])

    def loss(given: Array) -> tuple[float, Array]:
        scores = matrix @ given
        power = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        every = np.add.reduceat(power, starts)
        good = np.add.reduceat(power * right, starts) + 1e-12
        value = counts @ (np.log(every) - np.log(good)) + _RANKING_PENALTY * given @ given
        slope = counts[owner] * (power / every[owner] - power * right / good[owner])
        return float(value), matrix.T @ slope + 2 * _RANKING_PENALTY * given

    best = minimize(loss, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(best.x, dtype=np.float64)


def _design(case: Labelled) -> Array:
    features = np.array([one.features for one in case.found])
    foreign = np.array([[one.foreign] for one in case.found])
    return np.hstack([features * ~foreign, features * foreign, foreign])


def _balanced(answerable: NDArray[np.bool_], sources: NDArray[np.str_]) -> Array:
    """Weights under which all sources count the same, and within them both answers as they should."""
    counts = np.zeros(len(answerable))
    for source in np.unique(sources):
        for answer in (True, False):
            chosen = (sources == source) & (answerable == answer)
            if chosen.any():
                share = _REFUSAL if answer else 1.0
                counts[chosen] = share * len(answerable) / len(np.unique(sources)) / chosen.sum()
    return counts


def _logistic(matrix: Array, answerable: NDArray[np.bool_], counts: Array) -> Array:
    """Coefficients and intercept of a logistic regression with a quadratic penalty."""
    from scipy.optimize import minimize

    mean, spread = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    scaled = np.hstack([(matrix - mean) / spread, np.ones((len(matrix), 1))])
    signed = np.where(answerable, 1.0, -1.0)
    penalty = _ANSWERING_PENALTY * counts.sum()

    def loss(given: Array) -> tuple[float, Array]:
        margins = signed * (scaled @ given)
        free = np.append(given[:-1], 0.0)
        value = counts @ np.logaddexp(0, -margins) + penalty * free @ free
        slope = -counts * signed / (1 + np.exp(np.clip(margins, -500, 500)))
        return float(value), scaled.T @ slope + 2 * penalty * free

    best = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    plain = best[:-1] / spread
    return np.append(plain, best[-1] - plain @ mean)


def figures(name: str, cases: Sequence[Labelled], own: Weights, least: float) -> Figures:
    """How questions fare under weights, answered from a probability on."""
    first, refused, answered, near = [], [], [], []
    unasked: list[bool] = []
    spared: list[bool] = []
    for one in cases:
        ranked = _ranked(one, own)
        told = signs(one.asked, ranked) if ranked else {}
        able = bool(ranked) and can_be_told(one.asked, ranked)
        ventured = able and own.answering.probability(told) >= least
        silent = not ranked or own.relevant.probability(told) < CLEARLY_NOT
        if one.kind != "near-miss":
            (unasked if one.kind == "answerable" else spared).append(silent)
        if one.kind == "answerable":
            refused.append(not ventured)
            first.append(bool(ranked) and _is_right(head_first(one.asked, ranked)[0], one))
        else:
            answered.append(ventured)
            near += [ventured] if one.kind == "near-miss" else []
    shares = [
        float(np.mean(each)) if each else float("nan")
        for each in (first, refused, answered, near, unasked, spared)
    ]
    return Figures(name, len(cases), *shares)


def _ranked(case: Labelled, own: Weights) -> tuple[Ranked, ...]:
    """The sentences of a question as the program ranks them."""
    return rank(of_the_named(case.asked, case.found), own)


def _is_right(best: Ranked, case: Labelled) -> bool:
    return any(case.found[row] is best.candidate for row in case.right)


def gathered(folder: Path, settings: Settings) -> list[Labelled]:
    """All that the weights are fitted to and measured on."""
    cases: list[Labelled] = []
    with tempfile.TemporaryDirectory() as work:
        cases += of_xquad(folder, Path(work), settings)
        for name in OWN:
            suite = load_suite(name).only("dev")
            cases += of_suite(suite, indexed(suite, Path(work) / name, settings), settings)
    return cases


def main(folder: Path) -> None:
    """Fit, measure, print."""
    settings = load_settings()
    least = settings.answer.evidence
    cases = gathered(folder, settings)
    tuned = [one for one in cases if one.half == "tune"]
    parts = [
        figures(
            "XQuAD, other half",
            [one for one in cases if one.half == "report"],
            fitted(tuned),
            least,
        )
    ]
    for name in OWN:
        rest = [one for one in tuned if one.source != name]
        parts.append(
            figures(
                f"{name}, fitted without it",
                [one for one in tuned if one.source == name],
                fitted(rest),
                least,
            )
        )
    sys.stdout.write(_written(fitted(tuned), parts))


def _written(own: Weights, parts: Sequence[Figures]) -> str:
    lines = [
        "# Weights of ranking sentences and of answering at all, fitted by",
        "# `python -m rag.evals.fitting FOLDER` (evals/labelled.py says on what). Figures on questions",
        "# that the weights were not fitted to: the right sentence first, answerable questions refused,",
        "# unanswerable ones answered, near misses among them answered; answerable questions, and those off",
        "# topic, that no language model would be asked.",
        "#",
    ]
    lines += [
        f"#   {one.name}: {one.asked} questions, {one.first:.1%}, {one.false_refusals:.1%}, "
        f"{one.false_answers:.1%}, {one.near_misses:.1%}; {one.unasked:.1%}, {one.spared:.1%}"
        for one in parts
    ]
    lines += ["", "[ranking]", f"offset = {own.offset:.3f}  # of a sentence in another language"]
    for name, values in (("same", own.same), ("foreign", own.foreign)):
        lines += ["", f"[ranking.{name}]"]
        lines += [f"{one} = {value:.3f}" for one, value in zip(FEATURES, values, strict=True)]
    for name, found in (("relevant", own.relevant), ("answering", own.answering)):
        lines += ["", f"[{name}]", f"intercept = {found.intercept:.3f}"]
        lines += [f"{one} = {value:.3f}" for one, value in found.coefficients.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
