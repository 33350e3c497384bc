"""An index as one file: what is written is what is read, or nothing is made."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import (
    DocumentError,
    IndexDamaged,
    IndexExists,
    IndexingError,
    IndexMismatch,
    RagError,
)
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index.exchange import UPLOADS
from rag.index.index import Index
from rag.settings import Settings

from .conftest import CountingEmbedder

# A process that is stopped, or killed, in the middle of an export or an import.
CHILD = """
import os, signal, sys
from pathlib import Path
from rag.evals.benchmarks.synthetic import HashingEmbedder
from rag.index import exchange
from rag.index.index import Index
from rag.settings import Settings

how, operation, source, target = sys.argv[1:]
real = exchange._copied

def stopped(*given):
    print("begun", flush=True)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.readline()
    return real(*given)

exchange._copied = stopped
embedder = HashingEmbedder(8, 64)
if operation == "export":
    Index.open(source, Settings(), embedder).export(target)
else:
    Index.restore(source, target, Settings(), embedder)
"""

QUESTION = "Ai gọi Sora là khoảnh khắc Newton?"


@pytest.fixture(scope="module")
def archive(seeds_index: Index, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the seeds, as a file."""
    file = tmp_path_factory.mktemp("archive") / "seeds.zip"
    seeds_index.export(file)
    return file


def scores(index: Index) -> list[tuple[str, str, float]]:
    hits = index.search(QUESTION, 20)
    return [(hit.document.uri, hit.passage.text, round(hit.score, 5)) for hit in hits]


def test_what_is_imported_is_what_was_exported(
    seeds_index: Index, archive: Path, tmp_path: Path, counting: CountingEmbedder
) -> None:
    folder = tmp_path / "deep" / "copy"
    copy = Index.restore(archive, folder, seeds_index.settings, counting)
    assert scores(copy) == scores(seeds_index)
    assert copy.verify() == []
    assert counting.embedded == []
    unequal = {"folder", "bytes"}
    before, after = seeds_index.status(), copy.status()
    assert {k: v for k, v in before.items() if k not in unequal} == {
        k: v for k, v in after.items() if k not in unequal
    }
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy"]
    assert list(folder.glob("derived/*/state.json")), "the first question would have to wait"


def test_uploads_go_along_and_get_their_new_place(empty_index: Index, tmp_path: Path) -> None:
    uploads = empty_index.folder / UPLOADS
    uploads.mkdir()
    (uploads / "sông.txt").write_text("Sông chảy ra biển.", "utf-8")
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("A glacier melted.", "utf-8")
    empty_index.add([uploads, elsewhere])
    empty_index.export(tmp_path / "one.zip")
    copy = Index.restore(
        tmp_path / "one.zip", tmp_path / "copy", empty_index.settings, empty_index.embedder()
    )
    uploaded = tmp_path / "copy" / UPLOADS / "sông.txt"
    assert uploaded.read_text("utf-8") == "Sông chảy ra biển."
    assert {entry.uri for entry in copy.documents()} == {uploaded.as_uri(), elsewhere.as_uri()}
    again = copy.add([uploaded.parent, elsewhere])
    assert len(again.unchanged) == 2, "known by its new place"
    assert copy.verify() == []


