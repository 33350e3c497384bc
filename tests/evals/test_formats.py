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


def changed(path: Path, change: Any) -> Path:
    """Change the first paragraph of a file of SQuAD's kind, or its first question."""
    data = json.loads(path.read_text("utf-8"))
    paragraph = data["data"][0]["paragraphs"][0]
    place = paragraph if set(change) & set(paragraph) else paragraph["qas"][0]
    place.update(change)
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"question": None}, "article 1, question 'q1': 'question' is not a text"),
        ({"question": 5}, "article 1, question 'q1': 'question' is not a text"),
        ({"question": " "}, "article 1, question 'q1': 'question' is empty"),
        ({"is_impossible": "false"}, "article 1, question 'q1': 'is_impossible' is neither"),
        ({"answers": 5}, "article 1, question 'q1': 'answers' is not a list"),
        ({"answers": [{"text": "Eve", "answer_start": 0}]}, "question 'q1': the answer 'Eve'"),
        ({"answers": [{"text": "Bob", "answer_start": -1}]}, "question 'q1': 'answer_start'"),
        ({"answers": [{"text": "Bob", "answer_start": 999}]}, "question 'q1': 'answer_start'"),
        ({"answers": [{"text": "", "answer_start": 0}]}, "question 'q1': 'text' is empty"),
        ({"id": "q2"}, "article 1: there is a question 'q2' already"),
        ({"id": None}, "article 1 is not in SQuAD's format: 'id'"),
        ({"context": 5}, "article 1 is not in SQuAD's format: 'context'"),
        ({"qas": {}}, "article 1 is not in SQuAD's format: 'qas'"),
    ],
)
def test_a_malformed_question_of_squad_is_named(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    asked = [("q1", "Who read the report?", "Bob"), ("q2", "Who burned it?", None)]
    path = changed(squad(tmp_path / "x.json", ENGLISH, *asked), change)
    with pytest.raises(EvaluationError, match=r"x\.json: ") as caught:
        load_suite(path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"data": 5}', "'data' is not a list"),
        ('{"data": [5]}', "article 1"),
        ('{"data": [{"paragraphs": [null]}]}', "article 1"),
        ('{\n"data":\n[}', r"x\.json:3: "),
    ],
)
def test_json_that_is_no_squad_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=reason):
        load_suite(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("answer", "start", "sentence"),
    [
        ("Bob", ENGLISH.index("Bob") - 4, "Bob read it at work."),
        ("at", ENGLISH.index("Nobody"), "Bob read it at work."),
        (" Bob", ENGLISH.index(" Bob"), "Bob read it at work."),
    ],
)
def test_an_answer_whose_place_is_a_little_off_is_sought_nearby(
    tmp_path: Path, answer: str, start: int, sentence: str
) -> None:
    path = squad(tmp_path / "x.json", ENGLISH, ("q1", "What?", "Bob"))
    changed(path, {"answers": [{"text": answer, "answer_start": start}]})
    (case,) = load_suite(path).cases
    assert [e.quote for e in case.expected] == [sentence]
    assert case.answers == ((answer.strip(),),)


def test_a_paragraph_without_questions_is_a_document_too(tmp_path: Path) -> None:
    path = squad(tmp_path / "x.json", ENGLISH, ("q1", "Who read the report?", "Bob"))
    data = json.loads(path.read_text("utf-8"))
    data["data"].append({"paragraphs": [{"context": VIETNAMESE, "qas": []}]})
    path.write_text(json.dumps(data), "utf-8")
    suite = load_suite(path)
    assert dict(suite.texts) == {"x-1-1.txt": ENGLISH, "x-2-1.txt": VIETNAMESE}


def test_a_question_that_the_other_files_do_not_have_is_not_taken_for_unanswerable(
    tmp_path: Path,
) -> None:
    asked = [("q1", "Who read the report?", "Bob"), ("q2", "Who wrote it?", "Ann")]
    path = squad(tmp_path / "x.json", ENGLISH, *asked)
    other = squad(tmp_path / "y.json", VIETNAMESE, ("q1", "Ai đọc báo cáo?", "Bob"))
    with pytest.raises(EvaluationError, match=r"1 of the 2 questions of .*x\.json .*'q2'"):
        load_suite(path, (other,))
    assert len(load_suite(path, (other, path)).cases) == 2


