"""``rag eval`` as a person runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def rag(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rag", "eval", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small suite over the seeds, and a run of it."""
    folder = tmp_path_factory.mktemp("eval")
    cases = [
        {
            "id": "ma",
            "question": "Who is Winston Ma?",
            "language": "en",
            "expected": [
                {
                    "document": "001_31d3efc9b029c984.txt",
                    "quote": "Winston Ma, a professor at New York University",
                }
            ],
            "answers": ["New York University"],
        },
        {"id": "none", "question": "Who is the CEO of Tesla?", "language": "en"}
        | {"unanswerable": True},
    ]
    suite = folder / "small"
    suite.mkdir()
    shutil.copytree(ROOT / "seeds", suite / "papers")
    (suite / "suite.toml").write_text(
        'name = "small"\ndocuments = "papers"\ncases = "cases.jsonl"\n', "utf-8"
    )
    (suite / "cases.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cases), "utf-8")
    done = rag("small", "--out", "one", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "evidence_cited" in done.stdout
    return folder


def test_a_run_leaves_its_reports_and_no_index(place: Path) -> None:
    assert {path.name for path in (place / "one").iterdir()} == {
        "run.json",
        "run.lock",
        "cases.jsonl",
        "report.html",
        "report.md",
        "report.json",
    }


def test_an_added_suite_is_run_compared_kept_and_gated(place: Path) -> None:
    other = rag(
        "run", "small", "--out", "two", "--set", "retrieval.k=1", "--parallel", 1, folder=place
    )
    assert other.returncode == 0, other.stderr
    assert (
        json.loads((place / "two" / "run.json").read_text("utf-8"))["about"]["settings"][
            "retrieval"
        ]["k"]
        == 1
    )
    compared = rag("compare", "one", "two", "--json", folder=place)
    assert json.loads(compared.stdout)["paired"] == 2
    missing = rag("gate", "small", folder=place)
    assert missing.returncode == 1
    assert "no baseline" in missing.stderr
    kept = rag("gate", "small", "--keep", "--run", "one", folder=place)
    assert kept.returncode == 0, kept.stderr
    opened = rag("gate", "small", folder=place)
    assert opened.returncode == 0, opened.stderr
    assert "The gate is open" in opened.stdout


def test_a_worse_run_shuts_the_gate_with_exit_status_1(place: Path, tmp_path: Path) -> None:
    from rag.evals.baseline import save_baseline
    from rag.evals.reading import load_suite
    from rag.evals.runner import run
    from tests.evals.conftest import Remembered, bot_of

    # The suite is too small for an interval to lie on one side; the seeds are large enough.
    suite = load_suite("seeds").only("dev")
    mute = run(suite, bot_of(Remembered({})), folder=tmp_path / "mute")
    good = json.loads((ROOT / "evals/suites/seeds/baseline.json").read_text("utf-8"))
    asked = {case.id for case in suite.cases}
    good["cases"] = [row for row in good["cases"] if row["case"]["id"] in asked]
    (tmp_path / "baseline.json").write_text(json.dumps(good), "utf-8")
    shut = rag(
        *("gate", "seeds", "--run", tmp_path / "mute", "--baseline", tmp_path / "baseline.json"),
        folder=place,
    )
    assert shut.returncode == 1
    assert "The gate is closed. recall@1 fell short" in shut.stderr
    assert len(shut.stderr.splitlines()) == 1
    save_baseline(mute, tmp_path / "own.json")
    same = rag(
        *("gate", "seeds", "--run", tmp_path / "mute", "--baseline", tmp_path / "own.json"),
        folder=place,
    )
    assert same.returncode == 0, same.stderr


def test_a_finished_run_is_shown_again_and_reports_are_written_anew(place: Path) -> None:
    again = rag("small", "--out", "one", "--json", folder=place)
    assert json.loads(again.stdout)["about"]["suite"] == "small"
    (place / "one" / "report.html").unlink()
    assert rag("report", "one", folder=place).returncode == 0
    assert (place / "one" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "There is no suite 'nonsense'"),
        (["small", "--out", "one", "--seed", "7"], "differ its seed"),
        (["small", "--split", "dev"], "no split 'dev'"),
        (["small", "--judge", "extractive, extractive"], "one judge"),
        (["compare", "one", "nowhere"], "There is no run in nowhere"),
        (["feedback", "new", "--index", "nowhere"], "no feedback in nowhere"),
        (["report", "nowhere"], "There is no run in nowhere"),
        (["gate", "nosuch"], "There is no suite 'nosuch'"),
        (["gate", "seeds", "--run", "one", "--keep", "--baseline", "b"], "of the suite 'small'"),
        (["gate", "small", "--keep", "--metric", "recall@1"], "keeps all metrics"),
        (["compare", "one", "one", "--metric", "nonsense"], "no metric 'nonsense'"),
        (["small", "--out", "small"], "something else than a run"),
        (["small", "--embedder", "small", "--out", "x"], "cannot be loaded"),
    ],
)
def test_a_failure_is_one_plain_line(place: Path, arguments: list[str], said: str) -> None:
    done = rag(*arguments, folder=place)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_only_passages_are_found_where_that_is_asked(place: Path) -> None:
    done = rag("small", "--retrieval-only", "--out", "found", folder=place)
    assert done.returncode == 0, done.stderr
    assert "recall@5" in done.stdout
    assert "false_answers" not in done.stdout
