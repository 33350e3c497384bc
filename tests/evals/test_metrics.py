"""Every metric against worked examples: those of its source where it prints any."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BackendRefused
from rag.evals.metrics.answers import contained, exact_match, normalized, token_f1
from rag.evals.metrics.citations import recall_and_precision
from rag.evals.metrics.every import metrics
from rag.evals.metrics.metric import Grade, Result
from rag.evals.metrics.retrieval import depth, ranked_measure
from rag.evals.suite import Case, Expected
from rag.llm.backend import Backend
from rag.llm.scripted import ScriptedBackend
from rag.types import Answer, Citation, Document, Hit, Passage, Sentence, Support, Usage

TEXT = "Ann wrote the report at home. Bob read it at work. Tides rise twice a day."
DOCUMENT = Document("file:///a.txt", "a.txt", "en", TEXT, id=1)


def hit(start: int, end: int, document: Document = DOCUMENT) -> Hit:
    passage = Passage(document.id, start, end, document.text[start:end], id=start + 1)
    return Hit(document, passage, 1.0, 1.0, 1.0)


FIRST, SECOND, THIRD = hit(0, 29), hit(30, 50), hit(51, len(TEXT))


def citation(found: Hit, marker: int = 1, quote: str | None = None) -> Citation:
    passage = found.passage
    text = found.document.text[passage.start : passage.end]
    return Citation(
        marker,
        found.document,
        passage,
        passage.start,
        passage.end,
        text if quote is None else quote,
        Support.SUPPORTED,
    )


def answer(*told: tuple[str, Sequence[Citation]], abstained: bool = False) -> Answer:
    sentences = tuple(
        Sentence(text, 0, len(text), tuple(cited), Support.SUPPORTED) for text, cited in told
    )
    return Answer(
        "Who?",
        " ".join(text for text, _ in told),
        "en",
        "scripted",
        sentences=sentences,
        citations=tuple(one for _, cited in told for one in cited),
        hits=(FIRST, SECOND),
        abstained=abstained,
    )


def case(*quotes: str, answers: Sequence[Sequence[str]] = ()) -> Case:
    expected = tuple(Expected("a.txt", quote, part) for part, quote in enumerate(quotes))
    return Case("1", "Who?", "en", expected, tuple(tuple(forms) for forms in answers))


def graded(asked: Case, result: Result, name: str, judge: Backend | None = None) -> Grade | None:
    (metric,) = [one for one in metrics(judge) if one.name == name]
    return metric.grade(asked, result)


def value(asked: Case, result: Result, name: str, judge: Backend | None = None) -> float | None:
    grade = graded(asked, result, name, judge)
    assert grade is not None
    return grade.value


# -- retrieval, through ir-measures and trec_eval -----------------------------------------------


def test_ndcg_of_the_example_in_wikipedia() -> None:
    # "Discounted cumulative gain": grades 3, 2, 3, 0, 1, 2 are found and give 6.861; 3 and 2 are
    # not found. The best six places would give 8.740, and the seventh, a 1, is worth 1 / log2(8).
    grades = [3, 2, 3, 0, 1, 2, 3, 2]
    relevant = tuple((f"d{n}", grade) for n, grade in enumerate(grades, start=1) if grade)
    found = tuple(f"d{n}" for n in range(1, 7))
    measured = ranked_measure("nDCG@10", relevant, found)
    assert measured == pytest.approx(6.861 / (8.740 + 1 / 3), abs=1e-3)


def test_reciprocal_rank_of_the_example_in_wikipedia() -> None:
    # "Mean reciprocal rank": the right answer third, second and first.
    rankings = [("catten", "cati", "cats"), ("torii", "tori", "toruses"), ("viruses", "x", "y")]
    right = ["cats", "tori", "viruses"]
    found = [
        ranked_measure("RR@10", ((item, 1),), ranking)
        for item, ranking in zip(right, rankings, strict=True)
    ]
    assert found == pytest.approx([1 / 3, 1 / 2, 1])


def test_recall_counts_parts_and_alternatives_count_once() -> None:
    asked = Case(
        "1",
        "?",
        "en",
        (
            Expected("a.txt", "Ann wrote"),
            Expected("a.txt", "Bob read it"),
            Expected("a.txt", "Tides rise", part=1),
        ),
    )
    result = Result((FIRST, SECOND, THIRD))
    assert value(asked, result, "recall@1") == 0.5
    assert value(asked, result, "recall@5") == 1.0
    assert value(asked, result, "mrr@10") == 1.0
    assert value(asked, Result((SECOND,)), "recall@5") == 0.5
    assert value(asked, Result(()), "recall@5") == 0.0


def test_recall_is_over_passages_whatever_number_of_parts_they_hold() -> None:
    asked = case("Ann wrote", "report at home", "Bob read", "Tides rise")
    whole = hit(0, 50)  # holds three parts
    filler = [hit(0, 4, Document(f"file:///{n}.txt", "x", "en", TEXT, id=9 + n)) for n in range(3)]
    result = Result((whole, *filler, THIRD))
    assert value(asked, result, "recall@1") == 0.75
    assert value(asked, result, "recall@5") == 1.0
    assert value(asked, Result((whole, *filler)), "recall@5") == 0.75


def test_where_documents_are_expected_they_are_ranked_by_their_best_passage() -> None:
    other = Document("file:///b.txt", "b.txt", "en", TEXT, id=2)
    asked = Case("1", "?", "en", (Expected("a.txt", grade=2), Expected("c.txt", part=1)))
    passages = (hit(0, 29, other), hit(30, 50, other), FIRST, SECOND)
    assert value(asked, Result(passages), "mrr@10") == 0.5
    assert value(asked, Result(passages), "recall@5") == 0.5
    assert depth(asked) > 10 == depth(case("Ann wrote"))


def test_a_passage_that_was_cut_within_a_quote_holds_it_by_its_larger_share() -> None:
    asked = case("Ann wrote the report at home")
    assert value(asked, Result((hit(0, 20),)), "recall@5") == 1.0
    assert value(asked, Result((hit(20, 50),)), "recall@5") == 0.0


def test_a_document_without_a_quote_is_found_by_any_of_its_passages() -> None:
    asked = Case("1", "?", "en", (Expected("a.txt"),))
    other = Document("file:///b.txt", "b.txt", "en", TEXT, id=2)
    assert value(asked, Result((THIRD,)), "recall@5") == 1.0
    assert value(asked, Result((hit(0, 29, other),)), "recall@5") == 0.0


def test_unanswerable_cases_have_no_retrieval_to_grade() -> None:
    assert graded(case(), Result((FIRST,)), "recall@5") is None
    unknown = Case("1", "?", "en", (Expected(""),), (("Ann",),))
    assert graded(unknown, Result((FIRST,)), "recall@5") is None


# -- citations, after ALCE ----------------------------------------------------------------------


def holding(*needed: set[str]) -> object:
    """Entailment as a table: texts bear the sentence out when they have all of one set."""

    def entails(texts: Sequence[str], sentence: str) -> bool | None:
        return any(one <= set(texts) for one in needed)

    return entails


@pytest.mark.parametrize(
    ("cited", "needed", "recall", "precision"),
    [
        (["a"], [{"a"}], 1, 1),  # one that bears the sentence out
        (["a"], [{"b"}], 0, 0),  # one that does not
        ([], [{"a"}], 0, None),  # none: no recall, and nothing to be precise
        (["a", "b"], [{"a", "b"}], 1, 1),  # both are needed, neither is enough
        (["a", "b"], [{"a"}], 1, 1 / 2),  # the second is irrelevant
        (["a", "b"], [{"a"}, {"b"}], 1, 1),  # either is enough: neither is irrelevant
        (["a", "b", "c"], [{"a", "b"}], 1, 2 / 3),  # the third neither helps nor is enough
        (["a", "b", "c"], [{"a", "b"}, {"b", "c"}], 1, 1 / 3),  # only b cannot be left out
        (["a", "b"], [{"c"}], 0, 0),  # without recall no citation is precise
    ],
)
def test_citation_recall_and_precision_by_the_definitions_of_alce(
    cited: list[str], needed: list[set[str]], recall: float, precision: float | None
) -> None:
    found = recall_and_precision([("s", cited)], holding(*needed))  # type: ignore[arg-type]
    assert found == (recall, pytest.approx(precision) if precision is not None else None)


def test_recall_is_over_sentences_and_precision_over_citations() -> None:
    told = [("s1", ["a"]), ("s2", ["a", "x"]), ("s3", [])]
    recall, precision = recall_and_precision(told, holding({"a"}))  # type: ignore[arg-type]
    assert recall == pytest.approx(2 / 3)
    assert precision == pytest.approx(2 / 3)


def test_what_cannot_be_judged_is_no_zero() -> None:
    assert recall_and_precision([("s", ["a"])], lambda texts, sentence: None) == (None, None)


def test_citations_are_graded_by_words_within_one_language_only() -> None:
    said = answer(("Ann wrote the report at home. [1]", [citation(FIRST)]))
    wrong = answer(("Ann burned the report at home. [1]", [citation(FIRST)]))
    bare = answer(("Ann wrote the report at home.", []))
    assert value(case(), Result(answer=said), "citation_recall") == 1.0
    assert value(case(), Result(answer=wrong), "citation_recall") == 0.0
    assert value(case(), Result(answer=bare), "citation_precision") == 0.0
    vietnamese = Document("file:///v.txt", "v.txt", "vi", "Ann viết báo cáo ở nhà.", id=3)
    across = answer(("Ann wrote the report. [1]", [citation(hit(0, 23, vietnamese))]))
    grade = graded(case(), Result(answer=across), "citation_recall")
    assert grade == Grade(None, "words cannot tell between two languages")
    quoting = answer(("“Ann viết báo cáo ở nhà.” [1]", [citation(hit(0, 23, vietnamese))]))
    assert value(case(), Result(answer=quoting), "citation_recall") == 1.0


def test_a_second_quote_does_not_undo_what_the_first_says() -> None:
    denying = Citation(2, DOCUMENT, THIRD.passage, 51, 60, "It never rains.", Support.SUPPORTED)
    said = answer(("Ann wrote the report at home. [1][2]", [citation(FIRST), denying]))
    assert value(case(), Result(answer=said), "citation_recall") == 1.0
    assert value(case(), Result(answer=said), "citation_precision") == 0.5


def test_a_sentence_of_which_words_cannot_tell_hides_no_other() -> None:
    vietnamese = Document("file:///v.txt", "v.txt", "vi", "Ann viết báo cáo ở nhà.", id=3)
    said = answer(
        ("Ann wrote the report. [1]", [citation(hit(0, 23, vietnamese))]),
        ("Bob burned the report. [2]", [citation(SECOND, 2)]),
    )
    assert value(case(), Result(answer=said), "citation_recall") == 0.0


def test_a_quote_that_is_not_what_the_document_says_is_not_exact() -> None:
    said = answer(("Ann. [1][2]", [citation(FIRST), citation(SECOND, 2, "Bob burned it.")]))
    assert value(case(), Result(answer=said), "quotes_exact") == 0.5
    assert graded(case(), Result(answer=answer(("Ann.", []))), "quotes_exact") is None


def test_what_is_expected_may_be_in_the_passage_or_in_the_quote_itself() -> None:
    asked = case("Ann wrote", "Bob read")
    whole = hit(0, 50)
    short = Citation(1, DOCUMENT, whole.passage, 0, 29, TEXT[0:29], Support.SUPPORTED)
    result = Result((whole,), answer(("Ann. [1]", [short])))
    assert value(asked, result, "evidence_cited") == 1.0
    assert value(asked, result, "evidence_quoted") == 0.5


def test_the_share_of_supported_sentences() -> None:
    good = Sentence("Ann wrote it.", 0, 1, (), Support.SUPPORTED)
    bad = Sentence("Bob burned it.", 0, 1, (), Support.UNSUPPORTED)
    said = Answer("?", "", "en", "x", sentences=(good, bad))
    assert value(case(), Result(answer=said), "supported") == 0.5


# -- what an answer says ------------------------------------------------------------------------


def test_squads_normalization() -> None:
    assert normalized("The  Eiffel-Tower!") == "eiffeltower"
    assert normalized("An apple a day, the same.") == "apple day same"
    assert normalized("Những con mèo của Ann", "vi") == "con mèo ann"
    assert normalized("$5 = 3^2 `x` <a|b~c>+") == "5 32 x abc"


@pytest.mark.parametrize(
    ("given_answer", "accepted", "f1", "exact"),
    [
        ("the Denver Broncos", ["Denver Broncos"], 1.0, 1.0),
        ("in the Denver Broncos team", ["Denver Broncos"], 2 / 3, 0.0),
        ("Carolina Panthers", ["Denver Broncos"], 0.0, 0.0),
        ("Santa Clara", ["San Jose", "Santa Clara, California"], 0.8, 0.0),
        ("", ["Denver"], 0.0, 0.0),
    ],
)
def test_token_f1_and_exact_match(
    given_answer: str, accepted: list[str], f1: float, exact: float
) -> None:
    assert token_f1(given_answer, accepted) == pytest.approx(f1)
    assert exact_match(given_answer, accepted) == exact


def test_accepted_answers_are_found_at_word_borders() -> None:
    assert contained("3 mẫu: H20, L20", [["H20"], ["L20"], ["L2"]], "vi") == pytest.approx(2 / 3)
    assert contained("It cost 80 tỉ USD.", [["80 billion dollars", "80 tỉ USD"]]) == 1.0
    assert contained("It is worth $80 billion, no more.", [["80 billion"]]) == 1.0


def test_what_separates_the_digits_of_a_figure_counts() -> None:
    assert contained("Cách biệt 15 năm.", [["1,5 năm"]], "vi") == 0.0
    assert contained("Cách biệt 1,5 năm.", [["1,5 năm"]], "vi") == 1.0
    assert contained("In 2,022 cases", [["2022"]]) == 0.0
    assert contained("anything", [["…"]]) == 0.0


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_measures_of_texts_are_shares(text: str, accepted: list[str]) -> None:
    assert 0 <= token_f1(text, accepted) <= 1
    assert 0 <= contained(text, [accepted]) <= 1
    assert exact_match(text, accepted) <= token_f1(text, accepted)


def test_an_abstention_says_nothing() -> None:
    asked = case("Ann wrote", answers=[["documents"]])
    said = answer(("The documents do not answer this.", []), abstained=True)
    assert value(asked, Result(answer=said), "answer_contained") == 0.0
    assert graded(asked, Result(answer=said), "citation_recall") is None
    assert graded(case("Ann wrote"), Result(answer=said), "answer_contained") is None


def test_the_first_quote_is_looked_at_alone() -> None:
    asked = case("Ann wrote", answers=[["Ann"], ["Bob"]])
    first, second = citation(FIRST, 1), citation(SECOND, 2)
    said = answer(("Ann wrote it.", [first, second]))
    assert value(asked, Result(answer=said), "answer_first") == 0.5
    said = answer(("Bob wrote it.", []))
    assert value(asked, Result(answer=said), "answer_first") == 0.0


# -- abstention, cost ---------------------------------------------------------------------------


def test_false_answers_and_false_refusals() -> None:
    said, refused = answer(("Ann.", [])), answer(("No.", []), abstained=True)
    assert value(case(), Result(answer=said), "false_answers") == 1.0
    assert value(case(), Result(answer=refused), "false_answers") == 0.0
    assert value(case("Ann"), Result(answer=refused), "false_refusals") == 1.0
    assert value(case("Ann"), Result(answer=said), "false_refusals") == 0.0
    assert graded(case("Ann"), Result(answer=said), "false_answers") is None
    assert graded(case(), Result(answer=said), "false_refusals") is None


def test_what_a_backend_does_not_report_is_not_graded() -> None:
    import dataclasses

    said = answer(("Ann.", []))
    assert value(case(), Result(answer=said), "input_tokens") is None
    told = dataclasses.replace(said, usage=Usage(100, 7, 0.25))
    found = [
        value(case(), Result(answer=told, seconds=2.0), name)
        for name in ("input_tokens", "output_tokens", "cost", "seconds")
    ]
    assert found == [100, 7, 0.25, 2.0]


# -- what needs a judge -------------------------------------------------------------------------

SAID = answer(
    ("Ann wrote the report at home. [1]", [citation(FIRST)]),
    ("Bob burned it. [2]", [citation(SECOND, 2)]),
)
JUDGED = ("groundedness", "judged_citation_recall", "judged_citation_precision", "judged_correct")


def judge(*words: str) -> ScriptedBackend:
    """Says no to a prompt with any of some words in the sentence to check, else yes."""

    def script(request: object) -> list[str]:
        prompt = request.messages[0]["content"]  # type: ignore[attr-defined]
        checked = prompt.partition("<sentence>")[2]
        return ["No."] if any(word in checked for word in words) else ["**Yes", "**, it does."]

    return ScriptedBackend(script)


@pytest.mark.parametrize("name", JUDGED)
def test_without_a_judge_nothing_is_graded_and_that_is_no_zero(name: str) -> None:
    asked = case("Ann wrote", answers=[["Ann"]])
    assert graded(asked, Result(answer=SAID), name) == Grade(None, "there is no judge")


def test_a_judge_grades_sentence_by_sentence() -> None:
    asked = case("Ann wrote", answers=[["Ann"]])
    strict = judge("burned")
    found = [value(asked, Result(answer=SAID), name, strict) for name in JUDGED]
    assert found == [0.5, 0.5, 0.5, 1.0]
    prompts = [one.messages[0]["content"] for one in strict.requests]
    assert any("Ann wrote the report at home." in prompt for prompt in prompts)
    assert not any("[1]" in prompt for prompt in prompts)


@pytest.mark.parametrize("reply", ["Maybe.", "", "yesterday", "nobody knows"])
def test_an_unclear_reply_is_no_grade(reply: str) -> None:
    unclear = ScriptedBackend([reply])
    assert value(case(), Result(answer=SAID), "groundedness", unclear) is None


def test_a_judge_that_fails_is_a_failure_and_no_grade() -> None:
    failing = ScriptedBackend([BackendRefused("No credit.")])
    with pytest.raises(BackendRefused):
        graded(case(), Result(answer=SAID), "groundedness", failing)


def test_the_same_is_asked_of_a_judge_once() -> None:
    kind = judge()
    told = {metric.name: metric for metric in metrics(kind)}
    told["judged_citation_recall"].grade(case(), Result(answer=SAID))
    asked = len(kind.requests)
    told["judged_citation_precision"].grade(case(), Result(answer=SAID))
    assert len(kind.requests) == asked == 2
