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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.abstention import Ranked, probability, rank, signs
from rag.candidates import FEATURES
from rag.settings import Settings, load_settings
from rag.weights import Weights

from .labelled import Labelled, of_suite, of_xquad
from .reading import load_suite
from .runner import indexed

OWN = ("seeds", "miscellany")
# Penalties of squared weights, and how much a case of our own counts beside one of XQuAD, which
# asks about other things than people do, when ranking and when deciding.
_RANKING_PENALTY, _ANSWERING_PENALTY = 4.0, 0.03
_OWN_RANKING, _OWN_ANSWERING = 4.0, 3.0
# How much worse it is to refuse what can be answered than to answer what cannot.
_REFUSAL = 2.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """How some questions fare: counts, and shares of them."""

    name: str
    asked: int
    first: float
    false_refusals: float
    false_answers: float
    near_misses: float


def fitted(cases: Sequence[Labelled]) -> Weights:
    """The weights that rank the right sentences first and tell the answerable questions apart."""
    ranking = _ranking([one for one in cases if one.right])
    n = len(FEATURES)
    same, foreign = tuple(ranking[:n].tolist()), tuple(ranking[n:-1].tolist())
    own = Weights(same, foreign, float(ranking[-1]), {}, 0.0)
    some = [one for one in cases if one.found]
    told = [signs(one.asked, rank(one.found, own)) for one in some]
    names = list(told[0])
    matrix = np.array([[each[name] for name in names] for each in told])
    answerable = np.array([one.kind == "answerable" for one in some])
    sources = np.array([one.source == "xquad" for one in some])
    found = _logistic(matrix, answerable, _balanced(answerable, sources))
    chosen = dict(zip(names, found[:-1].tolist(), strict=True))
    return Weights(same, foreign, float(ranking[-1]), chosen, float(found[-1]))


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


def _balanced(answerable: NDArray[np.bool_], sources: NDArray[np.bool_]) -> Array:
    """Weights under which the sources count as they should, and within them both answers."""
    counts = np.zeros(len(answerable))
    for source in (True, False):
        for answer in (True, False):
            chosen = (sources == source) & (answerable == answer)
            if chosen.any():
                share = (1.0 if source else _OWN_ANSWERING) * (_REFUSAL if answer else 1.0)
                counts[chosen] = share * len(answerable) / 4 / chosen.sum()
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
    for one in cases:
        ranked = rank(one.found, own)
        ventured = bool(ranked) and probability(signs(one.asked, ranked), own) >= least
        if one.kind == "answerable":
            refused.append(not ventured)
            first.append(bool(ranked) and _is_right(ranked[0], one))
        else:
            answered.append(ventured)
            near += [ventured] if one.kind == "near-miss" else []
    shares = [
        float(np.mean(each)) if each else float("nan") for each in (first, refused, answered, near)
    ]
    return Figures(name, len(cases), *shares)


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
        "# unanswerable ones answered, near misses among them answered.",
        "#",
    ]
    lines += [
        f"#   {one.name}: {one.asked} questions, {one.first:.1%}, {one.false_refusals:.1%}, "
        f"{one.false_answers:.1%}, {one.near_misses:.1%}"
        for one in parts
    ]
    lines += ["", "[ranking]", f"offset = {own.offset:.3f}  # of a sentence in another language"]
    for name, values in (("same", own.same), ("foreign", own.foreign)):
        lines += ["", f"[ranking.{name}]"]
        lines += [f"{one} = {value:.3f}" for one, value in zip(FEATURES, values, strict=True)]
    lines += ["", "[answering]", f"intercept = {own.intercept:.3f}"]
    lines += [f"{name} = {value:.3f}" for name, value in own.answering.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
