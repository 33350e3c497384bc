from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index.lexical import FOLDED_WEIGHT, Lexical, calibrate
from rag.index.records import Span
from rag.index.selection import selected
from rag.text import fold, words

TEXTS = {
    1: "Khoảnh khắc Newton của trí tuệ nhân tạo",
    2: "Đông Nam Á đang chờ đợi điều đó",
    3: "OpenAI cut off its services in China on July 9, 2024",
    4: "Khoanh một vùng khác trên bản đồ",
    5: "人工智能的牛顿时刻",
    6: "Sora, Sora, Sora and once more Sora",
}
# Each passage is all of its document, whose number is ten times its own.
ROWS = [(number, 10 * number, text) for number, text in TEXTS.items()]


@pytest.fixture(scope="module")
def lexical() -> Lexical:
    return Lexical.empty().changed((), ROWS)


def search(
    lexical: Lexical, question: str, k: int = 10, documents: list[int] | None = None
) -> list[int]:
    """What is found, in the order of the scores."""
    among = documents if documents is None else selected([Span(d, d // 10, 1) for d in documents])
    found = lexical.search(words(question), k, among)
    scores = lexical.scores(words(question), found)
    assert set(scores) == set(found)
    return sorted(found, key=lambda passage: -scores[passage])


@pytest.mark.parametrize("question", ["nhân tạo", "nhan tao", "NHÂN TẠO", "nhàn tào"])
def test_diacritics_and_case_do_not_hide_a_passage(lexical: Lexical, question: str) -> None:
    assert search(lexical, question)[0] == 1


def test_composition_does_not_matter(lexical: Lexical) -> None:
    question = "trí tuệ nhân tạo"
    decomposed = unicodedata.normalize("NFD", question)
    assert lexical.search(words(question), 5) == lexical.search(words(decomposed), 5)


def test_d_with_and_without_stroke_find_each_other(lexical: Lexical) -> None:
    assert search(lexical, "doi") == [2]
    assert search(lexical, "đợi") == [2]
    assert search(lexical, "dien hoặc đong")[0] == 2


def test_what_was_typed_with_diacritics_counts_more(lexical: Lexical) -> None:
    scores = lexical.scores(words("khoảnh"), list(TEXTS))
    assert set(scores) == {1, 4}
    assert scores[1] > scores[4]


def test_chinese_is_found_by_pairs_of_characters(lexical: Lexical) -> None:
    assert search(lexical, "牛顿是谁") == [5]
    assert search(lexical, "顿牛") == []


def test_figures_are_words(lexical: Lexical) -> None:
    assert search(lexical, "2024") == [3]


def test_only_allowed_documents_are_searched(lexical: Lexical) -> None:
    assert search(lexical, "khoảnh newton china sora", documents=[30, 40, 999]) == [3, 4]
    assert search(lexical, "khoảnh newton", documents=[]) == []


@pytest.mark.parametrize("share", [0, 1, 10, 50, 90, 99, 100])
@pytest.mark.parametrize("k", [1, 7, 40, 500])
def test_the_best_of_a_selection_are_found_whatever_its_share(k: int, share: int) -> None:
    rows = [(n, n, "violin " * (n % 7) + f"number{n} " * (n % 5) + "sold") for n in range(1, 301)]
    made = Lexical.empty().changed((), rows)
    # The passages that hold the word most often are those that are left out first.
    chosen = sorted(range(1, 301), key=lambda n: n % 7)[: 3 * share]
    among = selected([Span(n, n, 1) for n in chosen])
    found = made.search(["violin"], k, among)
    holders = sorted((n for n in chosen if n % 7), key=lambda n: -made.scores(["violin"], [n])[n])
    assert len(found) == len(set(found)) == min(k, len(holders))
    assert set(found) <= set(holders)
    scores = made.scores(["violin"], holders)
    assert sorted((scores[n] for n in found), reverse=True) == pytest.approx(
        [scores[n] for n in holders[:k]]
    )


def test_as_many_as_wanted_and_the_best_first(lexical: Lexical) -> None:
    assert search(lexical, "newton khoảnh khắc sora china", k=1) == [1]
    assert len(search(lexical, "newton khoanh khac sora china", k=3)) == 3
    both_ways = search(lexical, "newton khoảnh khắc sora china", k=3)
    assert 3 <= len(both_ways) == len(set(both_ways)) <= 6


def test_a_question_without_words_finds_nothing(lexical: Lexical) -> None:
    assert search(lexical, "?!") == []
    assert search(Lexical.empty(), "china") == []


def test_a_change_leaves_earlier_snapshots_alone(tmp_path: Path) -> None:
    (tmp_path / "lexical").mkdir()
    before = Lexical.empty(tmp_path / "lexical").changed((), ROWS)
    after = before.changed([3, 999], [(9, 90, "China and something else")])
    assert (len(before), len(after)) == (6, 6)
    assert search(before, "china") == [3]
    assert search(after, "china") == [9]
    read = Lexical.read(tmp_path / "lexical")
    assert read is not None
    assert search(read, "china") == [9]


@pytest.mark.parametrize("damage", ["no folder", "empty folder", "empty meta"])
def test_a_missing_or_damaged_folder_is_not_read(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "lexical"
    if damage != "no folder":
        folder.mkdir()
    if damage == "empty meta":
        (folder / "meta.json").touch()
    assert Lexical.read(folder) is None


def test_rare_words_weigh_more_and_folded_ones_less(lexical: Lexical) -> None:
    weights = lexical.rarity(["khoảnh", "sora", "doi", "unheard"])
    assert weights["unheard"] > weights["sora"]
    assert weights["doi"] == pytest.approx(FOLDED_WEIGHT * weights["sora"])


@given(
    texts=st.lists(
        st.text("ab đaạ中文\u0301 .19", min_size=1, max_size=40), min_size=1, max_size=8
    ),
    question=st.text("ab đaạ中文\u0301 .19", max_size=20),
    removed=st.integers(0, 8),
)
@settings(max_examples=20, deadline=None)
def test_calibrated_scores_are_shares(texts: list[str], question: str, removed: int) -> None:
    rows = [(number, number, text) for number, text in enumerate(texts, start=1)]
    made = Lexical.empty().changed((), rows).changed(range(1, removed + 1), ())
    asked = words(question)
    found = made.search(asked, 10)
    shares = calibrate(made.scores(asked, found), made.rarity(asked))
    assert set(found) == set(shares)
    assert all(0 < share <= 1 for share in shares.values())
    holders = {
        number
        for number, text in enumerate(texts, start=1)
        if number > removed and set(map(fold, words(text))) & {fold(w) for w in asked} - {""}
    }
    assert set(shares) == holders


@given(
    texts=st.lists(st.text("ab đaạ .19", min_size=1, max_size=40), min_size=2, max_size=8),
    question=st.text("ab đaạ .19", max_size=20),
    data=st.data(),
)
@settings(max_examples=20, deadline=None)
def test_scores_do_not_depend_on_how_passages_came_in(
    texts: list[str], question: str, data: st.DataObject
) -> None:
    rows = [(number, 1, text) for number, text in enumerate(texts, start=1)]
    gone = data.draw(st.sets(st.sampled_from(range(1, len(texts) + 1))))
    fresh = Lexical.empty().changed((), [row for row in rows if row[0] not in gone])
    changed = Lexical.empty()
    for row in rows:
        changed = changed.changed((), [row])
    changed = changed.changed(gone, ())
    asked, ids = words(question), [row[0] for row in rows]
    assert changed.scores(asked, ids) == fresh.scores(asked, ids)
    assert changed.rarity(asked) == fresh.rarity(asked)
    assert changed.ids() == fresh.ids() == set(ids) - gone


def test_many_passages_are_scored_as_few_are() -> None:
    rows = [(n, n, "violin " * (n % 7) + "sold") for n in range(1, 901)]
    made = Lexical.empty().changed((), rows)
    ids = list(range(1, 901))
    few = [made.scores(["violin"], ids[start : start + 90]) for start in range(0, 900, 90)]
    assert made.scores(["violin"], ids) == {n: score for part in few for n, score in part.items()}


def test_without_words_there_is_nothing_to_share() -> None:
    assert calibrate({1: 2.0}, {}) == {}


ABROAD = [
    (1, 1, "Mỹ và Trung Quốc ký thỏa thuận trị giá 80 tỉ USD."),
    (2, 2, "Trung Quốc nói về tháng 11.2023."),
    (3, 3, "Ca sĩ hát một bài."),
    (4, 4, "In China, China and once more China."),
]


def test_names_and_figures_find_each_other_across_languages() -> None:
    made = Lexical.empty().changed((), ABROAD)
    assert made.search([], 5, None, ["number:80000000000"]) == [1]
    assert made.search(["november"], 5, None, ["month:2023-11"]) == [2]
    assert set(made.search(["china"], 5, None, ["territory:cn"])) == {1, 2, 4}
    among = selected([Span(2, 2, 1), Span(3, 3, 1)])
    assert made.search([], 5, among, ["territory:cn"]) == [2]
    assert made.search(["china"], 5) == [4]


def test_concepts_are_scored_apart_from_words() -> None:
    made = Lexical.empty().changed((), ABROAD)
    scores = made.concept_scores(["territory:cn", "territory:us"], [1, 2, 3, 4])
    assert set(scores) == {1, 2, 4}
    assert max(scores, key=lambda one: scores[one]) == 1
    rarity = made.concept_rarity(["territory:cn", "territory:us", "territory:fr"])
    assert rarity["territory:cn"] < rarity["territory:us"] < rarity["territory:fr"]
    assert all(0 < share < 1 for share in calibrate(scores, rarity).values())
    assert made.scores(["territory"], [1, 2, 3, 4]) == {}


def test_scores_of_concepts_do_not_depend_on_how_passages_came_in() -> None:
    changed = Lexical.empty()
    for row in ABROAD:
        changed = changed.changed((), [row])
    changed = changed.changed([1], ())
    fresh = Lexical.empty().changed((), ABROAD[1:])
    asked = ["territory:cn", "month:11"]
    assert changed.concept_scores(asked, [1, 2, 3, 4]) == fresh.concept_scores(asked, [2, 3, 4])
    assert changed.concept_rarity(asked) == fresh.concept_rarity(asked)


def test_what_was_read_for_one_score_serves_the_other() -> None:
    made = Lexical.empty().changed((), ABROAD)
    for ids in ([1, 2], [3, 4], [1, 2]):
        words_first = made.scores(["trung"], ids), made.concept_scores(["territory:cn"], ids)
        other = Lexical.empty().changed((), ABROAD)
        concepts_first = other.concept_scores(["territory:cn"], ids), other.scores(["trung"], ids)
        assert words_first == (concepts_first[1], concepts_first[0])
