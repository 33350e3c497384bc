"""Slips of the finger are corrected where no document holds the word, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.embed import Embedder
from rag.index.index import Index
from rag.settings import Settings
from rag.text import fold, normalize, words

TEXTS = {
    "salt.txt": "Mahatma Gandhi walked to the sea. Ctenophores were found there by the "
    "professor, who wrote about the prostitution of science. He likes the stage.",
    "firms.txt": "Novantis has 2,000 employees, said Johanna Kramer and Marcus Hendriksen of Solvanto.",
    "bien.txt": "Công ty Setanta ở Carlsbad phát hành bài báo về chloroplast.",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Index:
    folder = tmp_path_factory.mktemp("spelling")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    made = Index.create(folder / "index", Settings(), embedder)
    made.add([folder / name for name in TEXTS])
    return made


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("What was Ghandi looking for?", "What was Gandhi looking for?"),
        ("what are ctenophhores", "what are ctenophores"),
        ("who wrote of prostution", "who wrote of prostitution"),
        ("Sentanta là công ty gì?", "Setanta là công ty gì?"),
        ("Công ty nào ở Carslbad?", "Công ty nào ở Carlsbad?"),
    ],
)
def test_a_slip_becomes_the_word_of_the_documents(index: Index, typed: str, meant: str) -> None:
    assert index.corrected(typed) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Which state did he leave?",  # a word, though only "stage" stands there
        "Who walks and walked to the sea?",
        "Was it fumbled, or did anybody lend it?",
        "What is zzzxqqy?",
        "Mahatma Gandhi là ai?",
        "How many employees does Novartis have?",  # another letter, another name
        "Who are Johanna Kremer, Marcus Hendrickson and Volvanto?",
        "Кто был профессором?",
    ],
)
def test_what_is_a_word_stays(index: Index, question: str) -> None:
    assert index.corrected(question) == question


def test_a_question_with_a_slip_finds_what_it_means(index: Index) -> None:
    (first, *_) = index.search("Ghandi", 2)
    assert "Gandhi" in first.passage.text
    assert first.lexical > 0.2


def test_a_slip_is_mended_however_many_words_are_nearly_as_near(
    tmp_path: Path, embedder: Embedder
) -> None:
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(f"All hands ghandy {number} on deck.", "utf-8")
    (tmp_path / "one.txt").write_text("Gandhi walked.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add(sorted(tmp_path.glob("*.txt")))
    assert index.corrected("Who was Gandih?") == "Who was Gandhi?"


def test_without_vectors_of_pieces_only_diacritics_are_added(index: Index, tmp_path: Path) -> None:
    from rag.index.spelling import Speller

    with index._views.open() as (_, search):
        speller = Speller(search.snapshot.lexical, None)
    assert speller.corrected("What was Ghandi looking for?") == "What was Ghandi looking for?"


@given(st.text(max_size=60))
def test_any_text_keeps_its_words_but_for_those_nobody_wrote(index: Index, text: str) -> None:
    corrected = index.corrected(text)
    held = {fold(word) for one in TEXTS.values() for word in words(one)}
    asked = {fold(word) for word in words(normalize(text))}
    assert {fold(word) for word in words(corrected)} <= asked | held
