"""What the program answers itself: lists that can be looked up, and greetings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.chatbot import Chatbot
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.llm.scripted import ScriptedBackend
from rag.messages import said
from rag.settings import Settings
from rag.types import Answer, Delta, Done, Intent, Retrieved
from tests.conftest import Quoting
from tests.rag.articles import CUT_OFF, LATEST, ON_SORA, hold, names
from tests.rag.conftest import PlainRetriever


def test_the_documents_are_listed_each_with_its_beginning(bot: Chatbot) -> None:
    events = list(bot.stream("Bạn có những tài liệu nào?"))
    assert [type(event) for event in events] == [Retrieved, Delta, Done]
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.text.startswith("Số tài liệu: 5\n")
    assert answer.language == "vi"
    assert names(answer)[:2] == [LATEST, CUT_OFF]  # the newest first
    assert hold(answer)
    assert not answer.attempts
    assert answer.backend == ""
    assert not answer.sentences
    lines = answer.text.splitlines()[2:]
    for number, line in enumerate(lines, start=1):
        assert line.startswith(f"{number}. ")
        assert line.endswith(f"[{number}]")
    assert len(lines) == 5


def test_documents_on_a_topic_are_listed_with_the_part_that_tells_of_it(bot: Chatbot) -> None:
    answer = bot.ask("Tài liệu nào nói về Nvidia?")
    assert answer.text.startswith(said("documents_found", "vi"))
    assert names(answer) == [ON_SORA, LATEST]
    assert all("Nvidia" in one.quote for one in answer.citations)
    assert hold(answer)
    for asked in (
        "Are there any articles about climate change?",
        "Which documents mention Justin Sun?",
    ):
        none = bot.ask(asked)
        assert (none.text, none.abstained) == (said("documents_none", "en"), True)
        assert none.hits, "the nearest passages are shown"
        assert not none.citations


def test_the_newest_document_is_told(bot: Chatbot) -> None:
    for asked in ("What is the newest article?", "Bài báo nào mới nhất?"):
        assert names(bot.ask(asked)) == [LATEST]


def test_the_oldest_and_as_many_as_are_asked_for_are_told(bot: Chatbot) -> None:
    oldest = bot.ask("Tài liệu nào cũ nhất?")
    assert oldest.text.startswith(said("document_oldest", "vi"))
    assert names(oldest) == [CUT_OFF]
    two = bot.ask("Which are the two newest articles?")
    assert two.text.startswith("The newest 2 documents:")
    assert names(two) == [LATEST, CUT_OFF]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Which articles were published in 2024?", [CUT_OFF]),
        ("List all articles from July 2024", [CUT_OFF]),
        ("Which documents are from after 2024?", [LATEST]),
        ("Bài báo nào đăng năm 2026?", [LATEST]),
        ("Có những tài liệu nào trước năm 2025?", [CUT_OFF]),
        ("Liệt kê các tài liệu tháng 7 năm 2024", [CUT_OFF]),
        ("Which articles were published in 1999?", []),
    ],
)
def test_documents_of_a_time_are_listed(asked: str, found: list[str], bot: Chatbot) -> None:
    answer = bot.ask(asked)
    assert answer.intent is Intent.LISTING
    assert names(answer) == found


def test_all_documents_with_a_name_are_listed(quoting: Quoting) -> None:
    texts = {
        "flood.txt": "Lũ lụt tại Quảng Nam\n\nNước sông Thu Bồn lên nhanh trong đêm và làm ngập nhiều nhà.",
        "cv.txt": "Lê Hoa\n\nKế toán ở một công ty nhỏ, sinh năm 1990 ở Quảng Nam, nói tiếng Anh và tiếng Pháp.",
        "other.txt": "The harbour of Haiphong is closed for two days, since a storm has damaged its cranes.",
    }
    bot = quoting(texts)
    for asked in ("Which documents mention Quảng Nam?", "Tài liệu nào nói về Quảng Nam?"):
        assert sorted(names(bot.ask(asked))) == ["cv.txt", "flood.txt"]
    assert bot.ask("Which documents mention Quảng Ngãi?").abstained


def test_a_document_that_is_gone_by_now_is_left_out(tmp_path: Path, embedder: Embedder) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(f"The harbour of town {name} is closed.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add([tmp_path / "one.txt", tmp_path / "two.txt"])
    uris = [entry.uri for entry in index.documents()]
    index.remove(tmp_path / "one.txt")
    assert [hit.document.name for hit in index.excerpts(uris, 3)] == ["two.txt"]


def test_documents_in_a_language_are_counted(bot: Chatbot) -> None:
    assert bot.ask("How many documents are in Vietnamese?").text.startswith("Documents: 3\n")
    assert bot.ask("Có bao nhiêu tài liệu tiếng Anh?").text.startswith("Số tài liệu: 2\n")
    nothing = bot.ask("How many documents are in French?")
    assert nothing.text == said("no_such_documents", "en")


def test_a_long_list_names_the_newest_and_says_how_many_there_are(many: Index) -> None:
    answer = Chatbot(many, "extractive", Settings()).ask("How many documents are there?")
    assert answer.text.startswith(
        "Documents: 30\n\n1. Note 30 on harbours · note-30.md · 2025-03-30"
    )
    assert len(answer.citations) == 20
    assert "And 10 more" in answer.text
    assert hold(answer)


def test_a_title_is_nothing_but_a_title(tmp_path: Path, embedder: Embedder) -> None:
    text = "---\ntitle: 'See [1] ![x](http://127.0.0.1/x) [2]'\n---\nOnly this one line is here."
    path = tmp_path / "odd\n9. Another line.md"
    path.write_text(text, "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add(path)
    answer = Chatbot(index, "extractive", Settings()).ask("list the documents")
    assert re.findall(r"\[\d+\]", answer.text) == ["[1]"]
    assert "\n9." not in answer.text
    assert hold(answer)


def test_a_greeting_before_a_question_does_not_spoil_it(bot: Chatbot) -> None:
    assert bot.ask("Hello, who is Winston Ma?").text == bot.ask("Who is Winston Ma?").text


def test_an_empty_index_says_that_it_is_empty(tmp_path: Path, embedder: Embedder) -> None:
    bot = Chatbot(Index.create(tmp_path / "index", Settings(), embedder), "extractive", Settings())
    assert bot.ask("hello").text == f"Hello! {said('no_documents', 'en')}"
    assert bot.ask("Which documents are there?").text == said("no_documents", "en")
    empty = bot.ask("Tóm tắt các tài liệu")
    assert (empty.text, empty.abstained) == (said("no_documents", "vi"), True)


@pytest.mark.parametrize(
    ("asked", "begins", "language"),
    [
        ("hello", f"Hello! {said('about_itself', 'en')}", "en"),
        ("Xin chào", f"Xin chào! {said('about_itself', 'vi')}", "vi"),
        ("What can you do?", said("about_itself", "en"), "en"),
        ("thanks", said("talk_thanks", "en"), "en"),
        ("tạm biệt", said("talk_farewell", "vi"), "vi"),
    ],
)
def test_a_greeting_is_returned_and_nobody_else_is_asked(
    seeds_index: Index, asked: str, begins: str, language: str
) -> None:
    backend = ScriptedBackend(["never"], rewriting=["never"])
    answer = Chatbot(seeds_index, [backend], Settings()).ask(asked, [("Who is Winston Ma?", "He.")])
    assert answer.text.startswith(begins)
    assert (answer.language, answer.intent) == (language, Intent.TALK)
    assert not answer.abstained
    assert not answer.hits
    assert not backend.requests


def test_a_follow_up_leans_on_the_question_before_the_thanks(bot: Chatbot) -> None:
    history: list[Answer] = []
    for asked in ("Who is Winston Ma?", "thanks!", "What documents do you have?"):
        history.append(bot.ask(asked, history))
    last = bot.ask("Where does he teach?", history)
    assert "Winston Ma" in last.searched[0]


def test_a_retriever_that_lists_no_documents_is_asked_as_ever(retriever: PlainRetriever) -> None:
    backend = ScriptedBackend(["Yin Ye called Sora a Newton moment. [1]"])
    answer = Chatbot(retriever, [backend], Settings()).ask("What documents do you have about Sora?")
    assert answer.intent is Intent.ANSWER
