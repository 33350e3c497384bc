from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.evals.benchmarks.synthetic import HashingEmbedder, Language
from rag.index.chunk import chunk
from rag.index.embed import Embedder
from rag.index.load import load
from rag.text import normalize
from rag.types import Document, Passage

PIECES = st.sampled_from(
    [
        *("Một câu. ", "Hai câu! ", "A sentence, with a tail; and more. ", "# Heading\n", "\n\n"),
        *("- item\n", "| a | b |\n", "中文句子。", "没有标点的中文", "שלום עולם. ", "مرحبا. "),
        *(
            "e\u0301",
            "\u0323",
            "👩‍👩‍👧",
            "🇻🇳",
            "a" * 90,
            " \u3000\t",
            "\n",
            "“Quote.” ",
            "TP. HCM ",
        ),
        *("\u200b", "\u2028", "\x1c", "word " * 40),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=25).map("".join),
    st.text("ab .\n", max_size=99),
)


def count_words(texts: Sequence[str]) -> list[int]:
    """A token is a word of at most four characters, or four characters of a longer one."""
    return [sum(-(-len(word) // 4) for word in text.split()) for text in texts]


def check(document: Document, passages: list[Passage], limit: int) -> None:
    text, end = document.text, 0
    for passage in passages:
        assert end <= passage.start < passage.end <= len(text)
        assert not text[end : passage.start].strip()
        assert passage.text == text[passage.start : passage.end]
        end = passage.end
    assert not text[end:].strip()
    assert max(count_words([passage.text for passage in passages]), default=0) <= limit


@given(TEXTS, st.integers(4, 60), st.sampled_from(["en", "vi", "zh", "xx"]))
@example("a" * 5000, 10, "en")
@example("không có dấu chấm nào cả " * 200, 12, "vi")
@example("中" * 3000, 20, "zh")
@example("e\u0301\u0323" * 1000, 5, "en")
def test_passages_lie_in_order_cover_the_text_and_respect_the_limit(
    raw: str, limit: int, language: str
) -> None:
    document = Document("file:///a.txt", "a", language, normalize(raw))
    check(document, chunk(document, count_words, limit), limit)


def test_no_passage_of_the_seeds_is_longer_than_the_embedder_reads(
    seeds: Path, embedder: Embedder
) -> None:
    for path in seeds.glob("*.txt"):
        (document,) = load(path).documents
        passages = chunk(document, embedder.count_tokens, embedder.max_tokens)
        counts = embedder.count_tokens([passage.text for passage in passages])
        assert max(counts) <= embedder.max_tokens
        assert len(passages) <= 2 + 3 * sum(counts) // embedder.max_tokens


@pytest.mark.parametrize("mark", ["", "## "])
def test_a_heading_stays_with_what_it_heads(mark: str) -> None:
    heading = f"{mark}OpenAI’s Sudden Departure"
    text = f"{'Some words before it. ' * 5}\n\n{heading}\n\n{'What it heads follows. ' * 5}"
    document = Document("file:///a.md", "a", "en", text)
    passages = chunk(document, count_words, 40)
    assert len(passages) == 2
    assert passages[1].text.startswith(heading)


@pytest.mark.parametrize(
    "line", ["Name: n{}; Room: r{}; Phone: p{}", "n{}; r{}; p{}", "a note {} {} {}"]
)
def test_rows_and_lines_without_full_stops_are_packed_as_others_are(line: str) -> None:
    text = "\n\n".join(line.format(number, number, number) for number in range(60))
    document = Document("file:///a.md", "a", "en", text)
    passages = chunk(document, count_words, 60)
    assert len(passages) < 25
    check(document, passages, 60)


def test_a_passage_ends_at_a_paragraph_break_where_one_is_near() -> None:
    text = "One two three four. Five six seven.\n\nEight nine ten. Eleven twelve."
    document = Document("file:///a.txt", "a", "en", text)
    assert [p.text for p in chunk(document, count_words, 15)] == text.split("\n\n")


def test_an_endless_word_is_cut_even_where_the_embedder_counts_it_as_one() -> None:
    document = Document("file:///a.txt", "a", "en", "a" * 20_000)
    count_tokens = HashingEmbedder().count_tokens
    assert count_tokens([document.text]) == [1]
    passages = chunk(document, count_tokens, 254)
    assert max(len(passage.text) for passage in passages) <= 5000
    assert "".join(passage.text for passage in passages) == document.text


def test_the_work_grows_with_the_length_of_a_text_and_not_faster() -> None:
    def characters_counted(length: int) -> int:
        counted = 0

        def count(texts: Sequence[str]) -> list[int]:
            nonlocal counted
            counted += sum(map(len, texts))
            return count_words(texts)

        text = "words without any end " * (length // 22)
        chunk(Document("file:///a.txt", "a", "en", text), count, 100)
        return counted

    assert characters_counted(160_000) < 6 * characters_counted(40_000)


def test_a_new_first_sentence_of_a_long_paragraph_changes_few_passages() -> None:
    text = Language().sentences(2000)
    before, after = (
        {each.text for each in chunk(Document("made:1", "a", "en", made), count_words, 100)}
        for made in (text, f"Nobody ever said this. {text}")
    )
    assert len(after) > 400
    assert len(after - before) <= 10


def test_a_text_without_blank_lines_is_still_packed_well() -> None:
    text = Language().sentences(2000)
    passages = chunk(Document("made:1", "a", "en", text), count_words, 100)
    (tokens,) = count_words([text])
    assert len(passages) <= 1.15 * tokens / (100 - 12)  # a sentence has 12 tokens


def test_a_section_ends_at_a_line_end_where_there_is_one_and_never_behind_a_heading() -> None:
    language = Language()
    text = "\n".join(f"# {language.sentences(1)[:-1]}\n{language.sentences(3)}" for _ in range(400))
    passages = chunk(Document("made:1", "a", "en", text), count_words, 1000)
    assert len(passages) > 20
    assert not [each for each in passages if each.text.rpartition("\n")[2].startswith("#")]


@pytest.mark.parametrize("text", [Language().sentences(5000), "words without any end " * 60_000])
def test_a_long_text_is_not_tokenized_at_once(text: str) -> None:
    most = 0

    def count(texts: Sequence[str]) -> list[int]:
        nonlocal most
        most = max(most, sum(map(len, texts)))
        return count_words(texts)

    document = Document("made:1", "a", "en", text)
    check(document, chunk(document, count, 100), 100)
    assert 0 < most < len(text) / 10


def test_a_passage_knows_the_page_it_begins_on() -> None:
    text = "First page. " * 6 + "\n\n" + "Second page. " * 6
    document = Document("file:///a.pdf", "a", "en", text, pages=(0, text.index("Second")))
    assert [passage.page for passage in chunk(document, count_words, 30)] == [1, 2]


def test_a_text_of_white_space_has_no_passages() -> None:
    assert chunk(Document("file:///a.txt", "a", "en", " \n\n "), count_words, 10) == []
