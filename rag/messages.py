"""Prompt templates into the messages an LLM is sent, and the texts the program itself says."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, TypedDict

from .errors import PromptError
from .fencing import attribute, fenced, spoken
from .language import language_name
from .markers import NO_ANSWER, defused
from .text import collapse
from .types import Hit, Intent, Turn

__all__ = ["NO_ANSWER", "Message", "answer_messages", "render", "said"]

_ENDS = re.compile(r"[.!?…:。\[\]]")
_LONGEST_TITLE = 120
# How many earlier exchanges an LLM sees.
_TURNS = 4


class Message(TypedDict):
    """One message of a chat, as every LLM server takes it."""

    role: str
    content: str


def render(name: str, **variables: Any) -> str:
    """Fill in a template of ``prompts/``.

    Args:
        name: The template's file name without ``.j2``.
        **variables: What its placeholders stand for.

    Raises:
        PromptError: There is no such template, or it uses a variable that is not given.
    """
    import jinja2

    try:
        return str(_environment().get_template(f"{name}.j2").render(variables))
    except jinja2.TemplateNotFound as error:
        raise PromptError(f"There is no prompt template {name!r} in prompts/.") from error
    except jinja2.UndefinedError as error:
        raise PromptError(f"The prompt template {name!r} misses a variable: {error}.") from error


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - prompts are plain text; passages pass through rag.fencing
        keep_trailing_newline=False,
    )
    environment.filters["fenced"] = fenced
    environment.filters["attribute"] = attribute
    environment.filters["spoken"] = spoken
    return environment


def _source(name: str) -> str | None:
    file = resources.files("rag.prompts").joinpath(name)
    return file.read_text("utf-8") if file.is_file() else None


def answer_messages(
    question: str,
    language: str,
    hits: Sequence[Hit],
    history: Sequence[Turn] = (),
    intent: Intent = Intent.ANSWER,
    of_documents: int = 0,
    numbers: Sequence[int] | None = None,
) -> tuple[Message, ...]:
    """The messages that ask an LLM to answer a question from passages, or to summarize these.

    Args:
        question: The question.
        language: The language to answer in, ISO 639-1.
        hits: The passages, in the order of their numbers.
        history: Earlier exchanges, oldest first.
        intent: Whether a summary is wanted.
        of_documents: Of how many documents a summary should be.
        numbers: Which of the passages, from 1; all if left out.
    """
    chosen = range(1, len(hits) + 1) if numbers is None else numbers
    passages = [(number, hits[number - 1]) for number in chosen]
    name = language_name(language)
    system = render(
        "answer.system",
        language_name=name,
        no_answer=NO_ANSWER,
        summary=intent is Intent.SUMMARY,
    )
    messages: list[Message] = [{"role": "system", "content": system}]
    for turn in history[-_TURNS:]:
        messages.append({"role": "user", "content": spoken(turn.question)})
        messages.append({"role": "assistant", "content": spoken(turn.answer)})
    note = scope([hit for _, hit in passages], of_documents, language)
    user = render("answer.user", question=question, passages=passages, note=note)
    messages.append({"role": "user", "content": user})
    return tuple(messages)


def scope(hits: Sequence[Hit], of_documents: int, language: str) -> str:
    """What is to be said of a summary that leaves documents out, else nothing.

    Args:
        hits: The passages that it is made of.
        of_documents: Of how many documents it should be.
        language: The language to say it in, ISO 639-1.
    """
    shown = {hit.document.uri: hit.document.published for hit in hits}
    if len(shown) >= of_documents:
        return ""
    name = _age(list(shown.values()))
    return said(name, language).format(count=of_documents, shown=len(shown))


def _age(days: Sequence[dt.date | None]) -> str:
    """Whether documents are the newest or the oldest of all, by the order that they were chosen in."""
    dated = [day for day in days if day]
    if len(dated) < len(days) or len(set(dated)) == 1:
        return "some"
    ordered = sorted(dated)
    return "oldest" if dated == ordered else "newest" if dated == ordered[::-1] else "some"


def heading(hits: Sequence[Hit], of_documents: int, language: str) -> str:
    """What stands in front of a summary that is made of quotations: ``scope``, or of what it is.

    A title is a document's own text, so it stands in no prompt but as a passage's attribute.
    """
    titles = {hit.document.uri: hit.document.title for hit in hits}
    title = collapse(next(iter(titles.values()), ""))
    names_one = len(titles) == of_documents == 1 and title not in {h.document.name for h in hits}
    # One that may end a sentence would be taken for one.
    if names_one and not _ENDS.search(title) and len(title) <= _LONGEST_TITLE:
        return said("summary_of", language).format(title=defused(title))
    return scope(hits, of_documents, language)


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(
        resources.files("rag.prompts").joinpath("messages.toml").read_text("utf-8")
    )


def said(name: str, language: str) -> str:
    """A text the program says itself, in a language or else in English.

    Raises:
        PromptError: ``prompts/messages.toml`` has no such text.
    """
    text = _texts().get(language, {}).get(name) or _texts()["en"].get(name)
    if text is None:
        raise PromptError(f"There is no text {name!r} in prompts/messages.toml.")
    return text
