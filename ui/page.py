"""The page: its tabs, its language, and how it looks."""

from __future__ import annotations

from typing import Any, cast

import gradio as gr

from rag.chatbot import Chatbot
from rag.index.index import Index

from .chat import Message
from .chat_tab import AT_ONCE, ChatTab
from .choosing import Choosing
from .documents_tab import DocumentsTab
from .strings import DEFAULT, languages, preferred, static, strings

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "monospace"]

_MOST_WAITING = 64
# Gradio's own copies of uploads: how often it looks for old ones, and how old they get, in seconds.
_CACHE = (3600, 3600)


class Page:
    """The chat window over one index.

    Args:
        index: The index.
        bot: Who answers where nobody is chosen in the page.
        keys: Whether providers whose keys lie in the environment are offered.

    Raises:
        SettingsError: The settings of a provider are malformed.
    """

    def __init__(self, index: Index, bot: Chatbot, *, keys: bool) -> None:
        self._chat = ChatTab(index, Choosing(bot, keys=keys))
        self._documents = DocumentsTab(index)

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
                self._chat.layout(texts)
            with gr.Tab(texts["documents"], id="documents") as documents_tab:
                self._documents.layout(texts)
            self._chat.bind(conversation, language)
            self._documents.bind(language)
            listed = self._documents.listed
            spoken = [title, chat_tab, documents_tab, *self._chat.spoken, *self._documents.spoken]
            # Not queued: the answer to a queued event can be lost in the browser when it
            # begins just as the last one ends.
            light: dict[str, Any] = {"queue": False, "api_visibility": "private"}
            page.load(self._opened, None, [conversation, language, *self._chat.begun], **light)
            page.load(self._documents.shown, language, listed, **light)
            language.change(self._speak, [language, *self._chat.told], [*spoken, *listed], **light)
            documents_tab.select(self._documents.shown, language, listed, **light)
        page.queue(api_open=False, max_size=_MOST_WAITING, default_concurrency_limit=AT_ONCE)
        return cast(gr.Blocks, page)

    async def _opened(self, request: gr.Request) -> tuple[Any, ...]:
        language = preferred(request.headers.get("accept-language", ""))
        return self._chat.begin(), language, *await self._chat.opened(language)

    async def _speak(
        self, language: str, messages: list[Message], names: list[str]
    ) -> tuple[Any, ...]:
        """Everything that carries a text, in a language, in the order of its outputs."""
        texts = strings(language)
        return (
            gr.Markdown(f"# {texts['title']}"),
            gr.Tab(texts["chat"]),
            gr.Tab(texts["documents"]),
            *await self._chat.said(language, messages, names),
            *self._documents.said(texts),
            *self._documents.shown(language),
        )


def appearance() -> dict[str, Any]:
    """What ``mount_gradio_app`` needs to make the page look as it should, without a network."""
    theme = gr.themes.Soft(primary_hue="blue", font=_FONTS, font_mono=_MONO)
    script = f"<script>{static('markers.js')}</script>"
    return {"theme": theme, "css": static("page.css"), "head": script}
