"""A question made to stand alone, and translated for the search, by a language model.

The model is asked for lines such as ``question: …`` and ``en: …``. Nothing it writes is taken on
trust: what is not a question, is in another language, or names what nobody in the conversation
named, is left out, and the heuristic of ``rag.conversation`` stands in for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.llm.backend import Request

from .concepts import concepts
from .conversation import answer_language, standalone
from .follow_ups import follow_ups
from .language import detect_language, language_name
from .markers import without_markers
from .messages import NO_ANSWER, Message, render
from .text import collapse, fold, names, normalize, words
from .types import Turn

# How many earlier exchanges a model sees, and how many characters of each answer.
_TURNS = 4
_ANSWER_CHARACTERS = 600
# A corpus in more languages is searched with the question and so many translations.
_MOST_TRANSLATIONS = 3
# More than a question and its translations take, in any language.
_MOST_TOKENS = 600
# A standalone question may be so much longer than what it is made of, in characters.
_LONGER = 200
# A request that does not end with a question mark keeps this share of its words, or is an answer.
_KEPT = 0.5

_QUESTION_MARKS = ("?", "？", "؟", "?")
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
# What models put around a line: list signs, numbers, Markdown, quotation marks.
_SIGNS = re.compile(r"^(?:[-*+•>#]+\s+|\d{1,2}[.)]\s+)+")
_AROUND = " \t*_`\"'“”‘’«»"
_LABEL = re.compile(r"^[*_`\"']*([^\W\d_][\w ()-]{0,30}?)[*_`\"']*\s*[:：][*_`\"']*\s*(.*)$")
_QUESTION_LABEL = "question"


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What passages are sought with: a question that stands alone, and its translations."""

    question: str
    translations: tuple[str, ...] = ()


def other_languages(question: str, history: Sequence[Turn], languages: Iterable[str]) -> list[str]:
    """The languages that a question is worth translating into, by code.

    Args:
        question: The question asked last.
        history: Earlier exchanges, oldest first.
        languages: Those of the documents.
    """
    own = answer_language(question, history)
    return sorted(set(languages) - {own})[:_MOST_TRANSLATIONS]


def needs_rewriting(question: str, history: Sequence[Turn], languages: Iterable[str]) -> bool:
    """Whether a model is worth asking: something was said before, or there are other languages."""
    return bool(history) or bool(other_languages(question, history, languages))


def rewriting_request(question: str, history: Sequence[Turn], languages: Iterable[str]) -> Request:
    """The request that asks a model for a standalone question and its translations.

    Args:
        question: The question asked last.
        history: Earlier exchanges, oldest first; of long ones the model sees the end.
        languages: Those of the documents, ISO 639-1.
    """
    language = answer_language(question, history)
    codes = other_languages(question, history, languages)
    system = render(
        "rewriting.system",
        language_name=language_name(language),
        languages=codes,
        names={code: language_name(code) for code in codes},
    )
    turns = [
        replace(turn, answer=_shortened(without_markers(turn.answer))) for turn in history[-_TURNS:]
    ]
    user = render("rewriting.user", question=question, history=turns)
    messages: tuple[Message, ...] = (
        {"role": "system", "content": system},
        {"role": "user", "content": user},
    )
    asked = standalone(question, history)
    return Request(asked, language, (), messages, _no_evidence, question, most_tokens=_MOST_TOKENS)


def rewritten(
    text: str, question: str, history: Sequence[Turn], languages: Iterable[str]
) -> Rewriting:
    """What a model made of a question, as far as it can be used.

    Args:
        text: All that the model wrote.
        question: The question asked last.
        history: Earlier exchanges, oldest first.
        languages: Those of the documents, as they were given to ``rewriting_request``.

    Returns:
        The model's standalone question, or that of the heuristic where the model wrote none, and
        of the translations those that are questions in their language.
    """
    fallback = standalone(question, history)
    codes = other_languages(question, history, languages)
    lines = _lines(text, codes)
    proposed = lines.get(_QUESTION_LABEL, "")
    if not proposed:
        return Rewriting(fallback)
    longest = max(len(fallback), len(question)) + _LONGER
    own = answer_language(question, history)
    sound = (
        _asks(proposed, question, longest)
        and detect_language(proposed, default=own) == own
        and _founded(proposed, [question, *_said(history)])
    )
    translations = [
        lines[code]
        for code in codes
        if lines.get(code)
        and _asks(lines[code], "?", longest)
        and detect_language(lines[code], default=code) == code
    ]
    # Translations of a question that cannot be used would search for something else.
    return Rewriting(proposed, tuple(translations)) if sound else Rewriting(fallback)


def _no_evidence(question: str, texts: Sequence[str]) -> list[tuple[float, float]]:
    return [(0.0, 0.0) for _ in texts]


def _shortened(answer: str) -> str:
    answer = collapse(answer)
    return answer if len(answer) <= _ANSWER_CHARACTERS else f"{answer[:_ANSWER_CHARACTERS]} …"


def _lines(text: str, codes: Sequence[str]) -> dict[str, str]:
    """The lines of a model's text by what they hold: ``question``, or a code; the first of each.

    Lines without labels are taken in the order in which they were asked for, if there are not
    more of them than were asked for.
    """
    cleaned = _THOUGHTS.sub("\n", normalize(text))
    written = [_bare(line) for line in cleaned.split("\n") if not line.lstrip().startswith("```")]
    labels = {_QUESTION_LABEL: _QUESTION_LABEL} | {code: code for code in codes}
    labels |= {language_name(code).lower(): code for code in codes}
    found: dict[str, str] = {}
    rest = []
    for line in filter(None, written):
        match = _LABEL.match(line)
        label = labels.get(match[1].strip().lower()) if match else None
        if match and label:
            found.setdefault(label, _bare(match[2]))
        else:
            rest.append(line)
    if not found and len(rest) <= 1 + len(codes):
        found = dict(zip([_QUESTION_LABEL, *codes], rest, strict=False))
    return found


def _bare(line: str) -> str:
    """A line without list signs, emphasis, quotation marks and markers around it."""
    return collapse(without_markers(_SIGNS.sub("", line.strip()))).strip(_AROUND)


def _asks(line: str, question: str, longest: int) -> bool:
    """Whether a line asks what a question may have asked."""
    if not line or len(line) > longest or NO_ANSWER in line or "<" in line:
        return False
    if line.endswith(_QUESTION_MARKS):
        return True
    pointing = {word for phrase in follow_ups(question).pointers for word in phrase}
    own = set(words(question)) - pointing
    kept = own & set(words(line))
    return not question.rstrip().endswith(_QUESTION_MARKS) and len(kept) > _KEPT * len(own)


def _said(history: Sequence[Turn]) -> list[str]:
    return [text for turn in history for text in (turn.question, turn.answer)]


def _founded(line: str, conversation: Sequence[str]) -> bool:
    """Whether somebody has spoken of each name and figure of a line, in any language."""
    said = " ".join(conversation)
    spoken = set(words(fold(said)))
    known = {one.key for one in concepts(said)}
    for name in names(line):
        own = set(words(fold(name)))
        keys = {one.key for one in concepts(name)}
        if not own & spoken and not keys & known and not name.isupper():
            return False
    figures = {word for word in words(line) if word.isnumeric()}
    return figures <= {word for word in words(said) if word.isnumeric()}
