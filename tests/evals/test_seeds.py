"""The bars that the README states, over the seeds, with the extractive backend."""

from __future__ import annotations

import pytest

from rag.chatbot import Chatbot
from rag.errors import BackendRefused
from rag.evals.run import Run, Score, run
from rag.evals.suite import load_suite
from rag.index.index import Index
from rag.llm.scripted import ScriptedBackend
from rag.messages import NO_ANSWER


@pytest.fixture(scope="module")
def finished(seeds_index: Index) -> Run:
    return run(load_suite("seeds"), Chatbot(seeds_index, "extractive"))


def _share(finished: Run, name: str) -> float:
    (score,) = [one for one in finished.scores() if one.name == name]
    assert score.total
    assert score.share is not None
    return score.share


def test_the_cited_passage_answers_nine_of_ten_questions_in_its_own_language(
    finished: Run,
) -> None:
    assert _share(finished, "same-language: cited passage answers") >= 0.9


def test_questions_without_diacritics_are_answered_as_well(finished: Run) -> None:
    assert _share(finished, "without-diacritics: cited passage answers") >= 0.9


def test_every_quote_is_exact(finished: Run) -> None:
    citations = [citation for one in finished.outcomes for citation in one.answer.citations]
    assert len(citations) > 60
    for citation in citations:
        assert citation.document.text[citation.start : citation.end] == citation.quote
        assert citation.passage.start <= citation.start < citation.end <= citation.passage.end
    assert _share(finished, "quotes exact") == 1.0


def test_questions_about_something_else_are_said_to_have_no_answer(finished: Run) -> None:
    far = [
        one
        for one in finished.outcomes
        if not one.case.answerable and "near-miss" not in one.case.tags
    ]
    assert sum(one.answer.abstained for one in far) >= 0.9 * len(far)


def test_a_chatbot_that_says_nothing_scores_nothing(seeds_index: Index) -> None:
    mute = run(load_suite("seeds"), Chatbot(seeds_index, [ScriptedBackend([NO_ANSWER])]))
    assert _share(mute, "same-language: cited passage answers") == 0.0
    assert _share(mute, "unanswerable: said to be so") == 1.0


def test_a_backend_that_fails_is_not_counted_as_a_wrong_answer(seeds_index: Index) -> None:
    failing = ScriptedBackend([BackendRefused("The server said no.")])
    with pytest.raises(BackendRefused):
        run(load_suite("seeds"), Chatbot(seeds_index, [failing]))


def test_a_share_of_nothing_is_not_zero() -> None:
    assert Score("x", 0, 0).share is None
