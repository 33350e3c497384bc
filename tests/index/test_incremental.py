"""What a change costs: only what was not embedded before, whatever kind of index there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.errors import IndexMismatch, SettingsError
from rag.evals.benchmarks import edits
from rag.evals.benchmarks.synthetic import HashingEmbedder, Language
from rag.index.chunk import CHUNKER
from rag.index.index import Index
from rag.settings import IndexSettings, RetrievalSettings, Settings


def made(folder: Path, **index: object) -> Index:
    """A small index with a quick embedder."""
    chosen = replace(
        Settings(),
        index=replace(IndexSettings(), **index),  # type: ignore[arg-type]
        retrieval=RetrievalSettings(diversity=0.0),
    )
    return Index.create(folder, chosen, HashingEmbedder(32, 256))


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return made(tmp_path / "index")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, edits.PARAGRAPHS - 1),
    kind=st.sampled_from(sorted(edits.EDITS)),
    between=st.sampled_from(sorted(edits.BREAKS)),
)
@example(place=0, kind="a paragraph added", between="one paragraph")
@example(place=0, kind="a paragraph added", between="line ends")
def test_an_edit_costs_the_passages_around_it(
    index: Index, tmp_path: Path, place: int, kind: str, between: str
) -> None:
    path, parts, separator = tmp_path / "long.txt", edits.paragraphs(), edits.BREAKS[between]
    path.write_text(separator.join(parts), "utf-8")
    index.add(path)
    assert index.status()["passages"] > 40
    path.write_text(separator.join(edits.EDITS[kind](parts, place)), "utf-8")
    report = index.add(path)
    assert len(report.updated) == 1
    # Boundaries move until one falls where one was before: a few passages, wherever it was.
    assert report.embedded <= 15
    assert index.verify() == []


def test_an_index_cut_the_old_way_is_refused_and_cut_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.txt"
    path.write_text(" ".join(edits.paragraphs()), "utf-8")
    with monkeypatch.context() as old:  # from the front to the end, as sentences-1 did
        old.setattr("rag.index.fingerprints.CHUNKER", "sentences-1")
        old.setattr("rag.index.chunk._REACH", 10**6)
        index = made(tmp_path / "index")
        before = index.add(path).passages
    embedder = HashingEmbedder(32, 256)
    with pytest.raises(IndexMismatch, match=r"the chunker 'sentences-1'.*rag index --re-embed"):
        Index.open(index.folder, index.settings, embedder)
    again = Index.re_embed(index.folder, index.settings, embedder)
    assert again.fingerprint.chunker == CHUNKER
    assert again.status()["passages"] == len(edits.passages(edits.paragraphs(), " ")) > before
    assert again.verify() == []


def test_a_moved_or_copied_file_keeps_its_embeddings(index: Index, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    text = Language().sentences(200)
    (papers / "one.txt").write_text(text, "utf-8")
    first = index.sync(papers)
    assert first.embedded == first.passages > 5
    (papers / "sub").mkdir()
    (papers / "one.txt").rename(papers / "sub" / "other.md")
    moved = index.sync(papers)
    assert (len(moved.added), len(moved.removed), moved.embedded) == (1, 1, 0)
    (papers / "copy.txt").write_text(text, "utf-8")
    copied = index.sync(papers)
    assert (len(copied.added), copied.embedded) == (1, 0)
    assert [entry.name for entry in index.documents()] == ["copy.txt", "other.md"]
    assert index.verify() == []


def test_an_interrupted_change_goes_on_where_it_was(tmp_path: Path) -> None:
    class Interrupted(HashingEmbedder):
        left = 3

        def embed(self, texts, *, query=False):  # type: ignore[no-untyped-def]
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().embed(texts, query=query)

    path = tmp_path / "long.txt"
    path.write_text(Language().sentences(1000), "utf-8")
    chosen = replace(Settings(), index=IndexSettings(batch_size=8))
    broken = Interrupted(32, 256)
    first = Index.create(tmp_path / "index", chosen, broken)
    with pytest.raises(KeyboardInterrupt):
        first.add(path)
    assert first.status()["documents"] == 0
    again = Index.open(tmp_path / "index", chosen, HashingEmbedder(32, 256))
    report = again.add(path)
    assert report.embedded == report.passages - broken.embedded
    assert broken.embedded == 16
    assert again.verify() == []
    assert not list((tmp_path / "index").glob("embeddings*"))


def test_a_folder_narrows_a_search_and_the_list_is_still_full(index: Index, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    for folder in ("north", "north-west", "south"):
        (papers / folder).mkdir(parents=True)
        for number in range(10):
            text = f"The violin of {folder} number {number} was sold."
            (papers / folder / f"{number}.txt").write_text(text, "utf-8")
    index.add(papers)
    hits = index.search("violin sold", 10, folder=papers / "north")
    assert len(hits) == 10
    assert {Path(hit.document.uri).parent.name for hit in hits} == {"north"}
    uri = (papers / "south").as_uri()
    assert len(index.search("violin", 20, folder=uri)) == 10
    assert len(index.search("violin", 20, folder=papers / "south" / "3.txt")) == 1
    assert index.search("violin", folder=papers / "nor") == []


FACTORIES = ["Flat", "HNSW16", "IVF16,Flat", "IVF16,SQ8", "PCA16,Flat", "SQfp16", "IVF8,PQ8x4"]


@pytest.mark.parametrize("factory", FACTORIES)
def test_any_kind_of_index_follows_its_catalog(factory: str, tmp_path: Path) -> None:
    index, language = made(tmp_path / "index", vectors=factory), Language(size=3000)
    papers = tmp_path / "papers"
    papers.mkdir()
    for number in range(700):
        (papers / f"{number}.txt").write_text(language.sentences(1, 12), "utf-8")
    assert len(index.sync(papers).added) == 700
    assert index.verify() == []
    wanted = (papers / "500.txt").read_text("utf-8")
    assert index.search(wanted, 1)[0].document.name == "500.txt"
    for number in range(400):
        (papers / f"{number}.txt").unlink()
    for number in range(700, 800):
        (papers / f"{number}.txt").write_text(language.sentences(1, 12), "utf-8")
    report = index.sync(papers)
    assert (len(report.removed), len(report.added)) == (400, 100)
    assert index.verify() == []
    for kept in ("500.txt", "799.txt"):
        wanted = (papers / kept).read_text("utf-8")
        assert index.search(wanted, 1)[0].document.name == kept
        assert index.search(wanted, 1, folder=papers / kept)[0].document.name == kept
    assert len(index.search(wanted, 100)) == 100
    again = Index.open(index.folder, index.settings, HashingEmbedder(32, 256))
    assert again.search(wanted, 1)[0].document.name == "799.txt"


def test_a_kind_that_does_not_exist_changes_nothing(tmp_path: Path) -> None:
    made(tmp_path / "index")
    chosen = Settings(index=IndexSettings(vectors="Nonsense7"))
    index = Index.open(tmp_path / "index", chosen, HashingEmbedder(32, 256))
    (tmp_path / "a.txt").write_text("A glacier melted.", "utf-8")
    with pytest.raises(SettingsError, match=r"index\.vectors"):
        index.add(tmp_path / "a.txt")
    assert index.status()["documents"] == 0


def test_an_index_nothing_was_added_to_is_in_order(index: Index) -> None:
    assert index.verify() == []
    assert index.search("anything") == []
    assert index.verify() == []
