"""What a file came to is known the next time, and is asked again when more can be read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index import reading
from rag.index.exchange import UPLOADS
from rag.index.index import Index
from rag.index.load import Loaded, load
from rag.settings import Settings
from rag.types import IngestReport

WORDS = "The violin was sold"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.create(tmp_path / "index", Settings(), HashingEmbedder(32, 256))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were parsed: the real reader, and it is noted."""
    names: list[str] = []

    def noted(path: Path, content: bytes) -> Loaded:
        names.append(path.name)
        return load(path, content)

    monkeypatch.setattr("rag.index.ingest.load", noted)
    return names


@pytest.fixture
def without_tesseract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A machine on which tesseract is not installed, until ``undo``."""
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        yield patch


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    """A PDF of a page with words and a picture of words."""
    path = tmp_path / "scanned.pdf"
    font = ImageFont.load_default(60)
    pages = []
    for text in (WORDS, "to a man from the north"):
        page = Image.new("RGB", (1200, 400), "white")
        ImageDraw.Draw(page).text((40, 120), text, fill="black", font=font)
        pages.append(page)
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=150)
    return path


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """An archive with a file that can be read, an empty one, and one of an unknown type."""
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("violin.txt", f"{WORDS} in the morning.")
        archive.writestr("empty.txt", "")
        archive.writestr("tool.exe", b"MZ")
    return path


def told(report: IngestReport) -> tuple[object, ...]:
    return report.failed, report.incomplete, report.skipped


def test_what_is_wrong_with_a_file_is_said_each_time_without_parsing_it(
    index: Index, packed: Path, parsed: list[str]
) -> None:
    first = index.add(packed)
    assert [one.reason for one in first.failed] == ["In packed.zip: empty.txt is empty."]
    assert len(first.skipped) == 1
    second = index.add(packed)
    assert told(second) == told(first)
    assert second.unchanged == first.added
    assert parsed == ["packed.zip"]
    assert index.status()["revision"] == 1


def test_a_file_that_gives_nothing_is_parsed_once(
    index: Index, tmp_path: Path, parsed: list[str]
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.4 and nothing else")
    first = index.add(bad)
    assert len(first.failed) == 1
    again = Index.open(index.folder, index.settings, HashingEmbedder(32, 256)).sync(tmp_path)
    assert told(again) == told(first)
    assert parsed == ["bad.pdf"]
    assert index.status()["revision"] == 0, "nothing has changed that anybody could find"
    bad.write_bytes(b"%PDF-1.4 and something else")
    assert len(index.add(bad).failed) == 1
    assert parsed == ["bad.pdf", "bad.pdf"]


def test_a_scanned_file_is_read_again_when_tesseract_comes(
    index: Index,
    scanned: Path,
    parsed: list[str],
    without_tesseract: pytest.MonkeyPatch,
) -> None:
    first = index.add(scanned)
    assert "Install tesseract" in first.failed[0].reason
    assert index.add(scanned).failed == first.failed
    assert len(parsed) == 1
    without_tesseract.undo()
    second = index.add(scanned)
    assert len(second.added) == 1
    assert second.failed == second.incomplete == ()
    assert "violin" in index.search("violin", 1)[0].passage.text
    assert index.add(scanned).unchanged == second.added
    assert len(parsed) == 2


def test_a_file_that_was_read_whole_is_not_read_again(
    index: Index, scanned: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    added = index.add(scanned).added
    monkeypatch.setattr(reading, "_VERSION", 99)
    assert index.add(scanned).unchanged == added
    assert len(parsed) == 1


def test_other_readers_that_find_the_same_change_nothing(
    index: Index, packed: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index.add(packed)
    monkeypatch.setattr(reading, "_VERSION", 99)
    second = index.add(packed)
    assert (second.unchanged, second.updated, told(second)) == (first.added, (), told(first))
    assert index.status()["revision"] == 1
    index.add(packed)
    assert len(parsed) == 2, "once with the old readers, once with the new"


def test_what_was_removed_comes_back_when_it_is_added_again(index: Index, packed: Path) -> None:
    first = index.add(packed)
    index.remove(packed)
    second = index.add(packed)
    assert second.added == first.added
    assert told(second) == told(first)


def test_a_deleted_file_is_forgotten_with_what_was_wrong_with_it(
    index: Index, packed: Path, tmp_path: Path, parsed: list[str]
) -> None:
    content = packed.read_bytes()
    index.sync(tmp_path)
    packed.unlink()
    report = index.sync(tmp_path)
    assert (len(report.removed), told(report)) == (1, ((), (), ()))
    packed.write_bytes(content)
    assert len(index.sync(tmp_path).added) == 1
    assert len(parsed) == 2


def test_embedding_anew_forgets_no_reading(index: Index, packed: Path, parsed: list[str]) -> None:
    first = index.add(packed)
    again = Index.re_embed(index.folder, index.settings, HashingEmbedder(32, 256))
    assert told(again.add(packed)) == told(first)
    assert len(parsed) == 1


def test_it_moves_along_with_an_upload(
    index: Index, packed: Path, tmp_path: Path, parsed: list[str]
) -> None:
    (index.folder / UPLOADS).mkdir()
    first = index.add(packed.rename(index.folder / UPLOADS / packed.name))
    index.export(tmp_path / "index.zip")
    copy = Index.restore(
        tmp_path / "index.zip", tmp_path / "copy", Settings(), HashingEmbedder(32, 256)
    )
    second = copy.add(copy.folder / UPLOADS / packed.name)
    assert [one.reason for one in second.failed] == [one.reason for one in first.failed]
    assert second.failed[0].uri == second.unchanged[0].replace("violin", "empty")
    assert len(parsed) == 1


def test_a_name_that_is_no_text_can_be_noted(index: Index, tmp_path: Path) -> None:
    bad = tmp_path / "caf\udce9.pdf"
    bad.write_bytes(b"%PDF-1.4 and nothing else")
    assert index.add(bad).failed == index.add(bad).failed != ()
