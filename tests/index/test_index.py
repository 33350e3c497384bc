from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import DocumentError, IndexExists, IndexMissing, SettingsError
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.settings import IndexSettings, Settings
from rag.types import Progress

from .conftest import CountingEmbedder

A = "The violin was sold in the morning to a man from Hà Nội."
B = "A volcano erupted near the old harbour and nobody was hurt."
C = "The bakery opens at six and sells coffee to everybody."


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text(A, "utf-8")
    (folder / "b.txt").write_text(B, "utf-8")
    (folder / "sub" / "c.md").write_text(C, "utf-8")
    return folder


@pytest.fixture
def index(tmp_path: Path, settings: Settings, counting: CountingEmbedder) -> Index:
    return Index.create(tmp_path / "counted", settings, counting)


def names(uris: tuple[str, ...]) -> list[str]:
    return [uri.rsplit("/", 1)[1] for uri in uris]


def test_new_documents_are_added_and_found(index: Index, papers: Path) -> None:
    (papers / "picture.png").touch()
    report = index.add(papers)
    assert names(report.added) == ["a.txt", "b.txt", "c.md"]
    assert names(report.skipped) == ["picture.png"]
    assert (report.passages, report.embedded) == (3, 3)
    assert [entry.name for entry in index.documents()] == ["a.txt", "b.txt", "c.md"]
    assert index.search("volcano", 1)[0].passage.text == B
    assert index.document(report.added[0]).text == A


def test_what_has_not_changed_costs_nothing(
    index: Index, papers: Path, counting: CountingEmbedder
) -> None:
    index.add(papers)
    revision = index.status()["revision"]
    counting.embedded.clear()
    report = index.add([papers, papers / "a.txt"])
    assert names(report.unchanged) == ["a.txt", "b.txt", "c.md"]
    assert counting.embedded == []
    assert index.status()["revision"] == revision


def test_changing_one_document_embeds_that_one(
    index: Index, papers: Path, counting: CountingEmbedder
) -> None:
    index.add(papers)
    counting.embedded.clear()
    (papers / "a.txt").write_text("A glacier melted.", "utf-8")
    report = index.add(papers)
    assert (names(report.updated), names(report.unchanged)) == (["a.txt"], ["b.txt", "c.md"])
    assert counting.embedded == ["A glacier melted."]
    assert index.search("violin Hà Nội", 1)[0].lexical == 0
    assert index.search("glacier", 1)[0].passage.text == "A glacier melted."


def test_the_same_passage_is_embedded_once(
    index: Index, papers: Path, counting: CountingEmbedder
) -> None:
    (papers / "copy.txt").write_text(A, "utf-8")
    report = index.add(papers)
    assert (report.passages, report.embedded) == (4, 3)
    (papers / "moved.txt").write_text(B, "utf-8")
    (papers / "b.txt").unlink()
    counting.embedded.clear()
    report = index.add(papers / "moved.txt")
    assert (len(report.added), counting.embedded) == (1, [])


def test_a_bad_file_stops_no_other(index: Index, papers: Path) -> None:
    (papers / "aa.txt").write_bytes(b"\x00\x01\x02" * 100)
    (papers / "damaged.pdf").write_bytes(b"%PDF-1.4")
    (papers / "empty.txt").touch()
    (papers / "gone.txt").symlink_to(papers / "nowhere")
    (papers / "caf\udce9.txt").write_text("The name of this file is no text.", "utf-8")
    report = index.add([papers, papers / "absent.txt"])
    assert sorted(failure.uri.rsplit("/", 1)[1] for failure in report.failed) == [
        *("aa.txt", "absent.txt", "damaged.pdf", "empty.txt", "gone.txt"),
    ]
    assert all(failure.reason.endswith(".") for failure in report.failed)
    assert names(report.added) == ["a.txt", "b.txt", "caf%E9.txt", "c.md"]
    assert index.search("name of this file", 1)[0].document.name == "caf\ufffd.txt"


def test_a_file_that_becomes_unreadable_keeps_its_last_text(index: Index, papers: Path) -> None:
    index.add(papers)
    (papers / "a.txt").write_bytes(b"\x00" * 100)
    assert len(index.sync(papers).failed) == 1
    assert index.search("violin", 1)[0].passage.text == A


