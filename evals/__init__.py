"""Suites of questions, metrics, runs, comparisons, and a gate.

    from rag import Chatbot, evals

    suite = evals.load_suite("seeds")
    index = evals.indexed(suite, Path("seeds-index"), settings)
    run = evals.run(suite, Chatbot(index))
    print({one.name: one.mean for one in run.summaries()})

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .baseline import gate as gate
    from .baseline import load_baseline as load_baseline
    from .baseline import save_baseline as save_baseline
    from .comparison import compare as compare
    from .reading import load_suite as load_suite
    from .results import Run as Run
    from .runner import indexed as indexed
    from .runner import run as run
    from .store import load_run as load_run
    from .suite import Case as Case
    from .suite import Expected as Expected
    from .suite import Suite as Suite

_HOMES = {
    "Case": "suite",
    "Expected": "suite",
    "Run": "results",
    "Suite": "suite",
    "compare": "comparison",
    "gate": "baseline",
    "indexed": "runner",
    "load_baseline": "baseline",
    "load_run": "store",
    "load_suite": "reading",
    "run": "runner",
    "save_baseline": "baseline",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag.evals' has no attribute {name!r}")
    value = getattr(import_module(f"rag.evals.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
