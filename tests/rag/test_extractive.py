"""Answers without a language model: only quotes, and none where the documents are silent."""

from __future__ import annotations

import asyncio
import re

import pytest

from rag.chatbot import Chatbot
from rag.cite import cite
from rag.index.index import Index
from rag.llm.backend import Request
from rag.llm.extractive import ExtractiveBackend
from rag.messages import said
from rag.settings import AnswerSettings, Settings
from rag.text import collapse, words
from rag.types import Answer, Support
from tests.rag.conftest import hit_of, lexical_evidence

QUESTIONS = [
    ("Ai gọi Sora là khoảnh khắc Newton?", "vi", "Yin Ye"),
    ("Ai goi Sora la khoanh khac Newton?", "vi", "Yin Ye"),
    ("OpenAI được định giá bao nhiêu?", "vi", "80 tỉ USD"),
    ("When did OpenAI say it would block its services in China?", "en", "July 9, 2024"),
    ("Who is Winston Ma?", "en", "professor at New York University"),
]


@pytest.fixture(scope="module")
def bot(seeds_index: Index) -> Chatbot:
    return Chatbot(seeds_index, "extractive", Settings())


@pytest.fixture(scope="module")
def answers(bot: Chatbot) -> list[Answer]:
    return [bot.ask(question) for question, _, _ in QUESTIONS]


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_a_question_is_answered_in_its_language_with_what_the_documents_say(
    number: int, answers: list[Answer]
) -> None:
    _, language, expected = QUESTIONS[number]
    assert answers[number].language == language
    assert expected in answers[number].text
    assert answers[number].backend == "extractive"


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_every_sentence_is_a_quote_word_for_word(number: int, answers: list[Answer]) -> None:
    quotes = re.findall(r"“(.*?)” \[(\d+)\](?:\n\n|$)", answers[number].text, re.DOTALL)
    assert "\n\n".join(f"“{quote}” [{marker}]" for quote, marker in quotes) == answers[number].text
    for quote, marker in quotes:
        hit = answers[number].hits[int(marker) - 1]
        assert quote in collapse(hit.passage.text)
    for citation in answers[number].citations:
        assert citation.support is Support.SUPPORTED
        assert citation.document.text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_no_two_quotes_say_the_same(number: int, answers: list[Answer]) -> None:
    quotes = [set(words(part)) for part in answers[number].text.split("\n\n")]
    for position, quote in enumerate(quotes):
        before: set[str] = set().union(*quotes[:position])
        assert len(quote & before) < 0.75 * len(quote)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What is the capital of Peru?", "en"),
        ("How do I bake sourdough bread?", "en"),
        ("Thủ đô của Peru là gì?", "vi"),
        ("Cách nấu phở bò như thế nào?", "vi"),
    ],
)
def test_it_says_when_the_documents_do_not_answer(
    question: str, language: str, bot: Chatbot
) -> None:
    answer = bot.ask(question)
    assert answer.abstained
    assert answer.text == said("no_answer", language)
    assert answer.citations == ()


def test_how_much_evidence_makes_an_answer_is_a_setting(seeds_index: Index) -> None:
    strict = Settings(answer=AnswerSettings(evidence=1.0))
    assert Chatbot(seeds_index, settings=strict).ask(QUESTIONS[0][0]).abstained
    loose = Settings(answer=AnswerSettings(evidence=0.0, sentences=1))
    answer = Chatbot(seeds_index, settings=loose).ask("Thủ đô của Peru là gì?")
    assert len(re.findall(r"\[\d+\]", answer.text)) == 1


def test_an_english_question_finds_a_vietnamese_passage_by_its_names(bot: Chatbot) -> None:
    answer = bot.ask("Who called Sora a Newton moment?")
    assert answer.language == "en"
    assert "Yin Ye" in answer.text
    assert answer.citations[0].document.language == "vi"


def test_references_in_a_document_do_not_become_citations() -> None:
    hits = [
        hit_of("Photosynthesis takes place in the chloroplasts of green plants.[3][14]", "en"),
        hit_of("Rivers carry water to the distant sea.", "en"),
        hit_of("Bread is baked in ovens every morning.", "en"),
    ]
    backend = ExtractiveBackend(AnswerSettings(evidence=0.0, sentences=1))
    request = Request(
        "Where does photosynthesis take place?", "en", tuple(hits), (), lexical_evidence
    )

    async def write() -> str:
        return "".join([part async for part in backend.stream(request) if isinstance(part, str)])

    text = asyncio.run(write())
    checked = cite(text, "en", hits, lexical_evidence)
    assert (
        checked.text
        == "“Photosynthesis takes place in the chloroplasts of green plants.［3］［14］” [1]"
    )
    (citation,) = checked.sentences[0].citations
    assert citation.document is hits[0].document
    assert citation.quote.startswith("Photosynthesis takes place")
