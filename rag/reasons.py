"""The reasons of a verdict as a person reads them, in the language of the question."""

from __future__ import annotations

from .messages import said
from .types import Reason, ReasonKind


def told(reason: Reason, language: str) -> str:
    """A reason as a plain phrase, in a language or else in English.

    Args:
        reason: Why a sentence is not wholly supported.
        language: ISO 639-1.
    """
    if reason.kind is ReasonKind.NO_EVIDENCE or not (
        reason.said or reason.kind is ReasonKind.MEANING
    ):
        return said("reason_none", language)
    name = f"reason_{reason.kind}" if reason.found else f"reason_{reason.kind}_missing"
    return said(name, language).format(said=reason.said, found=reason.found)
