"""Whether citations hold: ALCE's recall and precision, exactness, and what is expected in them.

Source: Gao et al. 2023, "Enabling Large Language Models to Generate Text with Citations", section
4.3. A sentence has recall 1 when what it cites, taken together, bears it out. A citation has
precision 1 when its sentence has recall 1, and either it bears the sentence out alone, or the
others do not without it. ALCE asks an NLI model whether a text bears a sentence out. Here a judge
is asked where there is one (``judged.py``); these ask ``rag.verify``, which compares words, and is
strict: of a sentence that cites another language it cannot tell, and gives no grade.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.evals.suite import Case
from rag.labels import without_label
from rag.markers import without_markers
from rag.types import Answer, Support
from rag.verify import bears_out, claims

from .evidence import judged, share_held
from .metric import Grade, Metric, Result

_OTHER_LANGUAGE = "words cannot tell between two languages"

# Whether texts, taken together, bear a sentence out; ``None`` where that cannot be told.
Entails = Callable[[Sequence[str], str], bool | None]


def citation_metrics() -> tuple[Metric, ...]:
    """Metrics of what an answer cites, graded without a judge."""
    return (
        Metric("citation_recall", "sentences borne out by what they cite (ALCE)", _recall),
        Metric("citation_precision", "citations that their sentence needs (ALCE)", _precision),
        Metric("quotes_exact", "quotes that are what the document says there", _exact),
        Metric("supported", "sentences with the verdict 'supported'", _supported),
        Metric("evidence_cited", "what is expected stands in a cited passage", _cited),
        Metric("evidence_quoted", "what is expected stands in a quote", _quoted),
    )


def recall_and_precision(
    statements: Sequence[tuple[str, Sequence[str]]], entails: Entails
) -> tuple[float | None, float | None]:
    """ALCE's citation recall and precision of one answer.

    Args:
        statements: Each sentence without its markers, and the texts it cites.
        entails: Whether texts, taken together, bear a sentence out.

    Returns:
        Both in [0, 1]; ``None`` where one sentence could not be judged, or for precision where
        nothing is cited.
    """
    borne_out, needed, total = 0, 0, 0
    for sentence, cited in statements:
        total += len(cited)
        together = entails(cited, sentence) if cited else False
        if together is None:
            return None, None
        if not together:
            continue
        borne_out += 1
        for position, text in enumerate(cited):
            others = [*cited[:position], *cited[position + 1 :]]
            alone = len(cited) == 1 or entails([text], sentence)
            without = False if alone else entails(others, sentence)
            if alone is None or without is None:
                return None, None
            needed += bool(alone or not without)
    recall = borne_out / len(statements) if statements else None
    return recall, needed / total if total else None


def answer_of(result: Result) -> Answer | None:
    """The answer of a result, unless it abstains: an abstention has nothing to cite."""
    return None if result.answer is None or result.answer.abstained else result.answer


def statements(answer: Answer) -> list[tuple[str, list[str]]]:
    """The sentences of an answer that say anything, without markers, and what each quotes."""
    told = [
        (
            without_label(
                without_markers(one.text).strip(), [c.document.published for c in one.citations]
            ),
            [citation.quote for citation in one.citations],
        )
        for one in answer.sentences
    ]
    return [(text, quotes) for text, quotes in told if claims(text)]


def _by_words(answer: Answer) -> tuple[float | None, float | None]:
    """Recall and precision of the sentences of which words can tell, if there are any."""
    foreign = {c.quote for c in answer.citations if c.document.language != answer.language}
    told = [
        (text, quotes)
        for text, quotes in statements(answer)
        if foreign.isdisjoint(quotes) or _is_quotation(text, quotes)
    ]
    return recall_and_precision(told, _say) if told else (None, None)


def _say(texts: Sequence[str], sentence: str) -> bool:
    """Whether texts say a sentence: word for word, one of them, or all together.

    The words of one must not be undone by a denial in another; several sentences quoted whole say
    what they say, whatever each of them denies.
    """
    if _is_quotation(sentence, texts):
        return True
    return any(bears_out(text, sentence) for text in texts) or bears_out(" ".join(texts), sentence)


def _is_quotation(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether a sentence is nothing but words of what it cites, whatever its language."""
    bare = " ".join(sentence.strip(' “”"\n').split())
    return any(bare in " ".join(quote.split()) for quote in quotes)


def _recall(case: Case, result: Result) -> Grade | None:
    if (answer := answer_of(result)) is None:
        return None
    recall, _ = _by_words(answer)
    return Grade(recall, "" if recall is not None else _OTHER_LANGUAGE)


def _precision(case: Case, result: Result) -> Grade | None:
    if (answer := answer_of(result)) is None:
        return None
    recall, precision = _by_words(answer)
    if recall is None:
        return Grade(None, _OTHER_LANGUAGE)
    return Grade(precision or 0.0, "" if precision is not None else "nothing is cited")


def _exact(case: Case, result: Result) -> Grade | None:
    citations = result.answer.citations if result.answer else ()
    if not citations:
        return None
    wrong = [c.quote for c in citations if c.document.text[c.start : c.end] != c.quote]
    return Grade(1 - len(wrong) / len(citations), wrong[0] if wrong else "")


def _supported(case: Case, result: Result) -> Grade | None:
    if (answer := answer_of(result)) is None:
        return None
    told = [one for one in answer.sentences if claims(without_markers(one.text))]
    if not told:
        return None
    good = sum(one.support is Support.SUPPORTED for one in told)
    return Grade(good / len(told), f"{good} of {len(told)} sentences")


def _cited(case: Case, result: Result) -> Grade | None:
    if not judged(case) or result.answer is None:
        return None
    spans = [(c.document, c.passage.start, c.passage.end) for c in result.answer.citations]
    return Grade(share_held(case, spans))


def _quoted(case: Case, result: Result) -> Grade | None:
    if not judged(case) or result.answer is None:
        return None
    return Grade(share_held(case, [(c.document, c.start, c.end) for c in result.answer.citations]))
