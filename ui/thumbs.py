"""The thumbs that people give answers, kept beside the index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.errors import RagError
from rag.feedback import keep_feedback

from .chat import Message, questions_of
from .conversations import Conversations
from .markup import displayed
from .strings import Strings


def keep_thumb(
    folder: Path,
    conversations: Conversations,
    conversation: str,
    messages: Sequence[Message],
    place: object,
    liked: object,
    texts: Strings,
) -> str:
    """Keep a thumb, and say so.

    Args:
        folder: The index's folder.
        conversations: Where the answer is.
        conversation: The conversation's name.
        messages: All its messages.
        place: Which of them the thumb is for; what the page sends is checked.
        liked: Up, down, or neither, where a thumb is taken back.
        texts: The window's texts.
    """
    before = messages[: place if isinstance(place, int) else 0]
    questions = questions_of(conversations, conversation, before)
    turn = len(questions) - 1
    answer = conversations.get(conversation, turn)
    if answer is None:
        return texts["gone"]
    good = liked if isinstance(liked, bool) else None
    history = conversations.turns(conversation, questions[:-1])
    try:
        keep_feedback(folder, f"{conversation}-{turn}", good, answer, history)
    except RagError as error:
        return displayed(str(error))
    return texts["thanks"] if good is not None else texts["taken_back"]
