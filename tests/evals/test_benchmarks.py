"""The benchmarks run, and what they count is right; how long anything takes is not tested."""

from __future__ import annotations

import json
from pathlib import Path

from rag.evals.benchmarks import bilingual, reindex, scale
from rag.settings import Settings

QAS = {"id": "one", "question": "What is sold?", "answers": [{"text": "violin", "answer_start": 4}]}
LOST = {"id": "two", "question": "Why?", "answers": [], "is_impossible": True}


def test_an_unchanged_folder_is_indexed_again_without_embedding(tmp_path: Path) -> None:
    first, again, edited = reindex.measured(tmp_path, 20)
    assert (first.report["embedded"], len(first.report["added"])) == (first.report["passages"], 20)
    assert (again.report["embedded"], len(again.report["unchanged"])) == (0, 20)
    assert 1 <= edited.report["embedded"] <= edited.report["passages"] < 5
    assert len(edited.report["updated"]) == 1


def test_an_index_of_made_up_vectors_is_built_searched_and_added_to(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    assert scale.built(folder, 4000)["passages"] == 4000
    found = scale.searched(folder, 4000)
    assert found["recall@10 of exact search"] == 1.0
    assert found["... in a tenth of the documents"] == 1.0
    assert all(figure > 0 for figure in scale.added(folder, 4000).values())


def test_questions_of_a_squad_file_are_asked_of_an_index(tmp_path: Path) -> None:
    contexts = ["The tide comes in.", "The violin was sold."]
    paragraphs = [{"context": contexts[0], "qas": []}, {"context": contexts[1], "qas": [QAS, LOST]}]
    file = tmp_path / "xquad.en.json"
    file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), "utf-8")
    texts, asked = bilingual.paragraphs_and_questions(file)
    assert (texts, asked) == (contexts, [bilingual.Asked("What is sold?", 1)])
    named = {f"en-{number}": text for number, text in enumerate(texts)}
    index = bilingual.index_of(tmp_path, named, Settings(), None)
    assert bilingual.ranks(index, asked[0].text, ["en-1", "en-7"], "en") == [1, None]
    assert bilingual.ranks(index, asked[0].text, ["en-1"], "vi") == [None]
    assert bilingual.reciprocal([1, 2, None]) == 0.5
