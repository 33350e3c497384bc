"""Questions of which it is known which sentences answer them, or that none does.

XQuAD's paragraphs in English and Vietnamese hold the same answers. A few articles make a small
index, in which each paragraph is in one of the two languages; its questions are asked in both, and
some in Vietnamese without diacritics. Asked with their own paragraph left out, the others on the
same subject stay: near misses. Asked in the index of other articles, they are off topic.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.candidates import Candidate, candidates
from rag.chatbot import Chatbot
from rag.conversation import standalone
from rag.errors import EvaluationError
from rag.evals.metrics.answers import contained
from rag.index.index import Index
from rag.llm.backend import Request
from rag.question import Asked
from rag.settings import Settings
from rag.text import fold, normalize
from rag.types import Hit

from .suite import Case, Suite

LANGUAGES = ("en", "vi")
# Articles in one index, with five paragraphs each.
_ARTICLES = 4
# Of the questions of a paragraph every third is asked, and of these every third Vietnamese one
# without diacritics.
_EVERY, _BARE = 3, 3
# Every fourth paragraph of other articles gives a question that is off topic.
_STRANGE = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with the sentences of the passages found for it.

    ``right`` are the rows of the sentences that answer it, none where nothing does. ``kind`` is
    ``answerable``, ``near-miss`` or ``off-topic``, ``pair`` the languages of question and answer,
    and ``half`` whether it may be tuned on (``tune``) or is kept for reporting (``report``).
    """

    asked: Asked
    found: tuple[Candidate, ...]
    right: tuple[int, ...]
    kind: str
    pair: str
    half: str
    source: str


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph in one language, with its questions, and where their answers are, by id."""

    name: str
    language: str
    text: str
    questions: Mapping[str, str]
    answers: Mapping[str, tuple[int, int]]


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
    firsts = range(0, len(articles[0]), _ARTICLES)
    groups = [
        [article for own in articles for article in own[first : first + _ARTICLES]]
        for first in firsts
    ]
    for number, group in enumerate(groups):
        places = len(group) // 2
        chosen = [
            own[place] if chance.randrange(2) else other[place]
            for own, other in zip(group[:places], group[places:], strict=True)
            for place in range(len(own))
        ]
        pool = {paragraph.name: paragraph for paragraph in chosen}
        index = _index(work / f"xquad-{number}", chosen, settings)
        half = "tune" if number % 2 == 0 else "report"
        every = [paragraph for article in group for paragraph in article]
        # The half of a group that is two further on is the same, so what is asked there stays there.
        others = groups[(number + 2) % len(groups)]
        strange = [paragraph for article in others for paragraph in article]
        for labelled in (
            *_own_questions(index, every, pool, settings),
            *_strange(index, strange, settings),
        ):
            yield replace(labelled, half=half)


def _own_questions(
    index: Index, asking: Sequence[_Paragraph], pool: Mapping[str, _Paragraph], settings: Settings
) -> Iterator[Labelled]:
    """The questions on the paragraphs of an index, asked with their own paragraph and without it."""
    for asked in asking:
        paragraph = pool[asked.name]
        chosen = list(asked.questions.items())[::_EVERY]
        for number, (identifier, text) in enumerate(chosen):
            bare = asked.language == "vi" and number % _BARE == 0
            question = _Question(fold(text) if bare else text, asked.language)
            for kind in ("answerable", "near-miss"):
                yield _labelled(index, question, kind, settings, paragraph, identifier)


def _strange(index: Index, asking: Sequence[_Paragraph], settings: Settings) -> Iterator[Labelled]:
    """Some questions on other paragraphs than those of an index."""
    for asked in asking[::_STRANGE]:
        text = next(iter(asked.questions.values()))
        yield _labelled(index, _Question(text, asked.language), "off-topic", settings)


def of_suite(suite: Suite, index: Index, settings: Settings) -> Iterator[Labelled]:
    """The questions of a suite: the sentences that hold an accepted answer where one is expected."""
    bot = Chatbot(index, settings=settings)
    for case in suite.cases:
        hits = bot.retrieve(case.question, case.history)
        request = _request(
            standalone(case.question, case.history), case.question, case.language, hits, index
        )
        asked, found = candidates(request)
        right = tuple(row for row, one in enumerate(found) if _answers(case, one))
        kind = (
            "answerable"
            if case.answerable
            else ("near-miss" if "near-miss" in case.tags else "off-topic")
        )
        yield Labelled(asked, tuple(found), right, kind, suite.pair(case), "tune", suite.name)


def _request(
    question: str, latest: str, language: str, hits: Sequence[Hit], index: Index
) -> Request:
    return Request(
        question,
        language,
        tuple(hits),
        (),
        index.evidence,
        latest,
        weigh=index.weigh,
        meant=index.corrected,
    )


def _answers(case: Case, candidate: Candidate) -> bool:
    document, start = candidate.hit.document, candidate.hit.passage.start
    span = start + candidate.span[0], start + candidate.span[1]
    for expected in case.expected:
        at = document.text.find(normalize(expected.quote))
        if document.name == expected.document and at >= 0:
            shared = min(span[1], at + len(expected.quote)) - max(span[0], at)
            if shared >= 0.5 * min(len(expected.quote), span[1] - span[0]) and shared > 0:
                return (
                    not case.answers
                    or contained(candidate.text, case.answers, document.language) > 0
                )
    return False


def _labelled(
    index: Index,
    question: _Question,
    kind: str,
    settings: Settings,
    paragraph: _Paragraph | None = None,
    identifier: str = "",
) -> Labelled:
    """A question put to an index; a near miss without the paragraph that answers it."""
    k = settings.retrieval.k
    hits = index.search(question.text, k + (kind == "near-miss"))
    if kind == "near-miss" and paragraph:
        hits = [hit for hit in hits if hit.document.name != paragraph.name][:k]
    text, language = question.text, question.language
    request = _request(text, text, language, hits, index)
    asked, found = candidates(request)
    right: tuple[int, ...] = ()
    if kind == "answerable" and paragraph:
        answer = paragraph.answers[identifier]
        right = tuple(row for row, one in enumerate(found) if _holds(one, paragraph, answer))
    pair = f"{language}→{paragraph.language if paragraph else ''}"
    return Labelled(asked, tuple(found), right, kind, pair, "", "xquad")


def _holds(candidate: Candidate, paragraph: _Paragraph, answer: tuple[int, int]) -> bool:
    start = candidate.hit.passage.start + candidate.span[0]
    end = candidate.hit.passage.start + candidate.span[1]
    return candidate.hit.document.name == paragraph.name and start < answer[1] and answer[0] < end


def _index(folder: Path, paragraphs: Iterable[_Paragraph], settings: Settings) -> Index:
    files = folder.with_name(folder.name + "-documents")
    files.mkdir(parents=True, exist_ok=True)
    for paragraph in paragraphs:
        (files / paragraph.name).write_text(paragraph.text, "utf-8", newline="")
    index = Index.open_or_create(folder, settings)
    index.add(files)
    return index


def _read(path: Path, language: str) -> list[list[_Paragraph]]:
    """The articles of a file, each with its paragraphs."""
    try:
        data = json.loads(path.read_text("utf-8"))["data"]
        return [
            [
                _paragraph(f"{number:02}-{place}.txt", language, one)
                for place, one in enumerate(article["paragraphs"])
            ]
            for number, article in enumerate(data)
        ]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(f"{path} is no file of XQuAD: {error}.") from error


def _paragraph(name: str, language: str, read: Mapping[str, Any]) -> _Paragraph:
    questions, answers = {}, {}
    for asked in read["qas"]:
        given = asked["answers"][0]
        start = len(normalize(read["context"][: given["answer_start"]]))
        answers[asked["id"]] = start, start + len(normalize(given["text"]))
        questions[asked["id"]] = normalize(asked["question"]).strip()
    return _Paragraph(name, language, normalize(read["context"]), questions, answers)
