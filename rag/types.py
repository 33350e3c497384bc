"""The data that flows through the engine: frozen dataclasses that turn into JSON."""

from __future__ import annotations

import datetime as dt
import enum
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

# A title says what a document is. A longer one is something else.
LONGEST_TITLE = 160


def file_name(uri: str) -> str:
    """The last part of a URI, readable: ``b c.txt`` of ``file:///a/b%20c.txt``.

    Of a part of a file, ``file:///a.zip#b/c.txt``, it is the part's name, ``c.txt``.
    """
    return unquote(uri.rpartition("#")[2].rstrip("/").rpartition("/")[2])


def short_title(title: str, uri: str) -> str:
    """A title as far as titles go, and of a file's name what stands before its ending.

    What claims to be one in 10,000 characters would otherwise be about everything.
    """
    if title == file_name(uri):
        title = title.rpartition(".")[0] or title
    if len(title) <= LONGEST_TITLE:
        return title
    return title[:LONGEST_TITLE].rpartition(" ")[0] or title[:LONGEST_TITLE]


class Support(enum.StrEnum):
    """The verdict on one sentence of an answer, given its evidence."""

    SUPPORTED = "supported"
    PARTLY = "partly supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"


class Intent(enum.StrEnum):
    """What a person wants: an answer, a summary, to know which documents there are, or to talk."""

    ANSWER = "answer"
    SUMMARY = "summary"
    LISTING = "listing"
    TALK = "talk"


class ReasonKind(enum.StrEnum):
    """In what a sentence and its evidence differ."""

    FIGURE = "figure"
    DATE = "date"
    UNIT = "unit"
    NAME = "name"
    NEGATION = "negation"
    RELATION = "relation"
    QUOTATION = "quotation"
    WORDING = "wording"
    MEANING = "meaning"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a sentence is not wholly supported.

    ``said`` are words of the sentence, ``found`` what the quote says in their place, if anything.
    ``contradicts`` tells what the quote denies from what it does not say.
    """

    kind: ReasonKind
    said: str = ""
    found: str = ""
    contradicts: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One file as loaded.

    ``text`` is normalized (line ends unified, NFC); every offset in the project counts
    characters of it. ``pages`` holds the offset at which each page begins, empty for
    formats without pages.
    """

    uri: str
    title: str
    language: str
    text: str
    published: dt.date | None = None
    pages: tuple[int, ...] = ()
    id: int = 0

    @property
    def name(self) -> str:
        """The file's own name, without its folders."""
        return file_name(self.uri)

    @property
    def short_title(self) -> str:
        """The title as far as titles go; of a file's name what stands before its ending."""
        return short_title(self.title, self.uri)

    def page_at(self, offset: int) -> int | None:
        """The number of the page that holds a character, counted from 1, if there are pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document: ``document.text[start:end] == text``."""

    document_id: int
    start: int
    end: int
    text: str
    page: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    ``score`` is the fused score in [0, 1]. Its calibrated parts, each in [0, 1], are ``lexical`` (the
    question's words), ``dense`` (the nearest window of sentences), ``concepts`` (the question's
    names and figures, in any language) and ``aligned`` (each piece of the question by itself, 0
    with an embedder that has no vectors of pieces). ``reranked`` is what a reranker gave it, in
    [0, 1], ``None`` where none has read it. ``window`` is the part of the passage that is nearest to the question by
    its vectors, as start and end in characters of the document's text; ``None`` where the passage
    was only compared as a whole.
    """

    document: Document
    passage: Passage
    score: float
    lexical: float
    dense: float
    concepts: float = 0.0
    aligned: float = 0.0
    window: tuple[int, int] | None = None
    reranked: float | None = None


class Held(enum.StrEnum):
    """How a passage holds a word of the question."""

    AS_WRITTEN = "as written"
    WITHOUT_DIACRITICS = "only without diacritics"
    NO = "no"


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A word of a question: its weight, the rarer the more, and how the passage holds it."""

    word: str
    weight: float
    held: Held


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name or figure of a question, and the words that mean the same in the passage.

    ``key`` is what both mean, such as ``territory:cn``; ``weight`` is as that of a word.
    """

    key: str
    asked: str
    weight: float
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearestWindow:
    """The part of a passage that is nearest to the question by its vector.

    ``start`` and ``end`` count characters of the document's text. ``cosine`` is how near it is,
    ``typical`` how near the question is to anything in the index: the dense share of the score is
    the share of the way from there to 1.
    """

    text: str
    start: int
    end: int
    cosine: float
    typical: float


@dataclass(frozen=True, slots=True)
class PieceMatch:
    """A word of a question as the embedder cuts it, and the nearest word of the passage.

    ``weight`` is its share of all words of the question, ``similarity`` a cosine in [0, 1];
    where that is 0, ``nearest`` is empty.
    """

    piece: str
    nearest: str
    weight: float
    similarity: float


@dataclass(frozen=True, slots=True)
class ScorePart:
    """An addend of a score: ``points`` is ``share`` (in [0, 1]) times ``weight``.

    ``name`` is that of the part of the ``Hit``, or ``met``: ``aligned`` counts once more, at half, for
    words that the passage says otherwise, as far as that goes beyond ``lexical``. Without
    ``aligned``, the share of ``concepts`` is only what goes beyond ``lexical``.
    """

    name: str
    share: float
    weight: float
    points: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a passage was found: the points of ``parts`` sum to ``score``.

    ``pieces`` are the heaviest few words of the question, none with an embedder without vectors of
    pieces. ``filters`` are those that the search was narrowed to, by name.
    """

    score: float
    parts: tuple[ScorePart, ...]
    words: tuple[WordMatch, ...]
    names: tuple[NameMatch, ...]
    window: NearestWindow
    pieces: tuple[PieceMatch, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote in a document: ``document.text[start:end] == quote``."""

    marker: int
    document: Document
    passage: Passage
    start: int
    end: int
    quote: str
    support: Support

    @property
    def page(self) -> int | None:
        """The page the quote begins on, counted from 1, where the document has pages."""
        return self.document.page_at(self.start)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: ``answer.text[start:end]``, its citations and the verdict.

    ``reasons`` say why it is not supported, none where it is. ``written`` are the markers that the
    backend had written, without those that name no passage; the citations differ from them where
    a sentence was ``corrected``.
    """

    text: str
    start: int
    end: int
    citations: tuple[Citation, ...]
    support: Support
    reasons: tuple[Reason, ...] = ()
    written: tuple[int, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether the sentence cites other passages than the backend had written."""
        return tuple(one.marker for one in self.citations) != self.written


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer's text with its markers put right, and its sentences.

    ``removed_markers`` is how many numbers the backend had written that name no passage.
    """

    text: str
    sentences: tuple[Sentence, ...]
    removed_markers: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a backend reports having read and written; ``None`` where it reports nothing.

    ``cost`` is in US dollars, where the price is known. Two of them add up.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cost, other.cost),
        )


