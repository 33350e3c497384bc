"""How many tokens a prompt has, and what they cost: by tiktoken where its vocabulary lies here, else never too few.

The safe estimate of a text is its number of bytes in UTF-8, the largest of its forms as written,
in NFC and in NFKC. No tokenizer of these kinds gives more tokens:

- *Byte-level BPE* (GPT, Llama 3, Qwen, DeepSeek, GLM, tiktoken) cuts the text, after NFC in some
  models, into pieces and starts each from one symbol for every byte; a merge makes one of two.
- *BPE or Unigram with byte fallback* (SentencePiece: Llama 2, Mistral, Gemma) cuts the text, after
  NFKC in some, into pieces of at least one character, or of exactly one byte where a character is
  not in the vocabulary. A space becomes "▁" (three bytes), which every such vocabulary has as one
  token. One "▁" may be put before a text.
- *WordPiece*, and either of the above without bytes, give at most one token for a character.

What is left over is what a chat template writes: special tokens and role names around a message,
a space before it, and at times a preamble of the template's own. Those are constants.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from rag.messages import Message
from rag.types import Usage

from .providers import Price

Count = Callable[[Sequence[Message]], int]

# For a message: the most that a known template writes around one is 14 tokens with a vocabulary of
# single bytes (Llama 3: two special tokens, "assistant", one, two line feeds, one); twice that.
_PER_MESSAGE = 28
# For a prompt: gpt-oss's template writes the longest known preamble of a chat without tools, some 240
# characters on its role, the date and its channels; and each template opens the answer's message.
_PER_PROMPT = 256

# Where tiktoken gets its vocabularies, and the SHA-256 of each: tiktoken_ext/openai_public.py.
_ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/"
_VOCABULARIES = {
    "cl100k_base": (
        f"{_ADDRESS}cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        f"{_ADDRESS}o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}


def counter(tokenizer: str) -> Count:
    """How to count the tokens of a prompt.

    Args:
        tokenizer: The name of a tiktoken encoding, or nothing. It is used where its vocabulary
            is in tiktoken's cache; nothing is ever downloaded from here.

    Returns:
        A function from messages to a number of tokens that their prompt does not exceed.
    """
    encoding = _encoding(tokenizer)
    tokens = most_tokens if encoding is None else lambda text: _tokens(encoding, text)

    def count(messages: Sequence[Message]) -> int:
        texts = sum(tokens(message["content"]) for message in messages)
        return texts + _PER_MESSAGE * len(messages) + _PER_PROMPT

    return count


def cost_of(usage: Usage, price: Price | None) -> float | None:
    """What an answer cost in US dollars, where both its tokens and their price are known."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return (usage.input_tokens * price.input + usage.output_tokens * price.output) / 1_000_000


def priced(usage: Usage, price: Price | None) -> Usage:
    """A usage with what it cost; what a server says goes before a list of prices."""
    return usage if usage.cost is not None else replace(usage, cost=cost_of(usage, price))


def most_tokens(text: str) -> int:
    """The safe estimate: the most tokens that any of the tokenizers above makes of a text."""
    if text.isascii():
        return len(text)
    # Each character by itself: a tokenizer may know fewer of them than this Python does, or more.
    return sum(count * _most_bytes(character) for character, count in Counter(text).items())


def _most_bytes(character: str) -> int:
    """The bytes of a character, as it is or normalized."""
    forms = (character, *(unicodedata.normalize(form, character) for form in ("NFC", "NFKC")))
    # Half a surrogate pair, which is no UTF-8, is three bytes, as is what it is replaced with.
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)


def _tokens(encoding: Any, text: str) -> int:
    """Counted as plain text: what looks like a special token in a document is none."""
    return len(encoding.encode_ordinary(text))


def _encoding(name: str) -> Any:
    """A tiktoken encoding whose vocabulary lies in the cache as it should be, else ``None``."""
    return _loaded(name, _cache_folder()) if name in _VOCABULARIES else None


@cache
def _loaded(name: str, folder: str) -> Any:
    address, expected = _VOCABULARIES[name]
    if not folder or not _is_cached(Path(folder), address, expected):
        return None
    import tiktoken

    return tiktoken.get_encoding(name)


def _cache_folder() -> str:
    """Where tiktoken keeps vocabularies (``tiktoken.load.read_file_cached``); empty for nowhere."""
    default = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    return os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))


def _is_cached(folder: Path, address: str, expected: str) -> bool:
    """Whether tiktoken will find a vocabulary; where not, or it is damaged, it would download it."""
    name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected
    except OSError:
        return False
