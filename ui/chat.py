"""The conversation: a question in, a stream of messages and sources out."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from rag.chatbot import Chatbot
from rag.errors import RagError
from rag.types import Answer, Delta, Done, Retrieved, Support, Switched, Turn

from .conversations import Conversations
from .sources import Panel, answer_panel, found_panel
from .strings import Strings, strings

Message = dict[str, Any]
View = tuple[list[Message], Panel | None]

# The page redraws a message whole: more often than this costs the browser more than it shows.
_REDRAW_SECONDS = 0.08

# Fenced and inline code, as Markdown has it.
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)

_LOG = logging.getLogger(__name__)


async def answered(
    bot: Chatbot,
    conversations: Conversations,
    conversation: str,
    messages: Sequence[Message],
    language: str,
) -> AsyncGenerator[View, None]:
    """Answer the last message of a conversation.

    Args:
        bot: Who answers.
        conversations: Where the answer is kept for the sources panel.
        conversation: The conversation's name.
        messages: All messages so far; the last is the question.
        language: The language of the window.

    Yields:
        The messages to show, and the sources panel where it changes. A failure is a message
        like any other: nothing is raised.
    """
    texts = strings(language)
    shown = [*messages, _message("")]
    question = plain_text(messages[-1])
    turn = sum(message["role"] == "user" for message in messages) - 1
    written, drawn = "", 0.0
    try:
        async with aclosing(bot.astream(question, history(messages[:-1]))) as events:
            async for event in events:
                if isinstance(event, Retrieved):
                    yield shown, found_panel(event.hits, texts)
                elif isinstance(event, Delta):
                    written += event.text
                    if time.monotonic() - drawn >= _REDRAW_SECONDS:
                        drawn = time.monotonic()
                        shown[-1] = _message(displayed(written))
                        yield shown, None
                elif isinstance(event, Switched):
                    shown[-1:] = _switched(event, texts)
                    written = ""
                    yield shown, None
                elif isinstance(event, Done):
                    conversations.put(conversation, turn, event.answer)
                    shown[-1] = _message(finished(event.answer, texts))
                    yield shown, answer_panel(event.answer, texts)
    except RagError as error:
        shown[-1] = _message("⚠ " + displayed(texts["failed"].format(reason=error)))
        yield shown, None
    except Exception:  # noqa: BLE001
        # The window's outermost frame: an unforeseen error must not leave it without a word.
        _LOG.exception("answering failed")
        shown[-1] = _message("⚠ " + texts["failed"].format(reason=""))
        yield shown, None


def _switched(event: Switched, texts: Strings) -> list[Message]:
    """What the failed backend wrote, kept apart, and room for the next one's answer."""
    title = texts["switched"].format(reason=event.reason, backend=event.backend)
    kept = displayed(event.discarded) or texts["discarded"]
    aside = {**_message(kept), "metadata": {"title": f"⚠ {title}", "status": "done"}}
    return [aside, _message("")]


def finished(answer: Answer, texts: Strings) -> str:
    """The text of a finished answer, with what was checked and who wrote it."""
    lines = [displayed(answer.text)]
    unsupported = [s for s in answer.sentences if s.support is Support.UNSUPPORTED]
    for sentence in unsupported:
        said = texts["unsupported_sentences"].format(text=displayed(sentence.text))
        lines.append(f"⚠ {said}")
    facts = [answer.backend] if answer.backend else []
    if answer.sentences:
        good = sum(s.support is Support.SUPPORTED for s in answer.sentences)
        facts.append(texts["checked"].format(good=good, total=len(answer.sentences)))
    if answer.attempts:
        facts.append(texts["seconds"].format(seconds=answer.attempts[-1].seconds))
    if facts:
        lines.append(f"*{' · '.join(facts)}*")
    return "\n\n".join(lines)


def history(messages: Sequence[Message]) -> list[Turn]:
    """The earlier exchanges among some messages; asides about failures are left out."""
    turns: list[Turn] = []
    question = ""
    for message in messages:
        if message["role"] == "user":
            question = plain_text(message)
        elif question and not (message.get("metadata") or {}).get("title"):
            answer = plain_text(message).rsplit("\n\n*", 1)[0]
            turns.append(Turn(question, answer))
            question = ""
    return turns


def displayed(text: str) -> str:
    """A text that the page may render: no element, image or link can come out of it.

    An answer is partly what documents say, and they may say anything. Code keeps as it is:
    the page shows it without interpreting it.
    """
    pieces = _CODE.split(text)
    pieces[::2] = [_without_markup(piece) for piece in pieces[::2]]
    return "".join(pieces)


def _without_markup(text: str) -> str:
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = text.replace("![", "!\\[")
    text = re.sub(r"\](?=\s*[(\[:](?!\d+\]))", "\\]", text)
    # An address alone would become a link, too.
    return re.sub(r"(?i)\b(https?|ftp|www|mailto)(?=[:.])|(?<=\w)(?=@)", r"\1\\", text)


def plain_text(message: Message) -> str:
    """The text of a message, in either of the forms the page sends."""
    content = message["content"]
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))


def _message(text: str) -> Message:
    return {"role": "assistant", "content": text}
