"""The recipe of the embedder, on little data: from files to a model that finds translations."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag.index
from rag.errors import DocumentError
from rag.index.static import StaticEmbedder
from rag.index.training.__main__ import main, texts_for_pieces
from rag.index.training.batches import asking_phrases, groups
from rag.index.training.corpus import Corpus, read_corpora, read_corpus
from rag.index.training.evaluation import evaluate
from rag.index.training.export import export
from rag.index.training.learning import Schedule, learn
from rag.index.training.pieces import Sizes, train_pieces
from rag.index.training.sources import language_of, name_of
from rag.index.training.teacher import english_texts, taught_bags, taught_texts
from rag.index.training.texts import Bags, Texts
from rag.text import fold

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
    assert not corpus.glosses
    english = read_corpus(data, "en")
    assert english.glosses == [("living thing, organism", "a thing that lives")]
    assert not english.parallel


def test_the_recipe_makes_a_model_that_finds_translations(data: Path, tmp_path: Path) -> None:
    corpora = read_corpora(data)
    corpus = corpora[0]
    english = [one for one, _ in corpus.parallel["alt_wikinews"]] * 10
    others = [other for _, other in corpus.parallel["alt_wikinews"]] * 10
    tokenizer = train_pieces(english, others, Sizes(parts=60, words=200, sequences=50))
    assert tokenizer.encode("Thành phố CŨ!").tokens[0] == "▁thành▁phố"
    texts = Texts(tokenizer)
    kinds, known = groups(corpora, texts), english_texts(corpora)
    taught = taught_texts(corpora, known, texts)
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
    export(vectors, tokenizer, texts, tmp_path / "model")
    embedder = StaticEmbedder(tmp_path / "model")
    one = embedder.embed([pair[0] for pair in corpus.parallel["alt_wikinews"]])
    other = embedder.embed([pair[1] for pair in corpus.parallel["alt_wikinews"]])
    nearest = (one @ other.T).argmax(axis=1)
    assert (nearest == np.arange(len(one))).mean() > 0.3
    assert not embedder.embed(["☃"]).any()


def test_kinds_of_pairs_that_the_data_lacks_are_left_out(tmp_path: Path, data: Path) -> None:
    (tmp_path / "parallel").mkdir()
    (tmp_path / "parallel" / "few.tsv").write_text("A cat.\tMột con mèo.\n", "utf-8")
    tokenizer = train_pieces(["a cat"] * 9, ["một con mèo"] * 9, Sizes(30, 20, 5))
    kinds = groups(read_corpora(tmp_path), Texts(tokenizer))
    assert [(kind.name, kind.language) for kind in kinds] == [("translations", "vi")]


def words_tokenizer(texts: list[str]) -> Any:
    """A tokenizer whose pieces are words, in the order of the alphabet."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = sorted({word for text in texts for word in text.lower().split()} | {"[UNK]"})
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def digests(corpora: list[Corpus]) -> tuple[str, str]:
    """What the pieces are found in, and the first batch of every kind, each as one number."""
    english, others = texts_for_pieces(corpora)
    pieces = hashlib.sha256("\n".join([*english, "", *others]).encode())
    texts = Texts(words_tokenizer([*english, *others]))
    kinds, known = groups(corpora, texts), english_texts(corpora)
    (taught,) = taught_texts(corpora, known, texts)
    texts.finish()
    random = np.random.default_rng(1)
    drawn = [bags for kind in kinds for bags in kind.draw(64, random)]
    rows = random.integers(len(taught.known), size=64)
    drawn += [*taught_bags(taught, rows, texts, random), texts.bags(np.arange(len(texts)))]
    batches = hashlib.sha256()
    for bags in drawn:
        batches.update(bags.pieces.tobytes() + bags.offsets.tobytes())
    return pieces.hexdigest()[:16], batches.hexdigest()[:16]


def test_english_and_vietnamese_are_learned_as_the_bundled_model_was(data: Path) -> None:
    """The figures are of the code that made the bundled model, which knew no third language."""
    assert digests(read_corpora(data)) == ("9495dd7534a3d609", "12bbf56cb0db2f9b")


LETTERS = str.maketrans("aeioustnrlcdh", "äëïöüzdmlrkbv")


def ciphered(english: str) -> str:
    """A language of our own: every word backwards, in other letters, some with diacritics."""
    return " ".join(word[::-1].translate(LETTERS) for word in english.lower().split())


