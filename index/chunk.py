"""Documents into passages: whole sentences, within the embedder's reach, offsets exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.text import Span, sentences
from rag.types import Document, Passage

# Named in the index's fingerprint: passages cut by another chunker are not mixed with these.
CHUNKER = "sentences-1"

CountTokens = Callable[[Sequence[str]], list[int]]

# A passage this full ends at the next paragraph break rather than run into the paragraph.
_FULL_ENOUGH = 0.5
# Many embedders read any long run without spaces as one unknown token. A passage of 500,000
# characters helps nobody, so a token counts for this many characters at most.
_MOST_CHARACTERS_PER_TOKEN = 16


def chunk(document: Document, count_tokens: CountTokens, limit: int) -> list[Passage]:
    """Cut a document into passages.

    Passages lie in order, do not overlap, cover every character that is not white space, and
    none has more than ``limit`` tokens. They end where a sentence ends, at a paragraph break
    where one is near; a heading stays with what it heads; a sentence that alone exceeds the
    limit is cut at the best place inside it.

    Args:
        document: The document, with normalized text.
        count_tokens: The token count of each text, by the embedder that will read it.
        limit: The most tokens a passage may have.
    """

    def measure(texts: Sequence[str]) -> list[int]:
        return [
            max(count, -(-len(text) // _MOST_CHARACTERS_PER_TOKEN))
            for count, text in zip(count_tokens(texts), texts, strict=True)
        ]

    text = document.text
    spans = sentences(text, document.language)
    counts = measure([text[start:end] for start, end in spans])
    units: list[tuple[Span, int]] = []
    for span, count in zip(spans, counts, strict=True):
        if count <= limit:
            units.append((span, count))
            continue
        parts = _cut_sentence(text, span, measure, limit)
        units.extend(zip(parts, measure([text[a:b] for a, b in parts]), strict=True))
    return [
        Passage(document.id, start, end, text[start:end], document.page_at(start))
        for start, end in _pack(text, units, measure, limit)
    ]


def _pack(
    text: str, units: list[tuple[Span, int]], count_tokens: CountTokens, limit: int
) -> list[Span]:
    """Join neighbouring units while they fit."""
    groups: list[list[tuple[Span, int]]] = []
    group: list[tuple[Span, int]] = []
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


def _trailing_headings(
    text: str, group: list[tuple[Span, int]], room: int
) -> list[tuple[Span, int]]:
    """The headings at the end of a group that fit before the next unit instead."""
    carried: list[tuple[Span, int]] = []
    for unit in reversed(group[1:]):
        (start, end), count = unit
        alone = text[start:end].startswith("#") or (
            text[start - 2 : start] == "\n\n" and text[end : end + 2] == "\n\n"
        )
        heading = alone and text[end - 1] not in '.?!…。！？"”:;,'
        if not heading or count > room:
            break
        carried.insert(0, unit)
        room -= count
    return carried


def _fitting(
    text: str, group: list[tuple[Span, int]], count_tokens: CountTokens, limit: int
) -> list[Span]:
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
