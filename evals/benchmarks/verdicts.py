"""How well verdicts hold: ``python -m rag.evals.benchmarks.verdicts [dev|test]``.

Each case of the suite ``verdicts`` is a sentence, the passage that it cites, and the verdict it ought
to get: true sentences, the same with one figure, name, date, unit, denial or relation altered, and
sentences with made-up quotations. Prints, by what was altered and by languages, how many were
supported, and how long a sentence took to check beside answering a question.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rag.chatbot import Chatbot
from rag.cite import cite
from rag.index.index import Index
from rag.settings import Settings, load_settings
from rag.statement import statement
from rag.types import Document, Hit, Passage, Sentence, Support

_SPLITS = ("dev", "test")
# What is not supported, for a sentence that is true.
_REFUSED = (Support.UNSUPPORTED, Support.CONTRADICTED)


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the passage that it cites, and what was altered in it; nothing if it is true."""

    id: str
    sentence: str
    language: str
    passage: str
    passage_language: str
    altered: str
    verdict: str
    document: str = ""

    @property
    def pair(self) -> str:
        """The languages of sentence and passage."""
        return f"{self.language} on {self.passage_language}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, the sentence as it was checked, and how many seconds that took."""

    case: Case
    checked: Sentence
    seconds: float

    @property
    def support(self) -> Support:
        """The verdict."""
        return self.checked.support


def cases(split: str) -> list[Case]:
    """The cases of a split of the suite: ``dev``, which was tuned on, or ``test``."""
    text = resources.files("rag.evals").joinpath("suites", "verdicts", f"{split}.jsonl")
    return [Case(**json.loads(line)) for line in text.read_text("utf-8").splitlines()]


def measured(
    chosen: Sequence[Case], folder: Path, settings: Settings | None = None
) -> list[Outcome]:
    """Check every sentence against its passage.

    Args:
        chosen: The cases.
        folder: Where an index of their passages is made, which knows how rare words are.
        settings: Settings; the defaults if left out.
    """
    given = settings or load_settings()
    index = _indexed(chosen, folder, given)
    found = []
    for case in chosen:
        hit = hit_of(case)
        started = time.perf_counter()
        cited = cite(
            f"{case.sentence} [1]",
            case.language,
            [hit],
            index.evidence,
            aligned=index.aligned,
            entailed=index.entailed,
        )
        seconds = time.perf_counter() - started
        if len(cited.sentences) != 1:
            raise ValueError(f"{case.id} is no single sentence: {cited.sentences}")
        found.append(Outcome(case, cited.sentences[0], seconds))
    return found


def replaced(chosen: Sequence[Case], *, across: bool, seed: int = 3) -> list[Case]:
    """True sentences with a word in place of one with a topic, twice each.

    The word is one of the other true sentences in that language, so it may by chance be as true.

    Args:
        chosen: Cases.
        across: Of sentences in another language than their passage, or in the same.
        seed: What the words are drawn with.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    true = [case for case in chosen if not case.altered]
    said = {case.id: statement(case.sentence, case.language) for case in true}
    words: dict[str, set[str]] = {}
    for case in true:
        own = said[case.id]
        words.setdefault(case.language, set()).update(own.words[place] for place in own.terms)
    found = []
    for case in true:
        if (case.language != case.passage_language) is not across:
            continue
        places = [place for place in said[case.id].terms if place]
        for place in draw.sample(places, min(2, len(places))):
            token = said[case.id].tokens[place]
            word = draw.choice(sorted(words[case.language] - {token.word}))
            sentence = f"{case.sentence[: token.start]}{word}{case.sentence[token.end :]}"
            one = replace(case, id=f"{case.id}-{place}", sentence=sentence, altered="word")
            found.append(one)
    return found


def hit_of(case: Case) -> Hit:
    """The passage of a case as a document of its own."""
    document = Document(f"file:///{case.id}.txt", "", case.passage_language, case.passage, id=1)
    return Hit(document, Passage(1, 0, len(case.passage), case.passage, id=1), 1.0, 1.0, 1.0)


def _indexed(chosen: Sequence[Case], folder: Path, settings: Settings) -> Index:
    """An index of the passages, each once."""
    documents = folder / "documents"
    documents.mkdir(parents=True)
    for number, text in enumerate(dict.fromkeys(case.passage for case in chosen)):
        (documents / f"{number:03}.txt").write_text(text, "utf-8")
    index = Index.create(folder / "index", settings)
    index.add(documents)
    return index


def figures(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The shares that count, each with the number of cases it is of."""
    every = list(outcomes)
    true = [one for one in every if not one.case.altered]
    altered = [one for one in every if one.case.altered not in ("", "quotation")]
    quoted = [one for one in every if one.case.altered == "quotation"]
    exact = [c for one in every for c in one.checked.citations]
    return {
        "altered, but supported": share(altered, Support.SUPPORTED),
        "altered, and contradicted": share(altered, Support.CONTRADICTED),
        "true, but unsupported or contradicted": share(true, *_REFUSED),
        "true, and supported": share(true, Support.SUPPORTED),
        "made-up quotations, but supported": share(quoted, Support.SUPPORTED),
        "quotes exact": (
            sum(c.document.text[c.start : c.end] == c.quote for c in exact) / max(1, len(exact)),
            len(exact),
        ),
    }


