from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.errors import QuestionError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.copies import Wording
from rag.index.diversity import diverse
from rag.index.embed import CachedEmbedder, Embedder
from rag.index.fusion import Parts, fused
from rag.index.index import Index
from rag.index.records import Reader, Span, lies_in
from rag.index.search import content_words, coverage
from rag.settings import RetrievalSettings, Settings
from rag.types import Held, Hit
from tests.index.conftest import CountingEmbedder

TOPICS = ("coffee", "river", "violin", "glacier", "parliament", "bicycle", "volcano", "bakery")


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, embedder: Embedder
) -> Index:
    """Sixteen dated documents, eight in each language, all about one company's decision."""
    folder = tmp_path_factory.mktemp("library")
    for number, topic in enumerate(TOPICS, start=1):
        (folder / f"{topic}.txt").write_text(
            f"2024-0{number}-01\nThe company decided to sell every {topic} that it owned, and "
            f"the people who worked with the {topic} were told in the morning.",
            "utf-8",
        )
        (folder / f"bản tin {number}.txt").write_text(
            f"01/0{number}/2025\nCông ty quyết định bán toàn bộ tài sản số {number} của mình, và "
            f"những người làm việc ở {topic} được báo tin vào buổi sáng.",
            "utf-8",
        )
    index = Index.create(tmp_path_factory.mktemp("index"), settings, embedder)
    assert not index.add(folder).failed
    return index


def score_of(hit: Hit, dense_weight: float) -> float:
    """What the parts of a hit come to."""
    four = (hit.lexical, hit.concepts, hit.dense, hit.aligned)
    lexical, concepts, dense, aligned = (np.array([one], dtype=np.float32) for one in four)
    parts = Parts(lexical, concepts, dense, aligned)
    return float(fused(parts, dense_weight)[0])


@given(st.one_of(st.text(min_size=1, max_size=40), st.sampled_from(["Sora", "AI?", "tại sao"])))
@hypothesis_settings(max_examples=10, deadline=None)
def test_scores_are_shares_and_passages_exact(seeds_index: Index, question: str) -> None:
    if not question.strip():
        return
    weight = seeds_index.settings.retrieval.dense_weight
    for hit in seeds_index.search(question, 4):
        assert 0 <= hit.lexical <= 1
        assert 0 <= hit.dense <= 1
        assert 0 <= hit.concepts <= 1
        assert 0 <= hit.aligned <= 1
        assert hit.score == pytest.approx(score_of(hit, weight), abs=1e-6)
        assert hit.document.text[hit.passage.start : hit.passage.end] == hit.passage.text


@pytest.mark.parametrize("k", [1, 3, 7, 16])
def test_as_many_passages_as_wanted(library: Index, k: int) -> None:
    hits = library.search("the company sold the violin", k)
    assert len(hits) == k
    assert len({hit.passage.id for hit in hits}) == k
    assert "violin" in hits[0].passage.text


def test_more_than_there_are_gives_all(library: Index) -> None:
    assert len(library.search("company", 100)) == 16


def test_every_condition_still_fills_the_list(library: Index) -> None:
    question = "Who sold the violin?"
    english = library.search(question, 8, language="en")
    vietnamese = library.search(question, 8, language="vi")
    late = library.search(question, 4, since=dt.date(2025, 5, 1))
    early = library.search(question, 4, until=dt.date(2024, 4, 1))
    named = library.search(question, 8, source="BẢN TIN")
    both = library.search(question, 3, language="en", since=dt.date(2024, 6, 1))
    assert [len(found) for found in (english, vietnamese, late, early, named, both)] == [
        *(8, 8, 4, 4, 8, 3),
    ]
    assert {hit.document.language for hit in english} == {"en"}
    assert {hit.document.language for hit in vietnamese} == {"vi"}
    assert min(hit.document.published or dt.date.min for hit in late) >= dt.date(2025, 5, 1)
    assert max(hit.document.published or dt.date.max for hit in early) <= dt.date(2024, 4, 1)
    assert all(hit.document.name.startswith("bản tin") for hit in named)


def test_conditions_nothing_meets_give_nothing(library: Index) -> None:
    assert library.search("company", language="zh") == []
    assert library.search("company", source="no such name") == []


