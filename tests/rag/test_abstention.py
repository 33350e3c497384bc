"""Whether the passages answer: one decision."""

from __future__ import annotations

import pytest

from rag.abstention import decide
from rag.chatbot import Chatbot
from rag.index.index import Index
from rag.llm.backend import Request
from rag.settings import Settings


def request_of(index: Index, question: str, language: str) -> Request:
    hits = tuple(Chatbot(index, settings=Settings()).retrieve(question))
    return Request(question, language, hits, (), index.evidence, question, weigh=index.weigh)


ANSWERED = [
    ("Who is Winston Ma?", "en"),
    ("OpenAI được định giá bao nhiêu?", "vi"),
    ("openai duoc dinh gia bao nhieu", "vi"),
    ("Who called Sora a Newton moment?", "en"),
    ("Which model did SenseTime unveil?", "en"),
]
NOT_ANSWERED = [
    ("Who is the chief financial officer of Baidu?", "en"),
    ("How much does Kuaishou pay its employees?", "en"),
    ("When was Winston Ma born?", "en"),
    ("What is the capital of Peru?", "en"),
    ("Lương của Zhou Hongyi là bao nhiêu?", "vi"),
    ("Trụ sở của DeepSeek ở đâu?", "vi"),
    ("Thủ đô của Peru là gì?", "vi"),
    ("cach nau pho bo nhu the nao", "vi"),
]


@pytest.mark.parametrize(("question", "language"), ANSWERED)
def test_what_the_documents_tell_is_answered(
    question: str, language: str, seeds_index: Index
) -> None:
    decision = decide(request_of(seeds_index, question, language))
    assert decision.answers(0.5)


@pytest.mark.parametrize(("question", "language"), NOT_ANSWERED)
def test_what_is_asked_about_a_name_must_be_told_too(
    question: str, language: str, seeds_index: Index
) -> None:
    decision = decide(request_of(seeds_index, question, language))
    assert not decision.answers(0.5)


def test_the_sentences_are_ranked(seeds_index: Index) -> None:
    request = request_of(seeds_index, "Who is the CEO of SenseTime?", "en")
    decision = decide(request)
    scores = [one.score for one in decision.ranked]
    assert scores == sorted(scores, reverse=True)


def test_without_passages_there_is_no_answer(seeds_index: Index) -> None:
    request = Request("Why?", "en", (), (), seeds_index.evidence, "Why?", weigh=seeds_index.weigh)
    decision = decide(request)
    assert (decision.answers(0.0), decision.probability, decision.ranked) == (False, 0.0, ())


def test_how_probable_an_answer_must_be_can_be_said(seeds_index: Index) -> None:
    request = request_of(seeds_index, "What is the capital of Peru?", "en")
    assert decide(request).answers(0.0)
    request = request_of(seeds_index, "Who is Winston Ma?", "en")
    assert not decide(request).answers(1.0)


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("Who is the CEO of SenseTime?", False),  # others' chief executives are told
        ("Ai là CEO của SenseTime?", False),
        ("Who is the CEO of Kunlun Tech?", True),
        ("CEO của Kunlun Tech là ai?", True),
    ],
)
def test_what_is_told_of_another_is_no_answer(
    question: str, answered: bool, seeds_index: Index
) -> None:
    bot = Chatbot(seeds_index, "extractive", Settings())
    assert bot.ask(question).abstained is not answered


@pytest.mark.parametrize(
    "question",
    [
        "What does Elon Musk believe about OpenAI's departure?",
        "What did Zhou Hongwei say about the gap between China and the US?",
        "Fang Hao nói gì về Sora?",
        "When was the article about Sora published?",  # that document does not say when
        "-5",
        "Tại sao?",
        "a.a.a",
    ],
)
def test_what_the_documents_cannot_tell_is_not_told_of_something_else(
    question: str, seeds_index: Index
) -> None:
    assert not Chatbot(seeds_index, "extractive", Settings()).ask(question).citations


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What does Winston Ma say about OpenAI?", "Winston Ma"),
        ("Fang Han nói gì về Sora?", "Fang Han"),
        ("Khi nào bài báo về khoảng cách AI Trung Quốc và Mỹ được đăng?", "2026-02-12"),
    ],
)
def test_what_they_can_tell_is_told(question: str, told: str, seeds_index: Index) -> None:
    answer = Chatbot(seeds_index, "extractive", Settings()).ask(question)
    assert told in answer.citations[0].quote
