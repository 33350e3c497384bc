"""What the program answers itself: greetings, and which documents there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .concepts import concepts
from .intents import Aim
from .markers import defused
from .messages import said
from .overview import NEARLY_AS_GOOD, Library, newest_first
from .summary import opening
from .text import shortened
from .types import Answer, Citation, Hit, Intent, Sentence, Support

# How many documents a listing names.
_LISTED = 20
_LONGEST_TITLE, _SAMPLE = 120, 400
# What the key of a language begins with in ``rag.concepts``.
_LANGUAGE = "language:"


def answered_directly(
    aim: Aim,
    question: str,
    language: str,
    library: Library,
    filters: dict[str, Any],
    search: Callable[[str], list[Hit]],
) -> Answer | None:
    """The answer to a greeting, or to who asks which documents there are.

    Args:
        aim: What is wanted: ``Intent.TALK`` or ``Intent.LISTING``.
        question: What was said.
        language: The language to answer in, ISO 639-1.
        library: The documents.
        filters: Which of them are meant, as ``Retriever.search`` takes it.
        search: Finds passages for a topic among these, best first; none where none are about it.

    Returns:
        ``None`` where documents on a topic are asked for and none are about it.
    """
    if aim.intent is Intent.LISTING and aim.topic:
        found = _best_of_each(search(aim.topic))
        return _listing("documents_found", question, language, found, len(found)) if found else None
    # "How many are in Vietnamese?"
    spoken = [one.key for one in concepts(question) if one.key.startswith(_LANGUAGE)]
    if aim.intent is Intent.LISTING and len(spoken) == 1:
        filters = {**filters, "language": spoken[0].removeprefix(_LANGUAGE)}
    listed = newest_first(library.documents(**filters))
    if aim.intent is Intent.TALK:
        told = "about_itself" if listed else "no_documents"
        about = said(told, language).format(count=len(listed))
        match aim.topic:
            case "self":
                text = about
            case "greeting":
                text = f"{said('talk_greeting', language)} {about}"
            case kind:
                text = said(f"talk_{kind}", language)
        return Answer(question, text, language, "", intent=aim.intent)
    if not listed:
        text = said("no_such_documents" if any(filters.values()) else "no_documents", language)
        return Answer(question, text, language, "", intent=aim.intent)
    heads = [next(iter(library.passages(one.uri)), None) for one in listed[:_LISTED]]
    return _listing(
        "documents_listed", question, language, [head for head in heads if head], len(listed)
    )


def _best_of_each(found: Sequence[Hit]) -> list[Hit]:
    """The best passage of each document that is nearly as much to the point as the best."""
    best: dict[str, Hit] = {}
    for hit in found:
        if hit.score >= NEARLY_AS_GOOD * found[0].score:
            best.setdefault(hit.document.uri, hit)
    return list(best.values())[:_LISTED]


def _listing(
    heading: str, question: str, language: str, heads: Sequence[Hit], count: int
) -> Answer:
    """A line for each document, with a quote of it."""
    text = said(heading, language).format(count=count)
    lines: list[Sentence] = []
    for number, head in enumerate(heads, start=1):
        line = f"{number}. {_called(head)} [{number}]"
        text += "\n" if lines else "\n\n"
        cited = (_beginning(number, head),)
        lines.append(
            Sentence(
                line, len(text), len(text) + len(line), cited, Support.SUPPORTED, (), (number,)
            )
        )
        text += line
    if count > len(heads):
        text += f"\n\n{said('documents_more', language).format(count=count - len(heads))}"
    citations = tuple(citation for line in lines for citation in line.citations)
    return Answer(
        question, text, language, "", tuple(lines), citations, tuple(heads), intent=Intent.LISTING
    )


def _called(head: Hit) -> str:
    """A document's title, else how it begins, its file, date and language."""
    document = head.document
    titled = document.title != document.name
    title = shortened(document.title if titled else document.text[:_SAMPLE], _LONGEST_TITLE)
    dated = [document.published.isoformat()] if document.published else []
    told = [title if titled else f"“{title}”", document.name, *dated, document.language]
    return defused(" · ".join(told))


def _beginning(marker: int, head: Hit) -> Citation:
    """The part of a passage that a topic was found in, else its first sentence."""
    first, start = opening(head), head.passage.start
    span = head.window or (start + first[0], start + first[1])
    quote = head.document.text[slice(*span)]
    return Citation(marker, head.document, head.passage, *span, quote, Support.SUPPORTED)
