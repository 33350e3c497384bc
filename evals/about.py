"""What a run needs to be repeated: suite, settings, versions, revision, seed."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.index.index import Index
from rag.llm.backend import Backend
from rag.serialization import to_dict
from rag.settings import Settings

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
    suite: Suite,
    settings: Settings,
    backends: Sequence[Backend],
    judge: Backend | None,
    *,
    answers: bool,
    parallel: int,
    seed: int,
) -> dict[str, Any]:
    """The facts about a run that are known before its documents are.

    Args:
        suite: What is asked.
        settings: How.
        backends: The chain that answers.
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
        "backends": [backend.name for backend in backends] if answers else [],
        "judge": judge.name if judge else None,
        "answers": answers,
        "parallel": parallel,
        "seed": seed,
        "settings": to_dict(settings),
        "versions": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "revision": revision(Path(__file__).parent.parent),
    }


def about_documents(retriever: object) -> dict[str, Any]:
    """What was asked: of an index its fingerprint, and the number and a digest of its documents."""
    if not isinstance(retriever, Index):
        return {"retriever": type(retriever).__name__}
    entries = retriever.documents()
    digest = hashlib.sha256()
    for entry in entries:  # their order is that of the URIs
        digest.update(f"{entry.name}\n{retriever.document(entry.uri).text}\n".encode())
    return {
        "documents": len(entries),
        "texts": digest.hexdigest()[:16],
        "fingerprint": to_dict(retriever.fingerprint),
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
