"""The lines that imports and folders keep, read from the syntax trees and the manifest."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"rag": "rag", "index": "rag.index", "ui": "rag.ui", "evals": "rag.evals"}
MANIFEST = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# Which rooms a room may import, besides itself. Only the command line knows them all.
ALLOWED = {"rag": {"rag"}, "index": {"rag"}, "ui": {"rag", "index"}, "evals": {"rag", "index"}}
KNOWS_ALL = {
    "rag/cli.py",
    "rag/cli_eval.py",
    "rag/cli_index.py",
    "rag/cli_options.py",
    "rag/__init__.py",
}
# What of the core the index may use.
BELOW_INDEX = {
    "rag",
    "rag.concepts",
    "rag.errors",
    "rag.language",
    "rag.settings",
    "rag.text",
    "rag.types",
    "rag.weighing",
}
# One library, one room.
HOMES = {
    "faiss": ("index/vectors.py",),
    "tantivy": ("index/lexical.py",),
    "sentence_transformers": ("index/transformer.py", "index/rerank.py", "index/training/"),
    "tokenizers": ("index/static.py", "index/training/"),
    "safetensors": ("index/static.py", "index/transformer.py", "index/training/"),
    "httpx2": ("index/endpoint.py", "rag/llm/connection.py"),
    "transformers": (
        "rag/llm/causal.py",
        "rag/llm/transformers.py",
        "index/transformer.py",
        "index/rerank.py",
        "index/training/",
    ),
    "tiktoken": ("rag/llm/tokens.py",),
    "watchfiles": ("index/watch.py",),
    "openai": ("rag/llm/",),
    "gradio": ("ui/",),
    "ir_measures": ("evals/metrics/",),
    "scipy": ("evals/statistics.py", "evals/fitting.py"),
    "sqlite3": tuple(
        f"index/{name}.py" for name in ("cache", "catalog", "changes", "records", "schema")
    ),
}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def package_of(path: Path) -> str:
    """The installed name of the folder a file lies in."""
    room, *inside, _ = path.relative_to(ROOT).parts
    return ".".join([ROOMS[room], *inside])


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module of a file, absolute, and whether it was written relative."""
    package = package_of(path)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, False) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1, f"{path}: a relative import that leaves its folder"
            for name in [node.module] if node.module else [name.name for name in node.names]:
                yield f"{package}.{name}", True
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", False


def room_of(module: str) -> str | None:
    """The room a module of the package lives in, or None for anything else."""
    if module.split(".")[0] != "rag":
        return None
    for folder, package in ROOMS.items():
        if package != "rag" and (module == package or module.startswith(package + ".")):
            return folder
    return "rag"


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    own = name.split("/")[0]
    for module, relative in imports(path):
        assert module.split(".")[0] not in {"index", "ui", "evals", "prompts"}, module
        room = room_of(module)
        if room is None:
            continue
        if room == own:
            beside = module.rpartition(".")[0] == package_of(path)
            assert relative == beside, f"{module}: relative within a folder, absolute across"
        elif name not in KNOWS_ALL:
            assert room in ALLOWED[own], f"{own}/ must not import {module}"
        if own == "index" and room == "rag":
            assert module in BELOW_INDEX, f"index/ must not import {module}"


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_library_has_one_room(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    for module, _ in imports(path):
        homes = HOMES.get(module.split(".")[0])
        assert homes is None or name.startswith(homes), f"{name} imports {module}"


def test_files_stay_small() -> None:
    for path in [*sources(), *(ROOT / "tests").rglob("*.py")]:
        assert len(path.read_text("utf-8").splitlines()) <= 500, path


def test_every_source_file_says_what_it_is_for() -> None:
    for path in sources():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_the_top_level_holds_what_it_should() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    folders = {"rag", "index", "ui", "prompts", "evals", "tests", "seeds"}
    files = {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        "constraints.txt",
    }
    assert visible == folders | files


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(tmp_path: Path) -> None:
    folders = MANIFEST["tool"]["setuptools"]["package-dir"]
    copy = tmp_path / "copy"  # building leaves files behind
    for folder in folders.values():
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    command += ["--outdir", str(tmp_path), str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = set()
    for package, folder in folders.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT / folder).as_posix()
                expected.add(f"{package.replace('.', '/')}/{inside}")
    assert names == expected


def test_every_dependency_has_a_range_and_an_exact_version() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    project = MANIFEST["project"]
    for needed in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = needed.split(">=")[0].lower().replace("_", "-")
        assert ">=" in needed, needed
        assert name in pinned, name
