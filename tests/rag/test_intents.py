"""What a person wants: greetings, lists and summaries told from questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evals.reading import load_suite
from rag.intents import Aim, aim_of
from rag.text import fold
from rag.types import Intent

TALK = {
    "greeting": ["hello", "Hi there!", "Good morning", "How are you today?", "Xin chào bạn!", "chào"],
    "thanks": ["thanks!", "Thank you very much.", "OK, thanks", "Cảm ơn bạn nhiều nhé", "cam on"],
    "farewell": ["Bye!", "Goodbye", "Tạm biệt"],
    "self": ["Who are you?", "What can you do?", "help", "Bạn là ai?", "Bạn có thể làm gì?",
             "what's your name?"],
}  # fmt: skip
LISTING = [
    "What documents do you have?",
    "Which articles do you know?",
    "list all documents",
    "Can you list the articles you have, please?",
    "How many documents are there?",
    "how many files have i uploaded",
    "What's in the index?",
    "Bạn có những tài liệu nào?",
    "co bao nhieu tai lieu?",
    "Có những bài báo nào?",
    "hãy liệt kê các bài báo cho tôi",
    "What is the newest article?",
    "Bài báo nào mới nhất?",
    "What languages are the documents in?",
    "How many documents are in French?",
    "Có bao nhiêu tài liệu tiếng Anh?",
]
ON_A_TOPIC = [
    ("Which documents mention Sora?", "Sora"),
    ("Which article is about OpenAI leaving China?", "OpenAI leaving China"),
    ("Are there any articles about climate change?", "climate change"),
    ("How many documents do you have about Sora?", "Sora"),
    ("Tài liệu nào nói về Nvidia?", "Nvidia"),
    ("Có bài báo nào về DeepSeek không?", "DeepSeek"),
]
SUMMARY = [
    ("Summarize the documents", "", False, False),
    ("summarise this document for me please", "", True, False),
    ("TL;DR", "", False, False),
    (
        "Please summarize the article about OpenAI leaving China",
        "OpenAI leaving China",
        True,
        False,
    ),
    ("Can you give me a summary of the Sora article in 3 sentences?", "Sora", True, False),
    ("What is the article about Sora about?", "Sora", True, False),
    ("What's this about?", "", False, False),
    ("What does the article about SenseTime say?", "SenseTime", True, False),
    ("What are the key points of the Sora article?", "Sora", True, False),
    ("Summarize the latest article", "", True, True),
    ("Summarize Chinese AI companies' reaction", "Chinese AI companies' reaction", False, False),
    ("Tóm tắt các bài báo", "", False, False),
    ("Tóm tắt giúp tôi bài viết về Trung Quốc và Sora", "Trung Quốc và Sora", True, False),
    ("Bài báo về Sora nói gì?", "Sora", True, False),
    ("Các bài báo này nói về gì?", "", False, False),
    ("Nội dung chính của bài báo về Sora là gì?", "Sora", True, False),
    ("Ý chính của các tài liệu là gì", "", False, False),
    ("Tóm tắt bài báo mới nhất", "", True, True),
    ("Tell me about Zhipu AI", "Zhipu AI", False, False),
    ("What do the documents say about SenseTime?", "SenseTime", False, False),
    ("Summarize AI", "AI", False, False),
    ("Bạn biết gì về DeepSeek?", "DeepSeek", False, False),
    ("Tài liệu nói gì về SenseTime?", "SenseTime", False, False),
    ("TÓM TẮT CÁC BÀI BÁO VỀ SORA", "SORA", False, False),
]
QUESTIONS = [
    "Who is Winston Ma?",
    "Hello, who is Winston Ma?",
    "Thanks to whom did OpenAI grow?",
    "What did Winston Ma say about OpenAI?",
    "Justin Lin nói gì về AI Trung Quốc?",
    "Nói về gì?",
    "Which report on AI did OpenAI publish?",
    "What book about war did he write?",
    "Bài báo về việc bỏ giấy chuyển viện được viết hôm nào?",
    "What is Sora about to change?",
    "What is the report about the chips that Nvidia released?",
    "What reports did OpenAI publish?",
    "How many articles did the author write?",
    "What does the report from Goldman Sachs say?",
    "Báo cáo của OpenAI nói gì?",
    "Bản tóm tắt dành cho các nhà hoạch định chính sách cho biết con người đang làm gì?",
    "What is this?",
    "?",
    "",
]


@pytest.mark.parametrize(("kind", "said"), [(kind, one) for kind in TALK for one in TALK[kind]])
def test_who_only_talks_asks_nothing(kind: str, said: str) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic) == (Intent.TALK, kind)


@pytest.mark.parametrize("said", LISTING)
def test_who_wants_to_know_which_documents_there_are(said: str) -> None:
    assert aim_of(said).intent is Intent.LISTING


@pytest.mark.parametrize(("said", "topic"), ON_A_TOPIC)
def test_who_wants_to_know_which_documents_are_about_something(said: str, topic: str) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic) == (Intent.LISTING, topic)


@pytest.mark.parametrize(("said", "topic", "single", "newest"), SUMMARY)
def test_a_summary_is_of_something(said: str, topic: str, single: bool, newest: bool) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic, aim.single, aim.newest) == (
        Intent.SUMMARY, topic, single, newest,
    )  # fmt: skip


# In small letters "ai" is a Vietnamese "who".
@pytest.mark.parametrize("said", [one for one, *_ in SUMMARY if "AI" not in one] + LISTING)
def test_it_is_the_same_without_diacritics_capitals_and_punctuation(said: str) -> None:
    plain = fold(said).replace("'", " ").rstrip("?. ")
    assert aim_of(plain).intent is aim_of(said).intent
    assert fold(aim_of(plain).topic) == fold(aim_of(said).topic).replace("'", " ")


@pytest.mark.parametrize("said", QUESTIONS)
def test_a_question_stays_a_question(said: str) -> None:
    assert aim_of(said) == Aim(Intent.ANSWER)


@pytest.mark.parametrize("name", ["seeds", "miscellany", "gazette"])
def test_no_question_of_the_suites_is_taken_for_anything_else(name: str) -> None:
    asked = [case.question for case in load_suite(name).only("dev").cases]
    assert asked
    assert [one for one in asked if aim_of(one).intent is not Intent.ANSWER] == []


@pytest.mark.parametrize(
    ("said", "language"), [("hello", "en"), ("xin chào", "vi"), ("TL;DR", "en"), ("tóm tắt", "vi")]
)
def test_the_language_is_that_of_the_phrase(said: str, language: str) -> None:
    assert aim_of(said).language == language


@given(st.text(), st.sampled_from(["Summarize ", "Tóm tắt ", "hello ", "list all documents "]))
def test_a_topic_is_a_part_of_what_was_said_whatever_it_is(text: str, begins: str) -> None:
    from rag.text import normalize

    said = begins + text
    aim = aim_of(said)
    assert aim.intent in Intent
    if aim.intent is Intent.SUMMARY:
        assert aim.topic in normalize(said)


def test_a_long_text_is_read_quickly_enough_to_end() -> None:
    """No pattern may try ever more ways of matching: this would not end."""
    assert aim_of("list " + "all of the " * 3000 + "x").intent is Intent.ANSWER
    assert aim_of("ban dang co " * 3000).intent is Intent.ANSWER
