"""What the program answers itself: greetings, and which documents there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .intents import Aim
from .markers import defused
from .messages import said
from .overview import Library, newest_first
from .summary import opening
from .text import shortened
from .types import Answer, Citation, Hit, Intent, Sentence, Support

# How many documents a listing names.
_LISTED = 20
_LONGEST_TITLE = 120


def answered_directly(
    aim: Aim, question: str, language: str, library: Library, filters: dict[str, Any]
) -> Answer:
    """The answer to a greeting, or to who asks which documents there are.

    Args:
        aim: What is wanted: ``Intent.TALK`` or ``Intent.LISTING``.
        question: What was said.
        language: The language to answer in, ISO 639-1.
        library: The documents.
        filters: Which of them are meant, as ``Retriever.search`` takes it.
    """
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
        text = said("no_documents", language)
        return Answer(question, text, language, "", intent=aim.intent)
    heads = [next(iter(library.passages(one.uri)), None) for one in listed[:_LISTED]]
    return _listing(question, language, [head for head in heads if head], len(listed))


def _listing(question: str, language: str, heads: Sequence[Hit], count: int) -> Answer:
    """A line for each document, with its beginning for a quote."""
    text = said("documents_listed", language).format(count=count)
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
    title = document.title if titled else f"“{_beginning(0, head).quote}”"
    dated = [document.published.isoformat()] if document.published else []
    told = [shortened(title, _LONGEST_TITLE), document.name, *dated, document.language]
    return defused(" · ".join(told))


def _beginning(marker: int, head: Hit) -> Citation:
    """The first sentence of a document's first passage that can stand alone."""
    text, start = head.passage.text, head.passage.start
    first = opening(head)
    quote = text[slice(*first)]
    span = start + first[0], start + first[1]
    return Citation(marker, head.document, head.passage, *span, quote, Support.SUPPORTED)
