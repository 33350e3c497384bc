"""Markers, quotes and offsets of a checked answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite import Cited, cite
from rag.index.index import Index
from rag.text import words
from rag.types import Hit, Support
from tests.rag.conftest import hit_of, lexical_evidence

PARTS = [
    *"[]【】(),;.!?“”\"'-–# \n\t１٣é😀\u200b\u200f\ufeff\x00\ud800",
    "[1]",
    " [2]",
    "[1, 2]",
    "[9]",
]
PARTS += [
    "\r\n",
    "1. ",
    "2,5 tỉ ",
    "11.2023",
    "1.5 billion",
    "Sora",
    " Newton",
    "e\u0301",
    "谁说的",
    "مرحبا",
]
PARTS += [
    "Yin Ye called Sora a Newton moment. ",
    "không ",
    "\U0001d15e",
    "TP. ",
    "It is\u00a0new.",
    "\n[1] ",
]
ANSWERS = st.lists(st.sampled_from(PARTS)).map("".join) | st.text()
DOCUMENTS = st.tuples(
    st.lists(st.sampled_from(PARTS), min_size=1).map("".join) | st.text(min_size=1),
    st.sampled_from(["en", "vi", "zh", "xx"]),
    st.integers(0, 40),
)


def checked(text: str, hits: Sequence[Hit], language: str = "en") -> Cited:
    return cite(text, language, hits, lexical_evidence)


@settings(max_examples=300)
@given(ANSWERS, st.lists(DOCUMENTS, min_size=1, max_size=3), st.sampled_from(["en", "vi"]))
def test_every_citation_and_every_sentence_is_exact(
    text: str, documents: list[tuple[str, str, int]], language: str
) -> None:
    hits = [
        hit_of(content, own, number, start=min(begin, len(content) - 1))
        for number, (content, own, begin) in enumerate(documents, start=1)
    ]
    answer = checked(text, hits, language)
    reached, between = 0, ""
    for sentence in answer.sentences:
        assert reached <= sentence.start < sentence.end
        assert answer.text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip()
        between += answer.text[reached : sentence.start]
        reached = sentence.end
        marked = {int(number) for number in re.findall(r"[\[](\d+)\]", sentence.text)}
        assert {one.marker for one in sentence.citations} <= marked
        for citation in sentence.citations:
            hit = hits[citation.marker - 1]
            assert (citation.document, citation.passage) == (hit.document, hit.passage)
            assert hit.passage.start <= citation.start <= citation.end <= hit.passage.end
            assert citation.document.text[citation.start : citation.end] == citation.quote
    assert not words(between + answer.text[reached:])
    answer.text.encode("utf-8")


@given(ANSWERS)
def test_every_marker_that_is_left_is_a_citation_of_its_sentence(text: str) -> None:
    hits = [hit_of("Yin Ye called Sora a Newton moment. It is new in 11.2023.", "en")]
    answer = checked(text, hits)
    for match in re.finditer(r"\[(\d{1,3})\](?!\()", answer.text):
        owners = [one for one in answer.sentences if one.start <= match.start() < one.end]
        assert [c.marker for one in owners for c in one.citations] == [int(match[1])]


def test_markers_of_passages_that_do_not_exist_are_removed(hits: list[Hit]) -> None:
    answer = checked("Yin Ye called Sora a Newton moment [7][1][0]. [12]", hits)
    assert answer.text == "Yin Ye called Sora a Newton moment[1]."


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("[1, 2]", "[1][2]"),
        ("[1,2,9]", "[1][2]"),
        ("[1; 2]", "[1][2]"),
        ("[1-2]", "[1][2]"),
        ("[1–9]", "[1][2]"),
        ("【2】【1】", "[2][1]"),
        ("【1，2】", "[1][2]"),
        ("[1] [2]", "[1] [2]"),
    ],
)
def test_the_forms_in_which_models_write_markers(written: str, kept: str, hits: list[Hit]) -> None:
    answer = checked(f"Yin Ye called Sora a Newton moment {written}.", hits)
    assert answer.text == f"Yin Ye called Sora a Newton moment {kept}."
    assert sorted(one.marker for one in answer.sentences[0].citations) == [1, 2]


def test_a_link_and_a_year_in_brackets_are_no_markers(hits: list[Hit]) -> None:
    text = "Yin Ye called Sora a Newton moment, [1](https://example.org) [2023]"
    assert checked(text, hits).text.startswith(text)


def test_a_missing_marker_is_added(hits: list[Hit]) -> None:
    answer = checked(
        "Yin Ye, the head of BGI, called Sora a Newton moment. Nobody knows Peru.", hits
    )
    assert answer.text == (
        "Yin Ye, the head of BGI, called Sora a Newton moment. [1] Nobody knows Peru."
    )
    assert [one.support for one in answer.sentences] == [Support.SUPPORTED, Support.UNSUPPORTED]


def test_a_wrong_marker_is_put_right(hits: list[Hit]) -> None:
    answer = checked("OpenAI was valued at 1.5 billion dollars in 2023. [2]", hits)
    assert answer.text == "OpenAI was valued at 1.5 billion dollars in 2023. [1]"
    assert (
        answer.sentences[0].citations[0].quote
        == "OpenAI was valued at 1.5 billion dollars in 2023."
    )


def test_a_right_marker_stays_where_it_is(hits: list[Hit]) -> None:
    text = "Yin Ye [1] called Sora a Newton moment. It is new [1]."
    assert checked(text, hits).text == text


def test_a_marker_belongs_to_the_sentence_before_it_or_to_the_line_it_opens(
    hits: list[Hit],
) -> None:
    behind = checked("It is new. [1] Yin Ye called Sora a Newton moment. [1]", hits)
    assert [one.text for one in behind.sentences] == [
        "It is new. [1]",
        "Yin Ye called Sora a Newton moment. [1]",
    ]
    before = checked("[1] It is new.\n [1] Yin Ye called Sora a Newton moment.", hits)
    assert [one.text for one in before.sentences] == [
        "[1] It is new.",
        "[1] Yin Ye called Sora a Newton moment.",
    ]


def test_a_quote_is_found_word_for_word_across_odd_white_space(hits: list[Hit]) -> None:
    for written in ("“It is new.”", "It\u00a0is\r\n\tnew.", "IT IS NEW"):
        answer = checked(f"{written} [1]", hits)
        citation = answer.sentences[0].citations[0]
        assert citation.quote.strip("“”.") == "It  is\nnew"
        assert citation.support is not Support.UNSUPPORTED


def test_a_quote_in_another_unicode_composition_is_found(hits: list[Hit]) -> None:
    sentence = "Ông Yin Ye gọi Sora là khoảnh khắc Newton."
    answer = checked(unicodedata.normalize("NFD", sentence), hits, "vi")
    assert answer.text == f"{sentence} [2]"
    assert answer.sentences[0].citations[0].quote == sentence


def test_the_number_of_a_list_item_is_no_figure_to_be_borne_out(hits: list[Hit]) -> None:
    answer = checked("7. Yin Ye called Sora a Newton moment. [1]\n8) It is new. [1]", hits)
    assert [one.support for one in answer.sentences] == [Support.SUPPORTED] * 2


@pytest.mark.parametrize("text", ["", "…", "😀 !", "[1]", "[9]"])
def test_a_text_without_words_has_no_sentences(text: str, hits: list[Hit]) -> None:
    answer = checked(text, hits)
    assert answer.sentences == ()
    assert not words(answer.text)


def test_a_long_answer_full_of_markers_and_white_space_is_no_trouble(hits: list[Hit]) -> None:
    text = " " * 50_000 + "It is new [1]. " * 200
    assert len(checked(text, hits).sentences) == 200


def test_a_paraphrase_of_the_seeds_is_cited_to_the_sentence_it_is_from(seeds_index: Index) -> None:
    hits = seeds_index.search("What did SenseTime unveil at the World AI Conference?", 6)
    text = "SenseTime presented its new model SenseNova 5.5 at the World AI Conference in Shanghai."
    answer = cite(text, "en", hits, seeds_index.evidence)
    (citation,) = answer.sentences[0].citations
    assert citation.document.name == "001_31d3efc9b029c984.txt"
    assert citation.document.text[citation.start : citation.end] == citation.quote
    assert citation.quote.startswith("At the World AI Conference in Shanghai, SenseTime unveiled")
    assert citation.support is not Support.UNSUPPORTED
