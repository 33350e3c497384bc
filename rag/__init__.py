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
    from rag.chatbot import Chatbot as Chatbot
    from rag.chatbot import Filters as Filters
    from rag.errors import RagError as RagError
    from rag.index.index import Index as Index
    from rag.settings import Settings as Settings
    from rag.settings import load_settings as load_settings
    from rag.types import Answer as Answer
    from rag.types import Attempt as Attempt
    from rag.types import Citation as Citation
    from rag.types import Delta as Delta
    from rag.types import Document as Document
    from rag.types import Done as Done
    from rag.types import Hit as Hit
    from rag.types import IngestReport as IngestReport
    from rag.types import Passage as Passage
    from rag.types import Retrieved as Retrieved
    from rag.types import Sentence as Sentence
    from rag.types import Support as Support
    from rag.types import Switched as Switched
    from rag.types import Turn as Turn
    from rag.types import Usage as Usage
    from rag.types import to_dict as to_dict
    from rag.types import to_json as to_json

__version__ = "0.1.0"

_HOMES = {
    "Chatbot": "rag.chatbot",
    "Filters": "rag.chatbot",
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
            "Hit",
            "IngestReport",
            "Passage",
            "Retrieved",
            "Sentence",
            "Support",
            "Switched",
            "Turn",
            "Usage",
            "to_dict",
            "to_json",
        ],
        "rag.types",
    ),
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
