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
from rag.types import Answer, Delta, Done, Retrieved, Support, Switched

from .conversations import Conversations
from .sources import Panel, answer_panel, found_panel
from .strings import Strings, strings

Message = dict[str, Any]
View = tuple[list[Message], Panel | None]

# The page redraws a message whole: more often than this costs the browser more than it shows.
_REDRAW_SECONDS = 0.08

# What changes the direction of a text, and letters that nobody sees.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")

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
    asked = [plain_text(message) for message in messages if message["role"] == "user"]
    question, turn = asked[-1], len(asked) - 1
    history = conversations.turns(conversation, asked[:-1])
    written, drawn = "", 0.0
    try:
        async with aclosing(bot.astream(question, history)) as events:
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
        shown[-1] = _message(_failed(written, texts["failed"].format(reason=error)))
        yield shown, None
    except Exception:  # noqa: BLE001
        # The window's outermost frame: an unforeseen error must not leave it without a word.
        _LOG.exception("answering failed")
        shown[-1] = _message(_failed(written, texts["failed"].format(reason="")))
        yield shown, None


def _failed(written: str, reason: str) -> str:
    """What had been written when the last backend failed, and why it did."""
    return "\n\n".join(filter(None, [displayed(written), f"⚠ {displayed(reason)}"]))


def _switched(event: Switched, texts: Strings) -> list[Message]:
    """What the failed backend wrote, kept apart, and room for the next one's answer."""
    title = displayed(texts["switched"].format(reason=event.reason, backend=event.backend))
    kept = displayed(event.discarded) or texts["discarded"]
    aside = {**_message(kept), "metadata": {"title": f"⚠ {title}", "status": "done"}}
    return [aside, _message("")]


def finished(answer: Answer, texts: Strings) -> str:
    """The text of a finished answer, with what was checked and who wrote it.

    A sentence that the documents do not support carries a warning sign.
    """
    text = answer.text
    marked = (Support.UNSUPPORTED, Support.CONTRADICTED)
    unsupported = [one for one in answer.sentences if one.support in marked]
    for sentence in reversed(unsupported):
        text = f"{text[: sentence.end]} ⚠{text[sentence.end :]}"
    lines = [displayed(text)]
    if unsupported:
        lines.append(f"⚠ {texts['unsupported_sentences']}")
    if not answer.hits:
        lines.append(texts["nothing_found"])
    facts = [answer.backend] if answer.backend else []
    if answer.sentences:
        good = sum(s.support is Support.SUPPORTED for s in answer.sentences)
        facts.append(texts["checked"].format(good=good, total=len(answer.sentences)))
    if corrected := sum(one.corrected and bool(one.written) for one in answer.sentences):
        facts.append(texts["corrected"].format(count=corrected))
    if answer.attempts:
        facts.append(texts["seconds"].format(seconds=answer.attempts[-1].seconds))
    if facts:
        lines.append(f"*{' · '.join(facts)}*")
    return "\n\n".join(lines)


def displayed(text: str) -> str:
    """A text that the page may render: no element, image or link can come out of it.

    An answer is partly what documents say, and they may say anything. Nothing is spared for
    standing in code: where code begins and ends is for the page's own parser to say.
    """
    text = _HIDDEN.sub("", text)
    # A backslash stays one: before a bracket it would undo what is done to the bracket below.
    text = re.sub(r"\\(?=[!-/:-@\[-`{-~])", r"\\\\", text)
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)  # "[&#49;]" would become a marker
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = text.replace("![", "!\\[")
    text = re.sub(r"\](?=\s*[(\[:](?!\d+\]))", "\\]", text)
    # An address alone would become a link, too.
    return re.sub(r"(?i)(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|(?=@)", r"\g<0>\\", text)


def plain_text(message: Message) -> str:
    """The text of a message, in either of the forms the page sends."""
    content = message["content"]
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))


def _message(text: str) -> Message:
    return {"role": "assistant", "content": text}
