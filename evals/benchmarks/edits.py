"""What an edit of a long document costs: how many of its passages are new afterwards.

``python -m rag.evals.benchmarks.edits`` cuts a document of 200 paragraphs in a made-up language,
edits each paragraph in turn in four ways, cuts it again, and counts the passages that were not
there before: these, and no others, would be embedded.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

from rag.index.chunk import chunk
from rag.types import Document

from .synthetic import HashingEmbedder, Language

PARAGRAPHS = 200
_NEW = "A new paragraph. It says something nobody said before."

Edit = Callable[[list[str], int], list[str]]


def paragraphs() -> list[str]:
    """A long document, paragraph by paragraph: two to nine sentences of ten words in each."""
    chance, language = random.Random(1), Language(size=2000)  # noqa: S311 - the same each time
    return [language.sentences(chance.randint(2, 9), 10) for _ in range(PARAGRAPHS)]


EDITS: dict[str, Edit] = {
    "a word added": lambda parts, place: _ending(parts, place, " words."),
    "a sentence added": lambda parts, place: _ending(parts, place, ". Nobody ever said this."),
    "a paragraph deleted": lambda parts, place: parts[:place] + parts[place + 1 :],
    "a paragraph added": lambda parts, place: [*parts[:place], _NEW, *parts[place:]],
}


def main() -> None:
    """Count and print."""
    parts = paragraphs()
    before = _passages(parts)
    print(f"{len(before)} passages; new ones after one edit, over {PARAGRAPHS} places:")
    for name, edit in EDITS.items():
        new = [len(_passages(edit(parts, place)) - before) for place in range(PARAGRAPHS)]
        print(f"  {name:20} mean {statistics.mean(new):5.2f}  most {max(new):3}")


def _ending(parts: list[str], place: int, ending: str) -> list[str]:
    changed = parts[place].removesuffix(".") + ending
    return [*parts[:place], changed, *parts[place + 1 :]]


def _passages(parts: list[str]) -> set[str]:
    embedder = HashingEmbedder(32)
    document = Document("made:1", "Made up", "en", "\n\n".join(parts))
    return {each.text for each in chunk(document, embedder.count_tokens, embedder.max_tokens)}


if __name__ == "__main__":
    main()
