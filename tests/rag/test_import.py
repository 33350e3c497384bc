"""Importing the package and asking for help cost nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "faiss", "gradio", "openai", "numpy", "sentence_transformers", "tantivy"}
HEAVY |= {"transformers", "sentencex", "py3langid", "jinja2", "anyio"}
REPORT = "import json; print('\\n' + json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize(
    "program",
    [
        "import sys, rag; rag.__version__",
        "import sys, rag; rag.Chatbot, rag.RagError, rag.Settings, rag.Answer, rag.to_json",
        "import sys; sys.argv = ['rag', '--help']; from rag.cli import main\ntry: main()\n"
        "except SystemExit as end: assert not end.code",
        "import sys; sys.argv = ['rag', '--version']; from rag.cli import main\ntry: main()\n"
        "except SystemExit as end: assert not end.code",
    ],
    ids=["import", "names", "help", "version"],
)
def test_nothing_heavy_is_imported(program: str) -> None:
    command = [sys.executable, "-c", f"{program}\n{REPORT}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert "rag" in loaded
    assert not loaded & HEAVY
