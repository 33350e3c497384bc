"""From a question to what a backend is asked: the passages, the decision and the prompt."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rag.llm.backend import Request

from .abstention import ABOUT, decide, is_about, is_name, names_in
from .conversation import answer_language
from .direct import greeted, listed, nothing_there
from .intents import Aim, aim_of
from .language import asked_kinds, detect_language
from .messages import answer_messages
from .overview import Overview, overview
from .periods import period_of, steered
from .retrieval import Filters, Library, Retriever, Speller, search_all, with_head
from .rewriting import Rewriting
from .settings import Settings
from .types import Answer, Hit, Intent, Turn

# So many times as many passages are sought where the question says of which time, or for a summary.
_WIDER = 2
# Among how many passages on a topic those are that tell which documents are about it.
_MOST_LISTED = 200
# A document is listed for a topic, too, if its best passage scores so much of the best of all; set by
# judgement, more than for a summary, which leaves out sentences that say nothing of it.
_NEARLY_AS_GOOD = 0.75


@dataclass(frozen=True, slots=True)
class Asking:
    """A question in its conversation: as it was asked, made whole, for which documents, what is wanted.

    ``cited`` are the URIs of the documents that were cited last.
    """

    question: str
    turns: Sequence[Turn]
    rewriting: Rewriting
    filters: Filters
    aim: Aim
    cited: Sequence[str] = ()


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
        whole = aim_of(asking.rewriting.question)
        # A model may rewrite a request beyond recognition.
        aim = whole if whole.intent is Intent.SUMMARY else asking.aim
        if aim.intent is Intent.SUMMARY:
            language = aim.reply or wanted or aim.language
            made = self._overview(asking, aim, language)
            if made.hits:
                return self._summary(asking, language, made)
        language = answer_language(asking.question, asking.turns, wanted)
        hits = self.passages(asking.rewriting, asking.filters)
        request = self._unwritten(asking, language, hits)
        messages = answer_messages(asking.question, language, hits, asking.turns)
        return dataclasses.replace(request, messages=messages, decision=decide(request))

    def direct(self, aim: Aim, question: str, filters: Filters) -> Answer | None:
        """What the program answers itself: which documents there are, or that there are none; greetings.

        Returns:
            ``None`` where somebody is to answer.
        """
        library = self.retriever
        if not isinstance(library, Library):
            return None
        language = self.settings.answer.language or aim.language
        if aim.intent is Intent.TALK:
            return greeted(aim.topic.text, question, language, library)
        if aim.intent is Intent.SUMMARY:
            return nothing_there(question, language, library)

        narrowed = filters.of_language(aim.topic.spoken)

        def search(topic: str) -> list[Hit]:
            return self._about(Rewriting(topic), language, narrowed, _MOST_LISTED, _NEARLY_AS_GOOD)

        def near(topic: str) -> list[Hit]:
            return self.passages(Rewriting(topic), narrowed) if narrowed else []

        return listed(aim, question, language, library, filters, search, near)

    def _about(
        self,
        topic: Rewriting,
        language: str,
        filters: Filters | None,
        most: int,
        nearly: float = 0.0,
    ) -> list[Hit]:
        """The passages that are about a topic, best first; none where the best are not.

        Each scores so much of the best one's as ``nearly`` says. Whoever asks for a name wants all
        that have it.
        """
        if filters is None:
            return []
        found = self.passages(topic, filters, most)
        # The first word of a question is not taken for a name: "Napoleon and Sora".
        asked = f"about {topic.question}"
        asking = Asking(asked, (), Rewriting(asked), filters, Aim(Intent.ANSWER))
        best = self._unwritten(asking, language, found[: self.settings.retrieval.k])
        decision = decide(best)
        if not is_about(decision):
            return []
        names = set(decision.asked.names)
        least = 0.0 if is_name(decision.asked) else max(ABOUT, nearly * found[0].score)
        return [
            hit for hit in found if hit.score >= least and names <= names_in(decision.asked, hit)
        ]

    def _overview(self, asking: Asking, aim: Aim, language: str) -> Overview:
        """What a summary is to be made of."""
        points = aim.topic.points and bool(asking.turns or aim.topic.place)
        if not isinstance(self.retriever, Library) or (points and not asking.cited):
            return Overview()
        translated = [aim_of(one).topic.text for one in asking.rewriting.translations]
        filters = asking.filters.of_language(aim.topic.spoken)
        most = self.settings.retrieval.k * _WIDER

        def search(topic: str) -> list[Hit]:
            topics = Rewriting(topic, tuple(filter(None, translated)))
            aged = aim.topic.newest or aim.topic.oldest
            return self._about(topics, language, filters, _MOST_LISTED if aged else most)

        whole = asking.rewriting.question
        return overview(
            aim.topic, whole, self.retriever, asking.filters, search, most, asking.cited
        )

    def _summary(self, asking: Asking, language: str, made: Overview) -> Request:
        """What a backend is asked that is to summarize passages."""
        messages = answer_messages(
            asking.question, language, made.hits, asking.turns, Intent.SUMMARY, made.documents
        )
        return dataclasses.replace(
            self._unwritten(asking, language, made.hits),
            messages=messages,
            intent=Intent.SUMMARY,
            topic=made.topic,
            of_documents=made.documents,
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