def test_files_of_one_name_make_documents_of_different_names(tmp_path: Path) -> None:
    files = []
    for folder, name, context in (
        ("en", "dev.json", ENGLISH),
        ("vi", "dev.json", VIETNAMESE),
        ("other", "Dev-2.json", "Bob."),
    ):
        (tmp_path / folder).mkdir()
        files.append(squad(tmp_path / folder / name, context, ("q1", "Who read it?", "Bob")))
    suite = load_suite(files[0], tuple(files))
    assert sorted(suite.texts.values()) == sorted([ENGLISH, VIETNAMESE, "Bob."])
    assert len({name.casefold() for name in suite.texts}) == 3
    assert {e.document for e in suite.cases[0].expected} == set(suite.texts)
    assert suite.pair(suite.cases[0]) == "en→?+en+vi"


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
    [
        ("q1\td2\n", r"test\.tsv:1"),
        ("q1\td2\tmany\n", r"test\.tsv:1"),
        ("q1\td2\t1\nq1\tnone\t1\n", r"test\.tsv:2: 'none' is not in"),
        ("q1\td2\t0\n", "has a relevant document"),
    ],
)
def test_malformed_judgements_are_named(tmp_path: Path, qrels: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason):
        load_suite(beir(tmp_path / "b", qrels))


def test_a_query_without_relevant_documents_is_left_out(tmp_path: Path) -> None:
    folder = beir(tmp_path / "b", "q1\td2\t1\nother split\td2\t0\nother split\td/1\t-1\n")
    assert [case.id for case in load_suite(folder).cases] == ["q1"]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("corpus", {"_id": "d2", "text": "Again."}, r"corpus\.jsonl:3: .*'d2' already"),
        ("corpus", {"_id": "d3", "title": 5, "text": ""}, r"corpus\.jsonl:3: .*'title'"),
        ("corpus", {"_id": "d3", "title": "T"}, r"corpus\.jsonl:3: .*'text' is missing"),
        ("corpus", ["d3"], r"corpus\.jsonl:3: "),
        ("queries", {"_id": "q1", "text": "Which?"}, r"queries\.jsonl:3: .*'q1' already"),
        ("queries", {"_id": 5, "text": "Which?"}, r"queries\.jsonl:3: .*'_id'"),
        ("queries", 5, r"queries\.jsonl:3: "),
    ],
)
def test_a_malformed_line_of_beir_is_named(
    tmp_path: Path, name: str, line: Any, reason: str
) -> None:
    path = beir(tmp_path / "b") / f"{name}.jsonl"
    path.write_text(path.read_text("utf-8") + "\n" + json.dumps(line), "utf-8")
    with pytest.raises(EvaluationError, match=reason):
        load_suite(tmp_path / "b")


def test_a_document_without_a_title_or_words_is_one_all_the_same(tmp_path: Path) -> None:
    path = beir(tmp_path / "b") / "corpus.jsonl"
    more = [{"_id": "d3", "title": None, "text": "Tides."}, {"_id": "d4", "title": "", "text": ""}]
    path.write_text("\n".join([path.read_text("utf-8"), *map(json.dumps, more)]), "utf-8")
    texts = load_suite(tmp_path / "b").texts
    assert (texts["d3.txt"], texts["d4.txt"]) == ("Tides.", "-")


def test_a_folder_of_something_else_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"suite\.toml"):
        load_suite(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", 'question,answer,document\n"Who, then?",Ann|Anna,a.txt\n'),
        ("q.csv", "question;answer;document\nWho, then?;Ann|Anna;a.txt\n"),
        ("q.tsv", "Question\tAnswer\tDocument\nWho, then?\tAnn|Anna\ta.txt\n"),
        (
            "q.jsonl",
            '{"question": "Who, then?", "answers": [["Ann", "Anna"]], "document": "a.txt"}',
        ),
        ("q.jsonl", '{"question": "Who, then?", "answer": "Ann|Anna", "document": "a.txt"}'),
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


def table(path: Path, *lines: str | dict[str, Any]) -> Path:
    """Write a table; what is no text is a line of JSON."""
    told = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(told) + "\n", "utf-8")
    return path


