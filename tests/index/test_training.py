"""The recipe of the embedder, on little data: from files to a model that finds translations."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from rag.index.static import StaticEmbedder
from rag.index.training.batches import Texts, groups, taught_texts
from rag.index.training.corpus import read_corpus
from rag.index.training.export import export
from rag.index.training.learning import Schedule, learn
from rag.index.training.pieces import Sizes, train_pieces
from rag.index.training.teacher import english_texts

WORDS = {
    "cat": "mèo",
    "dog": "chó",
    "river": "sông",
    "city": "thành phố",
    "bread": "bánh mì",
    "winter": "mùa đông",
    "teacher": "giáo viên",
    "forest": "rừng",
}
GLOSS = "00001740 03 n 02 living_thing 0 organism 0 001 ~ 00001930 n 0000 | a thing that lives\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name in ("parallel", "dictionary", "text", "wordnet"):
        (folder / name).mkdir()
    pairs = [
        (f"The {one} is near the old {other}.", f"Con {WORDS[one]} ở gần {WORDS[other]} cũ.")
        for one in WORDS
        for other in WORDS
        if one != other
    ]
    lines = "".join(f"{one}\t{other}\n" for one, other in pairs)
    (folder / "parallel" / "alt_wikinews.tsv").write_text(lines + "broken line\n", "utf-8")
    entries = "".join(f"{one}\t{other}|(cũ) {other}\n" for one, other in WORDS.items())
    (folder / "dictionary" / "en_vi_small.tsv").write_text(entries, "utf-8")
    (folder / "dictionary" / "vi_en_small.tsv").write_text("mèo\tcat|tomcat\n", "utf-8")
    sentences = [
        f"Con {one} sống bên cạnh {other} lớn."
        for one in WORDS.values()
        for other in ("hồ", "biển")
    ]
    article = json.dumps({"title": "Loài vật", "text": "\n".join(sentences * 3)})
    with gzip.open(folder / "text" / "small.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(article + "\n")
    (folder / "wordnet" / "data.noun").write_text("  a licence\n" + GLOSS, "utf-8")
    return folder


def test_a_corpus_is_read_with_english_first(data: Path) -> None:
    corpus = read_corpus(data)
    assert len(corpus.parallel["alt_wikinews"]) == len(WORDS) * (len(WORDS) - 1)
    assert ("cat", "mèo") in corpus.words
    assert ("tomcat", "mèo") in corpus.words
    assert corpus.articles[0][0] == "Loài vật"
    assert corpus.glosses == [("living thing, organism", "a thing that lives")]


def test_the_recipe_makes_a_model_that_finds_translations(data: Path, tmp_path: Path) -> None:
    corpus = read_corpus(data)
    english = [one for one, _ in corpus.parallel["alt_wikinews"]] * 10
    others = [other for _, other in corpus.parallel["alt_wikinews"]] * 10
    tokenizer = train_pieces(english, others, Sizes(parts=60, words=200, sequences=50))
    assert tokenizer.encode("Thành phố CŨ!").tokens[0] == "▁thành▁phố"
    texts = Texts(tokenizer)
    kinds, known = groups(corpus, texts), english_texts(corpus)
    taught = taught_texts(corpus, known, texts)
    texts.finish()
    teacher = np.random.default_rng(0).standard_normal((len(known), 8)).astype(np.float16)
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    schedule = Schedule(steps=200, batch=32, rate=0.02, taught=0.05, dimension=16)
    seen: list[int] = []

    def learned() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        size = tokenizer.get_vocab_size()
        return learn(
            size, texts, kinds, taught, teacher, schedule, lambda step, *_: seen.append(step)
        )

    vectors = learned()
    assert seen == [200]
    assert np.array_equal(vectors, learned()), "the recipe is seeded"
    export(vectors, tokenizer, texts, "# A card\n", tmp_path / "model")
    embedder = StaticEmbedder(tmp_path / "model")
    one = embedder.embed([pair[0] for pair in corpus.parallel["alt_wikinews"]])
    other = embedder.embed([pair[1] for pair in corpus.parallel["alt_wikinews"]])
    nearest = (one @ other.T).argmax(axis=1)
    assert (nearest == np.arange(len(one))).mean() > 0.3
    assert not embedder.embed(["☃"]).any()
    assert (tmp_path / "model" / "README.md").read_text("utf-8") == "# A card\n"


def test_kinds_of_pairs_that_the_data_lacks_are_left_out(tmp_path: Path, data: Path) -> None:
    (tmp_path / "parallel").mkdir()
    (tmp_path / "parallel" / "few.tsv").write_text("A cat.\tMột con mèo.\n", "utf-8")
    tokenizer = train_pieces(["a cat"] * 9, ["một con mèo"] * 9, Sizes(30, 20, 5))
    kinds = groups(read_corpus(tmp_path), Texts(tokenizer))
    assert [kind.name for kind in kinds] == ["translations"]


def test_the_shipped_model_is_small_and_says_where_it_comes_from() -> None:
    import rag.index

    folder = Path(next(iter(rag.index.__path__))) / "model"
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 24 * 2**20
    card = (folder / "README.md").read_text("utf-8")
    for origin in ("Asian Language Treebank", "WordNet", "CC BY-SA", "GPL"):
        assert origin in card
