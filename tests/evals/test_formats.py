"""Suites of files that people have: SQuAD, BEIR, tables."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import EvaluationError
from rag.evals.formats.squad import load_squad
from rag.evals.reading import load_suite
from rag.text import normalize

ENGLISH = "Ann wrote the report at home. Bob read it at work. Nobody else did."
VIETNAMESE = "Ann viết báo cáo vào tháng 5. Bob đọc nó vào tháng 6."


def squad(path: Path, context: str, *asked: tuple[str, str, str | None]) -> Path:
    """Write a file of SQuAD's kind: an id, a question and an answer each."""
    qas: list[dict[str, Any]] = []
    for identifier, question, answer in asked:
        found = [] if answer is None else [{"text": answer, "answer_start": context.index(answer)}]
        qas.append(
            {"id": identifier, "question": question, "answers": found}
            | ({"is_impossible": True} if answer is None else {})
        )
    data = {"data": [{"title": "T", "paragraphs": [{"context": context, "qas": qas}]}]}
    path.write_text(json.dumps(data), "utf-8")
    return path


def test_squad_expects_the_sentence_that_holds_the_answer(tmp_path: Path) -> None:
    asked = [("q1", "Who read the report?", "Bob"), ("q2", "Who burned it?", None)]
    suite = load_suite(squad(tmp_path / "squad.json", ENGLISH, *asked))
    (name,) = suite.texts
    one, none = suite.cases
    assert [(e.document, e.quote) for e in one.expected] == [(name, "Bob read it at work.")]
    assert one.answers == (("Bob",),)
    assert (one.language, suite.pair(one), none.answerable) == ("en", "en→en", False)


def test_questions_of_one_language_can_be_put_to_the_paragraphs_of_others(tmp_path: Path) -> None:
    english = squad(tmp_path / "x.en.json", ENGLISH, ("q1", "Who read the report?", "Bob"))
    vietnamese = squad(tmp_path / "x.vi.json", VIETNAMESE, ("q1", "Ai đọc báo cáo?", "Bob"))
    (case,) = load_suite(vietnamese, (english,)).cases
    assert case.question == "Ai đọc báo cáo?"
    assert [e.quote for e in case.expected] == ["Bob read it at work."]
    pooled = load_suite(vietnamese, (english, vietnamese))
    assert len(pooled.texts) == 2
    assert {e.document for e in pooled.cases[0].expected} == set(pooled.texts)
    assert pooled.pair(pooled.cases[0]) == "vi→en+vi"


@settings(max_examples=60)
@given(
    before=st.text("aăâđêô ẵệ.\u0301\u0323", max_size=30),
    answer=st.sampled_from(["Bob", "đạt", "ệ"]),
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_the_expected_sentence_holds_the_answer_however_its_letters_are_composed(
    tmp_path_factory: pytest.TempPathFactory, before: str, answer: str, form: Any
) -> None:
    context = unicodedata.normalize(form, f"{before} x {answer} y. Rest.")
    written = unicodedata.normalize(form, answer)
    path = squad(tmp_path_factory.mktemp("squad") / "x.json", context, ("q", "Who?", written))
    suite = load_squad(path)
    (text,) = suite.texts.values()
    (expected,) = suite.cases[0].expected
    assert expected.quote in text
    assert normalize(written) in expected.quote


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"data": [{"paragraphs": [{"context": "a"}]}]}', '{"data": []}', '{"a": 1}'],
)
def test_other_json_is_a_plain_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=r"x\.json"):
        load_suite(tmp_path / "x.json")


def beir(folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\td/1\t2\nq1\td2\t0\n") -> Path:
    """Write a folder of BEIR's kind."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": "d/1", "title": "T", "text": "Tides."}, {"_id": "d2", "text": "Trains."}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    queries = [{"_id": "q1", "text": "What moves?"}, {"_id": "other split", "text": "?"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    (folder / "qrels" / "test.tsv").write_text(qrels, "utf-8")
    return folder


def test_beir_expects_whole_documents_with_their_grades(tmp_path: Path) -> None:
    suite = load_suite(beir(tmp_path / "b"))
    assert dict(suite.texts) == {"d%2F1.txt": "T\n\nTides.", "d2.txt": "Trains."}
    (case,) = suite.cases
    assert [(e.document, e.quote, e.grade) for e in case.expected] == [("d%2F1.txt", "", 2)]


@pytest.mark.parametrize(
    ("qrels", "reason"),
    [("q1\td2\n", r"test\.tsv:1"), ("q1\td2\tmany\n", r"test\.tsv:1"), ("q1\tnone\t1\n", "none")],
)
def test_malformed_judgements_are_named(tmp_path: Path, qrels: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason):
        load_suite(beir(tmp_path / "b", qrels))


def test_a_folder_of_something_else_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"suite\.toml"):
        load_suite(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", 'question,answer,document\n"Who, then?",Ann|Anna,a.txt\n'),
        ("q.csv", "question;answer;document\nWho, then?;Ann|Anna;a.txt\n"),
        ("q.tsv", "Question\tAnswer\tDocument\nWho, then?\tAnn|Anna\ta.txt\n"),
        ("q.jsonl", '{"question": "Who, then?", "answers": ["Ann", "Anna"], "document": "a.txt"}'),
    ],
)
def test_tables_of_questions_and_answers(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8-sig")
    (case,) = load_suite(tmp_path / name, (tmp_path,)).cases
    assert (case.question, case.answers) == ("Who, then?", (("Ann", "Anna"),))
    assert (case.expected[0].document, case.language, case.id) == ("a.txt", "en", "1")


def test_a_table_may_say_that_nothing_answers(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question,unanswerable\nWho knows?,yes\n", "utf-8")
    (case,) = load_suite(tmp_path / "q.csv", (tmp_path,)).cases
    assert not case.answerable


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("answer\nAnn\n", r"q\.csv:1"),
        ("question,reply\nWho?,Ann\n", r"q\.csv:1"),
        ("question,answer\nWho?,Ann,more\n", r"q\.csv:2"),
        ("question,answer\nWho?,Ann\n,Bob\n", r"q\.csv:3"),
        ("question,answer\nWho?,\n", r"q\.csv:2"),
        ('question,answer\n"Who?,Ann\n', r"q\.csv:2"),
        ("question,answer,id\nA?,a,1\nB?,b,1\n", r"q\.csv:3"),
        ("question,answer\n", "no questions"),
    ],
)
def test_a_malformed_table_is_named_by_file_and_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "q.csv").write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=reason):
        load_suite(tmp_path / "q.csv", (tmp_path,))


def test_a_table_needs_documents_and_a_known_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question,answer\nWho?,Ann\n", "utf-8")
    (tmp_path / "q.png").write_bytes(b"\x89PNG")
    with pytest.raises(EvaluationError, match="--documents"):
        load_suite(tmp_path / "q.csv")
    with pytest.raises(EvaluationError, match=r"\.png"):
        load_suite(tmp_path / "q.png", (tmp_path,))
    (tmp_path / "bad.csv").write_bytes(b"question\n\xff\xfe\n")
    with pytest.raises(EvaluationError, match="cannot be read"):
        load_suite(tmp_path / "bad.csv", (tmp_path,))
