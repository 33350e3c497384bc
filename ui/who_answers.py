"""The control that says who answers, where they are, and in which language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag.errors import Fault
from rag.llm.backend import Backend
from rag.llm.chain import LocalServers
from rag.llm.endpoint import is_loopback
from rag.llm.extractive import ExtractiveBackend
from rag.llm.openai import OpenAIBackend
from rag.llm.rests import Rest
from rag.llm.transformers import TransformersBackend

from .choosing import Choosing, Offer, host
from .formats import country, time_of_day
from .strings import Strings, fault_text, languages, strings


class WhoAnswers:
    """A folded list of the backends that can be chosen; its title says who is asked now.

    Args:
        choosing: What can be chosen.
    """

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing

    def layout(self, texts: Strings) -> None:
        """Lay the control out, with what is configured."""
        configured = self._choosing.configured
        with gr.Accordion(texts["who_answers"], open=False, elem_id="who") as self.fold:
            self.choice = gr.CheckboxGroup(
                configured,
                value=configured,
                label=texts["choose_who"],
                info=texts["choose_who_info"],
                elem_id="choice",
            )
            self.language = gr.Radio(
                [("", code) for code in self._choosing.answer_languages()],
                value=self._choosing.answer_language,
                label=texts["answer_in"],
                elem_id="answer-language",
            )

    @property
    def parts(self) -> list[Any]:
        """Everything in it that changes."""
        return [self.fold, self.choice, self.language]

    def bind(self, language: gr.Radio, **flow: Any) -> None:
        """Bind its own event; ``flow`` is what all light events of the page have in common."""
        self.choice.input(self._chosen, [self.choice, language], [self.fold, self.choice], **flow)

    async def opened(self, language: str) -> tuple[Any, Any, Any]:
        """The control as a page begins with: what is configured is chosen."""
        return await self._shown(self._choosing.configured, language, chosen=True)

    async def shown(self, names: Sequence[str], language: str) -> tuple[Any, Any, Any]:
        """The control as it is now, in a language; what is chosen stays."""
        return await self._shown(names, language, chosen=False)

    async def _chosen(self, names: list[str], language: str) -> tuple[Any, Any]:
        fold, choice, _ = await self._shown(names, language, chosen=True)
        return fold, choice

    async def _shown(
        self, names: Sequence[str], language: str, *, chosen: bool
    ) -> tuple[Any, Any, Any]:
        texts = strings(language)
        offers = await self._choosing.offers()
        asked = self._choosing.ordered(names)
        value: dict[str, Any] = {"value": asked} if chosen else {}
        choice = gr.CheckboxGroup(
            [(offer_text(offer, texts), offer.name) for offer in offers],
            label=texts["choose_who"],
            info=texts["choose_who_info"],
            **value,
        )
        spoken = [(_language_name(code, texts), code) for code in self._choosing.answer_languages()]
        return (
            gr.Accordion(label=glance(offers, asked, texts)),
            choice,
            gr.Radio(spoken, label=texts["answer_in"]),
        )


def glance(offers: Sequence[Offer], asked: Sequence[str], texts: Strings) -> str:
    """Who is asked now, in order, in one line."""
    by_name = {offer.name: offer for offer in offers}
    chain = [by_name[name] for name in asked if name in by_name]
    named: dict[str, Rest | None] = {}
    for offer in chain:
        for backend, rest in offer.there:
            named.setdefault(_short(backend, texts), rest)
    told = [f"{name}{_resting(rest, texts)}" for name, rest in named.items()]
    return f"{texts['who_answers']}: {' → '.join(told) or texts['nobody']}"


def offer_text(offer: Offer, texts: Strings) -> str:
    """Who a backend is, where it is, and what will be sent there."""
    told = [
        f"{_full(backend, texts)}{_resting(rest, texts, why=True)}" for backend, rest in offer.there
    ]
    if isinstance(offer.entry, LocalServers):
        return texts["local_servers"].format(now=", ".join(told) or texts["none_there"])
    return f"{told[0]}{_where(offer.there[0][0], texts)}"


def _where(backend: Backend, texts: Strings) -> str:
    here = f" — {texts['this_machine']}"
    if isinstance(backend, OpenAIBackend):
        address, place = host(backend.provider), backend.provider.place
        if is_loopback(address):
            return here
        places = filter(None, [country(place, texts) if place else "", address])
        return f" — {', '.join(places)}: {texts['will_be_sent']}"
    return here if isinstance(backend, ExtractiveBackend | TransformersBackend) else ""


def _full(backend: Backend, texts: Strings) -> str:
    if isinstance(backend, OpenAIBackend):
        model = backend.name.partition("/")[2]
        return f"{backend.provider.label} ({model})" if model else backend.provider.label
    if isinstance(backend, ExtractiveBackend):
        return texts["extractive_full"]
    return backend.name


def _short(backend: Backend, texts: Strings) -> str:
    if isinstance(backend, OpenAIBackend):
        return backend.provider.label
    return texts["extractive"] if isinstance(backend, ExtractiveBackend) else backend.name


def _resting(rest: Rest | None, texts: Strings, *, why: bool = False) -> str:
    if rest is None:
        return ""
    told = texts["rests_until"].format(time=time_of_day(rest.until, texts))
    reason = f": {fault_text(Fault[rest.fault].value, texts)}" if why else ""
    return f" ({told}{reason})"


def _language_name(code: str, texts: Strings) -> str:
    """A language's own name; empty stands for that of the question."""
    if not code:
        return texts["question_language"]
    own = {known: name for name, known in languages()}
    if code in own:
        return own[code]
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(code).get_display_name(code) or code)
    except (UnknownLocaleError, ValueError):
        return code
