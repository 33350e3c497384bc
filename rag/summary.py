"""The sentences that say most of what passages say, quoted by who has no language model.

A sentence is the more central the nearer it is to the whole of its document (the centroid of MEAD,
Radev et al. 2004, "Centroid-based summarization of multiple documents", with vectors of
sentences for bags of words); the one that opens a document often says best what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rag.llm.backend import Request

from .concepts import concepts
from .language import telling_words
from .references import points_back
from .text import Span, sentences, words
from .types import Hit

# How many sentences are quoted of one document, and of several together; one of each at least.
_OF_ONE, _OF_SEVERAL = 5, 8
# What is shorter is a heading or a caption, what is longer a list.
_FEWEST_WORDS, _MOST_CHARACTERS = 8, 450
_FEWEST_IN_A_LINE, _LONGEST_HEADING = 4, 20
# How much nearer the first of them counts, the second by half of it, the third by a third; and how much of its
# words another may share with those that are chosen.
_OPENING, _MOST_OVERLAP = 0.4, 0.5
# What a sentence is to the whole counts so much beside what it is to the topic, where there is one.
_WHOLE_BESIDE_TOPIC = 0.5
# A sentence is of the topic, too, if it is so much as near as the nearest.
_NEAR_THE_BEST = 0.6
_ENDS = (".", "!", "…", "。")
_QUOTING, _CLOSING = "“\"‘«'", "\"”’'») \n"
# So many characters of a document stand for it.
_SAMPLE = 12_000


@dataclass(frozen=True, slots=True)
class _Sentence:
    number: int
    hit: Hit
    span: Span

    @property
    def text(self) -> str:
        return self.hit.passage.text[slice(*self.span)]


def central(request: Request) -> list[tuple[int, Hit, Span]]:
    """The sentences to quote, in the order of the passages.

    Returns:
        For each the number of its passage, the passage, and its span in it.
    """
    documents: dict[str, list[tuple[int, Hit]]] = {}
    for number, hit in enumerate(request.hits, start=1):
        # What is told of one topic is as good from any document.
        documents.setdefault(request.topic or hit.document.uri, []).append((number, hit))
    most = _OF_ONE if len(documents) == 1 else max(1, _OF_SEVERAL // max(1, len(documents)))
    seen: list[set[str]] = []
    chosen = [
        one for own in documents.values() for one in _best(_told(own, request), most, request, seen)
    ]
    return [(one.number, one.hit, one.span) for one in chosen]


def _told(passages: Sequence[tuple[int, Hit]], request: Request) -> list[_Sentence]:
    """The sentences of passages that can be quoted; lines where there are none, as in a table or a CV."""
    of_topic = bool(request.topic)
    alone = [one for number, hit in passages for one in _sentences(number, hit, of_topic=of_topic)]
    lines = [
        _Sentence(number, hit, span)
        for number, hit in passages
        for span in sentences(hit.passage.text, hit.document.language)
        if len(words(hit.passage.text[slice(*span)])) >= _FEWEST_IN_A_LINE
    ]
    return alone or lines or [_Sentence(number, hit, opening(hit)) for number, hit in passages]


def _sentences(number: int, hit: Hit, *, of_topic: bool) -> list[_Sentence]:
    """The sentences of a passage that can stand alone; a saying can, where somebody is the topic.

    What answers the question before it says little without that, and what stands under a picture is
    of the picture. What opens a document points back to nothing.
    """
    text = hit.passage.text
    language = hit.document.language
    every = sentences(text, language)
    left_out = _answers(text, every) | _captions(text, every)
    found = []
    opens = not hit.passage.start
    for place, span in enumerate(every):
        alone = _stands_alone(text[slice(*span)], language, opens=opens)
        opens = opens and not text[slice(*span)].rstrip(_CLOSING).endswith(_ENDS)
        if alone and place not in left_out and (of_topic or text[span[0]] not in _QUOTING):
            found.append(_Sentence(number, hit, span))
    return found


def _answers(text: str, every: Sequence[Span]) -> set[int]:
    """The places of sentences behind a question that is no heading: those of a FAQ have their own."""
    return {
        place
        for place, one in enumerate(every[:-1], start=1)
        if text[slice(*one)].rstrip(_CLOSING).endswith(("?", "？")) and not _has_own_line(text, one)
    }


def _has_own_line(text: str, span: Span) -> bool:
    """Whether a short sentence has a line of its own."""
    begins = text[: span[0]].rpartition("\n")[2].strip("#* \t")
    ends = text[span[1] :].partition("\n")[0].strip("#* \t")
    return not begins and not ends and len(words(text[slice(*span)])) <= _LONGEST_HEADING


def _captions(text: str, every: Sequence[Span]) -> set[int]:
    """The places of sentences that stand, in one line, right before who took a picture."""
    named = [found.start() for found in _credited().finditer(text)]
    return {
        place
        for place, (start, end) in enumerate(every)
        for credit in named
        if start <= credit
        and "\n" not in text[start:credit]
        and not any(end <= one[0] < credit for one in every)
    }


@cache
def _credited() -> re.Pattern[str]:
    """Who took a picture, at the end of a line: "(Photo: Reuters)", "Ảnh: Minh Anh."."""
    known = "|".join(map(re.escape, sorted(telling_words("credits"), key=len, reverse=True)))
    return re.compile(
        rf"(?:[(\[] ?|(?<=[.!?] )|^)(?:{known})(?: by | courtesy of | ?[:/©] ?)[^\n()]{{1,80}}[)\].]{{0,2}}$",
        re.IGNORECASE | re.MULTILINE,
    )


def opening(hit: Hit) -> Span:
    """The first sentence of a passage that is no heading, else its first one."""
    text = hit.passage.text
    every = sentences(text, hit.document.language)
    long = (span for span in every if len(words(text[slice(*span)])) >= _FEWEST_WORDS)
    return next(long, every[0] if every else (0, len(text)))


def _stands_alone(sentence: str, language: str, *, opens: bool) -> bool:
    """Whether a sentence is one, and makes sense without those around it."""
    own = words(sentence)
    joins = any(" ".join(own[:size]) in telling_words("connectives") for size in (1, 2, 3, 4))
    bare = sentence.rstrip(_CLOSING)
    return (
        len(sentence) <= _MOST_CHARACTERS
        and len(own) - _dated(sentence, language) >= _FEWEST_WORDS
        and not joins
        and (opens or not points_back(sentence, language))
        and bare.endswith(_ENDS)
        and "\n\n" not in sentence.strip()
    )


def _dated(sentence: str, language: str) -> int:
    """How many words of a sentence tell a date: "Đà Lạt, ngày 5 tháng 1 năm 2025." says nothing else."""
    dates = [
        sentence[one.start : one.end]
        for one in concepts(sentence, language)
        if one.key.startswith(("date:", "day:", "month:", "year:"))
    ]
    return len(set(words(" ".join(dates))))


def _best(
    own: Sequence[_Sentence], most: int, request: Request, seen: list[set[str]]
) -> list[_Sentence]:
    """The most central sentences of a document, in their order.

    None says what another of the same document does, nor what one of ``seen``, those of other
    documents, says in the same words.
    """
    texts = [one.text for one in own]
    if not texts:
        return []
    near = _nearness(texts, request)
    chosen: list[int] = []
    here: set[str] = set()
    for place in sorted(range(len(own)), key=lambda place: -near[place]):
        if len(chosen) == most or (request.topic and near[place] < _NEAR_THE_BEST * max(near)):
            break
        told = set(words(texts[place]))
        repeats = any(told <= one for one in seen)
        if len(told & here) <= _MOST_OVERLAP * len(told) and not repeats:
            chosen.append(place)
            here |= told
            seen.append(told)
    return [own[place] for place in sorted(chosen)]


def _nearness(texts: Sequence[str], request: Request) -> list[float]:
    """How near each sentence is to the topic, if one was asked for, and to all of them together."""
    whole = " ".join(texts)[:_SAMPLE]
    central = [dense for _, dense in request.evidence(whole, texts)]
    if not request.topic:
        return [one + _OPENING / (1 + place) for place, one in enumerate(central)]
    about = request.evidence(request.topic, texts)
    return [
        lexical + dense + _WHOLE_BESIDE_TOPIC * one
        for (lexical, dense), one in zip(about, central, strict=True)
    ]