def share(outcomes: Sequence[Outcome], *supports: Support) -> tuple[float, int]:
    """The share of outcomes with one of some verdicts, and how many outcomes there are."""
    return sum(one.support in supports for one in outcomes) / max(1, len(outcomes)), len(outcomes)


def answering(folder: Path) -> tuple[float, float]:
    """Seconds that an answer of the extractive backend takes, and that a sentence takes to check.

    The sentences are those of the split ``dev``, as a language model might write them without a
    marker, so each is compared with all passages that are found. Both are medians, the second of
    processor time, which other work on the machine does not change.
    """
    chosen = cases("dev")[::6]
    index = _indexed(cases("dev"), folder, load_settings())
    bot = Chatbot(index, "extractive")
    whole, checking = [], []
    for case in chosen:
        started = time.process_time()
        answer = bot.ask(f"{case.sentence.rstrip('.')}?")
        whole.append(time.process_time() - started)
        started = time.process_time()
        cite(case.sentence, case.language, answer.hits, index.evidence, aligned=index.aligned)
        checking.append(time.process_time() - started)
    return statistics.median(whole), statistics.median(checking)


def _table(outcomes: Sequence[Outcome], by: str) -> None:
    groups: dict[str, Counter[Support]] = {}
    for one in outcomes:
        key = (one.case.altered or "true") if by == "altered" else one.case.pair
        name = key if by == "altered" else f"{key}, {'altered' if one.case.altered else 'true'}"
        groups.setdefault(name, Counter())[one.support] += 1
    print(f"\n{'':24}" + "".join(f"{one:>18}" for one in Support))
    for name, counts in sorted(groups.items()):
        print(f"{name:24}" + "".join(f"{counts[one]:18}" for one in Support))


def _show(one: Outcome) -> None:
    reasons = "; ".join(f"{r.kind}: {r.said!r} / {r.found!r}" for r in one.checked.reasons)
    quote = one.checked.citations[0].quote if one.checked.citations else ""
    print(f"\n{one.case.id} ({one.case.altered or 'true'}) {one.support}: {one.case.sentence}")
    print(f"    {quote}\n    {reasons}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How well verdicts hold.")
    parser.add_argument("split", nargs="?", choices=_SPLITS, help="both if left out")
    parser.add_argument("--verbose", action="store_true", help="show what came out wrong")
    parser.add_argument("--replaced", action="store_true", help="also replace words at random")
    parser.add_argument("--nli", default="", help="an entailment model: the setting answer.nli")
    given = parser.parse_args(arguments)
    settings = load_settings([f"answer.nli={given.nli}"] if given.nli else [])
    for split in [given.split] if given.split else _SPLITS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes = measured(cases(split), Path(folder), settings)
        print(f"\n== {split}: {len(outcomes)} cases")
        _report(figures(outcomes))
        _table(outcomes, "altered")
        _table(outcomes, "pair")
        seconds = sorted(one.seconds for one in outcomes[len(outcomes) // 10 :])
        print(
            f"\nchecking a sentence against its passage: median {1000 * statistics.median(seconds):.1f} ms, "
            f"95th percentile {1000 * seconds[int(0.95 * len(seconds))]:.1f} ms"
        )
        for one in outcomes if given.verbose else ():
            wrong = (
                one.support is Support.SUPPORTED if one.case.altered else one.support in _REFUSED
            )
            if wrong or (not one.case.altered and one.support is Support.PARTLY):
                _show(one)
        if given.replaced:
            with tempfile.TemporaryDirectory() as folder:
                for across in (False, True):
                    some = replaced(cases(split), across=across)
                    found = measured(some, Path(folder) / str(across))
                    value, count = share(found, Support.SUPPORTED)
                    where = "to another language" if across else "within one language"
                    print(f"a word replaced, but supported, {where}: {value:.1%} of {count}")
    with tempfile.TemporaryDirectory() as folder:
        whole, checking = answering(Path(folder))
    print(
        f"\nprocessor time of an answer of the extractive backend: {1000 * whole:.1f} ms; of checking "
        f"a sentence without a marker against all passages: {1000 * checking:.1f} ms, "
        f"{checking / whole:.0%} of that"
    )


def _report(found: Mapping[str, tuple[float, int]]) -> None:
    for name, (value, count) in found.items():
        print(f"{name:42}{value:8.1%}  of {count}")


if __name__ == "__main__":
    main()
