"""What importing ``rag`` costs: ``python -m rag.evals.benchmarks.startup``.

Prints the median over several processes of ``import rag``, beyond what starting Python itself
takes, in seconds and as a share of that start; and the heavy libraries that it loads.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

_RUNS = 15
_HEAVY = ("torch", "faiss", "gradio", "openai", "numpy", "sentence_transformers", "tantivy")


def _seconds(code: str) -> float:
    """The median time of a fresh process that runs some code."""
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    bare, imported = _seconds("pass"), _seconds("import rag")
    probe = f"import rag, sys; print(*(m for m in {_HEAVY} if m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True
    ).stdout.strip()
    print(
        f"import rag: {imported - bare:.3f} s beyond a bare start of {bare:.3f} s "
        f"(ratio {(imported - bare) / bare:.2f})"
    )
    print(f"heavy libraries it loads: {loaded or 'none'}")


if __name__ == "__main__":
    main()
