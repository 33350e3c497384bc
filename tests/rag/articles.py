"""The seed articles by their files, and what holds of every answer that cites them."""

from __future__ import annotations

from rag.types import Answer

SORA, LATEST = "004_ca0dc37247db475f.txt", "003_69189304b0306e80.txt"
CUT_OFF, EXIT = "002_37ef041165f304e0.txt", "001_31d3efc9b029c984.txt"
ON_SORA = "000_f4d03017b7dc492f.txt"


def names(answer: Answer) -> list[str]:
    return list(dict.fromkeys(citation.document.name for citation in answer.citations))


def hold(answer: Answer) -> bool:
    """Whether every quote stands where its citation says, and every sentence where it says."""
    return all(
        one.document.text[one.start : one.end] == one.quote for one in answer.citations
    ) and all(answer.text[one.start : one.end] == one.text for one in answer.sentences)
