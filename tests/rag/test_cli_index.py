"""The commands that change, move, watch and check an index, as a person calls them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.index.index import Index

from .test_cli import failure, run


@pytest.fixture
def copy(seeds_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The seeds, exported and imported into a folder of their own."""
    archive = tmp_path / "moved" / "seeds.zip"
    archive.parent.mkdir()
    assert run("index", "export", str(archive), "--index", str(seeds_index.folder)) == 0
    assert f"is in {archive} (0." in capsys.readouterr().out
    assert run("index", "import", str(archive), "--index", str(tmp_path / "copy")) == 0
    assert "copy holds 5 documents, " in capsys.readouterr().out
    return tmp_path / "copy"


def test_an_index_moves_as_one_file_and_answers_as_before(
    copy: Path, seeds_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for folder in (copy, seeds_index.folder):
        assert run("search", "Who is Winston Ma?", "--json", "--index", str(folder)) == 0
        found.append(json.loads(capsys.readouterr().out))
    moved, there = ([(hit["passage"]["text"], hit["score"]) for hit in hits] for hits in found)
    assert moved == there
    archive = str(tmp_path / "moved" / "seeds.zip")
    assert run("index", "import", archive, "--index", str(copy)) == 1
    assert "already" in failure(capsys)
    assert run("index", "export", archive, "--index", str(copy)) == 1
    assert "already" in failure(capsys)
    assert run("index", "import", "missing.zip", "--index", str(tmp_path / "new")) == 1
    assert "missing.zip" in failure(capsys)
    assert not (tmp_path / "new").exists()


def test_export_and_import_say_in_json_what_they_did(
    seeds_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, copy = tmp_path / "seeds.zip", str(tmp_path / "copy")
    assert run("index", "export", str(archive), "--json", "--index", str(seeds_index.folder)) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["folder"] == str(seeds_index.folder)
    assert (written["file"], written["bytes"]) == (str(archive), archive.stat().st_size)
    assert run("index", "import", str(archive), "--json", "--index", copy) == 0
    made = json.loads(capsys.readouterr().out)
    assert run("status", "--json", "--index", copy) == 0
    status = json.loads(capsys.readouterr().out)
    assert {name: status[name] for name in made} == made
    assert (made["folder"], made["documents"]) == (copy, 5)


def test_several_folders_are_mirrored_and_removed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "paper.txt").write_text("A glacier melted in the north.", "utf-8")
    assert run("index", "--sync", "one", "other", "--json") == 0
    assert json.loads(capsys.readouterr().out)["embedded"] == 1
    (tmp_path / "one" / "paper.txt").rename(tmp_path / "other" / "paper.txt")
    assert run("index", "--sync", "one", "other", "--json") == 0
    moved = json.loads(capsys.readouterr().out)
    assert (len(moved["added"]), len(moved["removed"]), moved["embedded"]) == (1, 1, 0)
    assert run("index", "--remove", "other", "one", "--json") == 1
    assert "no document one" in failure(capsys)
    assert run("index", "--remove", "other/paper.txt", "other", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["removed"]) == 1


def test_status_verifies_and_a_damaged_index_fails(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status", "--verify", "--index", str(copy)) == 0
    out = capsys.readouterr().out
    assert out.endswith("Everything is as it was written.\n")
    for fact in ("documents       5", "passages ", "bytes ", "embedder ", "revision "):
        assert fact in out
    assert run("status", "--verify", "--json", "--index", str(copy)) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []

    (vectors,) = copy.glob("derived/*/vectors.faiss")
    content = bytearray(vectors.read_bytes())
    content[len(content) // 2] ^= 1
    vectors.write_bytes(content)
    assert run("status", "--verify", "--index", str(copy)) == 1
    assert capsys.readouterr().err == "rag: The search files are missing or damaged.\n"
    assert run("status", "--verify", "--json", "--index", str(copy)) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems == ["The search files are missing or damaged."]
    assert run("search", "Who is Winston Ma?", "--index", str(copy)) == 0
    assert "001_" in capsys.readouterr().out
    assert run("status", "--verify", "--index", str(copy)) == 0


def test_status_shows_the_embedder_and_where_the_settings_differ(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["--index", str(copy)]
    assert run("status", "--json", *here) == 0
    fits = json.loads(capsys.readouterr().out)
    assert (fits["embedder"], fits["mismatch"]) == ("bundled:en-vi-1", "")
    assert fits["embedder_is"] == "the static model that comes with the program, on this machine"
    assert "storage_set" not in fits
    assert run("status", *here, "--set", "index.storage=float16") == 0
    shown = capsys.readouterr()
    assert "storage set     float16, once the index is embedded anew" in shown.out
    assert shown.err == ""
    other = [*here, "--set", "index.embedder=openai:text-embedding-3-small"]
    assert run("status", *other) == 0
    shown = capsys.readouterr()
    assert "embedder is     the static model that comes with the program" in shown.out
    assert "documents       5" in shown.out
    assert "was made with the embedder 'bundled:en-vi-1'" in shown.err
    assert run("status", "--json", *other) == 0
    assert "--re-embed" in json.loads(capsys.readouterr().out)["mismatch"]
    assert run("search", "Sora", *other) == 1
    assert "was made with the embedder" in failure(capsys)


def test_a_folder_narrows_search_and_answer(
    seeds_index: Index, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--index", str(seeds_index.folder)]
    assert run("search", "Sora", "--folder", str(seeds), "--json", *index) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    one = next(seeds.glob("000_*"))
    assert run("ask", "Sora là gì?", "--folder", str(one), "--json", *index) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {hit["document"]["uri"] for hit in answer["hits"]} == {one.as_uri()}
    assert run("search", "Sora", "--folder", str(tmp_path), *index) == 0
    assert capsys.readouterr().out == "No passage matches.\n"


@pytest.mark.parametrize(
    "options",
    [["--sync", "--remove"], ["--watch", "--remove"], ["--watch", "--re-embed"]],
)
def test_ways_that_exclude_each_other_change_nothing(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("index", *options, ".") == 1
    assert "exclude each other" in failure(capsys)
    assert list(tmp_path.iterdir()) == []


def test_the_short_form_is_explained_where_one_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("index", "--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "'rag index PATH...' is short for 'rag index add PATH...'" in out
    assert "export" in out
    assert "import" in out
    assert run("index", "add", "--help") == 0
    assert "--watch" in capsys.readouterr().out


@contextmanager
def watched(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``rag index --watch papers`` in a process of its own; it must end by Ctrl+C."""
    command = [sys.executable, "-m", "rag", "index", "--watch", "papers", *options]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_watching_tells_what_it_did_until_it_is_interrupted(tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "one.txt").write_text("A glacier melted in the north.", "utf-8")
    with watched(tmp_path, "--json") as process:
        assert process.stdout
        assert process.stderr
        first = json.loads(process.stdout.readline())
        assert [uri.rpartition("/")[2] for uri in first["added"]] == ["one.txt"]
        assert "keeping my-index in step with papers" in process.stderr.readline()
        (papers / "one.txt").rename(papers / "two.txt")
        moved = json.loads(process.stdout.readline())
        assert (len(moved["added"]), len(moved["removed"]), moved["embedded"]) == (1, 1, 0)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read().splitlines() == ["rag: stopped."]  # no change was under way
        assert process.stdout.read() == ""


def test_an_interrupt_that_python_drops_ends_the_watching_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deleted:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)  # what is raised here is only printed

    def print_report(*arguments: object) -> None:
        Deleted()

    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "one.txt").write_text("A glacier melted in the north.", "utf-8")
    monkeypatch.setattr("rag.cli_index.print_report", print_report)
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: None)
    monkeypatch.chdir(tmp_path)
    # Should it watch on, this test is to fail and not to hang.
    waited: list[int] = []

    def too_late(number: int, frame: object) -> None:
        waited.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(120)
    try:
        assert run("index", "--watch", "papers") == 130
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert waited == []


def test_an_interrupted_change_is_said_to_be_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A glacier melted in the north.", "utf-8")

    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Index, "add", interrupted)
    assert run("index", str(tmp_path / "a.txt"), "--index", str(tmp_path / "index")) == 130
    assert "A change that was not finished is not in the index" in capsys.readouterr().err
