"""The conversation: a question in, a stream of messages and sources out."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from rag.chatbot import Chatbot
from rag.errors import BackendError, RagError
from rag.markers import without_markers
from rag.reasons import told
from rag.text import collapse, normalize
from rag.types import (
    Answer,
    Attempt,
    Checked,
    Delta,
    Done,
    Intent,
    Reasoning,
    Retrieved,
    Sentence,
    Support,
    Switched,
    Usage,
)

from .conversations import Conversations
from .markup import displayed
from .record import attempts, facts
from .sources import Panel, answer_panel, found_panel
from .strings import Strings, fault_text, strings

Message = dict[str, Any]
View = tuple[list[Message], Panel | None]

# The page redraws a message whole: more often than this costs the browser more than it shows.
_REDRAW_SECONDS = 0.08

# By how many characters a sentence is named.
_BEGINNING = 40

# Sentences with these verdicts carry a warning sign.
_NOT_BORNE_OUT = (Support.UNSUPPORTED, Support.CONTRADICTED)

_LOG = logging.getLogger(__name__)


@dataclass
class _Writing:
    """What the page shows of an answer that is being written.

    ``above`` are the messages that stand: the conversation, and what broke off. ``understood`` is
    said with the answer, ``thought`` is what the model says to itself, ``written`` the answer and ``doubtful`` the
    sentences in it that the documents do not bear out.
    """

    texts: Strings
    above: list[Message]
    understood: str = ""
    thought: str = ""
    written: str = ""
    doubtful: list[str] = field(default_factory=list)

    def messages(self) -> list[Message]:
        """What to show now."""
        if self.thought and not self.written:
            return [
                *self.above,
                _folded(self.texts["thinking"], displayed(self.thought), "pending"),
            ]
        return [*self._with_thought(), _message(self._said(displayed(self._marked())))]

    def check(self, event: Checked) -> None:
        """Note a sentence that the documents do not bear out."""
        if event.sentence.support in _NOT_BORNE_OUT:
            self.doubtful.append(without_markers(event.sentence.text).strip())

    def reason(self, event: Reasoning) -> None:
        """Add to what the model says to itself; all it had written may turn out to be that."""
        if event.begins:
            self.thought = ""
        if event.retracts:
            self.thought += self.written
            self.written, self.doubtful = "", []
        self.thought += event.text

    def switch(self, event: Switched) -> None:
        """Keep what the failed backend wrote, marked, and begin anew."""
        self.above = [*self._with_thought(), _message(_broken_off(event, self.texts))]
        self.thought, self.written, self.doubtful = "", "", []

    def done(self, answer: Answer, spent: Usage) -> list[Message]:
        """The finished answer, with the record of what was asked for it."""
        self.thought = answer.reasoning
        shown = [*self._with_thought(), _message(self._said(finished(answer, spent, self.texts)))]
        return [*shown, *self._record(answer.attempts)]

    def failed(self, reason: object) -> list[Message]:
        """What had been written when the last backend failed, why it did, and who else was asked."""
        told = f"⚠ {displayed(self.texts['failed'].format(reason=reason).strip())}"
        text = "\n\n".join(filter(None, [displayed(self.written), told]))
        made = reason.attempts if isinstance(reason, BackendError) else ()
        made = made if len(made) > 1 else ()  # of one, all is said
        return [*self._with_thought(), _message(self._said(text)), *self._record(made)]

    def _record(self, made: Sequence[Attempt]) -> list[Message]:
        """All that was asked, folded, where something went wrong."""
        record = attempts(made, self.texts)
        title = self.texts["attempts"].format(count=len(made))
        return [_folded(title, record, "done")] if record else []

    def _marked(self) -> str:
        """The text so far, with a warning sign behind the sentences that are not borne out."""
        text = self.written
        for sentence in self.doubtful:
            before, found, after = text.partition(sentence)
            text = f"{before}{found} ⚠{after}" if found else text
        return text

    def _with_thought(self) -> list[Message]:
        if not self.thought:
            return self.above
        return [*self.above, _folded(self.texts["thinking"], displayed(self.thought), "done")]

    def _said(self, text: str) -> str:
        return "\n\n".join(filter(None, [self.understood, text]))


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
    asked = questions_of(conversations, conversation, messages)
    question, turn = asked[-1], len(asked) - 1
    history = conversations.turns(conversation, asked[:-1])
    writing, drawn = _Writing(texts, list(messages)), 0.0
    # A model may take its time to rewrite the question before anything is found.
    yield [*messages, _message(f"*{texts['searching']}*")], None
    try:
        async with aclosing(bot.astream(question, history)) as events:
            async for event in events:
                if isinstance(event, Retrieved):
                    writing.understood = understood(question, event.searched, texts)
                    yield writing.messages(), found_panel(event.hits, texts)
                elif isinstance(event, Done):
                    conversations.put(conversation, turn, event.answer)
                    shown = writing.done(event.answer, conversations.spent(conversation))
                    yield shown, answer_panel(event.answer, texts)
                elif isinstance(event, Switched):
                    writing.switch(event)
                    yield writing.messages(), None
                else:
                    if isinstance(event, Delta):
                        writing.written += event.text
                    elif isinstance(event, Checked):
                        writing.check(event)
                    else:
                        writing.reason(event)
                    if time.monotonic() - drawn >= _REDRAW_SECONDS:
                        drawn = time.monotonic()
                        yield writing.messages(), None
    except RagError as error:
        yield writing.failed(error), None
    except Exception:  # noqa: BLE001
        # The window's outermost frame: an unforeseen error must not leave it without a word.
        _LOG.exception("answering failed")
        yield writing.failed(""), None


def refused(messages: Sequence[Message], error: RagError, language: str) -> list[Message]:
    """The conversation where the last question could not even be asked."""
    return _Writing(strings(language), list(messages)).failed(error)


def stopped(messages: Sequence[Message], language: str) -> list[Message]:
    """The conversation with its last answer marked as stopped, whatever there is of it."""
    mark = f"■ *{strings(language)['stopped']}*"
    if not messages or messages[-1]["role"] != "assistant":
        return [*messages, _message(mark)]
    *above, last = messages
    if (metadata := last.get("metadata")) and metadata.get("title"):
        thought = _folded(metadata["title"], plain_text(last), "done")
        return [*above, thought, _message(mark)]
    return [*above, _message("\n\n".join(filter(None, [plain_text(last), mark])))]


def understood(question: str, searched: Sequence[str], texts: Strings) -> str:
    """What a question was taken to mean, where that is not what was asked; else empty."""
    told = []
    if searched and collapse(searched[0]) != collapse(normalize(question)):
        told.append(texts["understood"].format(question=collapse(searched[0])))
    if others := searched[1:]:
        listed = " / ".join(collapse(other) for other in others)
        told.append(texts["also_searched"].format(questions=listed))
    line = displayed(" · ".join(told))
    return f"*{line[:1].upper()}{line[1:]}*" if line else ""


def _broken_off(event: Switched, texts: Strings) -> str:
    """What the failed backend wrote, why it failed, and who is asked now."""
    why = fault_text(event.fault, texts)
    told = texts["broken_off"].format(backend=event.failed) + (f" ({why})" if why else "")
    kept = "\n".join(f"> {line}" for line in displayed(event.discarded).splitlines())
    now = texts["now_asking"].format(backend=event.backend)
    said = f"⚠ **{displayed(told)}.** {displayed(collapse(event.reason))} {displayed(now)}"
    return f"{kept}\n\n{said}"


def finished(answer: Answer, spent: Usage, texts: Strings) -> str:
    """The text of a finished answer, with what was checked and who wrote it.

    A sentence that the documents do not support carries a warning sign.
    """
    text = answer.text
    unsupported = [one for one in answer.sentences if one.support in _NOT_BORNE_OUT]
    for sentence in reversed(unsupported):
        text = f"{text[: sentence.end]} ⚠{text[sentence.end :]}"
    lines = [displayed(text)]
    if unsupported:
        reasons = "".join(f"\n- {_why(one, texts)}" for one in unsupported)
        lines.append(f"⚠ {texts['unsupported_sentences']}{reasons}")
    if answer.left_out:
        lines.append(f"⚠ {texts['left_out'].format(count=len(answer.left_out))}")
    if not answer.hits and answer.intent is Intent.ANSWER:
        lines.append(texts["nothing_found"])
    if known := facts(answer, spent, texts):
        lines.append(f"*{known}*")
    return "\n\n".join(lines)


def _why(sentence: Sentence, texts: Strings) -> str:
    """What is the matter with a sentence, told by its first words."""
    begins = collapse(without_markers(sentence.text))
    begins = begins if len(begins) <= _BEGINNING else f"{begins[:_BEGINNING].rstrip()}…"
    reasons = "; ".join(told(one, texts["code"]) for one in sentence.reasons[:2])
    return displayed(f"“{begins}”: {reasons}")


def questions_of(
    conversations: Conversations, conversation: str, messages: Sequence[Message]
) -> list[str]:
    """The questions of a conversation as they were asked; the page shows them made harmless."""
    shown = [plain_text(message) for message in messages if message["role"] == "user"]
    return [conversations.asked(conversation, one) for one in shown]


def plain_text(message: Message) -> str:
    """The text of a message, in either of the forms the page sends."""
    content = message["content"]
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))


def _message(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _folded(title: str, text: str, status: str) -> Message:
    """A message under a title: open while it is ``pending``, folded when it is ``done``."""
    return {**_message(text), "metadata": {"title": title, "status": status}}
