"""The page: its layout, and which event calls what."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import gradio as gr

from rag.chatbot import Chatbot
from rag.index.index import Index
from rag.types import Progress

from . import documents
from .chat import Message, answered
from .conversations import Conversations
from .sources import Panel, answer_panel, empty_panel
from .strings import DEFAULT, examples, languages, preferred, static, strings
from .thumbs import keep_thumb

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "monospace"]

# Events that run a question share this many places; the rest wait in line.
_AT_ONCE = 4
_MOST_WAITING = 64
_MOST_CHARACTERS = 4000
# Gradio's own copies of uploads: how often it looks for old ones, and how old they get, in seconds.
_CACHE = (3600, 3600)


@dataclass
class Page:
    """The chat window over one index.

    Args:
        index: The index.
        bot: Who answers.
    """

    index: Index
    bot: Chatbot
    conversations: Conversations = field(default_factory=Conversations)

    def build(self) -> gr.Blocks:
        """Lay the page out and bind its events."""
        texts = strings(DEFAULT)
        with gr.Blocks(
            title=texts["title"], analytics_enabled=False, fill_width=True, delete_cache=_CACHE
        ) as page:
            with gr.Row(equal_height=True, elem_id="top"):
                title = gr.Markdown(f"# {texts['title']}", elem_id="title")
                language = gr.Radio(
                    languages(),
                    value=DEFAULT,
                    label=texts["language"],
                    show_label=False,
                    container=False,
                    elem_id="language",
                )
            # Not gr.State: that would hold one connection open for each tab, and a browser
            # has only six for one server.
            conversation = gr.Textbox(visible="hidden", elem_id="conversation-name")
            with gr.Tab(texts["chat"], id="chat") as chat_tab:
                self._chat_tab(texts)
            with gr.Tab(texts["documents"], id="documents") as documents_tab:
                self._documents_tab(texts)
            spoken = [title, chat_tab, documents_tab, *self._spoken]
            self._bind_chat(conversation, language)
            self._bind_documents(language)
            # Not queued: the answer to a queued event can be lost in the browser when it
            # begins just as the last one ends.
            light: dict[str, Any] = {"queue": False, "api_visibility": "private"}
            listed = [self.table, self.chosen]
            page.load(self._opened, None, [conversation, language, self.chatbot], **light)
            page.load(self._documents_shown, language, listed, **light)
            language.change(self._speak, [language, self.chatbot], [*spoken, *listed], **light)
            documents_tab.select(self._documents_shown, language, listed, **light)
        page.queue(api_open=False, max_size=_MOST_WAITING, default_concurrency_limit=_AT_ONCE)
        return cast(gr.Blocks, page)

    # -- layout -----------------------------------------------------------------------------

    def _chat_tab(self, texts: dict[str, str]) -> None:
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
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

    def _documents_tab(self, texts: dict[str, str]) -> None:
        self.table = gr.HTML(
            value=documents.table((), texts),
            html_template=static("documents.html"),
            css_template=static("documents.css"),
            js_on_load=static("documents.js"),
            elem_id="documents-table",
        )
        self.upload = gr.File(
            label=texts["add"], file_count="multiple", elem_id="upload", height=140
        )
        self.report = gr.Textbox(
            show_label=False, interactive=False, visible=False, elem_id="report"
        )
        self.chosen = gr.Dropdown(
            documents.choices(()),
            multiselect=True,
            label=texts["choose"],
            elem_id="chosen",
        )
        self.remove = gr.Button(texts["remove"], variant="stop", elem_id="remove")

    @property
    def _spoken(self) -> list[Any]:
        return [self.chatbot, self.box, self.new, self.upload, self.remove, self.panel]

    def _speak(self, language: str, messages: list[Message]) -> tuple[Any, ...]:
        """Everything that carries a text, in a language, in the order of its outputs."""
        texts = strings(language)
        return (
            gr.Markdown(f"# {texts['title']}"),
            gr.Tab(texts["chat"]),
            gr.Tab(texts["documents"]),
            gr.Chatbot(placeholder=texts["welcome"]),
            gr.Textbox(placeholder=texts["question"], label=texts["question"]),
            gr.Button(texts["new"]),
            gr.File(label=texts["add"]),
            gr.Button(texts["remove"]),
            gr.skip() if messages else empty_panel(texts),
            *self._documents_shown(language),
        )

    # -- the conversation -------------------------------------------------------------------

    def _bind_chat(self, conversation: gr.Textbox, language: gr.Radio) -> None:
        flow: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        boxed = [self.box, self.chatbot]
        asked = self.box.submit(self._asked, [conversation, *boxed], boxed, queue=False, **flow)
        chosen = self.chatbot.example_select(
            self._example_chosen, [conversation, self.chatbot], boxed, queue=False, **flow
        )
        running = []
        for begun in (asked, chosen):
            answering = begun.success(
                self._answer,
                [conversation, self.chatbot, language],
                [self.chatbot, self.panel],
                concurrency_id="answers",
                concurrency_limit=_AT_ONCE,
                **flow,
            )
            answering.then(self._ready, conversation, self.box, queue=False, **flow)
            answering.failure(self._ready, conversation, self.box, queue=False, **flow)
            running.append(answering)
        self.box.stop(self._reset, None, self.box, cancels=running, queue=False, **flow)
        for renewed in (self.new.click, self.chatbot.clear):
            renewed(
                self._renewed,
                language,
                [conversation, self.chatbot, self.panel, self.box],
                cancels=running,
                queue=False,
                **flow,
            )
        self.chatbot.like(
            self._thumbed, [conversation, self.chatbot, language], self.notice, queue=False, **flow
        )
        self.panel.cite(self._cited, [conversation, language], self.panel, queue=False, **flow)

    def _opened(self, request: gr.Request) -> tuple[str, str, Any]:
        names = [entry.name for entry in self.index.documents()]
        offered: list[Any] = [{"text": question} for question in examples(names)]
        language = preferred(request.headers.get("accept-language", ""))
        return self.conversations.begin(), language, gr.Chatbot(examples=offered)

    def _asked(
        self, conversation: str, question: str, messages: list[Message]
    ) -> tuple[Any, list[Message]]:
        if not question.strip() or self.conversations.is_busy(conversation):
            return gr.skip(), gr.skip()
        asked = {"role": "user", "content": question.strip()[:_MOST_CHARACTERS]}
        return gr.Textbox(value="", submit_btn=False, stop_btn=True), [*messages, asked]

    def _example_chosen(
        self, conversation: str, messages: list[Message], chosen: gr.SelectData
    ) -> tuple[Any, list[Message]]:
        return self._asked(conversation, str(chosen.value["text"]), messages)

    async def _answer(
        self, conversation: str, messages: list[Message], language: str
    ) -> AsyncGenerator[tuple[Any, Any], None]:
        waits = self.conversations.is_busy(conversation)
        if waits or not messages or messages[-1]["role"] != "user":
            yield gr.skip(), gr.skip()
            return
        views = answered(self.bot, self.conversations, conversation, messages, language)
        with self.conversations.answering(conversation):
            async with aclosing(views):
                async for shown, panel in views:
                    yield shown, gr.skip() if panel is None else panel

    def _ready(self, conversation: str) -> Any:
        """The box for the next question, unless one sent too early ended while another runs."""
        return gr.skip() if self.conversations.is_busy(conversation) else self._reset()

    def _reset(self) -> Any:
        return gr.Textbox(submit_btn=True, stop_btn=False)

    def _renewed(self, language: str) -> tuple[str, list[Message], Panel, Any]:
        return self.conversations.begin(), [], empty_panel(strings(language)), self._reset()

    def _cited(self, conversation: str, language: str, clicked: gr.EventData) -> Panel:
        """The sources of the answer whose marker was clicked. What the page sends is checked."""
        texts = strings(language)
        sent = clicked._data  # the only access that gradio gives to a custom event
        detail = sent if isinstance(sent, dict) else {}
        turn, number = detail.get("turn"), detail.get("number")
        if not isinstance(turn, int) or not isinstance(number, int):
            return empty_panel(texts)
        answer = self.conversations.get(conversation, turn)
        if answer is None:
            return {**empty_panel(texts), "note": texts["gone"]}
        return answer_panel(answer, texts, focus=number)

    def _thumbed(
        self, conversation: str, messages: list[Message], language: str, given: gr.LikeData
    ) -> Any:
        """Keep the thumb that an answer was given; the page sends its place, not its words."""
        said = keep_thumb(
            self.index.folder,
            self.conversations,
            conversation,
            messages,
            given.index,
            given.liked,
            strings(language),
        )
        return gr.Markdown(said, visible=True)

    # -- documents --------------------------------------------------------------------------

    def _bind_documents(self, language: gr.Radio) -> None:
        shown = [self.table, self.chosen]
        private: dict[str, Any] = {"api_visibility": "private"}
        added = self.upload.upload(
            self._added,
            [self.upload, language],
            [self.report, self.upload],
            concurrency_id="changes",
            concurrency_limit=1,
            **private,
        )
        removed = self.remove.click(
            self._removed, [self.chosen, language], self.report, concurrency_id="changes", **private
        )
        for changed in (added, removed):
            changed.then(self._documents_shown, language, shown, queue=False, **private)

    def _documents_shown(self, language: str) -> tuple[Panel, Any]:
        entries, texts = self.index.documents(), strings(language)
        choices = gr.Dropdown(documents.choices(entries), value=[], label=texts["choose"])
        return documents.table(entries, texts), choices

    def _added(
        self,
        uploads: list[str] | None,
        language: str,
        bar: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, None]:
        texts = strings(language)
        stages = {"documents": texts["reading"], "passages": texts["embedding"]}

        def show(progress: Progress) -> None:
            stage = stages.get(progress.stage, "")
            bar((progress.done, max(1, progress.total)), desc=f"{stage} {progress.name}".strip())

        report = documents.add(self.index, uploads or [], texts, show)
        return gr.Textbox(value=report, visible=True), None

    def _removed(self, chosen: list[str] | None, language: str) -> Any:
        report = documents.remove(self.index, chosen or [], strings(language))
        return gr.Textbox(value=report, visible=True)


def appearance() -> dict[str, Any]:
    """What ``mount_gradio_app`` needs to make the page look as it should, without a network."""
    theme = gr.themes.Soft(primary_hue="blue", font=_FONTS, font_mono=_MONO)
    script = f"<script>{static('markers.js')}</script>"
    return {"theme": theme, "css": static("page.css"), "head": script}
