"""The chatbot: which events come, what becomes of failures, and when it abstains."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import signal
import threading
from collections.abc import Sequence
from contextlib import aclosing, closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chatbot import Chatbot
from rag.errors import BackendGarbled, BackendRefused, BackendSetup, BackendStalled, QuestionError
from rag.index.index import Index
from rag.llm.backend import Backend, Request
from rag.llm.scripted import ScriptedBackend
from rag.messages import NO_ANSWER, said
from rag.retrieval import Filters
from rag.settings import AnswerSettings, RetrievalSettings, Settings
from rag.types import Checked, Delta, Done, Event, Hit, Retrieved, Support, Switched, Turn
from rag.weighing import Weighing
from tests.rag.conftest import ENGLISH, PlainRetriever, hit_of

ANSWER = ["Yin Ye, the head of BGI, ", "called Sora ", "a Newton moment. [1]"]
QUESTION = "Who called Sora a Newton moment?"
HITS = [hit_of(ENGLISH, "en")]
REFUSED = BackendRefused("The server said no.")


def bot(retriever: PlainRetriever, *backends: Backend) -> Chatbot:
    return Chatbot(retriever, backends, Settings())


def written(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_events_come_in_order_and_the_pieces_are_the_text(retriever: PlainRetriever) -> None:
    backend = ScriptedBackend(ANSWER)
    events = list(bot(retriever, backend).stream(QUESTION))
    assert [type(event) for event in events] == [Retrieved, *[Delta] * 3, Done]
    assert written(events) == "".join(ANSWER)
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer.text == "".join(ANSWER)
    assert done.answer.sentences[0].support is Support.SUPPORTED
    assert done.answer.hits == events[0].hits  # type: ignore[union-attr]
    assert not done.answer.abstained
    assert not backend.stopped


@given(st.lists(st.sampled_from(["N", "NOT", "NOT_IN", "_DOCUMENTS", " Sora ", "*", "\n", "T"])))
def test_the_pieces_are_what_the_backend_wrote_but_never_the_sign_for_no_answer(
    pieces: list[str],
) -> None:
    whole = "".join(pieces)
    events: list[Event] = []
    try:
        events += bot(PlainRetriever(HITS), ScriptedBackend(pieces)).stream(QUESTION)
    except BackendGarbled:
        assert not whole.strip("* \n")
        return
    answer = events[-1].answer  # type: ignore[union-attr]
    assert NO_ANSWER not in written(events)
    assert NO_ANSWER not in answer.text
    if answer.abstained:
        assert written(events) == ""
    else:
        assert written(events) == whole.partition(NO_ANSWER)[0]


def test_a_failure_before_the_first_word_gives_the_next_backend(retriever: PlainRetriever) -> None:
    first = ScriptedBackend([REFUSED], name="first")
    second = ScriptedBackend(ANSWER, name="second")
    events = list(bot(retriever, first, second).stream(QUESTION))
    assert [type(event) for event in events] == [Retrieved, *[Delta] * 3, Done]
    assert written(events) == "".join(ANSWER)
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.backend == "second"
    assert [(one.backend, one.outcome, one.reason) for one in answer.attempts] == [
        ("first", "failed", "The server said no."),
        ("second", "answered", ""),
    ]


def test_a_failure_in_the_middle_never_splices_two_answers(retriever: PlainRetriever) -> None:
    first = ScriptedBackend(["OpenAI was val", BackendStalled("It stopped.")], name="first")
    second = ScriptedBackend([NO_ANSWER[:3], REFUSED], name="second")
    third = ScriptedBackend(ANSWER, name="third")
    events = list(bot(retriever, first, second, third).stream(QUESTION))
    assert [event for event in events if isinstance(event, Switched)] == [
        Switched("first", "second", "It stopped.", "OpenAI was val", "fell silent"),
    ]
    last = max(i for i, event in enumerate(events) if isinstance(event, Switched))
    assert written(events[last:]) == "".join(ANSWER)
    assert events[-1].answer.text == "".join(ANSWER)  # type: ignore[union-attr]


def test_the_failure_of_the_last_backend_is_raised(retriever: PlainRetriever) -> None:
    last = BackendStalled("It stopped.")
    chain = [ScriptedBackend([REFUSED]), ScriptedBackend(["Half an", last])]
    with pytest.raises(BackendStalled, match=r"It stopped\."):
        bot(retriever, *chain).ask(QUESTION)


@pytest.mark.parametrize("pieces", [[], [""], ["  \n"], ["**", "..."]])
def test_an_empty_answer_is_a_failure(pieces: list[str], retriever: PlainRetriever) -> None:
    with pytest.raises(BackendGarbled):
        bot(retriever, ScriptedBackend(pieces)).ask(QUESTION)
    answer = bot(retriever, ScriptedBackend(pieces), ScriptedBackend(ANSWER)).ask(QUESTION)
    assert answer.text == "".join(ANSWER)


@pytest.mark.parametrize(
    "pieces",
    [
        [NO_ANSWER],
        list(NO_ANSWER),
        [NO_ANSWER[:5], NO_ANSWER[5:], "\n"],
        ["\n\n**", NO_ANSWER, "**"],
        ["`", NO_ANSWER, "`."],
        [f"“{NO_ANSWER}”"],
        [NO_ANSWER, "\n\nFrom what I know, it was somebody else."],
    ],
)
@pytest.mark.parametrize(
    ("question", "language"), [(QUESTION, "en"), ("Ai gọi Sora như thế?", "vi")]
)
def test_no_answer_becomes_the_text_for_it_and_is_never_streamed(
    pieces: list[str], question: str, language: str, retriever: PlainRetriever
) -> None:
    events = list(bot(retriever, ScriptedBackend(pieces)).stream(question))
    assert [type(event) for event in events] == [Retrieved, Done]
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.abstained
    assert (answer.text, answer.language) == (said("no_answer", language), language)
    assert answer.citations == answer.sentences == ()
    assert [one.outcome for one in answer.attempts] == ["abstained"]
    assert answer.hits


def test_no_answer_behind_an_answer_is_cut_off(retriever: PlainRetriever) -> None:
    events = list(
        bot(retriever, ScriptedBackend([*ANSWER, " NOT_IN_", "DOCUMENTS", " x"])).stream(QUESTION)
    )
    assert written(events) == "".join(ANSWER) + " "
    assert events[-1].answer.text == "".join(ANSWER)  # type: ignore[union-attr]


@pytest.mark.parametrize("question", ["", "  \n\t", "\ufeff\x00"])
def test_an_empty_question_is_refused(question: str, retriever: PlainRetriever) -> None:
    with pytest.raises(QuestionError, match="empty"):
        bot(retriever, ScriptedBackend(ANSWER)).ask(question)
    assert retriever.asked == []


def test_a_question_with_half_a_character_is_no_trouble(seeds_index: Index) -> None:
    answer = Chatbot(seeds_index, settings=Settings()).ask("Who is Winston Ma \ud83d?")
    assert "Winston Ma" in answer.text


def test_an_answer_with_half_a_character_is_no_trouble(retriever: PlainRetriever) -> None:
    answer = bot(retriever, ScriptedBackend(["It is new \ud83d. [1]"])).ask(QUESTION)
    assert answer.text == "It is new \ufffd. [1]"


def test_without_passages_no_backend_is_asked() -> None:
    backend = ScriptedBackend(ANSWER)
    answer = bot(PlainRetriever([]), backend).ask("Ai gọi Sora như thế?")
    assert answer.abstained
    assert answer.text == said("no_answer", "vi")
    assert answer.backend == ""
    assert backend.requests == []


@pytest.mark.parametrize("as_tuples", [True, False])
def test_history_reaches_the_retriever_and_the_backend(
    as_tuples: bool, retriever: PlainRetriever
) -> None:
    backend = ScriptedBackend(ANSWER)
    turn = ("Ai gọi Sora như thế?", "Yin Ye.")
    answer = bot(retriever, backend).ask("Vì sao?", [turn if as_tuples else Turn(*turn)])
    assert answer.question == "Vì sao?"
    assert answer.language == "vi"
    assert retriever.asked[0][0] == "Ai gọi Sora như thế? Vì sao?"
    contents = [message["content"] for message in backend.requests[0].messages]
    assert contents[1:3] == list(turn)
    assert contents[3].endswith("Question: Vì sao?")


def test_filters_are_passed_on(retriever: PlainRetriever) -> None:
    day, later = dt.date(2024, 1, 2), dt.date(2024, 3, 4)
    bot(retriever, ScriptedBackend(ANSWER)).ask(
        QUESTION, filters=Filters("vi", day, later, "news", "/papers")
    )
    expected = {
        "language": "vi",
        "since": day,
        "until": later,
        "source": "news",
        "folder": "/papers",
    }
    assert retriever.asked == [(QUESTION, expected)]


def test_filters_leave_out_documents_of_a_real_index(seeds_index: Index) -> None:
    english = Chatbot(seeds_index, [ScriptedBackend(["Sora."])], Settings())
    hits = english.ask("Sora là gì?", filters=Filters(language="en")).hits
    assert {hit.document.language for hit in hits} == {"en"}


def test_asynchronous_callers_get_the_same(retriever: PlainRetriever) -> None:
    async def both() -> tuple[list[Event], str]:
        asked = bot(retriever, ScriptedBackend(ANSWER))
        async with aclosing(asked.astream(QUESTION)) as stream:
            events = [event async for event in stream]
        return events, (await asked.aask(QUESTION)).text

    events, text = asyncio.run(both())
    assert written(events) == text == "".join(ANSWER)
    assert [type(event) for event in events] == [Retrieved, *[Delta] * 3, Done]


def test_ask_works_within_a_running_event_loop_as_in_a_notebook(retriever: PlainRetriever) -> None:
    async def cell() -> str:
        return bot(retriever, ScriptedBackend(ANSWER)).ask(QUESTION).text

    assert asyncio.run(cell()) == "".join(ANSWER)


def test_closing_a_stream_early_stops_the_backend(retriever: PlainRetriever) -> None:
    backend = ScriptedBackend(ANSWER)
    with closing(bot(retriever, backend).stream(QUESTION)) as events:
        assert [type(next(events)) for _ in range(2)] == [Retrieved, Delta]
        assert not any(isinstance(event, Done) for event in [next(events)])
    assert backend.stopped
    assert list(events) == []


def test_closing_an_asynchronous_stream_early_stops_the_backend(retriever: PlainRetriever) -> None:
    backend = ScriptedBackend(ANSWER)

    async def leave() -> None:
        async with aclosing(bot(retriever, backend).astream(QUESTION)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    return

    asyncio.run(leave())
    assert backend.stopped


def test_an_interrupt_while_a_backend_writes_is_an_interrupt(retriever: PlainRetriever) -> None:
    def pressed(request: Request) -> list[str]:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return [request.question]

    backend = ScriptedBackend(pressed, delay=60)
    # A shell that starts the tests in the background lets them ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            bot(retriever, backend).ask(QUESTION)
    finally:
        signal.signal(signal.SIGINT, before)
    assert backend.stopped


def test_a_chain_of_names_becomes_backends() -> None:
    settings = Settings()
    chain = Chatbot(PlainRetriever([]), "openai:m/x:1, openai ,extractive,", settings).backends
    assert [one.name for one in chain] == [
        "openai/m/x:1",
        "openai/gpt-6-luna",
        "extractive",
    ]
    assert [one.name for one in Chatbot(PlainRetriever([]), settings=settings).backends] == [
        "local",
        "extractive",
    ]


@pytest.mark.parametrize("chain", ["nonsense", "extractive, nonsense", "extractive:x", " , "])
def test_a_name_that_is_no_backend_is_refused(chain: str) -> None:
    with pytest.raises(
        BackendSetup, match=r"Known: extractive, local|Name one or more of: extractive"
    ):
        Chatbot(PlainRetriever([]), chain, Settings())


def test_earlier_answers_are_a_history(retriever: PlainRetriever) -> None:
    backend = ScriptedBackend(ANSWER)
    first = bot(retriever, backend).ask(QUESTION)
    bot(retriever, backend).ask("What did he call it?", [first])
    (turn,) = backend.requests[-1].history
    said = "Yin Ye, the head of BGI, called Sora a Newton moment."
    assert turn == Turn(QUESTION, said, ("file:///papers/1.txt",))


@pytest.mark.parametrize("history", ["x", [("a", "b", "c")], [3], [("a", None)]])
def test_what_is_no_history_is_a_plain_error(history: Any, retriever: PlainRetriever) -> None:
    with pytest.raises(QuestionError, match="no exchange"):
        bot(retriever, ScriptedBackend(ANSWER)).ask(QUESTION, history)


@pytest.mark.parametrize("question", [QUESTION, "Ai gọi Sora là khoảnh khắc Newton?"])
def test_a_sentence_is_judged_in_its_own_language(question: str, seeds_index: Index) -> None:
    lie = "Elon Musk called Sora the Newton moment of AI [1]."
    answer = bot(seeds_index, ScriptedBackend([lie])).ask(question)  # type: ignore[arg-type]
    assert answer.sentences[0].support is Support.CONTRADICTED


def test_a_strict_answer_leaves_out_what_is_not_borne_out(retriever: PlainRetriever) -> None:
    text = ["Yin Ye called Sora a Newton moment. [1] ", "It was sold for 7 trillion dollars. [1]"]
    strict = Settings(answer=AnswerSettings(strict=True))
    answer = Chatbot(retriever, [ScriptedBackend(text)], strict).ask(QUESTION)
    assert answer.text == "Yin Ye called Sora a Newton moment. [1]"
    assert [one.text for one in answer.left_out] == ["It was sold for 7 trillion dollars. [1]"]
    assert [answer.text[one.start : one.end] for one in answer.sentences] == [answer.text]
    nothing = Chatbot(retriever, [ScriptedBackend(text[1:])], strict).ask(QUESTION)
    assert nothing.abstained
    assert len(nothing.left_out) == 1
    events = list(Chatbot(retriever, [ScriptedBackend(text)], Settings()).stream(QUESTION))
    checked = [one.sentence.support for one in events if isinstance(one, Checked)]
    assert checked == [one.support for one in events[-1].answer.sentences][: len(checked)]  # type: ignore[union-attr]
    assert len(checked) >= 1


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What is the capital of Peru?", "en"),
        ("Thủ đô của Peru là gì?", "vi"),
        ("thu do cua nuoc peru la gi", "vi"),
    ],
)
def test_where_nothing_relevant_is_found_no_model_is_asked(
    question: str, language: str, seeds_index: Index
) -> None:
    backend = ScriptedBackend(ANSWER)
    events = list(Chatbot(seeds_index, [backend], Settings()).stream(question))
    assert [type(event) for event in events] == [Retrieved, Done]
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.abstained
    assert (answer.text, answer.language) == (said("no_answer", language), language)
    assert (answer.backend, answer.attempts, backend.requests) == ("", (), [])
    assert answer.hits == events[0].hits != ()  # type: ignore[union-attr]


def test_a_model_is_asked_where_the_documents_may_answer(seeds_index: Index) -> None:
    backend = ScriptedBackend([NO_ANSWER])
    answer = Chatbot(seeds_index, [backend], Settings()).ask("Who is the CEO of SenseTime?")
    assert (len(backend.requests), answer.abstained, answer.backend) == (1, True, "scripted")


def test_whoever_wants_no_question_held_back_has_none_held_back(seeds_index: Index) -> None:
    backend = ScriptedBackend([NO_ANSWER])
    settings = Settings(answer=AnswerSettings(evidence=0.0))
    Chatbot(seeds_index, [backend], settings).ask("What is the capital of Peru?")
    assert len(backend.requests) == 1


def test_whether_the_passages_answer_is_decided_once(hits: list[Hit]) -> None:
    class Counting(PlainRetriever):
        weighed = 0

        def weigh(self, questions: Sequence[str], texts: Sequence[str]) -> list[Weighing]:
            self.weighed += 1
            return super().weigh(questions, texts)

    retriever = Counting(hits)
    answer = Chatbot(retriever, "extractive", Settings()).ask(QUESTION)
    assert (answer.backend, retriever.weighed) == ("extractive", 1)


@pytest.mark.parametrize(
    ("question", "language", "text"),
    [
        (QUESTION, "en", "The documents do not mention who called Sora that. Please ask BGI."),
        (QUESTION, "en", "I'm sorry, but the passages do not say [1]."),
        ("Ai gọi Sora như thế?", "vi", "Tài liệu không đề cập đến điều này."),
        ("Ai gọi Sora như thế?", "vi", "The documents do not contain this information."),
    ],
)
def test_a_model_that_says_it_does_not_know_abstains(
    question: str, language: str, text: str, retriever: PlainRetriever
) -> None:
    answer = bot(retriever, ScriptedBackend([text])).ask(question)
    assert answer.abstained
    assert (answer.text, answer.citations) == (said("no_answer", language), ())
    assert [(one.backend, one.outcome) for one in answer.attempts] == [("scripted", "abstained")]


def test_a_document_that_is_quoted_as_not_knowing_is_an_answer() -> None:
    text = "The report does not mention any accident at the plant in Riga."
    retriever = PlainRetriever([hit_of(text, "en")])
    answer = bot(retriever, ScriptedBackend([f"“{text}” [1]"])).ask(
        "Was there an accident in Riga?"
    )
    assert not answer.abstained
    assert answer.citations[0].quote == text


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("Which model is on sale?", [2, 1]),
        ("Which is the latest model on sale?", [4, 3]),
        ("Hiện nay hãng bán mô hình nào?", [4, 3]),
        ("Which model was on sale on July 3, 2024?", [3, 2]),
        ("Sau ngày 2/7/2024 hãng bán mô hình nào?", [3, 4]),
    ],
)
def test_what_a_question_says_of_time_steers_what_is_found(question: str, days: list[int]) -> None:
    scores = {1: 0.85, 2: 0.9, 3: 0.84, 4: 0.83}
    found = [
        dataclasses.replace(hit_of(f"Model {day} is on sale.", "en", day), score=scores[day])
        for day in (2, 1, 3, 4)
    ]
    settings = Settings(retrieval=RetrievalSettings(k=2))
    hits = Chatbot(PlainRetriever(found), [], settings).retrieve(question)
    assert [hit.document.published for hit in hits] == [dt.date(2024, 7, day) for day in days]


def test_a_question_is_shown_as_it_was_understood(seeds_index: Index) -> None:
    bot = Chatbot(seeds_index, "extractive", Settings())
    asked = "Who is Zhou Hongiy?"
    answer = bot.ask(asked)
    assert answer.question == asked
    assert answer.searched == ("Who is Zhou Hongyi?",)
    assert bot.ask("ai goi sora la khoanh khac newton").searched[0].startswith("ai gọi")
