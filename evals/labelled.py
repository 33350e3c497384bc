"""Questions of which it is known which sentences answer them, or that none does.

XQuAD's paragraphs in English and Vietnamese hold the same answers. A few articles make a small
index, in which each paragraph is in one of the two languages; its questions are asked in both, and
some in Vietnamese without diacritics. Asked with their own paragraph left out, the others on the
same subject stay: near misses. Asked in the index of other articles, they are off topic.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.candidates import Candidate, candidates
from rag.chatbot import Chatbot
from rag.errors import EvaluationError
from rag.index.index import Index
from rag.llm.backend import Request
from rag.question import Asked
from rag.retrieval import standalone
from rag.settings import Settings
from rag.text import fold, normalize
from rag.types import Hit

from .metrics.answers import contained
from .suite import Case, Suite

LANGUAGES = ("en", "vi")
# Articles in one index, with five paragraphs each.
_ARTICLES = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with the sentences of the passages found for it.

    ``right`` are the rows of the sentences that answer it, none where nothing does. ``kind`` is
    ``answerable``, ``near-miss`` or ``off-topic``, ``pair`` the languages of question and answer,
    and ``half`` whether it may be tuned on (``tune``) or is kept for reporting (``report``).
    """

    asked: Asked
    found: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    right: tuple[int, ...]
    kind: str
    pair: str
    half: str
    source: str


@dataclass(frozen=True, slots=True)
class _Question:
    paragraph: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph in one language, with the answers to its questions: id to start and end."""

    name: str
    language: str
    text: str
    answers: dict[str, tuple[int, int]]


def of_xquad(folder: Path, work: Path, settings: Settings, seed: int = 0) -> Iterator[Labelled]:
    """Labelled questions of ``xquad.en.json`` and ``xquad.vi.json``.

    Args:
        folder: Where the two files are.
        work: Where indexes are made.
        settings: Those of the indexes.
        seed: Which paragraph is in which language.

    Raises:
        EvaluationError: A file is missing, or is no such file.
    """
    articles = [_read(folder / f"xquad.{language}.json", language) for language in LANGUAGES]
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = len(articles[0])
    groups = [range(first, min(first + _ARTICLES, count)) for first in range(0, count, _ARTICLES)]
    for number, group in enumerate(groups):
        half = "tune" if number % 2 == 0 else "report"
        paragraphs: dict[str, _Paragraph] = {}
        questions: dict[str, dict[str, _Question]] = {}
        for article in group:
            for place in range(len(articles[0][article])):
                chosen = chance.randrange(2)
                for own, language in enumerate(LANGUAGES):
                    paragraph, asked = articles[own][article][place]
                    if own == chosen:
                        paragraphs[paragraph.name] = paragraph
                    for one, text in asked.items():
                        where = questions.setdefault(one, {})
                        where[language] = _Question(paragraph.name, language, text)
        index = _index(work / f"xquad-{number}", paragraphs.values(), settings)
        for one, (identifier, by_language) in enumerate(questions.items()):
            for question in by_language.values():
                text = question.text
                if question.language == "vi" and one % 3 == 0:
                    text = fold(text)
                paragraph = paragraphs[question.paragraph]
                pair = f"{question.language}→{paragraph.language}"
                answer = paragraph.answers[identifier]
                for kind in ("answerable", "near-miss"):
                    yield _labelled(index, text, question.language, paragraph, answer, kind, pair, half, settings)
        following = groups[(number + 2) % len(groups)]
        for article in following:
            for _, asked in articles[number % 2][article]:
                for text in list(asked.values())[:2]:
                    language = LANGUAGES[number % 2]
                    yield _labelled(index, text, language, None, (0, 0), "off-topic", f"{language}→", half, settings)


def of_suite(suite: Suite, index: Index, settings: Settings) -> Iterator[Labelled]:
    """The questions of a suite: the sentences that hold an accepted answer where one is expected."""
    bot = Chatbot(index, settings=settings)
    for case in suite.cases:
        hits = tuple(bot.retrieve(case.question, case.history))
        asked_with = standalone(case.question, case.history)
        request = Request(
            asked_with, case.language, hits, (), index.evidence, case.question, index.weigh
        )
        asked, found = candidates(request)
        right = tuple(row for row, one in enumerate(found) if _answers(case, one))
        kind = "answerable" if case.answerable else ("near-miss" if "near-miss" in case.tags else "off-topic")
        yield Labelled(asked, tuple(found), hits, right, kind, suite.pair(case), "tune", suite.name)


def _answers(case: Case, candidate: Candidate) -> bool:
    document, start = candidate.hit.document, candidate.hit.passage.start
    span = start + candidate.span[0], start + candidate.span[1]
    for expected in case.expected:
        at = document.text.find(normalize(expected.quote))
        if document.name == expected.document and at >= 0:
            shared = min(span[1], at + len(expected.quote)) - max(span[0], at)
            if shared >= 0.5 * min(len(expected.quote), span[1] - span[0]) and shared > 0:
                return not case.answers or contained(candidate.text, case.answers, document.language) > 0
    return False


def _labelled(
    index: Index,
    text: str,
    language: str,
    paragraph: _Paragraph | None,
    answer: tuple[int, int],
    kind: str,
    pair: str,
    half: str,
    settings: Settings,
) -> Labelled:
    k = settings.retrieval.k
    hits = index.search(text, k + 1 if kind == "near-miss" else k)
    if kind == "near-miss" and paragraph:
        hits = [hit for hit in hits if hit.document.name != paragraph.name][:k]
    request = Request(text, language, tuple(hits), (), index.evidence, text, index.weigh)
    asked, found = candidates(request)
    right: tuple[int, ...] = ()
    if kind == "answerable" and paragraph:
        right = tuple(row for row, one in enumerate(found) if _holds(one, paragraph, answer))
    return Labelled(asked, tuple(found), tuple(hits), right, kind, pair, half, "xquad")


def _holds(candidate: Candidate, paragraph: _Paragraph, answer: tuple[int, int]) -> bool:
    start = candidate.hit.passage.start + candidate.span[0]
    end = candidate.hit.passage.start + candidate.span[1]
    return candidate.hit.document.name == paragraph.name and start < answer[1] and answer[0] < end


def _index(folder: Path, paragraphs: Sequence[_Paragraph], settings: Settings) -> Index:  # type: ignore[misc]
    files = folder.with_name(folder.name + "-documents")
    files.mkdir(parents=True, exist_ok=True)
    for paragraph in paragraphs:
        (files / paragraph.name).write_text(paragraph.text, "utf-8", newline="")
    index = Index.open_or_create(folder, settings)
    index.add(files)
    return index


def _read(path: Path, language: str) -> list[list[tuple[_Paragraph, dict[str, str]]]]:
    """The articles of a file: paragraphs with their questions by id."""
    try:
        data = json.loads(path.read_text("utf-8"))["data"]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(f"{path} is no file of XQuAD: {error}.") from error
    articles = []
    for number, article in enumerate(data):
        paragraphs = []
        for place, one in enumerate(article["paragraphs"]):
            text = normalize(one["context"])
            answers, questions = {}, {}
            for asked in one["qas"]:
                given = asked["answers"][0]
                start = len(normalize(one["context"][: given["answer_start"]]))
                answers[asked["id"]] = start, start + len(normalize(given["text"]))
                questions[asked["id"]] = normalize(asked["question"]).strip()
            paragraphs.append((_Paragraph(f"{number:02}-{place}.txt", language, text, answers), questions))
        articles.append(paragraphs)
    return articles
