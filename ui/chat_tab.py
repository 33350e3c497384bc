"""The tab with the conversation, who answers, and the sources of the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from rag.errors import RagError
from rag.index.index import Index

from .chat import Message, answered, questions_of, refused, stopped
from .choosing import Choosing
from .conversations import Conversations
from .sources import Panel, answer_panel, empty_panel
from .strings import Strings, examples, static, strings
from .thumbs import keep_thumb
from .who_answers import WhoAnswers

# Events that run a question share this many places; the rest wait in line.
AT_ONCE = 4
_MOST_CHARACTERS = 4000
# How long an answer may take to stop, and how often that is looked at.
_STOPPING_SECONDS, _GLANCE_SECONDS = 2.0, 0.02


class ChatTab:
    """The conversations with one index.

    Args:
        index: The index.
        choosing: Who may be chosen to answer.
    """

    def __init__(self, index: Index, choosing: Choosing) -> None:
        self._index = index
        self._choosing = choosing
        self._conversations = Conversations()
        self._who = WhoAnswers(choosing)

    # -- layout -----------------------------------------------------------------------------

    def layout(self, texts: Strings) -> None:
        """Lay the tab out."""
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
                self._who.layout(texts)
                self.chatbot = gr.Chatbot(
                    elem_id="conversation",
                    show_label=False,
                    height="62vh",
                    buttons=["copy"],
                    feedback_options=["Like", "Dislike"],
                    latex_delimiters=[],
                    allow_tags=False,
                    group_consecutive_messages=False,
                    placeholder=texts["welcome"],
                )
                self.box = gr.Textbox(
                    elem_id="question",
                    placeholder=texts["question"],
                    label=texts["question"],
                    show_label=False,
                    submit_btn=True,
                    stop_btn=False,
                    max_lines=6,
                    max_length=_MOST_CHARACTERS,
                    autofocus=True,
                )
                self.notice = gr.Markdown(visible=False, elem_id="notice")
                self.new = gr.Button(texts["new"], size="sm", elem_id="new")
            with gr.Column(scale=2, min_width=280):
                self.panel = gr.HTML(
                    value=empty_panel(texts),
                    html_template=static("sources.html"),
                    css_template=static("sources.css"),
                    js_on_load=static("sources.js"),
                    elem_id="sources-panel",
                )

    @property
    def spoken(self) -> list[Any]:
        """The components that carry a text."""
        return [self.chatbot, self.box, self.new, self.panel, *self._who.parts]

    @property
    def told(self) -> list[Any]:
        """What ``said`` needs to know of the page."""
        return [self.chatbot, self._who.choice]

    async def said(
        self, language: str, messages: list[Message], names: list[str]
    ) -> tuple[Any, ...]:
        """What is ``spoken``, in a language."""
        texts = strings(language)
        return (
            gr.Chatbot(placeholder=texts["welcome"]),
            gr.Textbox(placeholder=texts["question"], label=texts["question"]),
            gr.Button(texts["new"]),
            gr.skip() if messages else empty_panel(texts),
            *await self._who.shown(names, language),
        )

    @property
    def begun(self) -> list[Any]:
        """The components that ``opened`` fills."""
        return [self.chatbot, *self._who.parts]

    async def opened(self, language: str) -> tuple[Any, ...]:
        """What a page begins with."""
        names = [entry.name for entry in self._index.documents()]
        offered: list[Any] = [{"text": question} for question in examples(names, strings(language))]
        return gr.Chatbot(examples=offered), *await self._who.opened(language)

    def begin(self) -> str:
        """The name of a new conversation."""
        return self._conversations.begin()

    # -- events -----------------------------------------------------------------------------

    def bind(self, conversation: gr.Textbox, language: gr.Radio) -> None:
        """Bind its events."""
        flow: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        light: dict[str, Any] = {"queue": False, **flow}
        boxed = [self.box, self.chatbot]
        who = self._who
        asked = self.box.submit(self._asked, [conversation, *boxed], boxed, **light)
        chosen = self.chatbot.example_select(
            self._example_chosen, [conversation, self.chatbot], boxed, **light
        )
        running = []
        for begun in (asked, chosen):
            answering = begun.success(
                self._answer,
                [conversation, self.chatbot, language, who.choice, who.language],
                [self.chatbot, self.panel],
                concurrency_id="answers",
                concurrency_limit=AT_ONCE,
                **flow,
            )
            for ended in (answering.then, answering.failure):
                ended(self._ready, conversation, self.box, **light)
                # A backend that failed rests now.
                ended(who.shown, [who.choice, language], who.parts, **light)
            running.append(answering)
        stopping = self.box.stop(self._reset, None, self.box, cancels=running, **light)
        # Only then: what is still on its way would take the place of the mark.
        stopping.then(self._stopped, [conversation, self.chatbot, language], self.chatbot, **light)
        for renewed in (self.new.click, self.chatbot.clear):
            renewed(
                self._renewed,
                language,
                [conversation, self.chatbot, self.panel, self.box],
                cancels=running,
                **light,
            )
        self.chatbot.like(
            self._thumbed, [conversation, self.chatbot, language], self.notice, **light
        )
        self.panel.cite(self._cited, [conversation, language], self.panel, **light)
        who.bind(language, **light)

    def _asked(
        self, conversation: str, question: str, messages: list[Message]
    ) -> tuple[Any, list[Message]]:
        if not question.strip() or self._conversations.is_busy(conversation):
            return gr.skip(), gr.skip()
        shown = self._conversations.ask(conversation, question.strip()[:_MOST_CHARACTERS])
        asked = {"role": "user", "content": shown}
        return gr.Textbox(value="", submit_btn=False, stop_btn=True), [*messages, asked]

    def _example_chosen(
        self, conversation: str, messages: list[Message], chosen: gr.SelectData
    ) -> tuple[Any, list[Message]]:
        return self._asked(conversation, str(chosen.value["text"]), messages)

    async def _answer(
        self,
        conversation: str,
        messages: list[Message],
        language: str,
        names: list[str],
        answer_language: str,
    ) -> AsyncGenerator[tuple[Any, Any], None]:
        waits = self._conversations.is_busy(conversation)
        if waits or not messages or messages[-1]["role"] != "user":
            yield gr.skip(), gr.skip()
            return
        with self._conversations.answering(conversation):
            try:
                bot = await self._choosing.bot(names, answer_language)
            except RagError as error:
                yield refused(messages, error, language), gr.skip()
                return
            views = answered(bot, self._conversations, conversation, messages, language)
            async with aclosing(views):
                async for shown, panel in views:
                    yield shown, gr.skip() if panel is None else panel

    def _ready(self, conversation: str) -> Any:
        """The box for the next question, unless one sent too early ended while another runs."""
        return gr.skip() if self._conversations.is_busy(conversation) else self._reset()

    async def _stopped(self, conversation: str, messages: list[Message], language: str) -> Any:
        """Mark the answer as stopped, unless it was finished just before."""
        until = time.monotonic() + _STOPPING_SECONDS
        while self._conversations.is_busy(conversation) and time.monotonic() < until:
            await asyncio.sleep(_GLANCE_SECONDS)
        questions = questions_of(self._conversations, conversation, messages)
        kept = self._conversations.get(conversation, len(questions) - 1)
        finished = kept is not None and bool(questions) and kept.question == questions[-1].strip()
        if finished or self._conversations.is_busy(conversation):
            return gr.skip()
        return stopped(messages, language)

    def _reset(self) -> Any:
        return gr.Textbox(submit_btn=True, stop_btn=False)

    def _renewed(self, language: str) -> tuple[str, list[Message], Panel, Any]:
        return self.begin(), [], empty_panel(strings(language)), self._reset()

    def _cited(self, conversation: str, language: str, clicked: gr.EventData) -> Panel:
        """The sources of the answer whose marker was clicked. What the page sends is checked."""
        texts = strings(language)
        sent = clicked._data  # the only access that gradio gives to a custom event
        detail = sent if isinstance(sent, dict) else {}
        turn, number = detail.get("turn"), detail.get("number")
        if not isinstance(turn, int) or not isinstance(number, int):
            return empty_panel(texts)
        answer = self._conversations.get(conversation, turn)
        if answer is None:
            return {**empty_panel(texts), "note": texts["gone"]}
        return answer_panel(answer, texts, focus=number)

    def _thumbed(
        self, conversation: str, messages: list[Message], language: str, given: gr.LikeData
    ) -> Any:
        """Keep the thumb that an answer was given; the page sends its place, not its words."""
        said = keep_thumb(
            self._index.folder,
            self._conversations,
            conversation,
            messages,
            given.index,
            given.liked,
            strings(language),
        )
        return gr.Markdown(said, visible=True)
