"""The command line: what it prints, and that a failure is one plain line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag import cli
from rag.index.index import Index


def run(*arguments: str) -> int:
    """One call of the command line in this process; its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["rag", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0)


def rag(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One call of the command line as a person makes it."""
    command = [sys.executable, "-m", "rag", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(seeds_index: Index) -> str:
    return str(seeds_index.folder)


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failure printed."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("rag: ")
    return line


def test_documents_are_indexed_searched_and_asked(tmp_path: Path, seeds: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    for path in seeds.iterdir():
        (papers / path.name).write_bytes(path.read_bytes())
    (papers / "broken.txt").write_bytes(bytes(range(256)) * 20)

    indexed = rag("index", "papers", folder=tmp_path)
    assert indexed.returncode == 0
    assert "5 added, 1 failed" in indexed.stdout
    (line,) = indexed.stderr.splitlines()
    assert line.startswith("rag: not indexed: ")
    assert "broken.txt" in line

    asked = rag("ask", "--json", "Who is Winston Ma?", folder=tmp_path)
    assert (asked.returncode, asked.stderr) == (0, "")
    answer = json.loads(asked.stdout)
    assert "professor at New York University" in answer["text"]
    assert answer["citations"][0]["quote"] in answer["text"]


def test_an_answer_is_printed_with_its_sources(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ask", "Ai gọi Sora là khoảnh khắc Newton?", "--index", folder) == 0
    out = capsys.readouterr().out
    assert out.startswith("“Yin Ye - CEO")
    assert "[1] 000_f4d03017b7dc492f.txt" in out
    assert "(supported): " in out


def test_status_shows_what_the_index_holds(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--index", folder, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["documents"], facts["languages"]) == (5, ["en", "vi"])
    assert len(facts["entries"]) == 5
    assert run("status", "--index", folder) == 0
    assert "003_69189304b0306e80.txt  (vi" in capsys.readouterr().out


def test_removing_and_adding_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = str(tmp_path / "index")
    paper = tmp_path / "paper.txt"
    paper.write_text("Sora makes videos of up to one minute from a written text.", "utf-8")
    assert run("index", "--index", index, "--json", str(paper)) == 0
    assert json.loads(capsys.readouterr().out)["added"] == [paper.as_uri()]
    assert run("index", "--index", index, "--remove", str(paper)) == 0
    assert "1 removed. The index in" in capsys.readouterr().out
    assert run("index", "--index", index, "--remove", str(paper)) == 1
    assert "holds no document" in failure(capsys)
    broken = tmp_path / "broken.txt"
    broken.write_bytes(bytes(range(256)) * 20)
    assert run("index", "--index", index, str(broken)) == 1
    assert capsys.readouterr().err.startswith("rag: not indexed: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["index"], "No file or folder is named. For example: rag index"),
        (["index", "missing-folder"], "There is no file or folder missing-folder."),
        (["index", "a" * 5000], "File name too long"),
        (["index", "--sync", "pyproject.toml"], "pyproject.toml is no folder"),
        (["ask", "Why?", "--index", "missing-index"], "missing-index"),
        (["search", "Why?", "--index", "missing-index"], "missing-index"),
        (["status", "--index", "missing-index"], "missing-index"),
        (["ask", ""], "The question is empty."),
        (["ask", " \n"], "The question is empty."),
        (["ask", "Why?", "--since", "2024-13-01"], "--since is not a date"),
        (["search", "Why?", "--until", "yesterday"], "--until is not a date"),
        (["status", "--set", "nonsense"], "GROUP.NAME=VALUE"),
        (["status", "--set", "index.nonsense=1"], "index.nonsense"),
        (["status", "--set", "retrieval.k=many"], "a whole number"),
        (["eval", "missing-suite"], "missing-suite"),
    ],
)
def test_a_failure_is_one_plain_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    assert run(*arguments) == 1
    assert said in failure(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("backend", "setting", "said"),
    [
        ("nonsense", "answer.sentences=3", "There is no backend 'nonsense'."),
        ("openai", "answer.sentences=3", "OPENAI_API_KEY is not set, so api.openai.com"),
        (
            "openai",
            "providers.openai.base_url=http://127.0.0.1:9/v1",
            "No server answers at http://127.0.0.1:9",
        ),
        ("openai", "providers.openai.base_url=nowhere", "openai.base_url is not the address"),
    ],
)
def test_a_backend_that_fails_is_one_plain_line(
    backend: str,
    setting: str,
    said: str,
    folder: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--index", folder, "--backend", backend, "--set", setting]
    assert run("ask", "Who is Winston Ma?", *arguments) == 1
    assert said in failure(capsys)


def test_a_backend_that_is_replaced_is_named(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = "providers.openai.base_url=http://127.0.0.1:9/v1"
    arguments = ["--backend", "openai:m, extractive", "--set", server, "--index", folder]
    assert run("ask", "Who is Winston Ma?", *arguments) == 0
    out, err = capsys.readouterr()
    assert "New York University" in out
    assert err.startswith("rag: openai/m: No server answers at http://127.0.0.1:9/v1.")
    assert err.strip().endswith("Answered by extractive.")


def test_a_question_is_read_from_standard_input(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Thủ đô của Peru là gì?\n"))
    assert run("ask", "-", "--index", folder) == 0
    out = capsys.readouterr().out
    assert out.startswith("Các tài liệu không có câu trả lời")
    assert "Nearest passages:" in out


def test_an_interrupt_is_no_traceback(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Pressed(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Pressed())
    assert run("ask", "-", "--index", folder) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["search", "ask"])
def test_a_language_that_no_document_is_in_is_told(
    command: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "Sora?", "--index", folder, "--language", "klingon") == 1
    told = capsys.readouterr().err
    assert "'klingon'" in told
    assert "en, vi" in told
    assert run(command, "Sora là gì?", "--index", folder, "--language", "VI") == 0


def test_a_search_shows_passages_with_their_scores(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["OpenAI dinh gia \udcff", "-k", "2", "--index", folder]
    assert run("search", *words, "--language", "vi") == 0
    assert capsys.readouterr().out.startswith("[1] 0.")
    assert run("search", *words, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert run("search", *words, "--json", "--explain", "--language", "vi") == 0
    for one in json.loads(capsys.readouterr().out):
        points = [part["points"] for part in one["explanation"]["parts"]]
        assert sum(points) == pytest.approx(one["score"], abs=1e-5)
        assert one["explanation"]["filters"] == {"language": "vi"}
    assert run("search", *words, "--explain", "--language", "vi") == 0
    out = capsys.readouterr().out
    for line in ("score: 0.", "words, as written: openai", "nearest: “", "only: language vi"):
        assert out.count(f"    - {line}") >= 1
    assert run("search", *words, "--source", "no such source") == 0
    assert capsys.readouterr().out == "No passage matches.\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["ask", "--help"]])
def test_help_and_version_are_there(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    assert "rag" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["ask"], ["search", "x", "-k", "0"]])
def test_a_wrong_call_shows_how_to_call(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert "Usage: " in capsys.readouterr().err
