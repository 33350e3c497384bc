"""SQuAD's JSON, which XQuAD, MLQA and UIT-ViQuAD use too.

Source: Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text"; for
unanswerable questions Rajpurkar et al. 2018, "Know What You Don't Know".
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evals import fields
from rag.evals.reading import read_text
from rag.evals.suite import Case, Expected, Suite
from rag.language import detect_language
from rag.text import normalize, sentences


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with the paragraph it was asked about, and its answers with their places."""

    id: str
    question: str
    document: str
    paragraph: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _File:
    """The paragraphs of a file, by the name that each gets as a document, and its questions."""

    paragraphs: Mapping[str, str]
    asked: Mapping[str, _Asked]


def load_squad(path: Path, contexts: tuple[Path, ...] = ()) -> Suite:
    """Questions about paragraphs, of which each becomes a document.

    What is expected is the sentence that holds the answer. A question without answers is taken
    as one that no paragraph answers.

    Args:
        path: The file.
        contexts: Other files with the same questions, whose paragraphs are asked instead: with
            XQuAD's files the questions of one language are put to the paragraphs of others.

    Raises:
        EvaluationError: A file cannot be read or is not in this format, or a question of the
            one is in none of the others.
    """
    asked = _read(path, path.stem).asked
    if not asked:
        raise EvaluationError(f"{path} holds no questions.")
    files = [_read(source, stem) for source, stem in _stems(contexts or (path,)).items()]
    found = {name: [file.asked[name] for file in files if name in file.asked] for name in asked}
    if lost := [name for name, places in found.items() if not places]:
        raise EvaluationError(
            f"{len(lost)} of the {len(asked)} questions of {path} are not in the files of the "
            f"documents, such as {lost[0]!r}.",
            "Name files with the same questions.",
        )
    texts = {name: text for file in files for name, text in file.paragraphs.items()}
    return Suite(
        path.stem,
        path.name,
        tuple(_case(one, found[name]) for name, one in asked.items()),
        texts=texts,
        languages={name: detect_language(text, "") for name, text in texts.items()},
    )


def _stems(paths: tuple[Path, ...]) -> dict[Path, str]:
    """What the documents of each file are named by: ``en/dev.json`` and ``vi/dev.json`` differ."""
    stems: dict[Path, str] = {}
    for path in dict.fromkeys(paths):
        # Some systems take "Dev" and "dev" for one name.
        taken = {stem.casefold() for stem in stems.values()}
        numbered = (f"{path.stem}-{number}" for number in itertools.count(2))
        free = (s for s in itertools.chain([path.stem], numbered) if s.casefold() not in taken)
        stems[path] = next(free)
    return stems


def _read(path: Path, stem: str) -> _File:
    paragraphs: dict[str, str] = {}
    asked: dict[str, _Asked] = {}
    for number, article in enumerate(_articles(path), start=1):
        where = f"{path}: article {number}"
        try:
            for position, row in enumerate(fields.items(article, "paragraphs"), start=1):
                name, context = f"{stem}-{number}-{position}.txt", fields.text(row, "context")
                paragraphs[name] = normalize(context)
                for question in fields.items(row, "qas"):
                    one = _asked(question, name, context, where)
                    if one.id in asked:
                        raise EvaluationError(f"{where}: there is a question {one.id!r} already.")
                    asked[one.id] = one
        except fields.Malformed as error:
            raise EvaluationError(f"{where} is not in SQuAD's format: {error}.") from error
    return _File(paragraphs, asked)


def _articles(path: Path) -> list[Any]:
    try:
        return fields.items(json.loads(read_text(path)), "data")
    except json.JSONDecodeError as error:
        raise EvaluationError(f"{path}:{error.lineno}: this is not JSON: {error.msg}.") from error
    except (fields.Malformed, RecursionError) as error:
        raise EvaluationError(f"{path} is not in SQuAD's format: {error}.") from error


def _asked(row: Any, document: str, context: str, where: str) -> _Asked:
    name = fields.identifier(row, "id")
    try:
        answers = [] if fields.flag(row, "is_impossible") else fields.items(row, "answers", [])
        places = tuple(_placed(answer, context) for answer in answers)
        return _Asked(name, fields.text(row, "question"), document, normalize(context), places)
    except fields.Malformed as error:
        raise EvaluationError(f"{where}, question {name!r}: {error}.") from error


def _placed(answer: Any, context: str) -> tuple[str, int]:
    """An answer, and where it begins in its paragraph, both normalized.

    Many files are a little off, such as those made by translating: what stands nearest to the
    place that they name is taken.
    """
    written, start = fields.text(answer, "text"), fields.whole(answer, "answer_start", 0)
    if start >= len(context):
        raise fields.Malformed(f"'answer_start' is {start}, beyond the end of its paragraph")
    text, start = written.strip(), start + len(written) - len(written.lstrip())
    # Composing characters moves what comes after them.
    wanted, at = normalize(text), len(normalize(context[:start]))
    if context.startswith(text, start):
        return wanted, at
    places = [one.start() for one in re.finditer(re.escape(wanted), normalize(context))]
    if not places:
        raise fields.Malformed(f"the answer {text!r} does not stand in its paragraph")
    return wanted, min(places, key=lambda place: abs(place - at))


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