def _sum(one: Any, other: Any) -> Any:
    """The sum of what is known."""
    known = [value for value in (one, other) if value is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one backend, or why it was not called: what came of it and how long it took.

    ``outcome`` is ``answered``, ``abstained``, ``rewritten``, ``failed`` or ``skipped`` (it rests).
    ``fault`` is the kind of failure, ``reason`` what is said of it. ``discarded`` is what a person
    had already been shown when it failed, ``passages`` how many it was sent.
    """

    backend: str
    outcome: str
    seconds: float
    reason: str = ""
    fault: str = ""
    discarded: str = ""
    passages: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chatbot says to one question, and on what grounds.

    ``searched`` are the questions that passages were sought with: what was asked, made to stand
    alone, with its diacritics and without slips, and its translations. ``reasoning`` is what a model said to itself. ``usage`` is that of
    all attempts together.
    ``removed_markers`` is how many numbers the backend had written that name no passage,
    ``left_out`` the sentences that a strict answer (``answer.strict``) does not say. ``intent`` is what
    was given: a summary and a list are wanted in vain where no document is about their topic. To a greeting, and to
    who asks which documents there are, the program itself answers, without a ``backend``. The lines of a list are
    no sentences that are checked: each cites where its document begins, or tells of the topic.
    """

    question: str
    text: str
    language: str
    backend: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    abstained: bool = False
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    searched: tuple[str, ...] = ()
    reasoning: str = ""
    removed_markers: int = 0
    left_out: tuple[Sentence, ...] = ()
    intent: Intent = Intent.ANSWER


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why, in a plain sentence."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one call of ``add``, ``sync`` or ``remove`` did, by document URI.

    ``incomplete`` are documents of which a part could not be read, ``skipped`` files of a folder
    or archive whose type cannot be read. These and ``failed`` are said of every file that was
    looked at, also of an unchanged one. ``passages`` is how many passages were written,
    ``embedded`` how many of them had to be embedded.
    """

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    incomplete: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()
    passages: int = 0
    embedded: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest has come: ``done`` of ``total`` steps of ``stage``, now at ``name``."""

    stage: str
    done: int
    total: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Event: the passages an answer will be written from.

    ``searched`` are the questions they were found with; the first is what was asked, made to
    stand alone, with its diacritics and without slips.
    """

    hits: tuple[Hit, ...]
    searched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """Event: more text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Event: what a model says to itself before it answers; no part of the answer.

    Where ``retracts`` is true, the text of the answer so far was of this kind, too, and is void.
    Where ``begins`` is true, what came before it was another's, who has failed.
    """

    text: str
    retracts: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """Event: a sentence of the answer is complete and has been checked.

    Its offsets are those in the checked answer. After ``Switched`` the sentences before it count no more.
    """

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Switched:
    """Event: a backend failed after it had begun; ``backend`` now writes a fresh answer.

    ``discarded`` is what the failed one had already written, ``fault`` the kind of failure. A failure
    before the first word is only in ``Answer.attempts``.
    """

    failed: str
    backend: str
    reason: str
    discarded: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the finished answer."""

    answer: Answer


Event = Retrieved | Reasoning | Delta | Checked | Switched | Done


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation; ``documents`` are the URIs of those that were cited."""

    question: str
    answer: str
    documents: tuple[str, ...] = ()
