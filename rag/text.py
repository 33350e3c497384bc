"""Text as the engine sees it: normalization, words, sentences, always with exact offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from .language import abbreviations, function_words

Span = tuple[int, int]

# Named in an index's fingerprint: offsets count characters of text normalized this way.
NORMALIZATION = "nfc-1"

_OPENING = "“‘«(["
_PLAIN_QUOTE = '"'
# The segmenter fails on a capital before a space of several bytes and a full stop.
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_BLANKED = str.maketrans(dict.fromkeys(f"“”„«»{_SPACES}", " "))
# Half a character, as broken JSON and undecodable arguments hold it: no library takes one.
_SURROGATES = re.compile("[\ud800-\udfff]")
_LIST_NUMBER = re.compile(r"\d{1,3}[.)]")
# A heading that nothing marks is a short line over a longer one, which is a whole sentence.
_MOST_HEADING_WORDS, _HEADING_SHARE = 8, 0.6
_LONGEST_HEADING, _LOOKED_AT = 100, 400
_ENDS_A_SENTENCE = (".", "!", "?", "…")
# A row of a table as the readers write it: "City: Hanoi; Opened: 2011".
_ROW = re.compile(
    r"^(?![a-zà-ỹ#|\s])[^:;\n]{1,80}: [^\n]*?; (?![a-zà-ỹ])[^\s:;][^:;\n]{0,79}: .*$", re.MULTILINE
)


def normalize(text: str) -> str:
    """Unify line ends, drop byte order marks and NUL, and compose to Unicode NFC.

    Offsets everywhere in the project are offsets into what this returns. NFC is defined
    in Unicode Standard Annex 15; composing makes a Vietnamese letter typed as base and
    combining marks equal to the same letter typed as one.
    """
    text = text.replace("\x00", "").lstrip("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", well_formed(text))


def well_formed(text: str) -> str:
    """The same text with each half of a surrogate pair, which no file can hold, as U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def fold(text: str) -> str:
    """The same text in lower case without diacritics (``đ`` becomes ``d``)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", decomposed.translate(_without_marks()))


def lowered(text: str) -> str:
    """The same text in lower case, each character where it was."""
    lower = text.lower()
    if len(lower) != len(text):  # "İ" becomes two
        lower = "".join(one if len(one.lower()) != 1 else one.lower() for one in text)
    return lower


class _WithoutMarks(dict[int, int | None]):
    """What becomes of each character, found out when it is first met."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


@cache
def _without_marks() -> _WithoutMarks:
    return _WithoutMarks({ord("đ"): ord("d")})


@cache
def _word_pattern() -> Any:
    import regex

    ideographs = r"[\p{Han}\p{Hiragana}\p{Katakana}]+"
    number = r"\p{N}+(?:[.,:/]\p{N}+)*(?=[^\p{L}\p{M}\p{N}]|$)"
    letter = r"(?![\p{Han}\p{Hiragana}\p{Katakana}])[\p{L}\p{N}]"
    word = rf"{letter}(?:{letter}|\p{{M}})*"
    return regex.compile(rf"(?P<ideographs>{ideographs})|(?P<number>{number})|{word}")


