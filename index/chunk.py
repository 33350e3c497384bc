"""Documents into passages: whole sentences, within the embedder's reach, offsets exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from rag.text import Span, sentences
from rag.types import Document, Passage

# Named in the index's fingerprint: passages cut by another chunker are not mixed with these.
CHUNKER = "sentences-4"

CountTokens = Callable[[Sequence[str]], list[int]]
Unit = tuple[Span, int]

# A passage this full ends at the next paragraph break rather than run into the paragraph.
_FULL_ENOUGH = 0.5
# Many embedders read any long run without spaces as one unknown token. A passage of 500,000
# characters helps nobody, so a token counts for this many characters at most.
_MOST_CHARACTERS_PER_TOKEN = 16
# Tokenizing takes eighty times the memory of its text.
_MEASURED_AT_ONCE = 256
# A section begins where no better place is within so many full passages. More would cost an edit
# more, fewer would leave more passages half empty.
_REACH = 2
# A title, a chapter's, a section's: where no paragraph has a full stop, all look like headings.
_MOST_HEADINGS = 3
# What a section had best begin after comes first: a paragraph, a line, a sentence, never a heading.
_BEST_GAP, _AFTER_A_HEADING = (-1, 0), (3, 0)


def chunk(document: Document, count_tokens: CountTokens, limit: int) -> list[Passage]:
    """Cut a document into passages.

    Passages lie in order, do not overlap, cover every character that is not white space, and
    none has more than ``limit`` tokens. They end where a sentence ends, at a paragraph break
    where one is near; a heading stays with what it heads; a sentence that alone exceeds the
    limit is cut at the best place inside it. What an edit changes is a few passages around it.

    Args:
        document: The document, with normalized text.
        count_tokens: The token count of each text, by the embedder that will read it.
        limit: The most tokens a passage may have.
    """

    def measure(texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for first in range(0, len(texts), _MEASURED_AT_ONCE):
            # What is longer than this exceeds the limit, however few its tokens are.
            within = limit * _MOST_CHARACTERS_PER_TOKEN
            counts += count_tokens([t[:within] for t in texts[first : first + _MEASURED_AT_ONCE]])
        return [
            max(count, -(-len(text) // _MOST_CHARACTERS_PER_TOKEN))
            for count, text in zip(counts, texts, strict=True)
        ]

    text = document.text
    units = list(_units(text, document.language, measure, limit))
    return [
        Passage(document.id, start, end, text[start:end], document.page_at(start))
        for section in _sections(text, units, limit)
        for start, end in _pack(text, section, measure, limit)
    ]


def _units(text: str, language: str, measure: CountTokens, limit: int) -> Iterator[Unit]:
    """The sentences with their token counts, those that exceed the limit in parts."""
    spans = sentences(text, language)
    counts = measure([text[start:end] for start, end in spans])
    for span, count in zip(spans, counts, strict=True):
        if count <= limit:
            yield span, count
            continue
        parts = _cut_sentence(text, span, measure, limit)
        yield from zip(parts, measure([text[a:b] for a, b in parts]), strict=True)


def _sections(text: str, units: Sequence[Unit], limit: int) -> Iterator[Sequence[Unit]]:
    """Cut a long text where its own sentences say, to be packed section by section.

    Packing goes from the front: in a text without paragraphs one new sentence would move every
    boundary behind it. A section's beginning depends on the sentences near it alone, so an edit
    changes the passages of its section, or of two. A text of a few passages is one section.

    Source of the idea: Bjørner, Blass and Gurevich 2010, "Content-dependent chunking for
    differential compression, the local maximum approach".
    """
    for begin, end in pairwise([0, *_beginnings(text, units, _REACH * limit), len(units)]):
        yield units[begin:end]


def _beginnings(text: str, units: Sequence[Unit], reach: int) -> list[int]:
    """The units before which there is a better gap than before any other within reach.

    The ends of the text count as better than any, so that none lies near them.
    """
    tokens_before = list(accumulate((count for _, count in units), initial=0))
    inner = [_gap(text, one[0], other[0]) for one, other in pairwise(units)]
    gaps = [_BEST_GAP, *inner, _BEST_GAP]
    found: list[int] = []
    better = [0]  # gaps, each worse than the one before it
    for here in range(1, len(units) + 1):
        while gaps[better[-1]] > gaps[here]:
            last = better.pop()
            before = tokens_before[last] - tokens_before[better[-1]]
            behind = tokens_before[here] - tokens_before[last]
            if min(before, behind) >= reach and gaps[last] < _AFTER_A_HEADING:
                found.append(last)
        better.append(here)
    return sorted(found)


def _gap(text: str, before: Span, after: Span) -> tuple[int, int]:
    """How good a place between two units is; equal ones are told apart by what stands there."""
    import xxhash

    between = text[before[1] : after[0]]
    rank = 0 if "\n\n" in between else 1 if "\n" in between else 2
    if _is_heading(text, before):
        rank, _ = _AFTER_A_HEADING
    return rank, xxhash.xxh3_64_intdigest(text[before[0] : before[1]].encode())


def _pack(text: str, units: Sequence[Unit], count_tokens: CountTokens, limit: int) -> list[Span]:
    """Join neighbouring units while they fit."""
    groups: list[list[Unit]] = []
    group: list[Unit] = []
    for unit in units:
        used = sum(count for _, count in group)
        at_paragraph = bool(group) and "\n\n" in text[group[-1][0][1] : unit[0][0]]
        if group and (used + unit[1] > limit or (at_paragraph and used >= limit * _FULL_ENOUGH)):
            carried = _trailing_headings(text, group, limit - unit[1])
            groups.append(group[: len(group) - len(carried)])
            group = carried
        group.append(unit)
    if group:
        groups.append(group)
    return [span for group in groups for span in _fitting(text, group, count_tokens, limit)]


def _trailing_headings(text: str, group: list[Unit], room: int) -> list[Unit]:
    """The headings at the end of a group that fit before the next unit instead."""
    carried: list[Unit] = []
    for span, count in reversed(group[1:]):
        if not _is_heading(text, span) or count > room or len(carried) == _MOST_HEADINGS:
            break
        carried.insert(0, (span, count))
        room -= count
    return carried


def _is_heading(text: str, span: Span) -> bool:
    start, end = span
    alone = text[start] == "#" or (
        text[start - 2 : start] == "\n\n" and text[end : end + 2] == "\n\n"
    )
    # What has a semicolon is a row of a table.
    return alone and text[end - 1] not in '.?!…。！？"”:;,' and "; " not in text[start:end]


def _fitting(text: str, group: list[Unit], count_tokens: CountTokens, limit: int) -> list[Span]:
    """The span of a group, halved while joining made more tokens than the parts had."""
    start, end = group[0][0][0], group[-1][0][1]
    if len(group) == 1 or count_tokens([text[start:end]])[0] <= limit:
        return [(start, end)]
    middle = len(group) // 2
    return [
        span
        for half in (group[:middle], group[middle:])
        for span in _fitting(text, half, count_tokens, limit)
    ]


def _cut_sentence(text: str, span: Span, count_tokens: CountTokens, limit: int) -> list[Span]:
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter.from_callback(lambda part: count_tokens([part])[0], limit)
    block = limit * _MOST_CHARACTERS_PER_TOKEN
    parts: list[Span] = []
    for begin in range(span[0], span[1], block):
        for offset, part in splitter.chunk_indices(text[begin : min(begin + block, span[1])]):
            parts.append((begin + offset, begin + offset + len(part)))
    return parts