def test_what_is_there_is_never_overwritten(
    seeds_index: Index, archive: Path, tmp_path: Path
) -> None:
    content = archive.read_bytes()
    with pytest.raises(IndexingError, match="already"):
        seeds_index.export(archive)
    assert archive.read_bytes() == content
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(IndexExists, match="something in"):
        Index.restore(archive, tmp_path / "mine", seeds_index.settings)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_an_archive_that_cannot_be_written_leaves_nothing(
    seeds_index: Index, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "missing" / "a.zip", tmp_path / "file" / "a.zip"):
        with pytest.raises(IndexingError, match="cannot be written"):
            seeds_index.export(place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """A copy of an archive in which something was changed."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def in_manifest(
    change: Callable[[dict[str, object]], object],
) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return apply


def smuggled(name: str) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        members[name] = b"x"
        in_manifest(
            lambda manifest: manifest["files"].update(  # type: ignore[attr-defined]
                {
                    name: {
                        "size": 1,
                        "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db"
                        "02258717921a4881",
                    }
                }
            )
        )(members)

    return apply


WRONG: dict[str, tuple[Callable[[dict[str, bytes]], object], type[RagError]]] = {
    "catalog changed": (
        lambda members: members.update({"catalog.sqlite": members["catalog.sqlite"][:-1] + b"?"}),
        IndexDamaged,
    ),
    "catalog longer": (
        lambda members: members.update({"catalog.sqlite": members["catalog.sqlite"] * 3}),
        IndexDamaged,
    ),
    "catalog missing": (lambda members: members.pop("catalog.sqlite"), IndexDamaged),
    "no manifest": (lambda members: members.pop("manifest.json"), DocumentError),
    "manifest garbage": (lambda members: members.update({"manifest.json": b"{"}), DocumentError),
    "manifest a list": (lambda members: members.update({"manifest.json": b"[]"}), DocumentError),
    "a later format": (in_manifest(lambda manifest: manifest.update(format=2)), IndexMismatch),
    "climbing out": (smuggled("uploaded/../../escaped"), IndexDamaged),
    "absolute": (smuggled("/escaped"), IndexDamaged),
    "of windows": (smuggled("uploaded/..\\..\\escaped"), IndexDamaged),
    "a drive": (smuggled("uploaded/c:escaped"), IndexDamaged),
    "no upload": (smuggled("rag.toml"), IndexDamaged),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_not_as_it_was_written_makes_nothing(
    seeds_index: Index,
    archive: Path,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], object],
    expected: type[RagError],
) -> None:
    wrong = rewritten(archive, tmp_path / "wrong.zip", change)
    with pytest.raises(expected):
        Index.restore(wrong, tmp_path / "inside" / "copy", seeds_index.settings)
    assert list(tmp_path.rglob("*escaped*")) == []
    assert [path.name for path in (tmp_path / "inside").iterdir()] == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_to_the_file_is_a_plain_error_or_harmless(
    seeds_index: Index, archive: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(archive.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content) * 2))
    (tmp_path / "damaged.zip").write_bytes(content[:cut])
    target = tmp_path / "copy"
    try:
        copy = Index.restore(
            tmp_path / "damaged.zip", target, seeds_index.settings, seeds_index.embedder()
        )
    except RagError:
        assert not target.exists()
    else:
        assert scores(copy) == scores(seeds_index)
        shutil.rmtree(target)


def test_a_catalog_that_contradicts_itself_is_refused(
    seeds_index: Index, archive: Path, tmp_path: Path
) -> None:
    import hashlib

    def swap_texts(members: dict[str, bytes]) -> None:
        path = tmp_path / "catalog.sqlite"
        path.write_bytes(members["catalog.sqlite"])
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE texts SET text = replace(text, 'OpenAI', 'ClosAI')")
        members["catalog.sqlite"] = path.read_bytes()
        about = {
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        in_manifest(
            lambda manifest: manifest["files"].update({"catalog.sqlite": about})  # type: ignore[attr-defined]
        )(members)

    wrong = rewritten(archive, tmp_path / "wrong.zip", swap_texts)
    with pytest.raises(IndexDamaged, match="not what was embedded"):
        Index.restore(wrong, tmp_path / "copy", seeds_index.settings)


def test_something_else_is_no_archive(tmp_path: Path, seeds_index: Index) -> None:
    (tmp_path / "text.zip").write_text("no archive", "utf-8")
    with pytest.raises(IndexDamaged):
        Index.restore(tmp_path / "text.zip", tmp_path / "a", seeds_index.settings)
    with pytest.raises(DocumentError, match="no file"):
        Index.restore(tmp_path / "missing.zip", tmp_path / "a", seeds_index.settings)
    assert not (tmp_path / "a").exists()


@pytest.fixture
def small(tmp_path: Path) -> Index:
    (tmp_path / "river.txt").write_text("A river flows to the sea.", "utf-8")
    index = Index.create(tmp_path / "index", Settings(), HashingEmbedder(8, 64))
    index.add(tmp_path / "river.txt")
    return index


@contextmanager
def child(how: str, operation: str, source: Path, target: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun to export or import, and is stopped in the middle."""
    command = [sys.executable, "-c", CHILD, how, operation, str(source), str(target)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        yield process


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals as Unix has them")
@pytest.mark.parametrize("operation", ["export", "import"])
def test_what_a_killed_process_left_is_swept_by_the_next(
    small: Index, tmp_path: Path, operation: str
) -> None:
    small.export(tmp_path / "first.zip")
    place = tmp_path / "place"
    place.mkdir()
    source = small.folder if operation == "export" else tmp_path / "first.zip"
    with child("killed", operation, source, place / "killed"):
        pass
    (left,) = place.iterdir()
    assert left.name.startswith(f".{operation}-")
    with child("stopped", operation, source, place / "living") as process:
        working = set(place.iterdir())
        assert left not in working
        if operation == "export":
            small.export(place / "mine")
        else:
            Index.restore(source, place / "mine", Settings(), HashingEmbedder(8, 64))
        assert working < set(place.iterdir()), "who is at work is left alone"
        process.communicate("\n" * 9, timeout=60)
        assert process.returncode == 0
    assert {path.name for path in place.iterdir()} == {"living", "mine"}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs the names of open files")
def test_what_is_said_to_be_there_would_outlast_a_power_failure(
    small: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    archive, place = tmp_path / "out" / "small.zip", tmp_path / "in"
    archive.parent.mkdir()
    small.export(archive)
    assert synced[-1] == archive.parent, "that the file has its name"
    assert "archive" in {path.name for path in synced}
    synced.clear()
    Index.restore(archive, place / "copy", Settings(), HashingEmbedder(8, 64))
    assert synced[-1] == place
    names = {path.name for path in (place / "copy").rglob("*")}
    assert {"catalog.sqlite", "vectors.faiss", "meta.json"} <= names
    assert names <= {path.name for path in synced}
