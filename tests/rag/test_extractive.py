"""Answers without a language model: only quotes, and none where the documents are silent."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest

from rag.abstention import decide
from rag.chatbot import Chatbot
from rag.cite import cite
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.llm.backend import Request
from rag.llm.extractive import ExtractiveBackend, _chosen
from rag.messages import said
from rag.periods import Period
from rag.settings import AnswerSettings, Settings
from rag.text import collapse, words
from rag.types import Answer, Support
from tests.conftest import Quoting
from tests.rag.conftest import PlainRetriever, hit_of, lexical_evidence

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
    quoted = r"((?:\d{4}(?:-\d\d-\d\d)?: )?)“(.*?)” \[(\d+)\](?:\n\n|$)"
    quotes = re.findall(quoted, answers[number].text, re.DOTALL)
    written = (f"{label}“{quote}” [{marker}]" for label, quote, marker in quotes)
    assert "\n\n".join(written) == answers[number].text
    for _, quote, marker in quotes:
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


# -- sentences that belong together --------------------------------------------------------------

OLD = (
    "date 2024-03-15\n\nNorthwind Ferries is led by its chief executive Maria Lindqvist. "
    "Northwind Ferries has 340 employees in three harbours. She wants to hire more of them."
)
NEW = (
    "date 2026-01-20\n\nErik Halvorsen is the new chief executive of Northwind Ferries. "
    "Northwind Ferries now has 410 employees, he says, and a new ship. "
    "He said that a route to Shetland opens in 2027."
)


@pytest.fixture(scope="module")
def ferries(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Chatbot:
    folder = tmp_path_factory.mktemp("ferries")
    (folder / "documents").mkdir()
    (folder / "documents" / "old.txt").write_text(OLD, "utf-8")
    (folder / "documents" / "new.txt").write_text(NEW, "utf-8")
    index = Index.create(folder / "index", Settings(), embedder)
    index.add(folder / "documents")
    return Chatbot(index, "extractive", Settings())


@pytest.mark.parametrize(
    ("question", "newer", "older"),
    [
        ("How many employees does Northwind Ferries have?", "410", "340"),
        ("Who is the chief executive of Northwind Ferries?", "Erik", "Maria"),
    ],
)
def test_documents_at_odds_stand_side_by_side_with_their_years_the_newer_first(
    question: str, newer: str, older: str, ferries: Chatbot
) -> None:
    first, second = ferries.ask(question).sentences[:2]
    assert first.text.startswith("2026: “")
    assert newer in first.text
    assert second.text.startswith("2024: “")
    assert older in second.text
    assert {first.support, second.support} == {Support.SUPPORTED}


def test_a_sentence_that_points_back_is_followed_by_what_says_who(ferries: Chatbot) -> None:
    answer = ferries.ask("When does the route to Shetland open?")
    assert "Shetland" in answer.citations[0].quote
    assert any("Erik Halvorsen" in citation.quote for citation in answer.citations[1:])


def test_a_question_that_supposes_another_year_is_told_so(ferries: Chatbot) -> None:
    loose = Settings(answer=AnswerSettings(evidence=0.0, sentences=1))
    bot = Chatbot(ferries.retriever, "extractive", loose)
    answer = bot.ask("Which route does Northwind open to Shetland in 2031?")
    assert answer.text.startswith(said("otherwise", "en"))
    assert "2027" in answer.text
    assert answer.sentences[0].support is Support.SUPPORTED
    assert not bot.ask("Which route opens to Shetland in 2027?").text.startswith("Not")


def test_good_sentences_side_by_side_are_one_quotation() -> None:
    bridge = (
        "Trams run every day.\n\nThe bridge at Riga was opened to trams in 1903. "
        "The bridge at Riga was closed to trams in 1999.\n\nIts stones were sold later."
    )
    hits = [hit_of(bridge, "en"), hit_of("Bread is baked in ovens every morning.", "en", 2)]
    retriever = PlainRetriever(hits)
    loose = Settings(answer=AnswerSettings(evidence=0.0, sentences=1))
    question = "When was the bridge at Riga opened to trams, and when was it closed to trams?"
    answer = Chatbot(retriever, "extractive", loose).ask(question)
    (sentence,) = answer.sentences
    (citation,) = sentence.citations
    assert citation.quote == bridge[22:117]
    assert citation.quote.endswith("in 1999.")
    assert sentence.support is Support.SUPPORTED


DATED = {
    "dam.txt": "date 2025-03-14\n\nThe dam of Belfort is to be raised by four metres, said the mayor of "
    "Belfort, Anna Roth. The work on the dam costs 40 million euros.",
    "bridge.txt": "Published: May 2, 2024\n\nThe bridge of Karlow was closed for the winter. The mayor of "
    "Karlow, Jan Brand, said that a new bridge costs 90 million euros.",
}


@pytest.fixture(scope="module")
def dated_bot(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Chatbot:
    folder = tmp_path_factory.mktemp("dated")
    for name, text in DATED.items():
        (folder / name).write_text(text, "utf-8")
    index = Index.create(folder / "index", Settings(), embedder)
    index.add([folder / name for name in DATED])
    return Chatbot(index, "extractive", Settings())


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("When was the article about the dam of Belfort published?", "2025-03-14"),
        ("Bài báo về cây cầu ở Karlow được đăng ngày nào?", "May 2, 2024"),
    ],
)
def test_when_an_article_was_published_is_told_by_its_head(
    question: str, quote: str, dated_bot: Chatbot
) -> None:
    (citation,) = dated_bot.ask(question).citations
    assert quote in citation.quote


def test_a_question_that_compares_is_answered_of_each(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "belfort.txt").write_text(
        "The mayor of Belfort is Anna Roth, who was elected in 2019.\n\nBelfort chose its mayor, "
        "Anna Roth, in a second round.\n\nWho is mayor of Belfort decides on the dam, says Anna Roth.",
        "utf-8",
    )
    (tmp_path / "karlow.txt").write_text(
        "Many bridges were built in the valley. In Karlow they have Jan Brand as mayor.",
        "utf-8",
    )
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add([tmp_path / "belfort.txt", tmp_path / "karlow.txt"])
    question = "Who is mayor of Belfort, and who is it in Karlow, each?"
    hits = tuple(index.search(question))
    request = Request(question, "en", hits, (), index.evidence, question, weigh=index.weigh)
    decision = decide(request)
    told = " ".join(one.candidate.text for one in _chosen(decision, 2, Period()))
    assert "Belfort" in told
    assert "Karlow" in told
    plain = dataclasses.replace(decision, asked=dataclasses.replace(decision.asked, compares=False))
    told = " ".join(one.candidate.text for one in _chosen(plain, 2, Period()))
    assert "Karlow" not in told


def test_headings_and_what_a_text_says_of_itself_are_no_answers(quoting: Quoting) -> None:
    text = (
        "---\ntitle: The price of coffee rises sharply\ndate: 2025-01-09\n---\n\n"
        "# The price of coffee rises sharply\n\n## Why the price of coffee has risen\n\n"
        "The price of coffee rose because droughts have made the harvest in Brazil smaller.\n"
    )
    (citation,) = quoting({"coffee.md": text}).ask("Why did the price of coffee rise?").citations
    assert citation.quote.startswith("The price of coffee rose because")
