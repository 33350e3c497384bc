"""What a summary is made of: passages from all over a document, or from several.

A search finds what is like a question, and to "summarize this" everything is as like as anything
else. So the documents are chosen first, and then passages that lie evenly in each.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote

from .language import function_words
from .retrieval import Filters, Library, Listed
from .text import collapse, fold, words
from .topics import FILE, Topic
from .types import Document, Hit

# A passage is of a topic, too, if its score is so much of the best one's.
_NEARLY_AS_GOOD = 0.5
# One word of a title is of many documents.
_TELLING_WORDS = 2


@dataclass(frozen=True, slots=True)
class Overview:
    """Passages for a summary.

    ``documents`` is how many documents it should be of, of which ``hits`` may hold only some; 0 where
    what is told of a ``topic`` is wanted, in whichever documents, and not whole documents.
    """

    hits: tuple[Hit, ...] = ()
    documents: int = 0
    topic: str = ""


def overview(
    topic: Topic,
    said: str,
    library: Library,
    filters: Filters,
    search: Callable[[str], list[Hit]],
    most: int,
    before: Sequence[str] = (),
) -> Overview:
    """The passages that a summary is made of, document by document, in the order of their text.

    Args:
        topic: What is to be summarized.
        said: The whole request, in which documents may be named.
        library: The documents.
        filters: Which of them are meant.
        search: Finds passages for a topic among these, best first; none where none are about it.
        most: How many passages at most.
        before: The documents that were cited last, which "it" and "the article" mean.

    Returns:
        No passages where no document is meant, or about the topic.
    """
    narrowed = filters.of_language(topic.spoken)
    listed = library.documents(**dataclasses.asdict(narrowed)) if narrowed else []
    if topic.place or (before and _may_point_back(topic)):
        meant = before[topic.place - 1 : topic.place] if topic.place else before
        return _of_documents([one for one in listed if one.uri in meant], topic, library, most)
    named = _named(listed, said, topic)
    if not named and FILE.search(said.rstrip(" .?!")):
        return Overview()  # there is no such file
    named = named or _called(listed, topic)
    if named or not topic.text:
        return _of_documents(named or listed, topic, library, most)
    found = search(topic.text)
    if not found:
        return Overview()
    if topic.single:
        return Overview(tuple(library.excerpts([_best(found, topic)], most)), 1)
    good = [hit for hit in found if hit.score >= _NEARLY_AS_GOOD * found[0].score]
    if topic.newest or topic.oldest:
        told = {hit.document.uri for hit in good}
        return _of_documents([one for one in listed if one.uri in told], topic, library, most)
    return Overview(tuple(sorted(good[:most], key=_first_of(found))), topic=topic.text)


def by_age(documents: Sequence[Listed], topic: Topic) -> list[Listed]:
    """Documents by their date, the newest first unless the oldest are meant; as many as are meant.

    Those without a date come last, by when they were added.
    """
    if topic.oldest:
        ordered = sorted(documents, key=lambda one: (one.published or dt.date.max, one.id))
    else:
        ordered = sorted(
            documents, key=lambda one: (one.published or dt.date.min, one.id), reverse=True
        )
    most = 1 if topic.single else topic.count
    return ordered[:most] if most and (topic.newest or topic.oldest) else ordered


def _best(found: Sequence[Hit], topic: Topic) -> str:
    """The document of the best passage, or of the newest or oldest of those that are nearly as good."""
    good = [hit.document for hit in found if hit.score >= _NEARLY_AS_GOOD * found[0].score]
    dated = [one for one in good if one.published]
    if dated and (topic.newest or topic.oldest):
        chosen = max if topic.newest else min
        return chosen(dated, key=lambda one: one.published or dt.date.min).uri
    return found[0].document.uri


def _of_documents(
    documents: Sequence[Listed], topic: Topic, library: Library, most: int
) -> Overview:
    """Passages of whole documents in the order of ``by_age``, of each as many as of another."""
    ordered = by_age(documents, topic)
    some = ordered[:most]
    share = most // len(some) if some else 0
    return Overview(tuple(library.excerpts([one.uri for one in some], share)), len(ordered))


def _may_point_back(topic: Topic) -> bool:
    """Whether "it", "the article", "these documents" or nothing at all is to be summarized."""
    named = topic.text or topic.newest or topic.oldest or topic.spoken
    return not named and (topic.these or topic.single or not topic.of_documents)


def _named(listed: Sequence[Listed], said: str, topic: Topic) -> list[Listed]:
    """The documents whose file a request names, or whose title or file is its topic.

    Of files of one name those are meant whose folder is named, too.
    """
    asked, about = fold(said), collapse(fold(topic.text))
    if not about and "." not in said:
        return []
    named = [one for one in listed if _is_named(one, asked, about)]
    longest = {fold(one.name) for one in named}
    named = [one for one in named if not any(_is_within(fold(one.name), name) for name in longest)]
    in_folder = [one for one in named if fold(with_folder(one)) in asked]
    return in_folder or named


def _called(listed: Sequence[Listed], topic: Topic) -> list[Listed]:
    """The documents whose title and file say what kind is meant, or the one that has all of a topic's words."""
    of_kind = bool(topic.kind) and fold(topic.text) in ("", fold(topic.kind))
    named = words(fold(topic.kind if of_kind else topic.text))
    sought = {word for word in named if word not in function_words()}
    if not of_kind and len(sought) < _TELLING_WORDS:
        return []
    found = [one for one in listed if sought <= set(words(fold(f"{one.title} {one.name}")))]
    return found if of_kind or len(found) == 1 else []


def _is_within(name: str, other: str) -> bool:
    """Whether a file's name is a part of another's: ``note.txt`` of ``my-note.txt``."""
    return name != other and name in other


def _is_named(document: Listed, asked: str, about: str) -> bool:
    name = fold(document.name)
    stem = PurePath(name).stem
    # Compiling a pattern for each of many documents would take long.
    if stem != name and name in asked and re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", asked):
        return True
    return bool(about) and about in (stem, collapse(fold(document.title)))


def with_folder(document: Listed | Document) -> str:
    """A document's file with the folder it lies in: ``letters/may.txt``."""
    return "/".join(unquote(document.uri).split("/")[-2:])


def _first_of(found: Sequence[Hit]) -> Callable[[Hit], tuple[int, int]]:
    """An order in which passages of one document stand together, the best document first."""
    place: dict[str, int] = {}
    for hit in found:
        place.setdefault(hit.document.uri, len(place))
    return lambda hit: (place[hit.document.uri], hit.passage.start)
