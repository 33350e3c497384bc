"""Run mypy over the package as it is installed.

The folders sit side by side in the repository and become one package when installed; a type
checker cannot see through that. So a temporary folder shows them in their installed places.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def lay_view(view: Path) -> None:
    """Fill a folder with links that look like the installed package, and the tests."""
    manifest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = manifest["tool"]["setuptools"]["package-dir"]
    (view / "rag").mkdir()
    for item in (ROOT / "rag").iterdir():
        (view / "rag" / item.name).symlink_to(item)
    for package, folder in folders.items():
        if package != "rag":
            (view / package.replace(".", "/")).symlink_to(ROOT / folder)
    (view / "tests").symlink_to(ROOT / "tests")


def main() -> int:
    """Type-check everything; the exit status is mypy's."""
    with tempfile.TemporaryDirectory() as folder:
        lay_view(Path(folder))
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
        command += ["--cache-dir", str(ROOT / ".mypy_cache"), "rag", "tests"]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