def test_a_document_that_is_the_same_twice_is_found_once(
    tmp_path: Path, empty_index: Index
) -> None:
    for name in ("one.txt", "two.txt", "three.txt"):
        (tmp_path / name).write_text("The violin was sold in the morning.", "utf-8")
    (tmp_path / "other.txt").write_text("A volcano erupted near the old harbour.", "utf-8")
    empty_index.add(sorted(tmp_path.glob("*.txt")))
    hits = empty_index.search("violin", 4)
    assert [hit.document.name for hit in hits] == ["one.txt", "other.txt"]


def test_copies_of_one_text_do_not_crowd_out_the_others(tmp_path: Path, settings: Settings) -> None:
    index = Index.create(tmp_path / "index", settings, HashingEmbedder(32, 64))
    papers = tmp_path / "papers"
    papers.mkdir()
    for number in range(120):
        (papers / f"copy{number}.txt").write_text("The violin was sold.", "utf-8")
    for number, topic in enumerate((*TOPICS, "harbour", "museum")):
        (papers / f"{number}.txt").write_text(f"A {topic} and a violin there.", "utf-8")
    index.add(papers)
    hits = index.search("the violin was sold", 5)
    assert len({hit.passage.text for hit in hits}) == 5
    assert hits[0].passage.text == "The violin was sold."
    hits = index.search("the violin was sold", 40)
    assert len({hit.passage.text for hit in hits}) == len(hits) == 11
    among = index.search("violin sold", 5, source="copy")
    assert len(among) == 1


def test_copies_of_what_was_found_leave_nothing_to_score(
    tmp_path: Path, empty_index: Index
) -> None:
    for number in range(300):
        (tmp_path / f"copy{number}.txt").write_text("The violin was sold.", "utf-8")
    empty_index.add(sorted(tmp_path.glob("*.txt")))
    assert len(empty_index.search("the violin was sold", 5)) == 1


@pytest.mark.parametrize("folder", ["papers", "papers/a#b", "papers/a", "papers/é", "papers/ 1"])
def test_what_lies_in_a_folder_is_what_its_uri_says(
    tmp_path: Path, settings: Settings, folder: str
) -> None:
    index = Index.create(tmp_path / "index", settings, HashingEmbedder(32, 64))
    for name in ("a", "a#b", "a0", "ab", "é", "éa", " 1", " 10", "a.b"):
        (tmp_path / "papers" / name).mkdir(parents=True)
        for file in ("one.txt", "two#.txt"):
            (tmp_path / "papers" / name / file).write_text(f"A violin of {name} {file}.")
    index.add(tmp_path / "papers")
    every = [entry.uri for entry in index.documents()]
    for place in (
        tmp_path / folder,
        (tmp_path / folder).as_uri() + "/",
        tmp_path / folder / "one.txt",
    ):
        uri = place if isinstance(place, str) else place.as_uri()
        found = {hit.document.uri for hit in index.search("violin", 50, folder=place)}
        assert found == {one for one in every if lies_in(one, uri)}


def test_what_a_search_is_narrowed_to_is_worked_out_once_for_a_state(
    library: Index, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    matching = Reader.matching

    def counted(self: Reader, *conditions: object) -> list[Span]:
        asked.append(conditions)
        return matching(self, *conditions)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "matching", counted)
    folder = tmp_path / "copy"
    shutil.copytree(library.folder, folder)
    index = Index.open(folder, library.settings, embedder)
    first = index.search("violin", 3, language="en")
    assert index.search("violin", 3, language="en") == first
    assert len(asked) == 1
    index.search("violin", 3, language="vi")
    assert len(asked) == 2
    (tmp_path / "new.txt").write_text("A violin nobody sold.", "utf-8")
    index.add(tmp_path / "new.txt")
    assert "nobody" in index.search("violin nobody", 3, language="en")[0].passage.text
    assert len(asked) == 3


def test_without_diacritics_the_same_passage_is_found(seeds_index: Index) -> None:
    (written,) = seeds_index.search("Ai gọi Sora là khoảnh khắc Newton?", 1)
    (bare,) = seeds_index.search("Ai goi Sora la khoanh khac Newton?", 1)
    assert "Yin Ye" in written.passage.text
    assert bare.passage == written.passage


def test_an_empty_index_gives_nothing(empty_index: Index) -> None:
    assert empty_index.search("anything") == []
    assert empty_index.search("anything", language="vi") == []


