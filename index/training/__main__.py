"""The whole recipe: ``python -m rag.index.training DATA OUT``. README.md here tells of it."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import time
from importlib import resources
from pathlib import Path
from typing import Any

from .batches import Texts, groups, taught_texts
from .corpus import Corpus, read_corpus
from .diacritics import write_tables
from .export import export
from .learning import Schedule, learn
from .pieces import Sizes, train_pieces
from .teacher import english_texts, taught

# One in so many lines of these goes into the tokenizer: they would crowd out the others.
_THINNED = {"gettext_ui_vi": 4, "bible_nheb_vi1934": 4, "bible_bbe_vi1934": 3}


def texts_for_pieces(corpus: Corpus) -> tuple[list[str], list[str]]:
    """What the pieces are found in: English, and the other languages."""
    english: list[str] = []
    others: list[str] = []
    for name, pairs in corpus.parallel.items():
        thinned = pairs[:: _THINNED.get(name, 1)]
        english += [one for one, _ in thinned]
        others += [other for _, other in thinned]
    english += [f"{words} {gloss}" for words, gloss in corpus.glosses]
    english += [one for one, _ in corpus.words]
    others += [other for _, other in corpus.words]
    others += [sentence for article in corpus.articles for sentence in article]
    return english, others


def _tokenizer(corpus: Corpus, folder: Path) -> Any:
    """The tokenizer, kept in the folder for the next time."""
    from tokenizers import Tokenizer

    english, others = texts_for_pieces(corpus)
    sizes = Sizes()
    known = hashlib.sha256("\n".join([str(sizes), *english, *others]).encode()).hexdigest()[:16]
    path = folder / f"tokenizer-{known}.json"
    if not path.exists():
        train_pieces(english, others, sizes).save(str(path), pretty=False)
    return Tokenizer.from_file(str(path))


def main() -> None:
    """Read the data, find the pieces, learn their vectors, write the model."""
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
    given = parser.parse_args()
    schedule = Schedule(**{f.name: getattr(given, f.name) for f in dataclasses.fields(Schedule)})
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:7.0f} s  {what}", flush=True)

    corpus = read_corpus(given.data)
    if not corpus.parallel:
        parser.error(f"{given.data} holds no parallel/*.tsv")
    given.work.mkdir(parents=True, exist_ok=True)
    say(f"{sum(map(len, corpus.parallel.values()))} pairs, {len(corpus.articles)} articles")
    given.out.mkdir(parents=True, exist_ok=True)
    for path in write_tables(corpus, given.out):
        say(f"{path.name}, {path.stat().st_size} bytes")
    if given.only_diacritics:
        return
    tokenizer = _tokenizer(corpus, given.work)
    texts = Texts(tokenizer)
    kinds, english = groups(corpus, texts), english_texts(corpus)
    known = taught_texts(corpus, english, texts)
    texts.finish()
    say(f"{tokenizer.get_vocab_size()} pieces, {len(texts)} texts")
    teacher = taught(english, given.work, given.teacher)
    say(f"{len(teacher)} texts of the teacher")
    vectors = learn(
        tokenizer.get_vocab_size(), texts, kinds, known, teacher, schedule,
        lambda step, losses, _: say(f"step {step}  " + _rounded(losses)),
    )  # fmt: skip
    card = resources.files("rag.index.training").joinpath("model_card.md").read_text("utf-8")
    export(vectors, tokenizer, texts, card, given.out)
    say(f"written to {given.out}")


def _rounded(losses: dict[str, float]) -> str:
    return "  ".join(f"{name} {loss:.3f}" for name, loss in losses.items())


if __name__ == "__main__":
    main()
