"""The whole recipe: ``python -m rag.index.training DATA OUT``. README.md here tells of it."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError

from .batches import groups
from .card import card
from .corpus import Corpus, read_corpora
from .diacritics import write_tables
from .evaluation import evaluate
from .export import export
from .learning import Schedule, learn
from .pieces import Sizes, train_pieces
from .sources import ENGLISH
from .teacher import english_texts, taught, taught_texts
from .texts import Texts


def texts_for_pieces(corpora: Sequence[Corpus]) -> tuple[list[str], list[str]]:
    """What the pieces are found in: English, and the other languages."""
    english: list[str] = []
    others: list[str] = []
    for corpus in corpora:
        for name, pairs in corpus.parallel.items():
            thinned = pairs[:: corpus.source(name).one_in]
            english += [one for one, _ in thinned]
            others += [other for _, other in thinned]
    for corpus in corpora:
        english += [f"{words} {gloss}" for words, gloss in corpus.glosses]
    for corpus in corpora:
        english += [one for one, _ in corpus.words]
        others += [other for _, other in corpus.words]
    for corpus in corpora:
        side = english if corpus.language == ENGLISH else others
        side += [sentence for article in corpus.articles for sentence in article]
    return english, others


def _tokenizer(corpora: Sequence[Corpus], folder: Path) -> Any:
    """The tokenizer, kept in the folder for the next time."""
    from tokenizers import Tokenizer

    english, others = texts_for_pieces(corpora)
    sizes = Sizes().with_room_for(sum(bool(corpus.parallel) for corpus in corpora))
    known = hashlib.sha256("\n".join([str(sizes), *english, *others]).encode()).hexdigest()[:16]
    path = folder / f"tokenizer-{known}.json"
    if not path.exists():
        train_pieces(english, others, sizes).save(str(path), pretty=False)
    return Tokenizer.from_file(str(path))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder as corpus.py describes it")
    parser.add_argument("out", type=Path, help="where the model goes")
    parser.add_argument("--work", type=Path, default=Path("training-work"),
                        help="where what takes long is kept for the next time")  # fmt: skip
    parser.add_argument("--teacher", help="a sentence-transformers model to learn from")
    parser.add_argument("--only-diacritics", action="store_true",
                        help="write the tables of diacritics and leave the rest as it is")  # fmt: skip
    defaults = Schedule()
    for field in dataclasses.fields(Schedule):
        default = getattr(defaults, field.name)
        parser.add_argument(f"--{field.name}", type=type(default), default=default)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the data, find the pieces, learn their vectors, write the model, measure it."""
    parser = _parser()
    given = parser.parse_args(arguments)
    schedule = Schedule(**{f.name: getattr(given, f.name) for f in dataclasses.fields(Schedule)})
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:7.0f} s  {what}", flush=True)

    try:
        corpora = read_corpora(given.data)
    except RagError as error:
        parser.error(f"{error.message} {error.remedy}")
    if not any(pairs for corpus in corpora for pairs in corpus.parallel.values()):
        parser.error(f"{given.data} holds no parallel/*.tsv with pairs")
    given.work.mkdir(parents=True, exist_ok=True)
    for corpus in corpora:
        pairs = sum(map(len, corpus.parallel.values()))
        say(f"{corpus.language}: {pairs} pairs, {len(corpus.words)} words, "
            f"{len(corpus.articles)} articles, {len(corpus.glosses)} glosses")  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    for path in write_tables(corpora, given.out):
        say(f"{path.name}, {path.stat().st_size} bytes")
    if given.only_diacritics:
        return
    _learn(corpora, given, schedule, say)
    figures = evaluate(given.out, given.data, corpora)
    for figure in figures:
        say(str(figure))
    (given.out / "README.md").write_text(card(given.out, corpora, figures, given.teacher), "utf-8")
    say(f"written to {given.out}")


def _learn(
    corpora: Sequence[Corpus],
    given: argparse.Namespace,
    schedule: Schedule,
    say: Callable[[str], None],
) -> None:
    """From the texts to the model's files."""
    tokenizer = _tokenizer(corpora, given.work)
    texts = Texts(tokenizer)
    kinds, english = groups(corpora, texts), english_texts(corpora)
    known = taught_texts(corpora, english, texts)
    texts.finish()
    say(f"{tokenizer.get_vocab_size()} pieces, {len(texts)} texts")
    teacher = taught(english, given.work, given.teacher)
    say(f"{len(teacher)} texts of the teacher")
    vectors = learn(
        tokenizer.get_vocab_size(), texts, kinds, known, teacher, schedule,
        lambda step, losses, _: say(f"step {step}  " + _rounded(losses)),
    )  # fmt: skip
    export(vectors, tokenizer, texts, given.out)


def _rounded(losses: dict[str, float]) -> str:
    return "  ".join(f"{name} {loss:.3f}" for name, loss in losses.items())


if __name__ == "__main__":
    main()