@pytest.fixture(scope="module")
def three(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with a third language beside Vietnamese; qaa is a code for private use."""
    folder = tmp_path_factory.mktemp("three")
    shutil.copytree(data, folder, dirs_exist_ok=True)
    (folder / "eval").mkdir()
    nouns = [*WORDS, "garden", "summer"]
    verbs = ["finds", "sees", "likes"]
    said = [f"the {one} {verb} a {two} today" for one in nouns for verb in verbs for two in nouns]
    lines = [f"{english}\t{ciphered(english)}\n" for english in said]
    held = lines[::10]
    learned = "".join(line for line in lines if line not in held)
    (folder / "parallel" / "tales.qaa.tsv").write_text(learned, "utf-8")
    (folder / "eval" / "tales.qaa.tsv").write_text("".join(held), "utf-8")
    entries = "".join(f"{word}\t{ciphered(word)}\n" for word in nouns)
    (folder / "dictionary" / "en_qaa_small.tsv").write_text(entries, "utf-8")
    text = "\n".join(f"{ciphered(english).capitalize()}." for english in said[:40])
    with gzip.open(folder / "text" / "tales.qaa.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"title": "Dëäl", "text": text}) + "\n")
    told = '[tales]\nrunning = true\norigin = "a cipher"\nlicence = "CC0-1.0"\n'
    (folder / "sources.toml").write_text(told, "utf-8")
    return folder


def test_the_name_of_a_file_says_its_language() -> None:
    named = {
        "parallel/alt_wikinews.tsv": ("alt_wikinews", "vi"),
        "parallel/alt_wikinews.fr.tsv": ("alt_wikinews", "fr"),
        "parallel/release-2.0.tsv": ("release-2.0", "vi"),
        "text/wiki.qaa.jsonl.gz": ("wiki", "qaa"),
        "text/wiki.jsonl.gz": ("wiki", "vi"),
        "dictionary/en_fr_small.tsv": ("en_fr_small", "fr"),
        "dictionary/fr_en_small.tsv": ("fr_en_small", "fr"),
    }
    assert {one: (name_of(Path(one)), language_of(Path(one))) for one in named} == named
    with pytest.raises(DocumentError, match="does not say its languages"):
        language_of(Path("dictionary/small.tsv"))


@pytest.mark.parametrize("told", ["[tales]\nwieght = 2", "[tales", "tales = 1"])
def test_what_sources_toml_cannot_say_is_told_plainly(told: str, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(told, "utf-8")
    with pytest.raises(DocumentError) as raised:
        read_corpora(tmp_path)
    assert "running, weight" in raised.value.remedy


def test_a_batch_holds_english_and_one_other_language(three: Path) -> None:
    corpora = read_corpora(three)
    assert [corpus.language for corpus in corpora] == ["qaa", "vi", "en"]
    assert asking_phrases("vi")
    assert asking_phrases("qaa") == []
    tokenizer = words_tokenizer([text for side in texts_for_pieces(corpora) for text in side])
    texts = Texts(tokenizer)
    kinds, known = groups(corpora, texts), english_texts(corpora)
    taught = taught_texts(corpora, known, texts)
    texts.finish()
    whole: dict[str, float] = {}
    for kind in kinds:
        whole[kind.name] = whole.get(kind.name, 0) + kind.share
    both = {kind.name for kind in kinds if kind.language == "qaa"}
    assert both == {"translations", "dictionary", "neighbours", "questions",
                    "article questions", "article neighbours"}  # fmt: skip
    assert whole["questions"] == pytest.approx(0.22)
    assert sum(one.share for one in taught) == pytest.approx(1)
    written = {
        corpus.language: {
            word for _, other in corpus.words for word in other.split()
        } - {word for english, _ in corpus.words for word in english.split()}
        for corpus in corpora
    }  # fmt: skip
    random = np.random.default_rng(1)

    def met(language: str, bags: tuple[Bags, Bags]) -> bool:
        words = {tokenizer.id_to_token(piece) for bag in bags for piece in bag.pieces}
        return bool(words & written[language])

    for kind in kinds:
        other = "vi" if kind.language == "qaa" else "qaa"
        assert not any(met(other, kind.draw(64, random)) for _ in range(4)), kind
        if kind.language != "en":
            assert any(met(kind.language, kind.draw(64, random)) for _ in range(4)), kind
    for one in taught:
        drawn = taught_bags(one, np.arange(len(one.known)), texts, random)
        assert met(one.language, drawn)
        assert not met("vi" if one.language == "qaa" else "qaa", drawn)


def test_the_command_learns_a_third_language(three: Path, tmp_path: Path) -> None:
    from rag.index.diacritics import read_table, with_diacritics

    model = tmp_path / "model"
    short = ["--steps=120", "--batch=128", "--dimension=32", "--rate=0.02", "--taught=0.1"]
    main([str(three), str(model), f"--work={tmp_path / 'work'}", *short])
    (figures,) = evaluate(model, three, read_corpora(three))
    assert (figures.name, figures.language, figures.learned) == ("tales", "qaa", 0)
    by_chance = 1 / figures.pairs
    assert figures.from_english > 5 * by_chance
    assert figures.to_english > 5 * by_chance
    assert sorted(path.name for path in model.glob("diacritics.*")) == [
        "diacritics.qaa.tsv.gz",
        "diacritics.vi.tsv.gz",
    ]
    table = read_table(model / "diacritics.qaa.tsv.gz")
    meant = ciphered("the cat likes a garden")
    assert with_diacritics(fold(meant), table) == meant
    card = (model / "README.md").read_text("utf-8")
    assert str(figures) in card
    assert "| `parallel/tales.qaa.tsv` | qaa | 270 | a cipher | CC0-1.0 |" in card
    assert "Asian Language Treebank" in card
    assert "$" not in card


def test_pairs_that_were_learned_from_are_told(three: Path, tmp_path: Path) -> None:
    shutil.copytree(three, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "parallel" / "tales.qaa.tsv", tmp_path / "eval" / "seen.qaa.tsv")
    bundled = Path(next(iter(rag.index.__path__))) / "model"
    seen, tales = evaluate(bundled, tmp_path, read_corpora(tmp_path))
    assert seen.learned == seen.pairs == 270
    assert "270 of them learned from" in str(seen)
    assert tales.learned == 0
    assert tales.from_english < 0.2, "the bundled model does not know this language"


def test_a_folder_without_pairs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(tmp_path / "model")])
    assert "holds no parallel/*.tsv" in capsys.readouterr().err
    (tmp_path / "dictionary").mkdir()
    (tmp_path / "dictionary" / "words.tsv").touch()
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(tmp_path / "model")])
    assert "Call it en_XX_NAME.tsv" in capsys.readouterr().err


def test_the_shipped_model_is_small_and_says_where_it_comes_from() -> None:
    folder = Path(next(iter(rag.index.__path__))) / "model"
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 24 * 2**20
    card = (folder / "README.md").read_text("utf-8")
    for origin in ("Asian Language Treebank", "WordNet", "CC BY-SA", "GPL"):
        assert origin in card