def test_answers_are_pieces_in_a_table_of_json_as_in_a_case(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"question": "Who?", "answers": [["Ann", "Anna"], ["Bob"]], "document": "a.txt"},
        {"question": "Who?", "answers": ["Ann", "Bob"], "document": "a.txt"},
        {"question": "Who?", "answer": "Ann|Anna", "document": "a.txt", "tags": ["x|y"]},
        {"question": "Who?", "answer": "Ann", "quote": None, "id": 7, "tags": "x|y"},
    ]
    cases = load_suite(table(tmp_path / "q.jsonl", *lines), (tmp_path,)).cases
    assert [case.answers for case in cases] == [
        (("Ann", "Anna"), ("Bob",)),
        (("Ann",), ("Bob",)),
        (("Ann", "Anna"),),
        (("Ann",),),
    ]
    assert [(case.id, case.tags) for case in cases[2:]] == [("3", ("x|y",)), ("7", ("x", "y"))]


def test_a_table_of_json_takes_cases_of_suites_and_counts_drafts(tmp_path: Path) -> None:
    case = {"id": "a", "question": "Who else?", "language": "en"}
    history = [{"question": "Who?", "answer": "Ann."}]
    path = table(
        tmp_path / "q.jsonl",
        {**case, "unanswerable": True, "history": history},
        {**case, "id": "b", "expected": [{"document": "a.txt"}], "split": "dev"},
        {"question": "Who knows?", "unanswerable": True},
        {"question": "Who?", "draft": True},
    )
    suite = load_suite(path, (tmp_path,))
    none, some, short = suite.cases
    assert (none.history[0].answer, none.answerable) == ("Ann.", False)
    assert (some.split, some.answerable) == ("dev", True)
    assert (short.id, short.language, short.answerable) == ("3", "en", False)
    assert suite.drafts == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"question": "Who?", "answers": "Ann"}, "'answers' is not a list"),
        ({"question": "Who?", "answers": [[]]}, "no wording"),
        ({"question": "Who?", "answers": ["Ann"], "answer": "Ann"}, "both"),
        ({"question": "Who?", "answer": ["Ann"]}, "'answer' is not a text"),
        ({"question": "Who?", "answer": "|"}, "'answer' is empty"),
        ({"question": "Who?", "answer": "Ann", "tags": [5]}, "'tags' is not a text"),
        ({"question": "Who?", "answer": "Ann", "document": 5}, "'document' is not a text"),
        ({"question": "Who?", "answer": "Ann", "unanswerable": "perhaps"}, "'unanswerable'"),
        ({"question": "Who?", "answer": "Ann", "id": 1.5}, "'id' is not a text"),
        ({"question": 5, "answer": "Ann"}, "'question' is not a text"),
        ({"question": "Who?", "reply": "Ann"}, "reply"),
        ({"question": "Who?", "unanswerable": True, "answer": "Ann"}, "it has answer"),
        ('["Who?"]', "not an object"),
    ],
)
def test_a_malformed_line_of_json_is_named(tmp_path: Path, line: Any, reason: str) -> None:
    path = table(tmp_path / "q.jsonl", {"question": "Good?", "answer": "Yes"}, line)
    with pytest.raises(EvaluationError, match=r"q\.jsonl:2: ") as caught:
        load_suite(path, (tmp_path,))
    assert reason in str(caught.value)


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_only_line_ends_end_a_line_of_a_table(tmp_path: Path, mark: str) -> None:
    path = table(tmp_path / "q.csv", "question,answer", f"Who{mark}is it?,Ann")
    (case,) = load_suite(path, (tmp_path,)).cases
    assert case.question == f"Who{mark}is it?"


def test_the_languages_of_the_documents_of_a_table_are_not_guessed(tmp_path: Path) -> None:
    path = table(tmp_path / "q.csv", "question,answer,document", "Who is it?,Ann,a.txt")
    suite = load_suite(path, (tmp_path,))
    assert suite.pair(suite.cases[0]) == "en→?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question,answer,Answer\nWho?,Ann,Bob\n", r"q\.csv:1: .*answer.* twice"),
        ("question,answers\nWho?,Ann\n", r"q\.csv:1"),
        ('"question\n', r"q\.csv:1"),
        ("question,answer,unanswerable\nWho?,Ann,perhaps\n", r"q\.csv:2: .*'unanswerable'"),
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
