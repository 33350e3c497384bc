"""The window's own texts and examples, from ``strings.toml`` and ``examples.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources

from rag.errors import Fault

Strings = dict[str, str]

DEFAULT = "en"
_MOST_EXAMPLES = 4


@cache
def _tables() -> dict[str, Strings]:
    return tomllib.loads(resources.files("rag.ui").joinpath("strings.toml").read_text("utf-8"))


def languages() -> list[tuple[str, str]]:
    """The languages the window speaks: their own names, and their codes."""
    return [(table["name"], code) for code, table in _tables().items()]


def strings(language: str) -> Strings:
    """All texts in one language, or in English where the window does not speak it."""
    return _tables().get(language, _tables()[DEFAULT])


def fault_text(fault: str, texts: Strings) -> str:
    """A kind of failure, as an ``Attempt`` names it, in the window's language; empty for none."""
    return texts[f"fault_{Fault(fault).name.lower()}"] if fault else ""


def preferred(accept_language: str) -> str:
    """The first language of a browser's ``Accept-Language`` header that the window speaks."""
    for part in accept_language.split(","):
        code = part.split(";")[0].strip().lower().split("-")[0]
        if code in _tables():
            return code
    return DEFAULT


def examples(document_names: Iterable[str], texts: Strings) -> list[str]:
    """Example questions that the indexed documents answer; of any documents, what they are and say."""
    present = set(document_names)
    text = resources.files("rag.ui").joinpath("examples.toml").read_text("utf-8")
    listed = tomllib.loads(text)["example"]
    known = [one["question"] for one in listed if one["document"] in present]
    of_any = [texts["example_listing"], texts["example_summary"]] if present else []
    return [*known, *of_any][:_MOST_EXAMPLES]


def static(name: str) -> str:
    """The text of a file in ``static/``."""
    return resources.files("rag.ui").joinpath("static").joinpath(name).read_text("utf-8")
