"""What a request holds besides the model and the messages, as the dialect of a server has it."""

from __future__ import annotations

import sys
from typing import Any

from rag.settings import AnswerSettings

from .budget import answer_room
from .providers import Dialect


def optional_fields(
    dialect: Dialect, settings: AnswerSettings, window: int, most_tokens: int | None
) -> dict[str, Any]:
    """The fields that a request can do without, where a server does not take them.

    Args:
        dialect: How the server departs from the protocol.
        settings: How long an answer may be, and the temperature.
        window: How many tokens prompt and answer may have together.
        most_tokens: How long this answer may be, where that is less.
    """
    fields: dict[str, Any] = {**dialect.body}
    if dialect.length_field:
        most = min(most_tokens or sys.maxsize, settings.answer_tokens)
        fields[dialect.length_field] = answer_room(window, most)
    if dialect.temperature:
        fields["temperature"] = settings.temperature
    if dialect.stream and dialect.stream_usage:
        fields["stream_options"] = {"include_usage": True}
    return fields