def test_an_empty_question_is_refused(seeds_index: Index) -> None:
    with pytest.raises(QuestionError):
        seeds_index.search(" \n")


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_weight_decides_between_both_sides(
    seeds_index: Index, embedder: Embedder, weight: float
) -> None:
    retrieval = replace(
        seeds_index.settings.retrieval, dense_weight=weight, diversity=0.0, other_languages=0
    )
    settings = replace(seeds_index.settings, retrieval=retrieval)
    hits = Index.open(seeds_index.folder, settings, embedder).search("Who can use Sora?", 5)
    assert [hit.score for hit in hits] == pytest.approx([score_of(hit, weight) for hit in hits])
    if weight == 1:
        assert [hit.score for hit in hits] == pytest.approx([hit.dense for hit in hits])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_evidence_counts_the_words_a_text_holds(seeds_index: Index) -> None:
    question = "khoảnh khắc Newton"
    texts = ["Đó là khoảnh khắc Newton.", "Do la khoanh khac Newton.", "Nothing of it."]
    (whole, _), (bare, _), (nothing, _) = seeds_index.evidence(question, texts)
    assert whole == pytest.approx(1)
    assert nothing < 0.1 < bare <= whole
    assert seeds_index.evidence(question, []) == []


def test_words_without_a_topic_are_left_out_unless_there_are_no_others() -> None:
    assert content_words("Who is the Newton of Sora?") == ["newton", "sora"]
    assert content_words("Who is it?") == ["who", "is", "it"]
    assert coverage({}, "text") == 0


def test_a_text_seen_before_is_not_embedded_again(embedder: Embedder) -> None:
    counting = CountingEmbedder(embedder)
    cached = CachedEmbedder(counting, most=3)
    first = cached.embed(["one", "two", "one"])
    again = cached.embed(["two", "one", "two"])
    assert counting.embedded == ["one", "two"]
    np.testing.assert_array_equal(again, first[[1, 0, 1]])
    np.testing.assert_allclose(first, embedder.embed(["one", "two", "one"]), atol=1e-5)
    cached.embed(["three", "four"])
    cached.embed(["one"])
    assert counting.embedded == ["one", "two", "three", "four"]
    cached.embed(["two"])  # it was used the longest ago, and four are more than three
    assert counting.embedded[-1] == "two"


def test_less_than_one_passage_cannot_be_asked_for(seeds_index: Index) -> None:
    with pytest.raises(QuestionError, match="0 passages cannot be found"):
        seeds_index.search("Sora", k=0)


def test_what_a_title_names_all_of_its_document_is_about(
    tmp_path: Path, empty_index: Index
) -> None:
    routine = "The board met four times. The auditors found nothing to object to. " * 20
    for number, name in enumerate(("Acme", "Borealis", "Cobalt", "Dynamo")):
        results = f"Net profit was ${610 + number},000."
        text = f"# {name} Holdings – Annual report\n\n{routine}\n\n## Results\n\n{results}\n"
        (tmp_path / f"{number}.md").write_text(text, "utf-8")
    empty_index.add(sorted(tmp_path.glob("*.md")))
    for number, name in enumerate(("Acme", "Borealis", "Cobalt", "Dynamo")):
        for question in (f"What was the net profit of {name}?", f"lợi nhuận ròng của {name}"):
            hit = empty_index.search(question, 3)[0]
            assert f"${610 + number},000" in hit.passage.text
            assert name not in hit.passage.text
            words = {one.word: one.held for one in empty_index.explain(question, hit).words}
            assert words[name.lower()] is Held.AS_WRITTEN
    # A title that is new is searched, too, though the passages are as they were.
    report = (tmp_path / "0.md").read_text("utf-8")
    (tmp_path / "0.md").write_text(report.replace("Acme", "Zephyr"), "utf-8")
    empty_index.add([tmp_path / "0.md"])
    assert "$610,000" in empty_index.search("What was the net profit of Zephyr?", 3)[0].passage.text


