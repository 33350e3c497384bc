"""Whether an answer says what it should: accepted answers in it, exact match, token F1.

Sources: exact match and F1 as in Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine
Comprehension of Text"; the articles of languages other than English as in Lewis et al. 2020, "MLQA:
Evaluating Cross-lingual Extractive Question Answering"; the share of the accepted answers that
stand in a longer one as the string exact match of Stelmakh et al. 2022, "ASQA: Factoid Questions Meet
Long-Form Answers", which ALCE uses too.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

from rag.evals.suite import Case
from rag.markers import without_markers

from .metric import Grade, Metric, Result

# Between digits, and what stands for it while punctuation is removed.
_SEPARATOR, _KEPT = re.compile(r"(?<=\d)[.,](?=\d)"), "\ue000"

_ARTICLES = {
    "en": "a|an|the",
    "vi": "của|là|cái|chiếc|những",
    "es": "un|una|unos|unas|el|la|los|las",
    "de": "ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des",
}


def answer_metrics() -> tuple[Metric, ...]:
    """Metrics of what an answer says, by its words."""
    return (
        Metric("answer_contained", "accepted answers that stand in the answer", _contained),
        Metric("answer_first", "accepted answers that stand in the first quote", _first),
        Metric("answer_f1", "words shared with an accepted answer (SQuAD F1)", _f1),
        Metric("answer_exact", "answer is an accepted answer (SQuAD EM)", _exact),
    )


def normalized(text: str, language: str = "en") -> str:
    """A text as SQuAD compares it: lower case, no punctuation, no articles, single spaces."""
    text = unicodedata.normalize("NFC", text).lower()
    text = "".join(char for char in text if not _is_punctuation(char))
    if articles := _ARTICLES.get(language):
        text = re.sub(rf"\b({articles})\b", " ", text)
    return " ".join(text.split())


def _is_punctuation(char: str) -> bool:
    """As SQuAD and MLQA have it: that of ASCII, symbols such as ``$`` among it, and of Unicode."""
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def exact_match(answer: str, accepted: Sequence[str], language: str = "en") -> float:
    """1 where an answer equals one of the accepted ones as SQuAD compares them, else 0."""
    given = normalized(answer, language)
    return float(any(given == normalized(one, language) for one in accepted))


def token_f1(answer: str, accepted: Sequence[str], language: str = "en") -> float:
    """The best harmonic mean of precision and recall of words, over the accepted answers."""
    given = normalized(answer, language).split()
    return max((_overlap(given, normalized(one, language).split()) for one in accepted), default=0)


def contained(answer: str, pieces: Sequence[Sequence[str]], language: str = "en") -> float:
    """The share of pieces of which one accepted wording stands in an answer.

    ASQA takes any substring. Here a wording begins and ends where words do, so that ``L2`` is not
    found in ``L20``, and what separates the digits of a figure counts: ``1,5`` is not ``15``.
    """
    given = f" {_with_figures(answer, language)} "
    found = [
        any((bare := _with_figures(form, language)) and f" {bare} " in given for form in forms)
        for forms in pieces
    ]
    return sum(found) / len(found)


def _with_figures(text: str, language: str) -> str:
    return normalized(_SEPARATOR.sub(_KEPT, text), language)


def _overlap(given: list[str], wanted: list[str]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    shared = sum((Counter(given) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(given), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _said(result: Result) -> str:
    """What an answer says, without markers; an abstention says nothing."""
    if result.answer is None or result.answer.abstained:
        return ""
    return without_markers(result.answer.text)


def _contained(case: Case, result: Result) -> Grade | None:
    if not case.answers or result.answer is None:
        return None
    return Grade(contained(_said(result), case.answers, result.answer.language))


def _first(case: Case, result: Result) -> Grade | None:
    """The first quote is that of the answer's first sentence; an abstention has none."""
    if not case.answers or result.answer is None:
        return None
    if not result.answer.citations:
        return Grade(0.0, "nothing is cited")
    first = result.answer.citations[0]
    return Grade(contained(first.quote, case.answers, first.document.language), first.quote)


def _one_piece(case: Case, result: Result) -> bool:
    """Whether there is one answer to compare the whole text with."""
    return len(case.answers) == 1 and result.answer is not None


def _f1(case: Case, result: Result) -> Grade | None:
    if not _one_piece(case, result) or result.answer is None:
        return None
    return Grade(token_f1(_said(result), case.answers[0], result.answer.language))


def _exact(case: Case, result: Result) -> Grade | None:
    if not _one_piece(case, result) or result.answer is None:
        return None
    return Grade(exact_match(_said(result), case.answers[0], result.answer.language))
