"""SQuAD's JSON, which XQuAD, MLQA and UIT-ViQuAD use too.

Source: Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text"; for
unanswerable questions Rajpurkar et al. 2018, "Know What You Don't Know".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals.reading import read_text
from rag.evals.suite import Case, Expected, Suite
from rag.language import detect_language
from rag.text import normalize, sentences


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with the paragraph it was asked about."""

    id: str
    question: str
    document: str
    paragraph: str
    answers: tuple[tuple[str, int], ...]


def load_squad(path: Path, contexts: tuple[Path, ...] = ()) -> Suite:
    """Questions about paragraphs, of which each becomes a document.

    What is expected is the sentence that holds the answer. A question without answers is taken
    as one that no paragraph answers.

    Args:
        path: The file.
        contexts: Other files with the same questions, whose paragraphs are asked instead: with
            XQuAD's files the questions of one language are put to the paragraphs of others.

    Raises:
        EvaluationError: A file cannot be read, or is not in this format.
    """
    asked = list(_read(path))
    if not asked:
        raise EvaluationError(f"{path} holds no questions.")
    found: dict[str, list[_Asked]] = {}
    texts: dict[str, str] = {}
    for source in contexts or (path,):
        for one in asked if source == path else _read(source):
            found.setdefault(one.id, []).append(one)
            texts[one.document] = one.paragraph
    cases = [_case(one, found.get(one.id, [])) for one in asked]
    languages = {name: detect_language(text) for name, text in texts.items()}
    return Suite(path.stem, path.name, tuple(cases), texts=texts, languages=languages)


def _read(path: Path) -> Iterator[_Asked]:
    try:
        data = json.loads(read_text(path))
        articles = data["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f'{path} is not in SQuAD\'s format: no "data" in it.') from error
    for number, article in enumerate(articles):
        try:
            yield from _article(path.stem, number, article)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EvaluationError(
                f"{path}: article {number + 1} is not in SQuAD's format: {error!r}."
            ) from error


def _article(stem: str, number: int, article: dict[str, Any]) -> Iterator[_Asked]:
    for position, paragraph in enumerate(article["paragraphs"]):
        context, document = paragraph["context"], f"{stem}-{number + 1}-{position + 1}.txt"
        for asked in paragraph["qas"]:
            answers = tuple(
                (
                    normalize(answer["text"]),
                    # Composing characters moves what comes after them.
                    len(normalize(context[: int(answer["answer_start"])])),
                )
                for answer in asked.get("answers", [])
                if not asked.get("is_impossible")
            )
            yield _Asked(str(asked["id"]), asked["question"], document, normalize(context), answers)


def _case(one: _Asked, found: list[_Asked]) -> Case:
    expected = {
        Expected(there.document, _sentence(there.paragraph, start))
        for there in found
        for _, start in there.answers
    }
    forms = dict.fromkeys(text for there in [one, *found] for text, _ in there.answers)
    return Case(
        id=one.id,
        question=one.question,
        language=detect_language(one.question),
        expected=tuple(sorted(expected, key=lambda e: (e.document, e.quote))),
        answers=(tuple(forms),) if expected else (),
    )


def _sentence(paragraph: str, at: int) -> str:
    """The sentence of a paragraph that holds a character."""
    for start, end in sentences(paragraph, detect_language(paragraph)):
        if start <= at < end:
            return paragraph[start:end]
    return ""
