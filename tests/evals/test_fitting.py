"""Questions with known answers, and weights fitted to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import EvaluationError
from rag.evals.fitting import figures, fitted
from rag.evals.labelled import Labelled, of_suite, of_xquad
from rag.evals.suite import Suite
from rag.index.index import Index
from rag.settings import Settings

# (paragraph, question, answer) in both languages, sixteen articles of two paragraphs.
_TOWNS = [
    "Arden",
    "Belmora",
    "Cestria",
    "Dunmark",
    "Elvas",
    "Farrow",
    "Galdor",
    "Hestel",
    "Ivry",
    "Jorvik",
    "Kelso",
    "Lannion",
    "Morda",
    "Nesby",
    "Orlan",
    "Pavia",
]


def _article(number: int, language: str) -> dict[str, object]:
    town, people, year = _TOWNS[number], 1000 + 7 * number, 1800 + number
    paragraphs = {
        "en": [
            (f"{town} is a small town. It has {people} inhabitants.", f"How many inhabitants does {town} have?", str(people)),
            (f"A bridge was built in {town}. The bridge dates from {year}.", f"When was the bridge in {town} built?", str(year)),
        ],
        "vi": [
            (f"{town} là một thị trấn nhỏ. Thị trấn có {people} cư dân.", f"{town} có bao nhiêu cư dân?", str(people)),
            (f"Một cây cầu được xây ở {town}. Cây cầu có từ năm {year}.", f"Cây cầu ở {town} được xây năm nào?", str(year)),
        ],
    }[language]  # fmt: skip
    return {
        "paragraphs": [
            {
                "context": text,
                "qas": [
                    {
                        "id": f"{number}-{place}",
                        "question": question,
                        "answers": [{"text": answer, "answer_start": text.index(answer)}],
                    }
                ],
            }
            for place, (text, question, answer) in enumerate(paragraphs)
        ]
    }


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> list[Labelled]:
    folder = tmp_path_factory.mktemp("xquad")
    for language in ("en", "vi"):
        articles = [_article(number, language) for number in range(len(_TOWNS))]
        file = folder / f"xquad.{language}.json"
        file.write_text(json.dumps({"data": articles}), "utf-8")
    return list(of_xquad(folder, folder, Settings()))


def test_the_sentence_that_holds_the_answer_is_right(labelled: list[Labelled]) -> None:
    for one in labelled:
        texts = [one.found[row].text for row in one.right]
        if one.kind == "answerable":
            assert texts
            assert all(any(char.isdigit() for char in text) for text in texts)
        else:
            assert not texts


def test_near_misses_lack_their_own_paragraph_and_both_languages_are_asked(
    labelled: list[Labelled],
) -> None:
    kinds = {(one.kind, one.pair) for one in labelled}
    assert {pair for kind, pair in kinds if kind == "answerable"} == {
        "en→en",
        "en→vi",
        "vi→en",
        "vi→vi",
    }
    assert {one.half for one in labelled} == {"tune", "report"}
    answerable = sum(one.kind == "answerable" for one in labelled)
    assert sum(one.kind == "near-miss" for one in labelled) == answerable == 4 * len(_TOWNS)


def test_fitted_weights_find_what_they_were_fitted_to(labelled: list[Labelled]) -> None:
    found = figures("towns", labelled, fitted(labelled), 0.5)
    assert found.asked == len(labelled)
    assert found.first == 1.0
    assert found.false_refusals <= 0.1
    assert found.false_answers <= 0.1


def test_a_suite_tells_which_sentences_answer(seeds_suite: Suite, seeds_index: Index) -> None:
    cases = list(of_suite(seeds_suite.only("dev"), seeds_index, Settings()))
    by_question = {one.asked.text: one for one in cases}
    one = by_question["Ai là nhà sáng lập Zhipu AI?"]
    assert all("Tang Jie" in one.found[row].text for row in one.right)
    assert one.right
    assert by_question["Who is the CEO of SenseTime?"].kind == "near-miss"


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"xquad\.en\.json"):
        list(of_xquad(tmp_path, tmp_path, Settings()))
