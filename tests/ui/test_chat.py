"""What a message may show, and what of a conversation is passed on."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.chatbot import Chatbot
from rag.errors import BackendRefused
from rag.index.index import Index
from rag.intents import aim_of
from rag.llm.scripted import ScriptedBackend
from rag.types import Usage
from rag.ui.chat import answered, finished
from rag.ui.conversations import Conversations
from rag.ui.markup import displayed
from rag.ui.sources import answer_panel, empty_panel, found_panel
from rag.ui.strings import examples, languages, preferred, strings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x>", "&lt;img src=x>"),
        ("a < b and 3 <4", "a < b and 3 <4"),
        ("![x](http://a.b/c)", "!\\[x\\](http\\://a.b/c)"),
        ("[here](//a.b)", "[here\\](//a.b)"),
        ("[1][2] so", "[1][2] so"),
        ("[1]: //a.b", "[1\\]: //a.b"),
        ("www.a.b and me@a.b", "www\\.a.b and me\\@a.b"),
        ("``<b>`` xhttps://a", "``&lt;b>`` xhttps\\://a"),
        ("[here\\](//a.b)", "[here\\\\\\](//a.b)"),
        ("C:\\x \\(y\\)", "C:\\x \\\\(y\\\\)"),
        ("[&#49;] R&D &lt;", "[&amp;#49;] R&D &amp;lt;"),
        ("a\u202eb\u2066c\U000e0041", "abc"),
    ],
)
def test_nothing_in_a_message_becomes_an_element_an_image_or_a_link(text: str, shown: str) -> None:
    assert displayed(text) == shown


_SIGNS = [
    "[",
    "]",
    "(",
    ")",
    "!",
    "\\",
    "<",
    ">",
    "&",
    "#",
    "`",
    ":",
    "/",
    " ",
    "\n",
    "*",
    "|",
    '"',
]
_WORDS = [
    "//a.b",
    "http://a.b",
    "img",
    "a",
    "&lt;",
    "&#91;",
    "]:",
    "](",
    "[1]",
    "www.a.b",
    "- ",
    "\t",
]


@given(st.lists(st.sampled_from([*_SIGNS, *_WORDS]), max_size=30).map("".join))
@example("[a\\](//a.b)")
@example("[\\\\\\](//a.b)")
def test_no_way_of_writing_markdown_becomes_an_element_an_image_or_a_link(text: str) -> None:
    markdown = MarkdownIt("gfm-like", {"linkify": False}).enable("html_inline")
    tokens = markdown.parse(displayed(text))
    inside = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inside]}
    assert kinds.isdisjoint({"link_open", "image", "html_inline", "html_block"})


def test_what_is_passed_on_of_a_conversation_is_its_answers_without_markers(
    seeds_index: Index,
) -> None:
    conversations = Conversations()
    bot = Chatbot(seeds_index)
    asked = ["Who is Winston Ma?", "Who is the king of Spain?", "failed", "And why?"]
    for turn, question in enumerate(asked[:2]):
        conversations.put("c", turn, bot.ask(question))
    (kept,) = conversations.turns("c", asked[:3])
    assert kept.question == "Who is Winston Ma?"
    assert "Winston Ma, a professor" in kept.answer
    assert "[1]" not in kept.answer
    assert conversations.turns("c", ["Another question?"]) == []


def _last_view(bot: Chatbot, conversations: Conversations) -> str:
    async def collect() -> str:
        messages = [{"role": "user", "content": "Who is Winston Ma?"}]
        views = answered(bot, conversations, "c", messages, "en")
        return str([view async for view in views][-1][0][-1]["content"])

    return asyncio.run(collect())


def test_an_unsupported_sentence_is_marked_in_the_message(seeds_index: Index) -> None:
    claims = ["Winston Ma is a professor at New York University [1]. ", "He was born in 1871 [1]."]
    text = _last_view(Chatbot(seeds_index, [ScriptedBackend(claims)]), Conversations())
    assert (
        "He was born in 1871 [1]. ⚠\n\n⚠ marks what the documents do not support, or contradict."
        in text
    )
    assert "\n- “He was born in 1871.”: " in text
    assert "1871" in text.rpartition("”: ")[2]
    assert "1 of 2 sentences supported" in text


def test_an_unforeseen_error_is_a_message_without_its_details(
    seeds_index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: object) -> list[str | BackendRefused]:
        raise ZeroDivisionError("secret detail")

    text = _last_view(Chatbot(seeds_index, [ScriptedBackend(broken)]), Conversations())
    assert text.startswith("⚠ No answer could be had.")
    assert "secret" not in text
    assert "secret detail" in caplog.text


def test_a_panel_joins_to_the_document_text_around_the_passage(seeds_index: Index) -> None:
    answer = Chatbot(seeds_index).ask("Who is Winston Ma?")
    panel = answer_panel(answer, strings("en"))
    assert panel["focus"] == answer.citations[0].marker
    for source in panel["sources"]:
        hit = answer.hits[source["number"] - 1]
        assert "".join(part["text"] for part in source["parts"]) == hit.passage.text
    quoted = [p["text"] for s in panel["sources"] for p in s["parts"] if p["quoted"]]
    assert any("Winston Ma" in text for text in quoted)
    assert found_panel(answer.hits, strings("en"))["sources"]
    assert empty_panel(strings("vi"))["note"] == strings("vi")["no_sources"]


def test_a_panel_shows_the_worst_verdict_of_its_quotes(seeds_index: Index) -> None:
    claims = ["Winston Ma is a professor at New York University [1]. ", "He was born in 1871 [1]."]
    answer = Chatbot(seeds_index, [ScriptedBackend(claims)]).ask("Who is Winston Ma?")
    verdicts = {
        s["number"]: s["verdict_class"] for s in answer_panel(answer, strings("en"))["sources"]
    }
    assert verdicts[1] == "unsupported"


def test_the_window_says_the_same_things_in_each_language() -> None:
    english, vietnamese = strings("en"), strings("vi")
    assert english.keys() == vietnamese.keys()
    for name, text in english.items():
        fields = {part.split("}")[0].split(":")[0] for part in text.split("{")[1:]}
        other = {part.split("}")[0].split(":")[0] for part in vietnamese[name].split("{")[1:]}
        assert fields == other, name
    assert [code for _, code in languages()] == ["en", "vi"]


def test_what_the_program_answers_itself_is_shown_as_it_is(seeds_index: Index) -> None:
    bot, texts = Chatbot(seeds_index, "extractive"), strings("en")
    greeting, listing = bot.ask("hello"), bot.ask("Which documents are there?")
    assert finished(greeting, Usage(), texts) == displayed(greeting.text)
    assert finished(listing, Usage(), texts) == displayed(listing.text)
    panel = answer_panel(listing, texts)
    assert len(panel["sources"]) == 5


@pytest.mark.parametrize(
    ("header", "language"),
    [("vi-VN,vi;q=0.9,en;q=0.8", "vi"), ("fr-FR, vi;q=0.5", "vi"), ("de", "en"), ("", "en")],
)
def test_the_browsers_language_is_followed(header: str, language: str) -> None:
    assert preferred(header) == language


def test_examples_are_offered_only_for_documents_that_are_there() -> None:
    for language, intents in (("en", ["listing", "summary"]), ("vi", ["listing", "summary"])):
        texts = strings(language)
        assert examples([], texts) == []
        newton, *of_any = examples(["000_f4d03017b7dc492f.txt"], texts)
        assert newton == "Ai gọi Sora là khoảnh khắc Newton?"
        assert [aim_of(one).intent for one in of_any] == intents
        assert examples(["report.pdf"], texts) == of_any


def test_old_conversations_are_forgotten_not_recent_ones(seeds_index: Index) -> None:
    conversations = Conversations()
    answer = Chatbot(seeds_index).ask("Who is Winston Ma?")
    for number in range(300):
        conversations.put(str(number), 0, answer)
    assert conversations.get("0", 0) is None
    assert conversations.get("299", 0) is answer
    assert conversations.get("299", 1) is None
