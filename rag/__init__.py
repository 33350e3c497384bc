"""Ask your own documents, in English or Vietnamese, and see for every sentence where it is from.

    import rag

    index = rag.Index.open_or_create("my-index")
    index.add("seeds/")
    answer = rag.Chatbot(index).ask("Who called Sora a Newton moment?")
    print(answer.text)

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.index.index import Index as Index

    from .chatbot import Chatbot as Chatbot
    from .errors import RagError as RagError
    from .retrieval import Filters as Filters
    from .serialization import to_dict as to_dict
    from .serialization import to_json as to_json
    from .settings import Settings as Settings
    from .settings import load_settings as load_settings
    from .types import Answer as Answer
    from .types import Attempt as Attempt
    from .types import Citation as Citation
    from .types import Delta as Delta
    from .types import Document as Document
    from .types import Done as Done
    from .types import Explanation as Explanation
    from .types import Hit as Hit
    from .types import IngestReport as IngestReport
    from .types import Intent as Intent
    from .types import Passage as Passage
    from .types import Reasoning as Reasoning
    from .types import Retrieved as Retrieved
    from .types import Sentence as Sentence
    from .types import Support as Support
    from .types import Switched as Switched
    from .types import Turn as Turn
    from .types import Usage as Usage

_HOMES = {
    "Chatbot": "rag.chatbot",
    "Filters": "rag.retrieval",
    "Index": "rag.index.index",
    "RagError": "rag.errors",
    "Settings": "rag.settings",
    "load_settings": "rag.settings",
    **dict.fromkeys(
        [
            "Answer",
            "Attempt",
            "Citation",
            "Delta",
            "Document",
            "Done",
            "Explanation",
            "Hit",
            "IngestReport",
            "Intent",
            "Passage",
            "Reasoning",
            "Retrieved",
            "Sentence",
            "Support",
            "Switched",
            "Turn",
            "Usage",
        ],
        "rag.types",
    ),
    **dict.fromkeys(["to_dict", "to_json"], "rag.serialization"),
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("rag-chatbot")
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
