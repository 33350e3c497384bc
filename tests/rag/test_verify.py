"""What a quote bears out, and what it does not however many words they share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cite import cite
from rag.index.index import Index
from rag.reasons import told
from rag.types import Reason, ReasonKind, Support
from rag.verify import holds_figures
from tests.rag.conftest import hit_of, lexical_evidence

REFUSED = (Support.UNSUPPORTED, Support.CONTRADICTED)


def judged(sentence: str, passage: str, language: str = "en") -> Support:
    checked = cite(sentence, language, [hit_of(passage, language)], lexical_evidence)
    return checked.sentences[0].support


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("5 million people use it.", "Now 1.5 million people use it."),
        ("It was sold for 1", "It was sold for 1.5 million."),
        ("OpenAI is valued at 90 billion dollars.", "OpenAI is valued at 80 billion dollars."),
        ("OpenAI is valued at 80 million dollars.", "OpenAI is valued at 80 billion dollars."),
        ("OpenAI được định giá 80 triệu USD.", "OpenAI được định giá 80 tỉ USD."),
        ("It began on July 10, 2024.", "It began on July 9, 2024."),
        ("Khoảng cách là 1,6 năm.", "Khoảng cách là 1,5 năm."),
        ("Khoảng cách là 15 năm.", "Khoảng cách là 1,5 năm."),
        ("Tháng 10.2023 có tin.", "Tháng 11.2023 có tin."),
        ("The share fell by 20 percent.", "The share fell."),
    ],
)
def test_a_figure_that_differs_is_never_supported(sentence: str, passage: str) -> None:
    for marker in ("", " [1]"):
        assert judged(sentence + marker, passage) in REFUSED


@given(st.integers(0, 99999), st.integers(0, 99999), st.sampled_from(["", ".", ",", "/"]))
def test_no_two_figures_are_taken_for_one_another(one: int, other: int, mark: str) -> None:
    sentence, passage = f"The price was {one}", f"The price was {other}{mark}7 and rising."
    if str(one) not in (str(other), "7"):
        assert judged(sentence, passage) is not Support.SUPPORTED


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("It was in November 2023.", "It was in November (11.2023)."),
        ("Việc đó vào tháng 11 năm 2023.", "Việc đó vào tháng 11.2023 rồi."),
        ("It cost 1,5 million.", "It cost 1.5 million."),
        ("It cost 80 billion dollars.", "It cost $80bn, in dollars, 80 billion."),
        ("OpenAI được định giá 80 tỷ USD.", "OpenAI được định giá 80 tỉ USD."),
    ],
)
def test_the_same_figure_may_be_written_in_another_way(sentence: str, passage: str) -> None:
    assert holds_figures(passage, sentence)
    assert judged(sentence, passage) is not Support.UNSUPPORTED


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("Profits rose 20 percent.", "Profits fell 20 percent."),
        ("Google bought Baidu.", "Baidu bought Google."),
        ("OpenAI has 80 million offices.", "OpenAI has 80 offices."),
        ("OpenAI has 80 offices.", "OpenAI has 80 million offices."),
        ("OpenAI blocked China.", "OpenAI never blocked China."),
    ],
)
def test_a_reversal_is_never_supported_though_most_words_are_there(
    sentence: str, passage: str
) -> None:
    assert judged(sentence, passage) is not Support.SUPPORTED


def test_a_word_may_take_another_form() -> None:
    passage = "OpenAI announced restrictions on exports of chips."
    assert judged("OpenAI announces restrictions.", passage) is Support.SUPPORTED


@pytest.mark.parametrize("sentence", ["Yes. [1]", "No. [1]", "Không. [1]", "It is so. [1]"])
def test_a_sentence_that_claims_nothing_is_not_supported(sentence: str) -> None:
    passage = "Yes, it is so. No, it is not so. Không, thế thôi."
    assert judged(sentence, passage) is Support.UNSUPPORTED


@pytest.mark.parametrize(
    ("sentence", "passage", "language"),
    [
        (
            "It will not block access in China in July.",
            "It will block access in China in July.",
            "en",
        ),
        ("Mô hình không vượt mức đó năm nay.", "Mô hình vượt mức đó trong năm nay.", "vi"),
        (
            "Now Sam Altman called Sora a Newton moment.",
            "Yin Ye called Sora a Newton moment.",
            "en",
        ),
    ],
)
def test_a_denial_or_another_name_than_in_the_passage_is_contradicted(
    sentence: str, passage: str, language: str
) -> None:
    assert judged(sentence, passage, language) is Support.CONTRADICTED
    assert judged(passage, passage, language) is Support.SUPPORTED


def test_a_sentence_about_something_else_is_unsupported() -> None:
    assert judged("The weather in Paris was lovely.", "Sora makes videos.") is Support.UNSUPPORTED


@pytest.mark.parametrize(
    ("question", "sentence", "language"),
    [
        (
            "Who called Sora a Newton moment?",
            "Yin Ye của BGI gọi Sora là khoảnh khắc Newton.",
            "vi",
        ),
        (
            "Ba mẫu GPU mới là gì?",
            "Nvidia làm 3 mẫu GPU mới là H20, L20 và L2 cho Trung Quốc.",
            "vi",
        ),
        ("Who is Winston Ma?", "Winston Ma is a professor at New York University.", "en"),
        ("What does API stand for?", "API is an application program interface.", "en"),
        (
            "When will OpenAI block China?",
            "OpenAI will block access to its services in China from July 9, 2024.",
            "en",
        ),
    ],
)
def test_paraphrases_of_the_seeds_are_supported(
    question: str, sentence: str, language: str, seeds_index: Index
) -> None:
    hits = seeds_index.search(question, 6)
    checked = cite(sentence, language, hits, seeds_index.evidence)
    assert checked.sentences[0].support is Support.SUPPORTED


@pytest.mark.parametrize(
    ("question", "sentence", "language"),
    [
        ("OpenAI được định giá bao nhiêu?", "OpenAI được định giá ở mức 90 tỉ USD [1].", "vi"),
        ("OpenAI được định giá bao nhiêu?", "Sora được định giá ở mức 80 tỉ USD [1].", "vi"),
        ("Mô hình nào đã vượt Llama?", "Llama của Meta đã vượt Qwen của Alibaba [1].", "vi"),
        (
            "Who is Winston Ma?",
            "Winston Ma is a professor at New York University and a convicted fraudster. [1]",
            "en",
        ),
        (
            "Who is Winston Ma?",
            "Winston Ma was dismissed as a professor at New York University. [1]",
            "en",
        ),
        ("Who is Winston Ma?", "Winston Ma grows roses in a garden near Lisbon. [1]", "en"),
        ("Who called Sora a Newton moment?", "Sora was painted by a robot in Hanoi. [1]", "en"),
    ],
)
def test_inventions_about_the_seeds_are_not_supported(
    question: str, sentence: str, language: str, seeds_index: Index
) -> None:
    hits = seeds_index.search(question, 6)
    checked = cite(sentence, language, hits, seeds_index.evidence)
    assert checked.sentences[0].support is not Support.SUPPORTED


REASONS = [
    (
        "OpenAI was valued at 80 billion.",
        "OpenAI was valued at 60 billion.",
        "figure",
        "60 billion",
    ),
    ("It opened on July 9, 2024.", "It opened on July 10, 2024.", "date", "July 10, 2024"),
    ("The line is 40 km long.", "The line is 40 metres long.", "unit", "40 metres"),
    ("It sells 500 books a day.", "It sells 500 books a year.", "unit", "time:year"),
    ("Nobody but Sam Altman called it new.", "Nobody but Yin Ye called it new.", "name", "Yin Ye"),
    ("OpenAI will not block China.", "OpenAI will block China.", "negation", ""),
    ("Profits rose in Hanoi.", "Profits fell in Hanoi.", "relation", "fell"),
    ("More than 400 came to Hanoi.", "Fewer than 400 came to Hanoi.", "relation", "400"),
    ("Google bought Baidu.", "Baidu bought Google.", "relation", ""),
    ("Alibaba's Qwen overtook Llama.", "Meta's Qwen overtook Llama.", "relation", "Meta"),
]


@pytest.mark.parametrize(("sentence", "passage", "kind", "found"), REASONS)
def test_what_contradicts_is_named(sentence: str, passage: str, kind: str, found: str) -> None:
    checked = cite(f"{sentence} [1]", "en", [hit_of(passage, "en")], lexical_evidence)
    (one,) = checked.sentences
    assert one.support is Support.CONTRADICTED
    assert one.reasons[0].contradicts
    assert (one.reasons[0].kind, one.reasons[0].found) == (kind, found)
    for language in ("en", "vi", "fr"):
        assert one.reasons[0].said in told(one.reasons[0], language)
    assert judged(passage, passage) is Support.SUPPORTED


def test_every_reason_can_be_told_in_the_languages_that_have_reasons() -> None:
    for kind in ReasonKind:
        for reason in (Reason(kind, "80", "60"), Reason(kind, "80"), Reason(kind)):
            for language in ("en", "vi"):
                assert "{" not in told(reason, language)


def test_a_quotation_must_be_word_for_word_in_the_passage() -> None:
    passage = "Yin Ye called Sora a Newton moment of the whole field."
    assert judged("Yin Ye said “Sora is a Newton moment of it all”. [1]", passage) in REFUSED
    true = "Yin Ye called Sora “a Newton moment of the whole field”. [1]"
    assert judged(true, passage) is Support.SUPPORTED


def test_a_date_without_a_year_is_of_the_year_of_its_document() -> None:
    passage = "OpenAI will stop its services in China on July 9."  # of a document of 2024
    assert judged("OpenAI will stop its services in China on July 9, 2024.", passage) is (
        Support.SUPPORTED
    )
    assert judged("OpenAI will stop its services in China on July 9, 2023.", passage) in REFUSED


def test_what_was_corrected_and_what_was_written_is_kept() -> None:
    hits = [hit_of("Sora makes videos.", "en", 1), hit_of("Baidu sells maps.", "en", 2)]
    wrong, right, none = cite(
        "Baidu sells maps. [1] Sora makes videos [1][7]. Sora makes videos.",
        "en",
        hits,
        lexical_evidence,
    ).sentences
    assert (wrong.corrected, wrong.written, wrong.citations[0].marker) == (True, (1,), 2)
    assert (right.corrected, right.written) == (False, (1,))
    assert (none.corrected, none.written, none.citations[0].marker) == (True, (), 1)


def test_numbers_that_name_no_passage_are_counted() -> None:
    hits = [hit_of("Sora makes videos.", "en", 1)]
    checked = cite("Sora [4] makes videos [1, 7, 9]. [12]", "en", hits, lexical_evidence)
    assert checked.removed_markers == 4
    assert checked.text == "Sora makes videos [1]."


def test_a_true_translation_is_supported_and_an_altered_one_is_not(seeds_index: Index) -> None:
    hits = seeds_index.search("OpenAI được định giá bao nhiêu?", 6)
    for sentence, support in (
        ("OpenAI is valued at $80 billion.", Support.SUPPORTED),
        ("OpenAI is valued at $60 billion.", Support.CONTRADICTED),
        ("OpenAI is valued at 80 billion euros.", Support.CONTRADICTED),
    ):
        checked = cite(
            sentence, "en", hits, seeds_index.evidence, aligned=seeds_index.aligned
        ).sentences[0]
        assert checked.support is support
        assert "80 tỉ USD" in checked.citations[0].quote
