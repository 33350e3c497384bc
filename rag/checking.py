"""An answer checked while it grows: its sentences, each as soon as it is complete.

Whether it comes at once or letter by letter, the result is the same: a sentence ends where its
own text and a little of what follows say so, never the rest of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .evidence import Evidenced, Judging, evidence_for
from .labels import without_label
from .language import detect_language
from .markers import Marker, blanked, settled, without_unknown
from .text import Span, normalize, sentences, words
from .types import Citation, Cited, Hit, Reason, ReasonKind, Sentence, Support

# How much text is read first to find the end of a sentence, and how much must follow the end.
_FIRST_LOOK, _BEHIND = 64, 24
# A quotation mark that has not been closed after so many characters closes nothing.
_LONGEST_QUOTATION = 600
# A quotation is one piece of evidence where a marker stands so close behind it.
_CLOSE_BY = 3

_LIST_MARK = re.compile(r"(?:\d{1,3}[.)]|[-*+•]|#{1,6})[ \t]+")
_QUOTED = "“”\"'‘’«» \n\t"
_OPENING = re.compile(r"[\s“\"'‘«(]*")
# Characters that never become one with what stands before them.
_SEPARATE = re.compile("[\x01-\x0c\x0e-\x7f\u00c0-\u024f\u1e00-\u1eff\u3001-\u3029\u4e00-\u9fff]")


class Checking:
    """Checks an answer while it is written.

    Args:
        language: The answer's language, ISO 639-1.
        hits: The passages; marker ``n`` is the n-th.
        by: What sentences are judged with.
        note: What the program says in front of the first one, and no document.
    """

    def __init__(self, language: str, hits: Sequence[Hit], by: Judging, note: str = "") -> None:
        self._language, self._hits, self._by, self._note = language, hits, by, note
        self._raw = ""
        self._text = self._bare = ""
        self._markers: tuple[Marker, ...] = ()
        self._position = 0  # up to where sentences have been found
        self._open: Span | None = None  # the last one, which markers may still follow
        self._given = 0  # how many markers have their sentence
        self._pieces: list[str] = []
        self._length = self._reached = 0
        self._checked: list[Sentence] = []

    def feed(self, text: str) -> list[Sentence]:
        """Take more of the answer.

        Returns:
            The sentences that are complete now, checked; their offsets are those in the checked
            answer, ``finish().text``.
        """
        self._raw += text
        cut = max((match.start() for match in _SEPARATE.finditer(self._raw[-64:])), default=0)
        certain = self._raw[: max(0, len(self._raw) - 64) + cut] if cut else ""
        if not certain:
            return []
        self._read(settled(normalize(certain)))
        return self._advance(final=False)

    def finish(self) -> Cited:
        """Check what is left, and give the whole."""
        removed = self._read(normalize(self._raw))
        self._advance(final=True)
        if not self._checked:
            return Cited(self._bare.strip(), (), removed)
        text = "".join([*self._pieces, self._text[self._reached :]])
        return Cited(text, tuple(self._checked), removed)

    def _read(self, text: str) -> int:
        marked = without_unknown(text, len(self._hits))
        self._text, self._markers = marked.text, marked.markers
        self._bare = blanked(marked.text, marked.markers)
        return marked.removed

    def _advance(self, *, final: bool) -> list[Sentence]:
        before = len(self._checked)
        while span := self._next(final=final):
            self._position = span[1]
            body = self._bare[slice(*span)]
            if self._open and not any(char.isalpha() for char in body):
                self._open = (self._open[0], span[1])  # such as "(3)"
            elif words(body):
                if self._open:
                    self._check(self._open, span[0])
                self._open = span
            if self._open and (following := self._following()):
                self._check(self._open, following)
                self._open = None
        if final and self._open:
            self._check(self._open, None)
            self._open = None
        return self._checked[before:]

    def _next(self, *, final: bool) -> Span | None:
        """The next sentence, once what is known decides where it ends."""
        bare = self._bare
        start = self._position + len(bare) - self._position - len(bare[self._position :].lstrip())
        rest = len(bare) - start
        size = _FIRST_LOOK
        while rest > 0:
            if size > rest and not final:
                return None
            whole = final and size >= rest
            spans = sentences(bare[start : start + size], self._language)
            if spans:
                first, last = spans[0]
                odd = bare[start : start + last].count('"') % 2 and last < _LONGEST_QUOTATION
                if whole or (size - last >= _BEHIND and not odd):
                    return self._with_quotation(start + first, start + last, final=final)
            if whole:
                return None
            size += max(_FIRST_LOOK // 2, size // 4)
        return None

    def _with_quotation(self, start: int, end: int, *, final: bool) -> Span | None:
        """A sentence, and all of the quotation that it opens, where a marker follows its end.

        Returns:
            Its span; ``None`` where what is known does not decide it.
        """
        bare = self._bare
        if bare.count("“", start, end) <= bare.count("”", start, end):
            return start, end
        farthest = start + _LONGEST_QUOTATION
        close = bare.find("”", end, farthest)
        if not final and len(bare) < (farthest if close < 0 else close + _BEHIND):
            return None
        cited = close > 0 and any(0 < one.start - close <= _CLOSE_BY for one in self._markers)
        return (start, close + 1) if cited else (start, end)

    def _following(self) -> int | None:
        """Where the next sentence begins, if it has begun with a letter."""
        rest = self._bare[self._position : self._position + _BEHIND]
        opening = _OPENING.match(rest)
        if opening is None or opening.end() == len(rest) or not rest[opening.end()].isalpha():
            return None
        if not words(rest[opening.end()]):
            return None
        return self._position + len(rest) - len(rest.lstrip())

    def _owned(self, span: Span, following: int | None) -> list[Marker]:
        """The markers of a sentence, those behind it too unless they open the next one's line."""
        owned: list[Marker] = []
        for marker in self._markers[self._given :]:
            if following is not None and marker.start >= span[1]:
                between = self._text[marker.end : following]
                opens = self._text[: marker.start].endswith("\n") and "\n" not in between
                if marker.start >= following or opens:
                    break
            owned.append(marker)
        self._given += len(owned)
        return owned

    def _check(self, span: Span, following: int | None) -> None:
        """Find the evidence of a sentence and put its markers right."""
        own = self._owned(span, following)
        start, end = span
        first = min([start, *(marker.start for marker in own)])
        last = max([end, *(marker.end for marker in own)])
        cited = tuple(dict.fromkeys(number for marker in own for number in marker.numbers))
        published = [self._hits[number - 1].document.published for number in cited]
        sentence = _plain(without_label(self._bare[start:end].strip(), published, self._note))
        # Models do not always write in the language they are asked for.
        language = detect_language(sentence, default=self._language)
        found = evidence_for(sentence, language, cited, self._hits, self._by)
        body = self._text[first:last]
        if tuple(one.number for one in found) != cited:
            body = _marked_anew(self._text, (first, last), own, found)
        gap = self._text[self._reached : first] + body[: len(body) - len(body.lstrip())]
        body = body.strip()
        self._length += len(gap)
        place = self._length, self._length + len(body)
        self._checked.append(_sentence(body, place, found, cited, self._hits))
        self._length += len(body)
        self._pieces += [gap, body]
        self._reached = last


