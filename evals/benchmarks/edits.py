"""What an edit of a long document costs: how many of its passages are new afterwards.

``python -m rag.evals.benchmarks.edits`` cuts a document of 200 paragraphs in a made-up language,
edits each paragraph in turn in four ways, cuts it again, and counts the passages that were not
there before: these, and no others, would be embedded. It does so with blank lines between the
paragraphs, with single line ends, and with all in one long paragraph.
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

# What stands between two paragraphs.
BREAKS = {"blank lines": "\n\n", "line ends": "\n", "one paragraph": " "}


def main() -> None:
    """Count and print."""
    parts = paragraphs()
    for name, separator in BREAKS.items():
        before = passages(parts, separator)
        print(f"{name}: {len(before)} passages; new after one edit, over {PARAGRAPHS} places:")
        for what, edit in EDITS.items():
            new = [
                len(passages(edit(parts, place), separator) - before) for place in range(PARAGRAPHS)
            ]
            print(f"  {what:20} mean {statistics.mean(new):5.2f}  most {max(new):3}")


def passages(parts: list[str], separator: str) -> set[str]:
    """The texts of the passages that a document is cut into."""
    embedder = HashingEmbedder(32)
    document = Document("made:1", "Made up", "en", separator.join(parts))
    return {each.text for each in chunk(document, embedder.count_tokens, embedder.max_tokens)}


def _ending(parts: list[str], place: int, ending: str) -> list[str]:
    changed = parts[place].removesuffix(".") + ending
    return [*parts[:place], changed, *parts[place + 1 :]]


if __name__ == "__main__":
    main()
