"""What a run needs to be repeated: suite, settings, versions, revision, seed."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.chatbot import Chatbot
from rag.llm.backend import Backend
from rag.types import to_dict

from .suite import Suite

_PACKAGES = (
    "rag-chatbot",
    "faiss-cpu",
    "ir-measures",
    "numpy",
    "openai",
    "scipy",
    "sentence-transformers",
    "tantivy",
    "torch",
    "transformers",
)


def about(
    suite: Suite, bot: Chatbot, judge: Backend | None, *, answers: bool, parallel: int, seed: int
) -> dict[str, Any]:
    """The facts about a run.

    Args:
        suite: What is asked.
        bot: Who is asked.
        judge: Who judges, if anyone.
        answers: Whether answers are written.
        parallel: How many questions are asked at a time.
        seed: The seed of the intervals.
    """
    return {
        "suite": suite.name,
        "title": suite.title,
        "digest": suite.digest,
        "cases": len(suite.cases),
        "drafts": suite.drafts,
        "backends": [backend.name for backend in bot.backends] if answers else [],
        "judge": judge.name if judge else None,
        "answers": answers,
        "parallel": parallel,
        "seed": seed,
        "settings": to_dict(bot.settings),
        "versions": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "revision": revision(Path(__file__).parent.parent),
    }


def revision(folder: Path) -> str | None:
    """The git revision of a folder, with a digest of what is changed but not committed.

    ``None`` where it is no checkout, or there is no git.
    """
    head = _git(folder, "rev-parse", "HEAD")
    if head is None or not (folder / "pyproject.toml").is_file():
        return None
    changed = _git(folder, "diff", "HEAD", "--", ":!evals/suites", ":!*.md")
    digest = hashlib.sha256(changed.encode()).hexdigest()[:8] if changed else ""
    return head.strip() + (f"+{digest}" if digest else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
