"""What the program answers itself: greetings, and which documents there are."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence

from .intents import Aim
from .markers import defused
from .messages import said
from .overview import by_age, with_folder
from .periods import period_of
from .retrieval import Filters, Library, Listed
from .summary import opening
from .text import shortened
from .topics import Topic
from .types import Answer, Citation, Hit, Intent, Support

# How many documents a listing names.
_LISTED = 20
_LONGEST_TITLE, _SAMPLE = 120, 400


def greeted(kind: str, question: str, language: str, library: Library) -> Answer:
    """The answer to who greets, thanks, takes leave, or asks what the program is.

    Args:
        kind: Which of these, as ``rag.intents`` calls it.
        question: What was said.
        language: The language to answer in, ISO 639-1.
        library: The documents.
    """
    about = said("about_itself" if library.languages() else "no_documents", language)
    match kind:
        case "self":
            text = about
        case "greeting":
            text = f"{said('talk_greeting', language)} {about}"
        case _:
            text = said(f"talk_{kind}", language)
    return Answer(question, text, language, "", intent=Intent.TALK)


def nothing_there(question: str, language: str, library: Library) -> Answer | None:
    """What to say where there are no documents at all."""
    if library.languages():
        return None
    text = said("no_documents", language)
    return Answer(question, text, language, "", abstained=True, intent=Intent.SUMMARY)


def listed(
    aim: Aim,
    question: str,
    language: str,
    library: Library,
    filters: Filters,
    search: Callable[[str], list[Hit]],
    near: Callable[[str], list[Hit]],
) -> Answer:
    """The answer to who asks which documents there are.

    Args:
        aim: What is wanted: a list.
        question: What was said.
        language: The language to answer in, ISO 639-1.
        library: The documents.
        filters: Which of them are meant.
        search: Finds passages for a topic among these, best first; none where none are about it.
        near: Finds those that come nearest, about it or not.
    """
    if aim.topic.text:
        found = _best_of_each(search(aim.topic.text))
        heading = said("documents_found" if found else "documents_none", language)
        more = said("documents_others", language) if len(found) > _LISTED else ""
        answer = _lines(heading, question, language, found[:_LISTED], more)
        if found:
            return answer
        return dataclasses.replace(answer, abstained=True, hits=tuple(near(aim.topic.text)))
    narrowed = filters.of_language(aim.topic.spoken)
    known = library.documents(**dataclasses.asdict(narrowed)) if narrowed else []
    known = by_age(_of_period(known, aim.topic.period, aim.language), aim.topic)
    if not known:
        empty = "no_such_documents" if library.languages() else "no_documents"
        return Answer(question, said(empty, language), language, "", intent=Intent.LISTING)
    heading = said(_heading(aim.topic, len(known)), language).format(count=len(known))
    rest = len(known) - _LISTED
    more = said("documents_more", language).format(count=rest) if rest > 0 else ""
    heads = library.excerpts([one.uri for one in known[:_LISTED]], 1)
    return _lines(heading, question, language, heads, more)


def _of_period(documents: Sequence[Listed], words: str, language: str) -> Sequence[Listed]:
    """The documents that were published when some words say; all where they say nothing."""
    period = period_of(words, language, dt.date.today())
    if not period.bounded:
        return documents
    return [one for one in documents if one.published and period.holds(one.published)]


def _heading(topic: Topic, count: int) -> str:
    """The name of the message in front of a list of documents."""
    age = "newest" if topic.newest else "oldest" if topic.oldest else ""
    if not age or not (topic.single or topic.count):
        return "documents_listed"
    return f"document_{age}" if count == 1 else f"documents_{age}"


def _best_of_each(found: Sequence[Hit]) -> list[Hit]:
    """The best passage of each document."""
    best: dict[str, Hit] = {}
    for hit in found:
        best.setdefault(hit.document.uri, hit)
    return list(best.values())


def _lines(heading: str, question: str, language: str, heads: Sequence[Hit], more: str) -> Answer:
    """A line for each document, with a quote of it."""
    several = [name for name, count in Counter(h.document.name for h in heads).items() if count > 1]
    lines = [
        f"{number}. {_called(head, in_folder=head.document.name in several)} [{number}]"
        for number, head in enumerate(heads, start=1)
    ]
    text = "\n\n".join(filter(None, [heading, "\n".join(lines), more]))
    citations = tuple(_quoted(number, head) for number, head in enumerate(heads, start=1))
    return Answer(
        question,
        text,
        language,
        "",
        citations=citations,
        hits=tuple(heads),
        intent=Intent.LISTING,
    )


def _called(head: Hit, *, in_folder: bool) -> str:
    """A document's title, else how it begins, its file, date and language."""
    document = head.document
    titled = document.title != document.name
    title = shortened(document.title if titled else document.text[:_SAMPLE], _LONGEST_TITLE)
    dated = [document.published.isoformat()] if document.published else []
    file = shortened(with_folder(document) if in_folder else document.name, _LONGEST_TITLE)
    told = [title if titled else f"“{title}”", file, *dated, document.language]
    return defused(" · ".join(told))


def _quoted(marker: int, head: Hit) -> Citation:
    """The part of a passage that a topic was found in, else its first sentence."""
    first, start = opening(head), head.passage.start
    span = head.window or (start + first[0], start + first[1])
    quote = head.document.text[slice(*span)]
    return Citation(marker, head.document, head.passage, *span, quote, Support.SUPPORTED)
