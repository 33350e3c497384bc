"""Two hand-made passages and a retriever that finds them, where an index would only be slow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from rag.chatbot import Chatbot
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.settings import Settings
from rag.text import words
from rag.types import Document, Hit, Passage
from rag.weighing import Weighing, by_words

ENGLISH = (
    "Introduction to the subject.\n\n"
    "Yin Ye, the head of BGI, called Sora a Newton moment. "
    "OpenAI was valued at 1.5 billion dollars in 2023. He said: “It  is\nnew.”"
)
VIETNAMESE = (
    "Ông Yin Ye gọi Sora là khoảnh khắc Newton. "
    "Công ty được định giá 80 tỉ USD (11.2023). Khoảng cách là 1,5 năm."
)


def hit_of(text: str, language: str, identifier: int = 1, start: int = 0) -> Hit:
    """A hit on the part of a document from ``start`` to its end."""
    uri = f"file:///papers/{identifier}.txt"
    day = dt.date(2024, 7, identifier)
    document = Document(uri, f"Title {identifier}", language, text, day, id=identifier)
    passage = Passage(identifier, start, len(text), text[start:], id=identifier)
    return Hit(document, passage, 0.9, 0.9, 0.9)


def lexical_evidence(question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
    """The share of the question's words in each text, and no meaning."""
    wanted = set(words(question))
    return [(len(wanted & set(words(text))) / max(1, len(wanted)), 0.0) for text in texts]


@dataclass
class PlainRetriever:
    """Finds the same passages for every question, and notes what it was asked."""

    hits: list[Hit]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def search(self, question: str, k: int | None = None, **filters: Any) -> list[Hit]:
        """Find the passages."""
        self.asked.append((question, filters))
        return self.hits[:k]

    def evidence(self, question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """Weigh texts by the words they share with the question."""
        return lexical_evidence(question, texts)

    def weigh(self, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
        """Weigh texts by the words of each question that they hold."""
        return by_words(questions, texts)


@pytest.fixture(scope="session")
def hits() -> list[Hit]:
    """One passage that begins in the middle of an English document, and a Vietnamese one."""
    return [hit_of(ENGLISH, "en", 1, start=30), hit_of(VIETNAMESE, "vi", 2)]


@pytest.fixture
def retriever(hits: list[Hit]) -> PlainRetriever:
    """A retriever that finds the two passages."""
    return PlainRetriever(hits)


@pytest.fixture
def bot(seeds_index: Index) -> Chatbot:
    """Who quotes the seed articles."""
    return Chatbot(seeds_index, "extractive", Settings())


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Index:
    """Thirty dated notes, each of some sentences."""
    folder = tmp_path_factory.mktemp("many")
    papers = folder / "papers"
    papers.mkdir()
    for number in range(1, 31):
        text = (
            f"---\ntitle: Note {number} on harbours\ndate: 2025-03-{number:02}\n---\n\n"
            f"The harbour of town number {number} was closed for {number} days by a storm.\n\n"
            f"Its master counted {number * 3} damaged boats along the northern quay afterwards."
        )
        (papers / f"note-{number:02}.md").write_text(text, "utf-8")
    index = Index.create(folder / "index", Settings(), embedder)
    index.add(papers)
    return index