def test_mirroring_forgets_what_was_deleted_in_that_folder_only(
    index: Index, papers: Path, tmp_path: Path
) -> None:
    other = tmp_path / "papers-2"
    other.mkdir()
    (other / "d.txt").write_text("Bicycles are parked outside.", "utf-8")
    index.add([papers, other])
    (papers / "a.txt").unlink()
    (other / "d.txt").unlink()
    report = index.sync(papers)
    assert (names(report.removed), names(report.unchanged)) == (["a.txt"], ["b.txt", "c.md"])
    assert {entry.name for entry in index.documents()} == {"b.txt", "c.md", "d.txt"}
    assert index.search("violin", 1)[0].lexical == 0


def test_mirroring_a_folder_that_is_not_there_forgets_nothing(index: Index, papers: Path) -> None:
    index.add(papers)
    with pytest.raises(DocumentError, match="Nothing was changed"):
        index.sync(papers.with_name("elsewhere"))
    assert len(index.documents()) == 3


def test_a_file_a_folder_and_a_uri_can_be_removed(index: Index, papers: Path) -> None:
    uris = index.add(papers).added
    assert index.remove(papers / "a.txt").removed == (uris[0],)
    assert index.remove(uris[1]).removed == (uris[1],)
    assert index.remove(papers / "sub").removed == (uris[2],)
    assert index.documents() == []
    assert index.search("volcano") == []
    with pytest.raises(DocumentError):
        index.remove(papers)
    with pytest.raises(DocumentError):
        index.document(uris[0])


def test_several_are_removed_in_one_change_or_none(index: Index, papers: Path) -> None:
    uris = index.add(papers).added
    with pytest.raises(DocumentError, match=r"no document .*nothing\.txt"):
        index.remove([papers / "a.txt", papers / "nothing.txt"])
    assert len(index.documents()) == 3
    revision = index.status()["revision"]
    assert set(index.remove([papers / "a.txt", papers / "sub"]).removed) == {uris[0], uris[2]}
    assert index.status()["revision"] == revision + 1
    assert [entry.uri for entry in index.documents()] == [uris[1]]
    assert index.remove(f"{papers}/").removed == (uris[1],)


@pytest.mark.parametrize("name", ["hai từ.txt", "Đường #1.txt", "50%.txt", "a%20b.txt", "q?.txt"])
def test_any_file_name_can_be_added_found_and_removed(
    index: Index, papers: Path, name: str
) -> None:
    path = papers / name
    path.write_text("Parliament met in the evening.", "utf-8")
    (uri,) = index.add(path).added
    assert index.search("parliament", source=name)[0].document.name == name
    assert index.documents()[0].name == name
    assert index.add(papers).unchanged == (uri,)
    assert index.remove(path).removed == (uri,)


def test_progress_is_told_step_by_step(index: Index, papers: Path) -> None:
    steps: list[Progress] = []
    index.add(papers, steps.append)
    documents = [(step.done, step.name) for step in steps if step.stage == "documents"]
    assert documents == [(0, "a.txt"), (1, "b.txt"), (2, "c.md"), (3, "")]
    assert {step.stage for step in steps} == {"documents", "passages", "index"}
    assert all(step.done <= step.total for step in steps)


def test_an_index_opens_as_it_was_left(
    index: Index, papers: Path, settings: Settings, embedder: Embedder
) -> None:
    index.add(papers)
    again = Index.open_or_create(index.folder, settings, embedder)
    assert again.search("violin", 3) == index.search("violin", 3)
    assert again.status() == index.status()
    assert again.status()["documents"] == 3
    assert again.status()["languages"] == ["en"]


def test_an_index_is_made_once_and_must_exist_to_be_opened(
    index: Index, tmp_path: Path, settings: Settings, embedder: Embedder
) -> None:
    with pytest.raises(IndexExists):
        Index.create(index.folder, settings, embedder)
    with pytest.raises(IndexMissing):
        Index.open(tmp_path / "nowhere", settings, embedder)
    assert not (tmp_path / "nowhere").exists()
    made = Index.open_or_create(tmp_path / "deep" / "new", settings, embedder)
    assert made.documents() == []


@pytest.mark.parametrize("kind", ["nonsense", "PQ8"])
def test_a_kind_of_vectors_that_cannot_be_leaves_no_empty_index(tmp_path: Path, kind: str) -> None:
    chosen = Settings(index=IndexSettings(vectors=kind))
    with pytest.raises(SettingsError, match=kind):
        Index.create(tmp_path / "index", chosen, HashingEmbedder(32))
    assert not (tmp_path / "index").exists()
