"""Looking only where something changed finds what looking everywhere would."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.index import Index
from rag.settings import Settings
from rag.types import IngestReport, Progress


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.create(tmp_path / "index", Settings(), HashingEmbedder(16, 256))


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    for name in ("a.txt", "b.txt", "sub/c.md", "sub/deep/d.txt", "sub-2/e.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"The violin of {name} was sold.", "utf-8")
    return folder


def looked_at(index: Index, folders: Path | list[Path], *changed: Path) -> list[str]:
    """The names of the files that a sync read, of all or only where something changed."""
    steps: list[Progress] = []
    index.sync(folders, steps.append, changed=changed or None)
    return [step.name for step in steps if step.stage == "documents" and step.name]


def nothing_done(report: IngestReport) -> bool:
    return not (report.added or report.updated or report.removed)


def test_only_what_changed_is_read(index: Index, papers: Path) -> None:
    index.sync(papers)
    (papers / "a.txt").write_text("A glacier melted.", "utf-8")
    assert looked_at(index, papers, papers / "a.txt") == ["a.txt"]
    assert index.search("glacier", 1)[0].document.name == "a.txt"
    assert looked_at(index, papers, papers / "sub") == ["c.md", "d.txt"]
    assert looked_at(index, papers, papers / "picture.png") == []
    assert nothing_done(index.sync(papers))


def test_what_is_gone_is_forgotten_and_nothing_beside_it(index: Index, papers: Path) -> None:
    index.sync(papers)
    (papers / "sub").rename(papers.parent / "elsewhere")
    report = index.sync(papers, changed=[papers / "sub"])
    assert len(report.removed) == 2
    assert {entry.name for entry in index.documents()} == {"a.txt", "b.txt", "e.txt"}


def test_a_link_to_a_folder_is_not_followed(index: Index, papers: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("Parliament met in the evening.", "utf-8")
    (papers / "link.md").symlink_to(outside)
    assert "f.txt" not in looked_at(index, papers)
    assert looked_at(index, papers, papers / "link.md") == []
    assert looked_at(index, papers, papers / "link.md" / "f.txt") == []


@pytest.mark.parametrize("doubtful", ["", "..", "sub/catalog.sqlite"])
def test_in_doubt_everything_is_looked_at(index: Index, papers: Path, doubtful: str) -> None:
    index.sync(papers)
    assert len(looked_at(index, papers, papers / doubtful)) == 5


def test_an_index_that_comes_to_lie_in_a_folder_hides_what_is_in_it(
    index: Index, papers: Path
) -> None:
    index.sync(papers)
    shutil.copy(index.folder / "catalog.sqlite", papers / "sub" / "catalog.sqlite")
    report = index.sync(papers, changed=[papers / "sub" / "catalog.sqlite"])
    assert report.removed == ()  # nothing says that they are deleted
    assert [failure.reason for failure in report.failed] == ["sub holds an index, not documents."]
    (papers / "sub" / "c.md").write_text("A glacier melted.", "utf-8")
    assert looked_at(index, papers, papers / "sub" / "c.md") == []


def test_a_folder_that_goes_away_meanwhile_loses_nothing(index: Index, papers: Path) -> None:
    index.sync(papers)

    def going() -> Iterator[Path]:
        papers.rename(papers.with_name("away"))
        yield papers / "a.txt"

    report = index.sync(papers, changed=going())
    assert report.removed == ()
    assert "no folder" in report.failed[0].reason


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users as Unix has them")
def test_what_cannot_be_looked_at_is_not_forgotten(index: Index, papers: Path) -> None:
    index.sync(papers)
    for folder in (papers.parent, *papers.parent.parents[:2]):
        folder.chmod(0o755)
    (papers / "sub").chmod(0o000)
    for path in (index.folder, *index.folder.rglob("*")):
        path.chmod(0o777)
    index = Index.open(index.folder, Settings(), HashingEmbedder(16, 256))
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        report = index.sync(papers, changed=[papers / "sub" / "c.md"])
    finally:
        os.seteuid(user)
        (papers / "sub").chmod(0o755)
    assert report.removed == ()
    assert "permission denied" in report.failed[0].reason


def test_any_changes_come_to_the_same_as_looking_everywhere(index: Index, tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - the same changes each time
    folders = [tmp_path / "one", tmp_path / "one" / "sub", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("Parliament met in the evening.", "utf-8")
    index.sync(folders)
    for step in range(60):
        changed = [change for _ in range(3) for change in changes(folders, outside, chance, step)]
        index.sync(folders, changed=changed)
        there = {entry.uri for entry in index.documents()}
        report = index.sync(folders)
        assert nothing_done(report), f"after {step}: {changed}"
        assert there == set(report.unchanged)


def changes(folders: list[Path], outside: Path, chance: random.Random, step: int) -> list[Path]:
    """Do something to a file or folder below some folders; what a system would tell of it."""
    below = (Path(where) for folder in folders for where, _, _ in os.walk(folder))
    place = chance.choice(sorted({*folders, *below}))
    name = chance.choice(["a.txt", "b.md", "c.png", ".hidden", "sub2", ".git", "link", "link.txt"])
    target = place / name
    if target.exists():
        away = chance.choice(folders) / chance.choice(["moved", "moved.txt", ".moved"])
        if away.exists() or target in away.parents:
            return []
        target.rename(away)
        return [target, away]
    if name.startswith("link"):
        target.symlink_to(outside / "f.txt" if name == "link.txt" else outside)
    elif "." in name and name != ".git":
        target.write_text(f"The violin of number {step} was sold.", "utf-8")
    else:
        target.mkdir()
        (target / "new.txt").write_text(f"A glacier of number {step} melted.", "utf-8")
    return [target]
