"""The tab that lists the documents, adds and removes them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from rag.index.index import Index
from rag.types import Progress

from . import documents
from .sources import Panel
from .strings import Strings, static, strings


class DocumentsTab:
    """The documents of one index.

    Args:
        index: The index.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    def layout(self, texts: Strings) -> None:
        """Lay the tab out."""
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
    def listed(self) -> list[Any]:
        """The components that show which documents there are."""
        return [self.table, self.chosen]

    @property
    def spoken(self) -> list[Any]:
        """The other components that carry a text."""
        return [self.upload, self.remove]

    def said(self, texts: Strings) -> tuple[Any, ...]:
        """What is ``spoken``, in a language."""
        return gr.File(label=texts["add"]), gr.Button(texts["remove"])

    def bind(self, language: gr.Radio) -> None:
        """Bind its events."""
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
            changed.then(self.shown, language, self.listed, queue=False, **private)

    def shown(self, language: str) -> tuple[Panel, Any]:
        """What is ``listed``, as it is now."""
        entries, texts = self._index.documents(), strings(language)
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

        report = documents.add(self._index, uploads or [], texts, show)
        return gr.Textbox(value=report, visible=True), None

    def _removed(self, chosen: list[str] | None, language: str) -> Any:
        report = documents.remove(self._index, chosen or [], strings(language))
        return gr.Textbox(value=report, visible=True)
