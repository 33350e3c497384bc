"""Finding across languages: ``python -m rag.evals.benchmarks.bilingual FOLDER``.

FOLDER holds what is not this project's to ship, as published: ``xquad/xquad.{en,vi}.json``
(Artetxe et al. 2020; 1,190 questions on 240 paragraphs in each language; CC BY-SA 4.0) and, for
matching sentences with their translations, files of two columns in its top folder (FLORES,
Tatoeba). ``--distractors`` names a folder with ``parallel/*.tsv`` and ``text/*.jsonl.gz``; passages
of these are added in the question's language.

Everything asks ``Index.search`` with the settings of the program. Questions on paragraphs of even
number may be tuned on (``--half tune``); those of odd number are what is reported.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from rag.evals.formats.squad import load_squad
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.index.training.corpus import read_corpus
from rag.settings import Settings
from rag.text import fold, normalize

_DEPTH = 10
# How many passages are asked for: several of one paragraph count as one.
_ASKED = 15
_SENTENCES_PER_DISTRACTOR = 6

# Question, paragraphs, and whether the question is typed without diacritics.
_WAYS = (
    ("en", "en", False),
    ("vi", "vi", False),
    ("en", "vi", False),
    ("vi", "en", False),
    ("vi", "vi", True),
    ("vi", "en", True),
)


@dataclass(frozen=True)
class Asked:
    """A question on a paragraph, which has the same number in every language."""

    text: str
    paragraph: int


def paragraphs_and_questions(file: Path) -> tuple[list[str], list[Asked]]:
    """The paragraphs of a file in SQuAD's format, and the questions that one of them answers."""
    suite = load_squad(file)
    numbers = {name: number for number, name in enumerate(suite.texts)}
    questions = [
        Asked(case.question, numbers[case.expected[0].document])
        for case in suite.cases
        if case.expected
    ]
    return list(suite.texts.values()), questions


def distractors(folder: Path, language: str, count: int) -> list[str]:
    """Passages of running text in English, or of articles in the other language."""
    corpus = read_corpus(folder)
    english = [one for pairs in corpus.parallel.values() for one, _ in pairs if len(one) > 40]
    sentences = [s for article in corpus.articles for s in article[1:]]
    listed = iter(english if language == "en" else sentences)
    return list(islice(_joined(listed), count))


def _joined(sentences: Iterator[str]) -> Iterator[str]:
    while block := list(islice(sentences, _SENTENCES_PER_DISTRACTOR)):
        yield " ".join(block)


def index_of(
    folder: Path, named: dict[str, str], settings: Settings, embedder: Embedder | None
) -> Index:
    """An index of texts by name."""
    documents = folder / "documents"
    documents.mkdir(parents=True)
    for name, text in named.items():
        (documents / f"{name}.txt").write_text(text, "utf-8")
    index = Index.create(folder / "index", settings, embedder)
    index.add(documents)
    return index


def ranks(
    index: Index, question: str, wanted: list[str], language: str | None = None
) -> list[int | None]:
    """At which place, from 1, each of some texts is found; ``None`` where not among the ten."""
    hits = index.search(question, _ASKED, language=language)
    order = list(dict.fromkeys(hit.document.name.removesuffix(".txt") for hit in hits))[:_DEPTH]
    return [order.index(name) + 1 if name in order else None for name in wanted]


def reciprocal(found: list[int | None]) -> float:
    """The mean reciprocal rank."""
    return float(np.mean([1 / rank if rank else 0.0 for rank in found]))


def recall(found: list[int | None], depth: int = _DEPTH) -> float:
    """The share found among the first."""
    return float(np.mean([rank is not None and rank <= depth for rank in found]))