def word_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text in order, case-folded, each with its span.

    A run of Chinese or Japanese comes as overlapping pairs of characters; a number with
    separators (``11.2023``) comes whole and then in its parts, so that ``2023`` finds it.

    Yields:
        The word (NFC, case-folded, diacritics kept), its start and its end in ``text``.
    """
    for match in _word_pattern().finditer(text):
        token, start, end = match.group(), match.start(), match.end()
        if match.lastgroup == "ideographs":
            for offset in range(max(1, len(token) - 1)):
                pair = token[offset : offset + 2]
                place = start + offset
                yield unicodedata.normalize("NFC", pair), place, place + len(pair)
            continue
        yield unicodedata.normalize("NFC", token.casefold()), start, end
        if match.lastgroup == "number" and not token.isnumeric():
            offset = start
            for part in _split_number(token):
                if part.isnumeric():
                    yield part, offset, offset + len(part)
                offset += len(part)


def _split_number(token: str) -> list[str]:
    import regex

    return list(regex.split(r"([.,:/])", token))


def words(text: str) -> list[str]:
    """The words of a text: the one lexical analysis of the project (see ``word_spans``)."""
    return [word for word, _, _ in word_spans(unicodedata.normalize("NFC", text))]


def names(question: str) -> list[str]:
    """The names in a question: runs of words in capitals, ``Kuala Lumpur``, ``Hà Nội``.

    The first word of a question has a capital anyway, so it counts only where the rest of
    it has one too, or a figure: ``OpenAI``, ``H100``.
    """
    import regex

    # Looked for where a word begins only, or a long word would be read once per letter.
    word = r"(?<![\p{L}\p{M}\p{N}])[\p{L}\p{M}\p{N}]*[\p{Lu}][\p{L}\p{M}\p{N}]*"
    found = []
    for run in regex.finditer(rf"{word}(?:[ -]{word})*", question):
        name = run.group()
        if run.start() == 0 and not regex.search(r"^.[\p{L}\p{M}]*[\p{Lu}\p{N}]", name.split()[0]):
            name = " ".join(name.split()[1:])
        if name:
            found.append(name)
    return found


def collapse(text: str) -> str:
    """The same text with every run of white space as one space, and none around it."""
    return " ".join(text.split())


def shortened(text: str, most: int) -> str:
    """A text on one line, cut to so many characters with an ellipsis where it has more."""
    flat = collapse(text)
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def sentences(text: str, language: str = "en") -> list[Span]:
    """Where the sentences of a text stand, in order, without the white space around them.

    The segmenter is sentencex (Wikimedia), with three repairs: an opening quotation mark
    belongs to the sentence it opens, a title such as ``PGS.`` or ``TP.`` and the number of a
    list item do not end one, and a list item, a heading or a table row stands alone, and whole.

    Args:
        text: Any text.
        language: Its language, ISO 639-1; unknown ones are segmented like English.

    Returns:
        Spans that do not overlap and together cover every character that is not white space.
    """
    import sentencex

    # A curly quotation mark that is never closed would swallow the sentences behind it.
    unquoted = _SURROGATES.sub("\ufffd", text.translate(_BLANKED))
    # sentencex counts code points and skips nothing, so ends alone are enough.
    ends = [end["end_index"] for end in sentencex.get_sentence_boundaries(language, unquoted)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    spans: list[Span] = []
    start = 0
    for end in ends:
        moved = _before_opening_mark(text, start, end)
        spans.extend(_lines_that_stand_alone(text, start, moved))
        start = moved
    spans.extend(_lines_that_stand_alone(text, start, len(text)))
    spans = _join_abbreviations(text, [span for span in spans if span[0] < span[1]], language)
    return _join_rows(text, spans)


def _before_opening_mark(text: str, start: int, end: int) -> int:
    """Where a sentence really ends when an opening quotation mark trails behind it."""
    body = text[start:end].rstrip()
    if len(body) > 1 and body[-1] in _OPENING:
        return start + len(body) - 1
    before = body[-2:-1]
    if (
        len(body) > 2
        and body[-1] == _PLAIN_QUOTE
        and before.isspace()
        and body.count(_PLAIN_QUOTE) % 2
    ):
        return start + len(body) - 1
    return end


def _lines_that_stand_alone(text: str, start: int, end: int) -> list[Span]:
    """Cut a span before and after headings, list items and table rows; trim the rest."""
    import regex

    spans: list[Span] = []
    begun, end = _trimmed(text, start, end)
    if begun < end and (heading := _plain_heading(text, begun, end)):
        spans.append(heading)
        begun, _ = _trimmed(text, heading[1], end)
    start = begun
    for line in regex.finditer(
        r"^[ \t]*(?:(?:#{1,6}|[-*+•]|\d{1,3}[.)])[ \t]|\|).*$", text[start:end], regex.M
    ):
        spans.append(_trimmed(text, begun, start + line.start()))
        begun = start + line.start()
        if regex.match(r"[ \t]*[#|]", line.group()):
            spans.append(_trimmed(text, begun, start + line.end()))
            begun = start + line.end()
    spans.append(_trimmed(text, begun, end))
    return [span for span in spans if span[0] < span[1]]


def _plain_heading(text: str, start: int, end: int) -> Span | None:
    """The line that a span begins with, where it heads the sentence below with no mark but its shortness.

    A line of running text is as long as those below it, whatever the width, and so is none; nor is a
    lone word or a name, which may be of who speaks or of whom the next line tells.
    """
    stop = text.find("\n", start, end)
    if stop < 0 or (start and text[start - 1] != "\n"):
        return None
    line = text[start : min(stop, start + _LONGEST_HEADING)].rstrip()
    below = text[stop + 1 : min(end, stop + _LOOKED_AT)].lstrip()
    typed = line.split()
    width = max(map(len, below.split("\n", 2)[:2]))
    is_heading = (
        len(line) <= _HEADING_SHARE * width
        and 1 < len(typed) <= _MOST_HEADING_WORDS
        and line[0].isupper()
        and not all(word[0].isupper() for word in typed)
        and not any(map(str.isdigit, line))
        and line[-1].isalpha()
        and typed[-1].casefold() not in function_words()
        and below[:1].isupper()
        and text[end - 1] in _ENDS_A_SENTENCE
    )
    return (start, start + len(line)) if is_heading else None


def _trimmed(text: str, start: int, end: int) -> Span:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), end - (len(body) - len(body.rstrip()))


def _join_abbreviations(text: str, spans: list[Span], language: str) -> list[Span]:
    known = abbreviations(language)
    joined: list[Span] = []
    previous = ""
    for start, end in spans:
        last = previous.rsplit(None, 1)[-1:]
        follows = joined and "\n" not in text[joined[-1][1] : start]
        if follows and (_LIST_NUMBER.fullmatch(previous) or _ends_short(last, known)):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
        previous = text[start:end]
    return joined


def is_row(sentence: str) -> bool:
    """Whether a sentence is a row of a table as the readers write it."""
    return _ROW.fullmatch(sentence) is not None


def _join_rows(text: str, spans: list[Span]) -> list[Span]:
    """The same spans, those within one row of a table as one: full stops in its cells end nothing."""
    rows = iter([(row.start(), row.end()) for row in _ROW.finditer(text)])
    row = next(rows, None)
    joined: list[Span] = []
    for span in spans:
        while row and row[1] <= span[0]:
            row = next(rows, None)
        if row and joined and row[0] <= joined[-1][0] and span[1] <= row[1]:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    return joined


def _ends_short(last: list[str], known: frozenset[str]) -> bool:
    return any(
        word in known or word.endswith(tuple(f".{short}" for short in known)) for word in last
    )
