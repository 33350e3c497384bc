"""From a question to what a backend is asked: the passages, the decision and the prompt."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rag.llm.backend import Request

from .abstention import decide, is_about
from .conversation import answer_language
from .direct import answered_directly
from .intents import Aim, aim_of
from .language import asked_kinds, detect_language
from .messages import answer_messages, said
from .overview import Library, Overview, overview
from .periods import period_of, steered
from .retrieval import Filters, Retriever, Speller, search_all, with_head
from .rewriting import Rewriting
from .settings import Settings
from .types import Answer, Hit, Intent, Turn

# So many times as many passages are sought where the question says of which time, or for a summary.
_WIDER = 2
# Among how many passages on a topic those are that tell which documents are about it.
_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Asking:
    """A question in its conversation: as it was asked, made whole, and narrowed to some documents."""

    question: str
    turns: Sequence[Turn]
    rewriting: Rewriting
    filters: Filters


@dataclass(frozen=True, slots=True)
class Preparing:
    """Finds what a question is answered from.

    Args:
        retriever: Where passages are found.
        settings: How many, and the language of answers.
    """

    retriever: Retriever
    settings: Settings

    def passages(self, asked: Rewriting, filters: Filters, k: int | None = None) -> list[Hit]:
        """The passages for a question, best first; ``k`` is how many at most."""
        most = k or self.settings.retrieval.k
        language = detect_language(asked.question)
        period = period_of(asked.question, language, dt.date.today())
        hits = search_all(
            self.retriever,
            (asked.question, *asked.translations),
            most * (_WIDER if period else 1),
            **dataclasses.asdict(filters),
        )
        best = steered(hits, period)[:most]
        asks_when_published = "published" in asked_kinds(asked.question, language)
        return with_head(self.retriever, best) if asks_when_published else best

    def request(self, asking: Asking) -> Request:
        """What a backend is asked, with the decision whether the passages answer at all."""
        wanted = self.settings.answer.language
        language = answer_language(asking.question, asking.turns, wanted)
        made = self._overview(asking, language)
        if made and made.hits:
            return self._summary(asking, language, made)
        hits = self.passages(asking.rewriting, asking.filters)
        request = self._unwritten(asking, language, hits)
        messages = answer_messages(asking.question, language, hits, asking.turns)
        return dataclasses.replace(request, messages=messages, decision=decide(request))

    def direct(self, aim: Aim, question: str, filters: Filters) -> Answer | None:
        """What the program answers itself, if it can: which documents there are, and greetings."""
        if not isinstance(self.retriever, Library):
            return None
        language = self.settings.answer.language or aim.language
        narrowed = dataclasses.asdict(filters)

        def search(topic: str) -> list[Hit]:
            return self._on(topic, language, filters, _MOST_LISTED)

        return answered_directly(aim, question, language, self.retriever, narrowed, search)

    def _on(self, topic: str, language: str, filters: Filters, most: int) -> list[Hit]:
        """The passages for a topic, best first, or none where these are not about it."""
        found = self.passages(Rewriting(topic), filters, most)
        about = Asking(topic, (), Rewriting(topic), filters)
        best = self._unwritten(about, language, found[: self.settings.retrieval.k])
        return found if is_about(decide(best)) else []

    def _overview(self, asking: Asking, language: str) -> Overview | None:
        """What a summary is to be made of, where one is wanted."""
        whole = asking.rewriting.question
        aim = aim_of(whole)
        if aim.intent is not Intent.SUMMARY:
            aim = aim_of(asking.question)  # a model may have rewritten it beyond recognition
        if aim.intent is not Intent.SUMMARY or not isinstance(self.retriever, Library):
            return None
        most = self.settings.retrieval.k * _WIDER

        def search(topic: str) -> list[Hit]:
            return self._on(topic, language, asking.filters, most)

        narrowed = dataclasses.asdict(asking.filters)
        return overview(aim, whole, self.retriever, narrowed, search, most)

    def _summary(self, asking: Asking, language: str, made: Overview) -> Request:
        """What a backend is asked that is to summarize passages."""
        count, shown = made.documents, made.shown
        note = said("newest", language).format(count=count, shown=shown) if shown < count else ""
        intent = Intent.SUMMARY
        messages = answer_messages(asking.question, language, made.hits, asking.turns, intent, note)
        request = self._unwritten(asking, language, made.hits)
        return dataclasses.replace(
            request, messages=messages, intent=intent, topic=made.topic, note=note
        )

    def _unwritten(self, asking: Asking, language: str, hits: Sequence[Hit]) -> Request:
        """A request without its prompt."""
        return Request(
            asking.rewriting.question,
            language,
            tuple(hits),
            (),
            self.retriever.evidence,
            asking.question,
            tuple(asking.turns),
            weigh=self.retriever.weigh,
            meant=self.retriever.corrected if isinstance(self.retriever, Speller) else str,
        )
