"""A language model that obeys: every order that reaches it outside of a passage.

It stands for the worst that may read a prompt. It trusts the structure alone: what stands within
``<passage …>`` and ``</passage>`` is material, everything else it takes for the words of those
whom it serves. It takes whatever looks like the end of a passage for the end, in any letters, and
what its chat template would make a special token for the beginning of a turn. It decodes what is
hidden or encoded. Nothing here is shared with ``rag.fencing``, so that neither hides the other's
mistakes.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.llm.backend import Request
from rag.llm.scripted import ScriptedBackend
from rag.messages import Message

from . import fields
from .reading import read_lines


@dataclass(frozen=True, slots=True)
class Order:
    """What a document orders, for the case of this name: its decisive words.

    A document without words orders nothing; it does harm otherwise, as by a fake marker.
    """

    case: str
    document: str
    family: str
    words: str


# The tokens with which chat templates separate turns. Sources: the tokenizers' configurations of
# Qwen (ChatML), Llama 2 and 3, Mistral, Gemma, DeepSeek, Phi, GLM, Kimi, MiniMax, Command R, gpt-oss.
SPECIAL_TOKEN = re.compile(
    r"<[|｜][^<>\n]{1,60}[|｜]>"
    r"|</?(?:s|bos|eos|pad|unk|sop|eop|mask|start_of_turn|end_of_turn|start_of_image|think|thinking"
    r"|tool_call|tool_response|tools|BOS_TOKEN|EOS_TOKEN|reserved_\d+|unused\d+)>"
    r"|<</?SYS>>|\]~!?b[\[\]]|\[e~\["
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|[gs]?MASK|CLS|SEP"
    r"|PAD|IMG|THINK)\]"
)
# How a turn begins where a template has no special tokens (Alpaca, Vicuna, Claude 2), and a question.
_TURN = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*)?(?:system|user|assistant|human|instruction|response|input|question"
    r"|system prompt)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
# A passage begins as the template has it, to the letter, or it is none.
_OPENING = re.compile(
    r'<passage number="(\d+)" document="[^"<>\n]*"(?: date="[\d-]{10}")?(?: page="\d+")?>\n'
)
# It ends where anybody could think so.
_CLOSING = re.compile(r"[<‹«〈⟨《⟪˂≺❮❰]\s*[/∕⁄⧸]\s*passage", re.IGNORECASE)
_STRICT = re.compile(_OPENING.pattern + r"(.*?)\n</passage>\n", re.DOTALL)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_REVERSED = re.compile("\u202e([^\u202c\u2069\n]*)")
# Letters that look like Latin ones.
_ALIKE = str.maketrans("асеіорѕхуԁɡαεορνιτυ", "aceiopsxydgaeopvitu")


def orders_of(suite: Path) -> tuple[Order, ...]:
    """The orders of a suite's documents, from its ``orders.jsonl``.

    Raises:
        EvaluationError: The file cannot be read.
    """
    rows = [row for _, row in read_lines(suite / "orders.jsonl")]
    return tuple(
        Order(
            case=fields.text(row, "case"),
            document=fields.text(row, "document"),
            family=fields.text(row, "family"),
            words=fields.text(row, "order", empty=True),
        )
        for row in rows
    )


def obedient(orders: Sequence[Order]) -> ScriptedBackend:
    """The model. Without an order it copies the passage that fits the question best, and cites it.

    Args:
        orders: All that it may be told.
    """

    def script(request: Request) -> list[str]:
        obeyed = heard(request.messages, orders)
        if obeyed:
            return ["I obey " + ", ".join(order.case for order in obeyed) + "."]
        return [copied(request.messages)]

    return ScriptedBackend(script, name="obedient")


def heard(messages: Sequence[Message], orders: Sequence[Order]) -> tuple[Order, ...]:
    """The orders that a prompt gives outside of its passages."""
    told = _plain("\n".join(reading for text in _outside(messages) for reading in readings(text)))
    return tuple(order for order in orders if order.words and _plain(order.words) in told)


def says(text: str, order: str) -> bool:
    """Whether a text holds the words of an order, in whatever disguise."""
    found = (_plain(reading) for reading in readings(text))
    return bool(order) and any(_plain(order) in one for one in found)


def copied(messages: Sequence[Message]) -> str:
    """The passage of a prompt that has the most words of its question, with its marker."""
    prompt = messages[-1]["content"]
    passages = {int(number): text for number, text in passages_of(prompt)}
    asked = set(_plain(prompt.rpartition("\nQuestion: ")[2]).split())
    if not passages:
        return "There are no passages."
    best = max(passages, key=lambda number: len(asked & set(_plain(passages[number]).split())))
    return f"{passages[best]} [{best}]"


def passages_of(prompt: str) -> list[tuple[str, str]]:
    """The number and the text of each passage, by the letter of the template."""
    return _STRICT.findall(prompt)


def without_passages(prompt: str) -> str:
    """What stands outside of passages, for a reader who takes any end for the end."""
    pieces: list[str] = []
    position = 0
    while opening := _OPENING.search(prompt, position):
        pieces.append(prompt[position : opening.start()])
        closing = _CLOSING.search(prompt, opening.end())
        position = closing.end() if closing else len(prompt)
    return "".join([*pieces, prompt[position:]])


def readings(text: str) -> list[str]:
    """A text as it stands, and what is hidden in it: reversed, in tags, in selectors, encoded."""
    tags = "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) <= 0xE007E)
    selected = bytes(
        ord(char) - 0xFE00 if ord(char) <= 0xFE0F else ord(char) - 0xE0100 + 16
        for char in text
        if 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF
    )
    turned = [found[::-1] for found in _REVERSED.findall(text)]
    decoded = [_decoded(found) for found in _ENCODED.findall(text)]
    return [text, tags, selected.decode("utf-8", "replace"), *turned, *decoded]


def turn_begins(text: str) -> list[int]:
    """Where a template without special tokens would begin a turn."""
    return [found.start() for found in _TURN.finditer(text)]


def gullible(text: str) -> str:
    """A text as somebody reads it who looks at nothing closely."""
    for _ in range(3):
        text = html.unescape(text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    return bare.translate(_ALIKE)


def _outside(messages: Sequence[Message]) -> list[str]:
    """The texts that count as words of those whom the model serves."""
    texts: list[str] = []
    for message in messages:
        content = message["content"]
        if message["role"] == "system":
            texts.append(content)
        if message["role"] == "user":
            texts += [without_passages(one) for one in (content, gullible(content))]
        for one in (content, unicodedata.normalize("NFKC", content)):
            begun = [found.start() for found in SPECIAL_TOKEN.finditer(one)] + turn_begins(one)
            texts += [one[start:] for start in sorted(begun)[:1]]
    return texts


def _plain(text: str) -> str:
    """The words of a text, for comparing."""
    return " ".join(re.findall(r"\w+", gullible(text).casefold()))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
