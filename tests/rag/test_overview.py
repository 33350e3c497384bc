"""Summaries: which documents they are of, and that every sentence can be looked up."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chatbot import Chatbot
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.language import telling_words
from rag.llm.backend import Request
from rag.llm.budget import packed
from rag.llm.scripted import ScriptedBackend
from rag.messages import said
from rag.retrieval import Filters
from rag.settings import Settings
from rag.summary import central
from rag.text import words
from rag.types import Hit, Intent, Support
from tests.conftest import Quoting
from tests.rag.articles import CUT_OFF, EXIT, LATEST, ON_SORA, SORA, hold, names
from tests.rag.conftest import hit_of, lexical_evidence


@pytest.mark.parametrize(
    ("asked", "document"),
    [
        ("Summarize the article about OpenAI leaving China", EXIT),
        (f"Summarize {LATEST}", LATEST),
        (f"What is {LATEST} about?", LATEST),
        ("Tóm tắt bài báo mới nhất", LATEST),
        ("Tóm tắt bài báo về Sora", SORA),
        ("What is the article about Sora about?", SORA),
        ('Summarize OpenAI "cut off supply" China: the arrogance of AI giants', CUT_OFF),
        ("Summarize the Sora article in one sentence", SORA),
    ],
)
def test_a_summary_of_one_document_quotes_from_all_over_it(
    bot: Chatbot, asked: str, document: str
) -> None:
    answer = bot.ask(asked)
    assert names(answer) == [document]
    assert answer.intent is Intent.SUMMARY
    assert hold(answer)
    assert len(answer.citations) == 5
    assert all(one.support is Support.SUPPORTED for one in answer.sentences)
    places = [one.start for one in answer.citations]
    assert places == sorted(places)
    text = answer.citations[0].document.text
    assert places[-1] > len(text) / 2


def test_a_summary_says_of_which_document_it_is(bot: Chatbot) -> None:
    answer = bot.ask("Summarize the article about OpenAI leaving China")
    assert answer.text.startswith("From “OpenAI’s Sudden Departure”: “OpenAI recently announced")
    assert answer.sentences[0].support is Support.SUPPORTED
    backend = ScriptedBackend(["OpenAI leaves. [1]"])
    Chatbot(bot.retriever, [backend], Settings()).ask(
        "Summarize the article about OpenAI leaving China"
    )
    assert "Sudden Departure”:" not in backend.requests[0].messages[-1]["content"]


def test_a_summary_of_all_has_a_sentence_of_each(bot: Chatbot) -> None:
    for asked in ("Summarize the documents", "Tóm tắt các bài báo"):
        answer = bot.ask(asked)
        assert sorted(names(answer)) == sorted([ON_SORA, EXIT, CUT_OFF, LATEST, SORA])
        assert hold(answer)
        assert len(answer.sentences) == len(answer.citations) == 5


def test_a_summary_of_a_topic_is_of_that_topic_in_any_document(bot: Chatbot) -> None:
    answer = bot.ask("Summarize OpenAI leaving China")
    assert len(names(answer)) > 1
    assert all("OpenAI" in one.quote for one in answer.citations)
    assert hold(answer)


@pytest.mark.parametrize(
    "asked",
    [
        "Summarize climate change",
        "Bài báo về Trump nói gì?",
        "Tóm tắt bài báo về Hà Nội",
        "Summarize the article about Napoleon and Sora",
    ],
)
def test_nothing_is_summarized_of_what_no_document_is_about(bot: Chatbot, asked: str) -> None:
    answer = bot.ask(asked)
    assert answer.intent is Intent.ANSWER
    assert not any("Napoleon" in one.quote for one in answer.citations)


def test_no_sentence_of_a_summary_joins_on_to_another(bot: Chatbot) -> None:
    for asked in ("Summarize the documents", f"Summarize {LATEST}", "Tóm tắt bài báo về Sora"):
        for citation in bot.ask(asked).citations:
            own = words(citation.quote)
            assert not any(
                " ".join(own[:size]) in telling_words("connectives") for size in range(1, 5)
            )


def test_filters_narrow_what_is_summarized_and_listed(bot: Chatbot) -> None:
    filters = Filters(language="en")
    assert sorted(names(bot.ask("Summarize the documents", filters=filters))) == [EXIT, CUT_OFF]
    listed = bot.ask("What documents do you have?", filters=filters)
    assert listed.text.startswith("Documents: 2\n")
    assert sorted(names(listed)) == [EXIT, CUT_OFF]
    for asked in ("How many documents are in Vietnamese?", "Which documents mention Justin Lin?"):
        assert not bot.ask(asked, filters=filters).citations
    nothing = bot.ask("Which documents are there?", filters=Filters(folder="/nowhere"))
    assert nothing.text == said("no_such_documents", "en")
    assert bot.ask("hello", filters=Filters(language="fr")).text.startswith("Hello! I answer")


def test_documents_of_one_language_are_summarized(bot: Chatbot) -> None:
    assert sorted(names(bot.ask("Summarize the Vietnamese articles"))) == [ON_SORA, LATEST, SORA]
    assert sorted(names(bot.ask("Tóm tắt các bài báo tiếng Anh"))) == [EXIT, CUT_OFF]
    assert not bot.ask("Summarize the French articles").citations


@pytest.mark.parametrize(
    "asked",
    ["Summarize it", "Summarize the article", "What does the article say?", "What is it about?"],
)
def test_what_was_cited_is_summarized_when_it_is_pointed_at(bot: Chatbot, asked: str) -> None:
    first = bot.ask("Who is Winston Ma?")
    thanks = bot.ask("thanks", [first])
    assert names(bot.ask(asked, [first, thanks])) == [EXIT]
    newest = bot.ask("What is the newest article?")
    assert names(bot.ask(asked, [first, newest])) == [LATEST]
    elsewhere = bot.ask(asked, [first], filters=Filters(language="vi"))
    assert not elsewhere.citations or EXIT not in names(elsewhere)
    assert elsewhere.intent is Intent.ANSWER


def test_what_points_at_nothing_is_no_summary_of_everything(bot: Chatbot) -> None:
    refused = bot.ask("Who founded Northwind Ferries?")
    assert refused.abstained
    assert bot.ask("Summarize it", [refused]).intent is Intent.ANSWER
    listed = bot.ask("Which documents mention Nvidia?")
    assert names(bot.ask("Summarize the second one", [listed])) == [names(listed)[1]]
    assert bot.ask("Summarize the fifth one", [listed]).intent is Intent.ANSWER


def test_a_request_that_leans_on_a_name_is_made_whole(bot: Chatbot) -> None:
    first = bot.ask("Who is Winston Ma?")
    assert names(bot.ask("Summarize the article about him", [first])) == [EXIT]


def test_a_document_is_called_by_its_kind_or_by_words_of_its_title(quoting: Quoting) -> None:
    texts = {
        "lease.md": "# Rental contract for 5 Mill Lane\n\nThe rent of the flat is 870 euros a month.",
        "server.md": "# Report on the backup server\n\nThe server of the library stores 14 terabytes now.",
        "cv.md": "# Trần Minh Khôi\n\n- Developer at Blue Harbor since 2021\n- B.Sc. in Da Nang, 2017",
    }
    bot = quoting(texts)
    for asked, name in (
        ("Summarize the contract", "lease.md"),
        ("Summarize the report", "server.md"),
        ("What is the report about?", "server.md"),
        ("Tóm tắt CV", "cv.md"),
        ("Summarize the CV of Trần Minh Khôi", "cv.md"),
    ):
        answer = bot.ask(asked)
        assert names(answer) == [name], asked
    cv = bot.ask("Summarize the CV of Trần Minh Khôi")
    assert cv.language == "en"
    assert "Blue Harbor" in cv.text
    assert "Da Nang" in cv.text
    assert names(bot.ask("Summarize the report about the flat of 870 euros")) != ["server.md"]
    assert not bot.ask("Summarize the recipe").citations
    assert not bot.ask("Summarize report.pdf").citations


def test_of_many_documents_the_newest_are_summarized_and_that_is_said(many: Index) -> None:
    answer = Chatbot(many, "extractive", Settings()).ask("Summarize all documents")
    shown = len({hit.document.uri for hit in answer.hits})
    assert shown == 12
    assert answer.text.startswith("Of 30 documents, the newest 12: 2025-03-30: “")
    assert {hit.document.name for hit in answer.hits} == {
        f"note-{number:02}.md" for number in range(31 - shown, 31)
    }
    assert all(one.support is Support.SUPPORTED for one in answer.sentences)
    assert hold(answer)


def test_the_oldest_are_summarized_and_as_many_as_are_meant(many: Index, bot: Chatbot) -> None:
    answer = Chatbot(many, "extractive", Settings()).ask("Summarize the three oldest documents")
    assert {hit.document.name for hit in answer.hits} == {
        f"note-0{number}.md" for number in (1, 2, 3)
    }
    assert answer.text.startswith("2025-03-01: “")
    assert names(bot.ask("Tóm tắt bài báo cũ nhất")) == [CUT_OFF]
    assert names(bot.ask("Summarize the oldest article about OpenAI")) == [CUT_OFF]
    newest = bot.ask("What is the newest article?")
    assert names(bot.ask("Summarize the oldest article", [newest])) == [CUT_OFF]
    on_topic = Chatbot(many, "extractive", Settings()).ask(
        "Summarize the two newest notes about the harbour"
    )
    assert {hit.document.published for hit in on_topic.hits} == {
        dt.date(2025, 3, 29),
        dt.date(2025, 3, 30),
    }
    every = Chatbot(many, "extractive", Settings()).ask("Summarize the oldest documents")
    assert every.text.startswith("Of 30 documents, the oldest 12: 2025-03-01")


def summed(text: str, quoting: Quoting) -> str:
    """A summary of one text, without a model."""
    return quoting({"bridge.txt": text}).ask("Summarize bridge.txt").text


BRIDGE = (
    "The old bridge over the river Wye was closed to all cars in March. "
    "The town council has found money for a new bridge beside the mill.\n\n"
)


def test_an_answer_is_not_quoted_without_its_question(quoting: Quoting) -> None:
    asked = "Will the bridge over the river Wye ever be open to cars again? "
    text = summed(
        f"{BRIDGE}{asked}The bridge over the river Wye will be, says the mayor of the town. "
        "Cars take the road by the mill for now, and the bridge has none.",
        quoting,
    )
    assert "says the mayor" not in text
    assert "was closed" in text
    assert "for now" in text


def test_what_stands_under_a_heading_that_asks_is_quoted(quoting: Quoting) -> None:
    text = summed(
        "# Is this the end of the old bridge?\n\n" + BRIDGE
        + "How long will it take?\n\nThe new bridge beside the mill will be open in two years or three.",
        quoting,
    )  # fmt: skip
    assert "was closed" in text
    assert "two years" in text


@pytest.mark.parametrize(
    "credit",
    ["(Photo: A. B. Baker/Wye News)", "(Photo by A. Baker)", "Photo: Reuters.", "[Ảnh: Minh Anh]",
     "Image courtesy of the town."],
)  # fmt: skip
def test_a_caption_is_not_quoted(credit: str, quoting: Quoting) -> None:
    caption = "The bridge over the river Wye with its cars and the mill behind it."
    text = summed(f"The town of Arden has a new bridge.\n\n{caption} {credit}\n\n{BRIDGE}", quoting)
    assert "behind it" not in text
    assert "was closed" in text


@pytest.mark.parametrize("end", ["docker run my-image:latest", "see example.com/photo/12 for all."])
def test_what_looks_like_a_credit_takes_nothing_with_it(end: str, quoting: Quoting) -> None:
    told = "The bridge over the river Wye has a model that runs anywhere."
    assert "runs anywhere" in summed(f"{BRIDGE}{told} Use it with {end}", quoting)


def test_what_opens_a_document_points_back_to_nothing(quoting: Quoting) -> None:
    opens = "The city library of Arden has opened its new reading room beside the river Wye."
    assert opens in summed(f"# Library\n\n{opens} {BRIDGE}", quoting)


def test_a_model_is_told_to_summarize_and_of_how_many(many: Index) -> None:
    def script(request: Request) -> list[str]:
        return [f"A storm closed the harbour of town number {30} for {30} days. [1]"]

    backend = ScriptedBackend(script)
    answer = Chatbot(many, [backend], Settings()).ask("Summarize all documents")
    (request,) = backend.requests
    system, *_, user = request.messages
    assert "Summarize what the passages say" in system["content"]
    assert "Of 30 documents, the newest 12:" in user["content"]
    assert user["content"].rstrip().endswith("Question: Summarize all documents")
    assert answer.sentences[0].support is Support.SUPPORTED
    smaller = packed(request, 900, 100, lambda messages: len(str(messages)) // 4)
    assert len(str(smaller.messages)) < len(str(request.messages))
    assert "Summarize what the passages say" in smaller.messages[0]["content"]
    assert f"Of 30 documents, the newest {smaller.prompted}:" in smaller.messages[-1]["content"]
    assert smaller.prompted in range(1, 12)
    shown = re.findall(r'<passage number="(\d+)"', smaller.messages[-1]["content"])
    assert len(shown) == smaller.prompted
    assert [int(one) for one in shown] == list(range(1, len(shown) + 1))  # the newest


def test_a_request_for_whole_documents_is_not_rewritten(seeds_index: Index) -> None:
    backend = ScriptedBackend(["Sora makes videos. [1]"], rewriting=["never"])
    bot = Chatbot(seeds_index, [backend], Settings())
    bot.ask("Tóm tắt bài báo mới nhất", [("Who is Winston Ma?", "A professor.")])
    (request,) = backend.requests
    assert request.hits


def test_the_answer_is_in_the_language_that_was_asked_for(seeds_index: Index) -> None:
    backend = ScriptedBackend(["Sora tạo video. [1]"])
    bot = Chatbot(seeds_index, [backend], Settings())
    answer = bot.ask("Summarize the article about Sora in Vietnamese")
    assert answer.language == "vi"
    assert "Write in Vietnamese" in backend.requests[0].messages[0]["content"]
    assert bot.ask("Tóm tắt bài báo về Sora").language == "vi"
    assert bot.ask("tom tat bai bao ve sora").language == "vi"


def long_index(folder: Path, embedder: Embedder) -> Index:
    """An index of one document of eighty chapters."""
    chapters = [f"Chapter {n} tells how ship number {n} came to harbour. " * 12 for n in range(80)]
    (folder / "long.txt").write_text("\n\n".join(chapters), "utf-8")
    index = Index.create(folder / "index", Settings(), embedder)
    index.add(folder / "long.txt")
    return index


def test_a_smaller_prompt_is_still_of_all_of_a_document(tmp_path: Path, embedder: Embedder) -> None:
    index = long_index(tmp_path, embedder)
    backend = ScriptedBackend(["Ships came to harbour. [1]"])
    Chatbot(index, [backend], Settings()).ask("Summarize long.txt")
    (request,) = backend.requests
    smaller = packed(request, 1400, 100, lambda messages: len(str(messages)) // 4)
    shown = [int(one) for one in re.findall(r'<passage number="(\d+)"', str(smaller.messages))]
    assert len(shown) == smaller.prompted in range(2, 12)
    assert shown[0] == 1
    assert shown[-1] > 12 * (len(shown) - 1) // len(shown)
    for number in shown:
        assert f"Chapter {request.hits[number - 1].passage.text.split()[1]} " in str(
            smaller.messages
        )


def test_a_question_is_no_summary_for_a_model(many: Index) -> None:
    backend = ScriptedBackend(["For 4 days. [1]"])
    Chatbot(many, [backend], Settings()).ask("How long was the harbour of town number 4 closed?")
    (request,) = backend.requests
    assert "Summarize" not in request.messages[0]["content"]
    assert "About the passages" not in request.messages[-1]["content"]


def test_the_passages_of_a_long_document_lie_evenly(tmp_path: Path, embedder: Embedder) -> None:
    index = long_index(tmp_path, embedder)
    backend = ScriptedBackend(["Ships came to harbour. [1]"])
    Chatbot(index, [backend], Settings()).ask("Summarize long.txt")
    starts = [hit.passage.start for hit in backend.requests[0].hits]
    assert len(starts) == 12
    length = len(backend.requests[0].hits[0].document.text)
    gaps = [b - a for a, b in zip(starts, [*starts[1:], length], strict=True)]
    assert starts[0] == 0
    assert max(gaps) < 2 * min(gaps)


def test_two_files_of_one_name_are_told_apart_by_their_folder(
    tmp_path: Path, embedder: Embedder
) -> None:
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        text = f"The harbour of the {folder} was closed for a week by a storm."
        (tmp_path / folder / "notes.txt").write_text(text, "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add([tmp_path / "north", tmp_path / "south"])
    bot = Chatbot(index, "extractive", Settings())
    assert "south" in bot.ask("Summarize south/notes.txt").text
    assert "north" not in bot.ask("Summarize south/notes.txt").text
    assert "north" in bot.ask("Summarize notes.txt").text


def test_a_table_is_summarized_by_how_it_begins(tmp_path: Path, embedder: Embedder) -> None:
    rows = "".join(f"Harbour {n},{n * 3} boats\n" for n in range(1, 9))
    (tmp_path / "boats.csv").write_text(f"name,boats\n{rows}", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add(tmp_path / "boats.csv")
    answer = Chatbot(index, "extractive", Settings()).ask("Summarize boats.csv")
    assert "Harbour 1" in answer.text
    assert hold(answer)


def test_a_file_that_is_not_there_is_not_summarized(bot: Chatbot) -> None:
    for asked in ("Summarize report.pdf", "Summarize missing.txt", "What is sora.docx about?"):
        assert bot.ask(asked).intent is Intent.ANSWER


def test_these_documents_are_those_that_were_listed(bot: Chatbot) -> None:
    listed = bot.ask("Which documents mention Nvidia?")
    for asked in (
        "Summarize these documents",
        "Tóm tắt các tài liệu này",
        "Summarize",
        "Summarize them",
    ):
        assert sorted(names(bot.ask(asked, [listed]))) == sorted(names(listed))


def test_like_documents_are_not_summarized_by_one_sentence(
    tmp_path: Path, embedder: Embedder
) -> None:
    for number in range(6):
        text = "Every harbour of this coast was closed for a week by a storm in the spring."
        (tmp_path / f"{number}.txt").write_text(f"{text}\n\nPage {number}.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add([tmp_path / f"{number}.txt" for number in range(6)])
    answer = Chatbot(index, "extractive", Settings()).ask("Summarize the documents")
    assert answer.text.count("Every harbour") == 1


def test_lines_broken_within_a_sentence_are_read(tmp_path: Path, embedder: Embedder) -> None:
    lines = (
        "The old canal was dug between 1804 and\n1811 by four thousand men from the hills.\n"
        "The locks were built of a grey stone that\nwas brought by sea from the northern quarries.\n"
    )
    (tmp_path / "canal.txt").write_text(lines, "utf-8")
    index = Index.create(tmp_path / "index", Settings(), embedder)
    index.add(tmp_path / "canal.txt")
    answer = Chatbot(index, "extractive", Settings()).ask("Summarize canal.txt")
    assert "four thousand men" in answer.text
    assert "northern quarries" in answer.text


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6), st.sampled_from(["", "Sora"]))
def test_what_a_summary_quotes_stands_in_its_passage(texts: list[str], topic: str) -> None:
    found: list[Hit] = []
    for number, text in enumerate(texts, start=1):
        whole = f"{text}\nThe harbour was closed by a storm for {number} days. {text}"
        found.append(hit_of(whole, "en", number))
    request = Request("Summarize", "en", tuple(found), (), lexical_evidence, topic=topic)
    for number, hit, (start, end) in central(request):
        assert hit is found[number - 1]
        assert 0 <= start < end <= len(hit.passage.text)
