"""One search with several questions, and what an index knows of its languages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.index import Index
from rag.retrieval import Corpus, search_all
from rag.types import Hit
from rag.weighing import Weighing, by_words
from tests.rag.conftest import PlainRetriever, hit_of

# The suite's questions in the other language than their documents, translated by hand.
TRANSLATED = {
    "cross-01": "Ai gọi Sora là khoảnh khắc Newton?",
    "cross-02": "Tang Jie của Zhipu AI nói gì về khoảng cách?",
    "cross-03": "Nvidia ra mắt những chip nào sau khi A100 và H100 bị cấm?",
    "cross-04": "Airbnb dùng Qwen để làm gì?",
    "cross-05": "Create with Alexa của Amazon là gì?",
    "cross-06": "Yao Shunyu hiện làm việc ở đâu?",
    "cross-07": "Where was SenseNova 5.5 unveiled?",
    "cross-08": "What does Professor Winston Ma think about OpenAI leaving China?",
    "cross-09": "What difficulty does the company Kuaishou have?",
    "cross-10": "What do Baidu, SenseTime and Tencent Cloud give to OpenAI users?",
}


class Scored:
    """Finds, for each question, passages with given scores, as an index does: at most ``k``."""

    def __init__(self, found: dict[str, list[tuple[int, float]]]) -> None:
        self.found = found

    def search(self, question: str, k: int | None = None, **filters: Any) -> list[Hit]:
        """Find the passages of a question."""
        ranked = sorted(self.found[question], key=lambda one: -one[1])[:k]
        return [
            replace(hit_of(f"Passage {number}.", "en", number), score=score)
            for number, score in ranked
        ]

    def evidence(self, question: str, texts: Any) -> list[tuple[float, float]]:
        """Nothing is weighed."""
        return [(0.0, 0.0) for _ in texts]

    def weigh(self, questions: Any, texts: Any) -> list[Weighing]:
        """Weigh by words."""
        return by_words(questions, texts)


RANKED = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([0.1, 0.5, 0.9])),
    max_size=12,
    unique_by=lambda one: one[0],
)


@given(st.lists(RANKED, min_size=1, max_size=4), st.integers(1, 8))
def test_what_the_first_question_finds_first_keeps_its_place(
    rankings: list[list[tuple[int, float]]], k: int
) -> None:
    found = {f"question {number}": ranking for number, ranking in enumerate(rankings)}
    retriever = Scored(found)
    hits = search_all(retriever, list(found), k)
    texts = [hit.passage.text for hit in hits]
    own = [hit.passage.text for hit in retriever.search("question 0", k)]
    assert len(set(texts)) == len(texts) <= k
    assert set(own[: (k + 1) // 2]) <= set(texts)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    every = [hit for question in found for hit in retriever.search(question, k)]
    for hit in hits:
        assert hit.score == max(one.score for one in every if one.passage.id == hit.passage.id)
    assert hits == search_all(retriever, list(found), k)


def test_one_question_is_searched_as_it_is(retriever: PlainRetriever) -> None:
    assert search_all(retriever, ["Why?", "Why?"], 5, folder="papers") == retriever.hits
    assert [(asked, filters["folder"]) for asked, filters in retriever.asked] == [
        ("Why?", "papers")
    ]


def test_a_copy_of_a_passage_is_not_found_twice() -> None:
    class Copies(Scored):
        def search(self, question: str, k: int | None = None, **filters: Any) -> list[Hit]:
            number = 1 if question == "en" else 2
            return [replace(hit_of("The same text.", "en", number), score=number / 10)]

    hits = search_all(Copies({}), ["en", "vi"], 5)
    assert [(hit.document.id, hit.score) for hit in hits] == [(2, 0.2)]


@pytest.mark.parametrize("k", [3, 5, 8])
def test_a_translation_finds_more_across_languages_and_loses_nothing(
    seeds_index: Index, k: int
) -> None:
    suite = Path(__file__).parents[2] / "evals" / "suites" / "seeds" / "dev.jsonl"
    cases = {case["id"]: case for case in map(json.loads, suite.read_text("utf-8").splitlines())}
    ranks: dict[str, list[float]] = {"alone": [], "both": []}
    for name, translation in TRANSLATED.items():
        case = cases[name]
        quotes = [expected["quote"] for expected in case["expected"]]
        for way, questions in (
            ("alone", [case["question"]]),
            ("both", [case["question"], translation]),
        ):
            hits = search_all(seeds_index, questions, k)
            places = [
                place
                for place, hit in enumerate(hits, start=1)
                if any(quote in hit.passage.text for quote in quotes)
            ]
            ranks[way].append(1 / places[0] if places else 0.0)
    assert sum(ranks["both"]) >= sum(ranks["alone"])
    assert all(ranks["both"])


def test_an_index_tells_the_languages_of_its_documents(empty_index: Index, tmp_path: Path) -> None:
    assert isinstance(empty_index, Corpus)
    assert empty_index.languages() == frozenset()
    english, vietnamese = tmp_path / "a.txt", tmp_path / "b.txt"
    english.write_text("The company was founded in London and makes engines for aircraft.")
    empty_index.add(english)
    assert empty_index.languages() == {"en"}
    vietnamese.write_text("Công ty được thành lập ở Hà Nội và sản xuất động cơ máy bay.")
    empty_index.add(vietnamese)
    assert empty_index.languages() == {"en", "vi"}
    empty_index.remove(english)
    assert empty_index.languages() == {"vi"}
    assert not isinstance(PlainRetriever([]), Corpus)