class Measuring:
    """XQuAD in both languages, asked of one embedder with one set of settings."""

    def __init__(self, source: Path, half: str, settings: Settings) -> None:
        read = {code: paragraphs_and_questions(source / f"xquad/xquad.{code}.json")
                for code in ("en", "vi")}  # fmt: skip
        self.named = {
            code: {f"{code}-{number:03}": text for number, text in enumerate(paragraphs)}
            for code, (paragraphs, _) in read.items()
        }
        parity = {"tune": (0,), "report": (1,), "both": (0, 1)}[half]
        self.asked = {
            code: [one for one in questions if one.paragraph % 2 in parity]
            for code, (_, questions) in read.items()
        }
        self.settings = settings
        self.embedder: Embedder | None = None

    def index(self, folder: Path, named: dict[str, str]) -> Index:
        """An index of texts; the embedder is loaded once."""
        index = index_of(folder, named, self.settings, self.embedder)
        self.embedder = index.embedder()
        return index

    def ways(self, folder: Path) -> None:
        """One language asked, one language searched."""
        indexes = {code: self.index(folder / code, self.named[code]) for code in self.named}
        for asked, searched, bare in _WAYS:
            found = [
                ranks(indexes[searched], fold(one.text) if bare else one.text,
                      [f"{searched}-{one.paragraph:03}"])[0]
                for one in self.asked[asked]
            ]  # fmt: skip
            name = f"{asked}{' without diacritics' if bare else ''} → {searched}"
            _line(name, f"MRR@10 {reciprocal(found):.3f}", f"recall@10 {recall(found):.3f}")

    def pool(self, folder: Path) -> None:
        """Both languages in one index: either is right, and the twin is to be found too."""
        index = self.index(folder, self.named["en"] | self.named["vi"])
        for asked, other in (("en", "vi"), ("vi", "en")):
            both = [
                ranks(index, one.text, [f"{code}-{one.paragraph:03}" for code in (asked, other)])
                for one in self.asked[asked]
            ]
            either = [min((r for r in pair if r), default=None) for pair in both]
            twin = [pair[1] for pair in both]
            _line(
                f"{asked} → both", f"either, recall@5 {recall(either, 5):.3f}",
                f"twin, recall@10 {recall(twin):.3f}",
            )  # fmt: skip

    def buried(self, folder: Path, source: Path, count: int) -> None:
        """The other language's paragraphs among many passages in the question's language."""
        for asked, other in (("en", "vi"), ("vi", "en")):
            added = {f"added-{n}": text for n, text in enumerate(distractors(source, asked, count))}
            index = self.index(folder / asked, self.named[other] | added)
            found = [
                ranks(index, one.text, [f"{other}-{one.paragraph:03}"])[0]
                for one in self.asked[asked]
            ]
            _line(f"{asked} → {other} + {len(added)} {asked}", f"recall@10 {recall(found):.3f}")


def matching(embedder: Embedder, file: Path) -> None:
    """How often a sentence's translation is the nearest of all, in both directions."""
    pairs = [normalize(line).split("\t") for line in file.read_text("utf-8").splitlines()]
    one, other = (embedder.embed([pair[side] for pair in pairs]) for side in (0, 1))
    scores = one @ other.T
    right = np.arange(len(pairs))
    shares = [(scores.argmax(axis=axis) == right).mean() for axis in (1, 0)]
    _line(file.stem, f"there {shares[0]:.3f}", f"back {shares[1]:.3f}")


def _line(name: str, *figures: str) -> None:
    print(f"{name:28}" + "  ".join(f"{figure:28}" for figure in figures), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--embedder", help="a value of the setting index.embedder")
    parser.add_argument("--half", choices=("tune", "report", "both"), default="report")
    parser.add_argument("--distractors", type=Path, help="a folder of parallel text and articles")
    parser.add_argument("--count", type=int, default=10_000, help="how many distractors")
    given = parser.parse_args()
    if not (given.folder / "xquad" / "xquad.en.json").is_file():
        parser.error(f"{given.folder} holds no xquad/xquad.en.json")
    settings = Settings()
    if given.embedder:
        chosen = dataclasses.replace(settings.index, embedder=given.embedder)
        settings = dataclasses.replace(settings, index=chosen)
    measuring = Measuring(given.folder, given.half, settings)
    with tempfile.TemporaryDirectory() as folder:
        measuring.ways(Path(folder) / "ways")
        measuring.pool(Path(folder) / "pool")
        if given.distractors:
            measuring.buried(Path(folder) / "buried", given.distractors, given.count)
    if measuring.embedder:
        for file in sorted(given.folder.glob("*.tsv")):
            matching(measuring.embedder, file)


if __name__ == "__main__":
    main()
