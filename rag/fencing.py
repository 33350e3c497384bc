"""What people and documents say, made safe to stand in a prompt.

A document may hold anything: the end of the fence that it stands in, the special tokens with which
chat templates begin a turn, letters that nobody sees. Whatever could pass for the structure of a
prompt is replaced in the prompt's copy by something that reads alike; the document stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from .markers import defused
from .types import LONGEST_TITLE

# What ends an attribute or its tag, also for a reader who does not tell widths apart.
_DELIMITERS = str.maketrans('"＂<＜﹤>＞﹥', "''((()))")

# Letters of other scripts that look like those of the names of our tags, and signs that look like
# the brackets around them; what Unicode calls compatible (full-width, mathematical, accented) is
# found by decomposition. From Unicode Technical Standard 39, confusables.txt.
_LOOKALIKES = {
    ord(other): letter
    for letter, others in {
        "a": "аαɑ",
        "c": "сϲᴄ",
        "e": "еєҽ",
        "g": "ɡցԍ",
        "i": "іıιɩ",
        "n": "пոո",
        "o": "оοօᴏ",
        "p": "рρᴘ",
        "q": "ԛգ",
        "r": "гᴦ",
        "s": "ѕꜱ",
        "t": "тτᴛ",
        "u": "υսᴜ",
        "w": "ԝɯ",
        "x": "хχ×",
        "A": "АΑ",
        "E": "ЕΕ",
        "G": "Ԍ",
        "P": "РΡ",
        "S": "Ѕ",
        "T": "ТΤ",
        "/": "∕⁄⧸╱",
    }.items()
    for other in others
}
_BRACKETS = str.maketrans("‹«〈⟨《⟪˂ᐸ≺❮❰", "<" * 11)

_LINE_ENDS = {0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}

# The end of any tag, and the beginning of one of our own prompts, however they are spaced.
_END = re.compile(r"<(?=\s*+/)")
_OWN_TAG = re.compile(r"<(?=\s*+(?:passage|question|answer|text|sentence))", re.IGNORECASE)
# What begins other tags, and special tokens: <s>, <|im_start|>, <start_of_turn>, <<SYS>>.
_TAG = re.compile(r"(?<!<)<++(?=[|!?_]|[^\W\d_])")
# Special tokens in square brackets, [INST], [/INST], [TOOL_CALLS], [gMASK]; and ]~b], ]~!b[, [e~[.
_BRACKETED = re.compile(r"\[(?=/?g?[A-Z][A-Z_]+\])|(?<=\])~(?=!?b[\[\]])|(?<=\[e)~(?=\[)")
# The beginning of a turn in templates without special tokens: "### System:", "Human:", "USER:".
_TURN = re.compile(
    r"^(?=[ \t]*(?:#+[ \t]*)?(?:system|user|assistant|human|developer|instructions?|response|input"
    r"|question)(?:[ \t]+(?:message|prompt))?[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
# Signs that a program between us and the model may still decode into those above.
_REFERENCE = re.compile(r"&(?=(?:#|(?:lt|gt|amp|quot|apos|sol|vert|verbar|lsqb|lbrack)\b))", re.I)


def fenced(text: str) -> str:
    """A document's text with nothing in it that could pass for a prompt's structure, or for a marker.

    Readers see the same text: only the signs that matter are replaced.
    """
    return _TURN.sub("> ", defused(spoken(text)))


def attribute(text: str) -> str:
    """A document's text as the value of an attribute: one short line without quotation marks."""
    line = " ".join(text.split())
    if len(line) > LONGEST_TITLE:
        line = f"{line[:LONGEST_TITLE].rstrip()}…"
    return fenced(line).translate(_DELIMITERS)


def spoken(text: str) -> str:
    """A text without invisible characters, tags of the prompt, and special tokens.

    This is for what somebody says in a turn of their own: the question, earlier exchanges.
    """
    text = _REFERENCE.sub("& ", visible(text))
    signs = text.translate(_skeleton())
    changes = [(match.start(), "(") for match in _END.finditer(signs.translate(_BRACKETS))]
    changes += [(match.start(), "(") for match in _OWN_TAG.finditer(signs)]
    changes += [(n, "‹") for match in _TAG.finditer(signs) for n in range(*match.span())]
    changes += [
        (match.start(), "(" if match[0] == "[" else "-") for match in _BRACKETED.finditer(signs)
    ]
    pieces = list(text)
    # Of two changes of one place the first is made last, so that it holds.
    for place, sign in reversed(changes):
        pieces[place] = sign
    return "".join(pieces)


def visible(text: str) -> str:
    """A text without characters that nobody sees, which may hide words or their order.

    These are Unicode's default ignorable and control characters: zero-width ones, those that
    change the direction, tags, variation selectors. What joins the letters of scripts that need
    it, or the parts of an emoji, stays. Line separators become line ends.
    """
    found = _invisible().sub(lambda match: match[1] or "", text.translate(_LINE_ENDS))
    return str(found)


@cache
def _invisible() -> Any:
    import regex

    unseen = r"\p{DI}\p{Cc}\ufff9-\ufffb"
    plain = r"\p{ASCII}\p{Latin}\p{Greek}\p{Cyrillic}"
    joined = (
        rf"[[\p{{L}}\p{{M}}\p{{Extended_Pictographic}}\p{{Emoji_Modifier}}]--[{unseen}{plain}]]"
    )
    joiner = rf"(?<={joined})(\ufe0f\u200d?|[\u200c\u200d])(?={joined})"
    return regex.compile(rf"{joiner}|[{unseen}--[\t\n]]", regex.V1)


class _Skeleton(dict[int, str]):
    """What each character reads as, one for one, found out when it is first met.

    An accent or a sign of format that stands alone reads as a space.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code).translate(_LOOKALIKES)
        parts = unicodedata.normalize("NFKD", char)
        if unicodedata.category(char) in ("Cf", "Me", "Mn"):
            read = " "
        elif all(unicodedata.combining(one) for one in parts[1:]):
            read = parts[0].translate(_LOOKALIKES)
        else:
            read = char
        self[code] = read
        return read


@cache
def _skeleton() -> _Skeleton:
    return _Skeleton()