def test_forms_that_differ_in_their_figures_are_not_one_text(
    tmp_path: Path, empty_index: Index
) -> None:
    form = "Invoice. The goods were delivered on time and without any damage. " * 8
    for number in (1041, 1042, 1043):
        (tmp_path / f"{number}.txt").write_text(f"{form} Number {number}.", "utf-8")
    (tmp_path / "copy.txt").write_text(f"{form} Number 1041.", "utf-8")
    empty_index.add(sorted(tmp_path.glob("*.txt")))
    hits = empty_index.search("invoice goods delivered", 10)
    assert sorted(hit.passage.text[-5:-1] for hit in hits) == ["1041", "1042", "1043"]


def test_forms_that_differ_in_a_name_or_a_denial_are_not_one_text() -> None:
    form = "the tenant {} and pays the rent on the fifth day of every month for all of the house"
    ann, bob, sublets, other = (
        Wording.of(form.format(part) + more)
        for part, more in (
            ("Ann Lee may sublet", ""),
            ("Bob Ray may sublet", ""),
            ("Ann Lee may not sublet", ""),
            ("Ann Lee may sublet", " now"),
        )
    )
    assert not bob.is_that_of(ann)
    assert not sublets.is_that_of(ann)
    assert other.is_that_of(ann)
    assert not Wording.of("a harbour and a boat").is_that_of(Wording.of("a harbour and a museum"))


def test_a_translation_comes_behind_other_texts_among_the_first_five() -> None:
    # Rows 0 and 1 say the same in two languages, and so do 2 and 3.
    directions = np.eye(8, dtype=np.float32)[[0, 0, 1, 1, 2, 3, 4, 5]]
    matrix = directions.copy()
    matrix[1, 6] = matrix[3, 7] = 0.5
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    scores = np.linspace(0.9, 0.76, 8, dtype=np.float32)
    kinds = np.array([0, 1, 0, 1, 0, 0, 0, 0])
    settings = RetrievalSettings(other_languages=0)
    assert diverse(scores, matrix, kinds, 8, settings, never, 0.6) == [0, 2, 4, 5, 6, 1, 3, 7]
    # Where the others are much worse it is not put behind them.
    scores[2:] /= 2
    assert diverse(scores, matrix, kinds, 8, settings, never, 0.6)[:2] == [0, 1]


def test_translations_are_known_in_an_index(tmp_path: Path, empty_index: Index) -> None:
    texts = {
        "morning.txt": "The ferry to the island leaves at nine in the morning from the old harbour.",
        "sáng.txt": "Phà ra đảo rời bến cảng cũ lúc chín giờ sáng.",
        "wind.txt": "The ferry does not leave the harbour in the morning when the wind is strong.",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    empty_index.add(sorted(tmp_path.glob("*.txt")))
    hits = empty_index.search("Phà ra đảo rời bến lúc mấy giờ sáng?", 3)
    assert [hit.document.name for hit in hits] == ["sáng.txt", "wind.txt", "morning.txt"]
    assert hits[1].score < hits[2].score


def never(row: int, others: list[int]) -> list[bool]:
    """No two passages are one text."""
    return [False] * len(others)


@pytest.mark.parametrize(
    ("wanted", "languages"),
    [(0, "vvvvvvvvvv"), (2, "vvvvveeeee"), (3, "vvvvveevev"), (4, "vvvvvevevv")],
)
def test_other_languages_catch_up_behind_the_fifth_passage(wanted: int, languages: str) -> None:
    scores = np.r_[np.linspace(0.9, 0.8, 12), np.linspace(0.5, 0.4, 12)].astype(np.float32)
    kinds = np.array([0] * 12 + [1] * 12)
    settings = RetrievalSettings(diversity=0.0, other_languages=wanted)
    rows = diverse(scores, np.eye(24, dtype=np.float32), kinds, 10, settings, never)
    assert "".join("ve"[kinds[row]] for row in rows) == languages
    assert rows[:5] == [0, 1, 2, 3, 4]
    # What is not a third as good as the first has no place kept for it.
    scores[12:] = 0.3
    rows = diverse(scores, np.eye(24, dtype=np.float32), kinds, 10, settings, never)
    assert rows == list(range(10))


def test_those_that_are_as_good_need_no_place_kept() -> None:
    scores, kinds = np.linspace(0.9, 0.7, 24, dtype=np.float32), np.arange(24) % 2
    settings = RetrievalSettings(diversity=0.0)
    rows = diverse(scores, np.eye(24, dtype=np.float32), kinds, 12, settings, never)
    assert rows == list(range(12))