def _plain(sentence: str) -> str:
    """A sentence without the mark of a list and quotation marks around all of it."""
    sentence = _LIST_MARK.sub("", sentence, count=1) if _LIST_MARK.match(sentence) else sentence
    bare = sentence.strip(_QUOTED)
    # Marks that belong to a quotation within it stay.
    return sentence.strip() if _is_quotation_within(sentence, bare) else bare


def _is_quotation_within(sentence: str, bare: str) -> bool:
    return any(mark in bare for mark in '“”"«»') and bool(bare)


def _sentence(
    body: str,
    place: Span,
    found: Sequence[Evidenced],
    written: tuple[int, ...],
    hits: Sequence[Hit],
) -> Sentence:
    """A sentence with its citations and the verdict of the best of them."""
    citations = tuple(_citation(one, hits) for one in found)
    best = max(found, key=lambda one: one.rank, default=None)
    support = best.verdict.support if best else Support.UNSUPPORTED
    reasons = best.verdict.reasons if best else (Reason(ReasonKind.NO_EVIDENCE),)
    return Sentence(body, *place, citations, support, reasons, written)


def _marked_anew(
    text: str, span: Span, markers: Sequence[Marker], found: Sequence[Evidenced]
) -> str:
    """A sentence with the markers of the passages that were found to bear on it, behind it."""
    pieces: list[str] = []
    position, last = span
    for marker in markers:
        pieces.append(text[position : marker.start])
        position = marker.end
    body = "".join([*pieces, text[position:last]])
    return body.strip() + "".join(f" [{one.number}]" for one in found)


def _citation(found: Evidenced, hits: Sequence[Hit]) -> Citation:
    hit = hits[found.number - 1]
    quote = hit.document.text[found.start : found.end]
    return Citation(
        found.number,
        hit.document,
        hit.passage,
        found.start,
        found.end,
        quote,
        found.verdict.support,
    )
