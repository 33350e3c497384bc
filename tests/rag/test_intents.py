"""What a person wants: greetings, lists and summaries told from questions."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evals.reading import load_suite
from rag.intents import Aim, aim_of, without_greeting
from rag.text import fold, normalize
from rag.topics import Topic
from rag.types import Intent

TALK = {
    "greeting": ["hello", "Hi there!", "Good morning", "How are you today?", "Xin chào bạn!", "chào"],
    "thanks": ["thanks!", "Thank you very much.", "OK, thanks", "Cảm ơn bạn nhiều nhé", "cam on"],
    "farewell": ["Bye!", "Goodbye", "Tạm biệt"],
    "self": ["Who are you?", "What can you do?", "help", "Bạn là ai?", "Bạn có thể làm gì?",
             "what's your name?", "Xin chào, bạn là ai?"],
}  # fmt: skip
LISTING = [
    "What documents do you have?",
    "Which articles do you know?",
    "list all documents",
    "Can you list the articles you have, please?",
    "How many documents are there?",
    "how many files have i uploaded",
    "What's in the index?",
    "What languages are the documents in?",
    "Bạn có những tài liệu nào?",
    "co bao nhieu tai lieu?",
    "Có những bài báo nào?",
    "hãy liệt kê các bài báo cho tôi",
]
OTHER_LISTS = [
    ("What is the newest article?", Topic("", True, True, True)),
    ("What is the oldest document?", Topic("", True, True, oldest=True)),
    ("Which are the two newest articles?", Topic("", True, newest=True, count=2)),
    ("List the 3 oldest files", Topic("", True, oldest=True, count=3)),
    ("Tài liệu nào cũ nhất?", Topic("", True, True, oldest=True)),
    ("Liệt kê 100 tài liệu mới nhất", Topic("", True, newest=True, count=100)),
    ("Tài liệu mới nhất là những tài liệu nào?", Topic("", True, newest=True)),
    ("Những tài liệu nào mới nhất?", Topic("", True, newest=True)),
    ("the two newest articles", Topic("", True, newest=True, count=2)),
    ("the oldest article", Topic("", True, True, oldest=True)),
    ("Give me the most recent article", Topic("", True, True, True)),
    ("ba tài liệu cũ nhất", Topic("", True, oldest=True, count=3)),
    ("Các bài báo cũ nhất là gì?", Topic("", True, oldest=True)),
    ("Hai bài cũ nhất là bài nào?", Topic("", True, oldest=True, count=2)),
    ("Which articles are the oldest?", Topic("", True, oldest=True)),
    ("List the documents", Topic("", True)),
    ("Hai bài báo mới nhất là những bài nào?", Topic("", True, newest=True, count=2)),
    ("3 tai lieu cu nhat la nhung tai lieu nao", Topic("", True, oldest=True, count=3)),
    ("Bài báo nào mới nhất?", Topic("", True, True, True)),
    ("What are the latest articles?", Topic("", True, newest=True)),
    ("How many documents are in French?", Topic("", True, spoken="fr")),
    ("How many documents are in Klingon?", None),
    ("How many confidential documents are there?", None),
    ("Which documents are required?", None),
    ("Which documents mention it?", None),
    ("Which documents mention Sora but not OpenAI?", None),
    ("Có bài báo tiếng Anh nào nói về Donald Trump không?", None),
    ("Tài liệu nào nói về Nhật Bản?", Topic("Nhật Bản")),
    ("How many Vietnamese documents are there?", Topic("", True, spoken="vi")),
    ("Có bao nhiêu tài liệu tiếng Anh?", Topic("", True, spoken="en")),
    ("Which documents mention Sora?", Topic("Sora")),
    ("Which article is about OpenAI leaving China?", Topic("OpenAI leaving China")),
    ("Are there any articles about climate change?", Topic("climate change")),
    ("How do I know? Which documents mention Sora", None),
    ("Tài liệu nào nói về Nvidia?", Topic("Nvidia")),
    ("Tài liệu nào nói về Hà Nội?", Topic("Hà Nội")),
    ("Có bài báo nào về DeepSeek không?", Topic("DeepSeek")),
]
ALL, ONE = Topic("", True), Topic("", True, True)
THESE, THIS = Topic("", True, these=True), Topic("", True, True, these=True)
NEWEST, POINTS = Topic("", True, True, True), Topic("", True, True, points=True)
SUMMARY = [
    ("Summarize the documents", ALL),
    ("summarise this document for me please", THIS),
    ("Summarize", Topic()),
    ("TL;DR", Topic()),
    ("summarize everything", ALL),
    ("Please summarize the article about OpenAI leaving China",
     Topic("OpenAI leaving China", True, True)),
    ("Can you give me a summary of the Sora article in 3 sentences?", Topic("Sora", True, True)),
    ("Summarize the Sora article in one sentence", Topic("Sora", True, True)),
    ("What is the article about Sora about?", Topic("Sora", True, True)),
    ("What's this about?", POINTS),
    ("Summarize it", POINTS),
    ("What are these documents about?", THESE),
    ("What does the article about SenseTime say?", Topic("SenseTime", True, True)),
    ("What does the article say?", ONE),
    ("What are the key points of the Sora article?", Topic("Sora", True, True)),
    ("Summarize the latest article", NEWEST),
    ("Summarize the two latest articles", Topic("", True, newest=True, count=2)),
    ("Summarize the latest 3 documents", Topic("", True, newest=True, count=3)),
    ("Tóm tắt hai bài báo cũ nhất", Topic("", True, oldest=True, count=2)),
    ("Tóm tắt ba tài liệu mới nhất", Topic("", True, newest=True, count=3)),
    ("tom tat bai bao cu nhat", Topic("", True, True, oldest=True)),
    ("Summarize the two documents", Topic("", True)),
    ("Summarize the 100 newest documents", Topic("", True, newest=True, count=100)),
    ("Summarize the twelve newest documents", Topic("", True, newest=True, count=12)),
    ("Summarize the newest two documents", Topic("", True, newest=True, count=2)),
    ("Summarize the latest 2024 report", Topic("2024", True, True, True, kind="report")),
    ("Tóm tắt bài báo mới nhất năm 2020", Topic("năm 2020", True, True, True)),
    ("Summarize the iPhone 15 article", Topic("iPhone 15", True, True)),
    ("Summarize the Windows 11 documents", Topic("Windows 11", True)),
    ("summarize the covid 19 report", Topic("covid 19", True, True, kind="report")),
    ("summarize the fantastic four stories", Topic("fantastic four", True)),
    ("tom tat tai lieu ve viet nam moi nhat", Topic("viet nam", True, True, True)),
    ("tóm tắt bài báo về iPhone 15 mới nhất", Topic("iPhone 15", True, True, True)),
    ("Summarize the newest article about the two Koreas", Topic("two Koreas", True, True, True)),
    ("Summarize Chinese AI companies' reaction", Topic("Chinese AI companies' reaction")),
    ("Summarize AI", Topic("AI")),
    ("Summarize the article about Winston Ma", Topic("Winston Ma", True, True)),
    ("Summarize the article about the Washington Post", Topic("Washington Post", True, True)),
    ("Summarize the Vietnamese articles", Topic("", True, spoken="vi")),
    ("Summarize report.pdf", dataclasses.replace(ONE, kind="report")),
    ("Tóm tắt các bài báo", ALL),
    ("Tóm tắt giúp tôi bài viết về Trung Quốc và Sora", Topic("Trung Quốc và Sora", True, True)),
    ("Bài báo về Sora nói gì?", Topic("Sora", True, True)),
    ("Các bài báo này nói về gì?", THESE),
    ("Nội dung chính của bài báo về Sora là gì?", Topic("Sora", True, True)),
    ("Ý chính của các tài liệu là gì", ALL),
    ("Tóm tắt bài báo mới nhất", NEWEST),
    ("Bài báo mới nhất nói gì?", NEWEST),
    ("Tóm tắt các bài báo tiếng Anh", Topic("", True, spoken="en")),
    ("TÓM TẮT CÁC BÀI BÁO VỀ SORA", Topic("SORA", True)),
    ("Tóm tắt bài báo về Hồ Chí Minh", Topic("Hồ Chí Minh", True, True)),
    ("Tóm tắt bài báo về Đà Lạt", Topic("Đà Lạt", True, True)),
    ("Tóm tắt bài báo về máy bay", Topic("máy bay", True, True)),
    ("Tóm tắt bài báo về Nhật Bản", Topic("Nhật Bản", True, True)),
    ("Tóm tắt tài liệu về Đông Nam Á", Topic("Đông Nam Á", True, True)),
    ("Tóm tắt tài liệu về giá nhà", Topic("giá nhà", True, True)),
    ("Tóm tắt bài báo về bóng đá", Topic("bóng đá", True, True)),
    ("Bạn có thể tóm tắt các tài liệu không?", ALL),
    ("Tóm tắt bài báo về hàng không", Topic("hàng không", True, True)),
    ("Tóm tắt bài trên", POINTS),
    ("Tóm tắt cho tôi bài này", THIS),
    ("Summarize growth in power lines", Topic("growth in power lines")),
    ("Tóm tắt bài báo tiếng Việt về Đà Lạt", Topic("Đà Lạt", True, True, spoken="vi")),
    ("Tóm tắt văn bản pháp luật", Topic("văn bản pháp luật")),
    ("Summarize the article about paper mills", Topic("paper mills", True, True)),
    ("Summarize Apocalypse Now", Topic("Apocalypse Now")),
    ("Summarize the second one", Topic("", True, True, points=True, place=2)),
    ("Tóm tắt bài báo mới nhất về OpenAI", Topic("OpenAI", True, True, True)),
    ("tom tat bai bao ve ha noi", Topic("ha noi", True, True)),
    ("Tóm tắt tài liệu về nhân sự", Topic("nhân sự", True, True)),
]  # fmt: skip
QUESTIONS = [
    "Which documents are in box 2034 of the shelf?",
    "What documents are in room 2024?",
    "Which documents do I need in 2025?",
    "Tài liệu nào cần nộp năm 2024?",
    "Who is Winston Ma?",
    "Hello, who is Winston Ma?",
    "Thanks to whom did OpenAI grow?",
    "How does this work?",
    "What can I do?",
    "Tôi nên làm gì?",
    "What does the article say about SenseTime?",
    "Bài báo nói gì về SenseTime?",
    "Tell me about Zhipu",
    "Tell me about the CEO of SenseTime",
    "What did Winston Ma say about OpenAI?",
    "Ông Han trong bài báo nói gì?",
    "Justin Lin nói gì về AI Trung Quốc?",
    "What is Sora about to change?",
    "What is the main point of contention between OpenAI and China?",
    "What are the main points of contention between OpenAI and China?",
    "What is the report about the chips that Nvidia released?",
    "What reports did OpenAI publish?",
    "Which report on AI did OpenAI publish?",
    "What book about war did he write?",
    "How many articles did the author write?",
    "How many pages are there?",
    "How many books are there in the library?",
    "Is there a book on the table?",
    "Find the report on the 2022 accident and tell me who was responsible",
    "Which of the documents mentions Sora and what does it say?",
    "What does the report from Goldman Sachs say about chips?",
    "Bài báo về việc bỏ giấy chuyển viện được viết hôm nào?",
    "Bản tóm tắt dành cho các nhà hoạch định chính sách cho biết con người đang làm gì?",
    "Tổng kết mùa giải ai vô địch?",
    "Trong bài báo Jack Ma nói gì?",
    "Which documents are in Hanoi?",
    "What is a synopsis?",
    "What is a summary judgment?",
    "What is the overview effect?",
    "What does the paper cup contain?",
    "What is Z.ai about?",
    "what does article 5 say?",
    "Summarize your answer",
    "What is this?",
    "Nói về gì?",
    "?",
    "",
]


@pytest.mark.parametrize(("kind", "said"), [(kind, one) for kind in TALK for one in TALK[kind]])
def test_who_only_talks_asks_nothing(kind: str, said: str) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic.text) == (Intent.TALK, kind)


@pytest.mark.parametrize("said", LISTING)
def test_who_wants_to_know_which_documents_there_are(said: str) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic) == (Intent.LISTING, ALL)


@pytest.mark.parametrize(("said", "topic"), OTHER_LISTS)
def test_a_list_may_be_of_some_documents(said: str, topic: Topic | None) -> None:
    aim = aim_of(said)
    assert aim == (Aim(Intent.LISTING, topic, aim.language) if topic else Aim(Intent.ANSWER))


@pytest.mark.parametrize(("said", "topic"), SUMMARY)
def test_a_summary_is_of_something(said: str, topic: Topic) -> None:
    aim = aim_of(said)
    assert (aim.intent, aim.topic) == (Intent.SUMMARY, topic)


@pytest.mark.parametrize("said", [one for one, _ in SUMMARY] + LISTING)
def test_it_is_the_same_without_diacritics_capitals_and_punctuation(said: str) -> None:
    plain = fold(said).rstrip("?. ")
    assert aim_of(plain).intent is aim_of(said).intent
    # "post" in small letters is a word for a document.
    if "Post" not in said:
        assert fold(aim_of(plain).topic.text) == fold(aim_of(said).topic.text)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("Summarize the article about SenseTime in Vietnamese", "vi"),
        ("Tóm tắt bài báo về Sora bằng tiếng Anh", "en"),
        ("Summarize the article about SenseTime", ""),
    ],
)
def test_the_language_of_the_answer_may_be_said(said: str, reply: str) -> None:
    aim = aim_of(said)
    assert aim.topic.text in ("SenseTime", "Sora")
    assert aim.reply == reply


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


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Hello, who is Winston Ma?", "who is Winston Ma?"),
        ("Cảm ơn bạn! Jack Ma là ai?", "Jack Ma là ai?"),
        ("hello", "hello"),
        ("Hello!", "Hello!"),
        ("In Paris, who is he?", "In Paris, who is he?"),
        ("Who is he, hello?", "Who is he, hello?"),
        ("", ""),
    ],
)
def test_a_greeting_before_a_question_is_no_part_of_it(said: str, asked: str) -> None:
    assert without_greeting(said) == asked


@given(st.text(), st.sampled_from(["Summarize ", "Tóm tắt ", "hello ", "list all documents "]))
def test_a_topic_is_a_part_of_what_was_said_whatever_it_is(text: str, begins: str) -> None:
    said = begins + text
    aim = aim_of(said)
    if aim.intent in (Intent.SUMMARY, Intent.LISTING):
        assert aim.topic.text in normalize(said)


def test_no_pattern_tries_ever_more_ways_of_matching() -> None:
    """Words that may be cut into phrases in many ways: doubling the time with each would not end."""
    for phrase in ("xin vui long", "ban co the", "could you please", "what is", "co nhung tai lieu nao",
                   "documents about", "list all of the", "bao nhieu tai lieu", "of the"):  # fmt: skip
        longest = " ".join((phrase.split() * 40)[:37])
        for said in (f"{longest} x", f"x {longest} x", f"{longest} x please", f"list {longest} x"):
            assert aim_of(said).topic.text in said
        assert aim_of(f"summarize {longest} x").topic.text.endswith("x")
    chance = random.Random(1)  # noqa: S311 - no secret
    vocabulary = sorted({word for said in [*LISTING, *QUESTIONS] for word in fold(said).split()})
    found = {aim_of(" ".join(chance.choices(vocabulary, k=38))).intent for _ in range(300)}
    assert Intent.ANSWER in found
