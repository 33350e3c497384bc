"""Who may be chosen to answer, and the chatbot that asks those who were.

Documents go only where the person has said: to the backends of their settings, or to those they
choose in the page. A key that lies in the environment makes a provider one that can be chosen.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.chatbot import Chatbot
from rag.errors import BackendSetup
from rag.llm.backend import Backend
from rag.llm.chain import Entry, LocalServers
from rag.llm.endpoint import endpoint, host_of
from rag.llm.extractive import ExtractiveBackend
from rag.llm.openai import OpenAIBackend
from rag.llm.providers import Provider, providers, while_unnamed
from rag.llm.rests import Rest

from .strings import languages


@dataclass(frozen=True, slots=True)
class Offer:
    """A backend that can be chosen.

    ``name`` is what the page calls it. ``entry`` is who would be asked; where that is the word
    ``local``, ``there`` are the servers it stands for now, else it is the backend alone; each with
    until when it is left alone and why, if it is.
    """

    name: str
    entry: Entry
    there: tuple[tuple[Backend, Rest | None], ...]


class Choosing:
    """What is offered to all pages of a window.

    Args:
        bot: Who answers where nothing is chosen.
        keys: Whether the providers whose keys lie in the environment are offered, too: not where
            others than the owner of the keys can reach the window.

    Raises:
        SettingsError: The settings of a provider are malformed.
    """

    def __init__(self, bot: Chatbot, *, keys: bool) -> None:
        self._bot = bot
        self._keys = keys
        self._providers = providers(bot.settings)
        self._configured: dict[str, Entry] = {}
        for entry in bot.backends:
            self._configured.setdefault(entry.name, entry)
        self._offered = dict(self._configured)

    @property
    def configured(self) -> list[str]:
        """The names of the chain of the settings."""
        return list(self._configured)

    @property
    def answer_language(self) -> str:
        """The language of answers that is set; empty for that of the question."""
        return self._bot.settings.answer.language

    def answer_languages(self) -> list[str]:
        """The languages of answers that can be chosen; empty stands for that of the question."""
        return list(dict.fromkeys(["", *(code for _, code in languages()), self.answer_language]))

    async def offers(self) -> list[Offer]:
        """All that can be chosen now: the configured chain, then what else is there."""
        # Asked anew each time: a server may have come up since.
        local = await LocalServers(self._bot.settings).present()
        own = [entry for entry in self._configured.values() if isinstance(entry, OpenAIBackend)]
        named = {backend.provider.name for backend in own}
        found = dict(self._configured)
        for backend in [*local, *(self._keyed() if self._keys else ())]:
            if isinstance(backend, OpenAIBackend) and backend.provider.name not in named:
                found.setdefault(backend.provider.name, backend)
        if not any(isinstance(entry, ExtractiveBackend) for entry in found.values()):
            extractive = ExtractiveBackend(self._bot.settings.answer)
            found.setdefault(extractive.name, extractive)
        for name, entry in found.items():
            self._offered.setdefault(name, entry)  # one that was asked before knows its server
        return [self._offer(name, entry, local) for name, entry in found.items()]

    def ordered(self, names: Sequence[str]) -> list[str]:
        """A choice in the order in which it is asked; quotations alone where it is empty.

        Quoting needs no server and always answers: whatever came after it would never be asked.
        """
        if not names:
            return [ExtractiveBackend.name]
        if list(names) == self.configured:
            return self.configured
        return sorted(
            names, key=lambda name: isinstance(self._offered.get(name), ExtractiveBackend)
        )

    async def bot(self, names: Sequence[str], answer_language: str) -> Chatbot:
        """The chatbot that asks a choice of backends.

        Args:
            names: As the page sends them, which is not to be trusted.
            answer_language: The language of answers, as the page sends it.

        Raises:
            BackendSetup: A name was not offered.
        """
        if not self._offered.keys() >= set(self.ordered(names)):
            await self.offers()
        for name in names:
            if name not in self._offered:
                raise BackendSetup(
                    "Who was chosen to answer is not offered here.", "Reload the page."
                )
        asked = self.ordered(names)
        chain = (
            self._bot.backends
            if asked == self.configured
            else [self._offered[name] for name in asked]
        )
        settings = self._bot.settings
        if answer_language in self.answer_languages():
            answer = dataclasses.replace(settings.answer, language=answer_language)
            settings = dataclasses.replace(settings, answer=answer)
        return Chatbot(self._bot.retriever, chain, settings, self._bot.rests)

    def _keyed(self) -> Iterator[Backend]:
        """The providers that could be asked with what the environment holds; none is asked."""
        for provider in self._providers:
            try:
                endpoint(while_unnamed(provider, self._providers), os.environ)
            except BackendSetup:
                continue
            # Servers on this machine are offered where they answer. Where a key is needed and no
            # model is known, the person has to name one.
            if not provider.local and (provider.models or not provider.needs_key):
                yield OpenAIBackend(provider, "", self._bot.settings.answer)

    def _offer(self, name: str, entry: Entry, local: tuple[Backend, ...]) -> Offer:
        there = local if isinstance(entry, LocalServers) else (entry,)
        resting = self._bot.rests.resting
        return Offer(name, entry, tuple((backend, resting(backend)) for backend in there))


def host(provider: Provider) -> str:
    """The host that a provider's server has, empty where its address is malformed."""
    try:
        return endpoint(provider, os.environ).host
    except BackendSetup:
        return host_of(provider.base_url)
