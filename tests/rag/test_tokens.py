"""No prompt has more tokens than it is counted to have, whichever tokenizer reads it."""

from __future__ import annotations

import base64
import hashlib
import inspect
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tiktoken.load
import tiktoken.registry
import tiktoken_ext.openai_public
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from rag.llm import tokens
from rag.llm.providers import Price
from rag.llm.tokens import cost_of, counter, most_tokens
from rag.messages import Message, answer_messages
from rag.types import Usage
from tests.rag.conftest import hit_of

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<|fim_prefix|>"]
# Letters that grow in NFC or NFKC, in lower case, without a plane, and half a pair.
HARD = [
    "\ufdfa",
    "\u0958",
    "\U0001d160",
    "İ",
    "ế",
    "e\u0302\u0301",
    "▁",
    " ",
    "\n",
    "\x00",
    "½",
    "👩🏽‍💻",
]
PATTERN = r"\p{L}+|\s+|[^\p{L}\s]+"
TEXTS = st.lists(st.sampled_from([*HARD, *SPECIAL]) | st.text(max_size=8)).map("".join)


def seeds() -> Iterable[str]:
    return (path.read_text("utf-8") for path in SEEDS)


def byte_level(merges: int, form: Any = None) -> Tokenizer:
    """As GPT and Qwen have it: trained on the seeds to so many merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = form
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(seeds(), trainer)
    return tokenizer


def sentencepiece(kind: str, form: Any, characters: str) -> Tokenizer:
    """As Llama 2 (BPE) and Gemma or T5 (Unigram) have it, with bytes for all but few characters."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *characters]
    model: Any
    if kind == "bpe":
        vocabulary = {piece: number for number, piece in enumerate(pieces)}
        model = models.BPE(vocabulary, [], unk_token=pieces[0], byte_fallback=True, fuse_unk=True)
    else:
        model = models.Unigram([(piece, -1.0) for piece in pieces], 0, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = form
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    return tokenizer


@cache
def tokenizers() -> dict[str, Tokenizer]:
    made = {
        "bytes": byte_level(0),
        "bytes, NFC": byte_level(0, normalizers.NFC()),
        "bytes, trained": byte_level(500),
        "bytes, trained, NFC": byte_level(500, normalizers.NFC()),
    }
    for form in (None, normalizers.NFC(), normalizers.NFKC()):
        for kind in ("bpe", "unigram"):
            made[f"{kind}, {form}"] = sentencepiece(kind, form, "abcdeễ.")
    for tokenizer in made.values():
        tokenizer.add_special_tokens([AddedToken(text) for text in SPECIAL])
    return made


@pytest.mark.parametrize("name", list(tokenizers()))
@given(text=TEXTS)
@example(text="".join(HARD))
def test_no_text_has_more_tokens_than_estimated(name: str, text: str) -> None:
    found = len(tokenizers()[name].encode(text, add_special_tokens=False).tokens)
    # One for the space before the text, which is counted with its message.
    assert found <= most_tokens(text) + 1


@pytest.mark.parametrize("form", ["", "NFC", "NFKC"])
@given(text=TEXTS)
def test_the_estimate_is_no_less_than_the_bytes(form: str, text: str) -> None:
    normal = {"": None, "NFC": normalizers.NFC(), "NFKC": normalizers.NFKC()}[form]
    written = normal.normalize_str(text) if normal else text
    assert len(written.encode()) <= most_tokens(text)


def test_the_estimate_of_plain_text_is_its_bytes() -> None:
    assert most_tokens("Newton moment") == 13
    assert most_tokens("khoảnh khắc") == len("khoảnh khắc".encode()) == 15
    assert most_tokens("\ud800") == 3


# As the makers of these models write their prompts; gpt-oss's and Llama's add text of their own.
TEMPLATES = {
    "chatml": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n",
    "llama-3": "<s><|h|>system<|/h|>\n\nCutting Knowledge Date: December 2023\n"
    "Today Date: 26 Jul 2024\n\n<|eot|>{% for m in messages %}"
    "<|h|>{{ m.role }}<|/h|>\n\n{{ m.content | trim }}<|eot|>{% endfor %}<|h|>assistant<|/h|>\n\n",
    "llama-2": "{% for m in messages %}{% if m.role == 'system' %}<s>[INST] <<SYS>>\n"
    "{{ m.content }}\n<</SYS>>\n\n{% elif m.role == 'user' %}<s>[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }} </s>{% endif %}{% endfor %}",
    "gpt-oss": "<|h|>system<|/h|>You are ChatGPT, a large language model trained by OpenAI.\n"
    "Knowledge cutoff: 2024-06\nCurrent date: 2025-08-05\n\nReasoning: medium\n\n# Valid channels: "
    "analysis, commentary, final. Channel must be included for every message.<|eot|>"
    "{% for m in messages %}{% if m.role == 'system' %}<|h|>developer<|/h|># Instructions\n\n"
    "{{ m.content }}<|eot|>{% elif m.role == 'user' %}<|h|>user<|/h|>{{ m.content }}<|eot|>"
    "{% else %}<|h|>assistant<|im_start|>final<|/h|>{{ m.content }}<|eot|>{% endif %}{% endfor %}"
    "<|h|>assistant",
    "gemma": "<s>{% for m in messages %}<|h|>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content }}<|eot|>\n{% endfor %}<|h|>model\n",
}
MESSAGES = st.lists(
    st.builds(
        lambda role, content: Message(role=role, content=content),
        st.sampled_from(["system", "user", "assistant"]),
        TEXTS,
    ),
    min_size=1,
    max_size=6,
)


@cache
def templated(name: str, template: str) -> Callable[[list[Message]], int]:
    """How many tokens transformers makes of messages with one of the tokenizers."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(tokenizers()[name].to_str())
    tokenizer.add_special_tokens([AddedToken(text) for text in ("<|h|>", "<|/h|>", "<|eot|>")])
    of_tokenizer: Any = PreTrainedTokenizerFast
    fast = of_tokenizer(tokenizer_object=tokenizer)
    fast.chat_template = TEMPLATES[template]
    return lambda messages: len(
        fast.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    )


@pytest.mark.parametrize("template", list(TEMPLATES))
@pytest.mark.parametrize("name", ["bytes", "bytes, trained, NFC", "bpe, None", "unigram, None"])
@settings(max_examples=40)
@given(messages=MESSAGES)
def test_no_prompt_has_more_tokens_than_counted(
    name: str, template: str, messages: list[Message]
) -> None:
    # A template in the vocabulary of single bytes is the worst that can be.
    assert templated(name, template)(messages) <= counter("")(messages)


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_the_prompts_of_the_seeds_are_counted_safely_and_not_absurdly(template: str) -> None:
    hits = [hit_of(text[:1200], "vi", number) for number, text in enumerate(seeds(), start=1)]
    messages = list(answer_messages("Ai gọi Sora là khoảnh khắc Newton?", "vi", hits))
    found = templated("bytes, trained", template)(messages)
    assert found <= counter("")(messages) <= 3.5 * found


def trained_vocabulary() -> dict[bytes, int]:
    """A small vocabulary as tiktoken wants it."""
    from tiktoken._educational import bpe_train

    return bpe_train(next(iter(seeds()))[:3000], 300, PATTERN, visualise=None)


@pytest.fixture(scope="module")
def vocabulary() -> bytes:
    ranks = trained_vocabulary()
    return b"\n".join(base64.b64encode(piece) + b" %d" % rank for piece, rank in ranks.items())


@pytest.fixture
def encoding(
    vocabulary: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Callable[[list[Message]], int]]:
    """A tiktoken encoding that would come from a closed port, and the file where it is cached."""
    address = "http://127.0.0.1:9/tiny.tiktoken"
    expected = hashlib.sha256(vocabulary).hexdigest()

    def construct() -> dict[str, Any]:
        ranks = tiktoken.load.load_tiktoken_bpe(address, expected)
        special = {"<|endoftext|>": len(ranks)}
        return {
            "name": "tiny",
            "pat_str": PATTERN,
            "mergeable_ranks": ranks,
            "special_tokens": special,
        }

    tiktoken.list_encoding_names()
    constructors = tiktoken.registry.ENCODING_CONSTRUCTORS
    assert constructors is not None
    monkeypatch.setitem(constructors, "tiny", construct)
    monkeypatch.setitem(tokens._VOCABULARIES, "tiny", (address, expected))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    key = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()

    def count(messages: list[Message]) -> int:
        monkeypatch.delitem(tiktoken.registry.ENCODINGS, "tiny", raising=False)
        return counter("tiny")(messages)

    return tmp_path / key, count


SAID: list[Message] = [{"role": "user", "content": "Sora <|endoftext|> khoảnh khắc " * 20}]


def test_a_vocabulary_in_the_cache_is_used(
    encoding: tuple[Path, Callable[[list[Message]], int]], vocabulary: bytes
) -> None:
    file, count = encoding
    file.write_bytes(vocabulary)
    assert count(SAID) < counter("")(SAID)


def test_without_a_vocabulary_or_with_a_damaged_one_nothing_is_downloaded(
    encoding: tuple[Path, Callable[[list[Message]], int]],
) -> None:
    file, count = encoding
    assert count(SAID) == counter("")(SAID)
    file.write_bytes(b"half of it")
    assert count(SAID) == counter("")(SAID)
    assert file.read_bytes() == b"half of it"


def test_tiktoken_s_cache_is_where_tiktoken_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path / "gym"))
    assert tokens._cache_folder() == str(tmp_path / "gym")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "own"))
    assert tokens._cache_folder() == str(tmp_path / "own")
    source = inspect.getsource(tiktoken.load.read_file_cached)
    assert all(word in source for word in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"))
    assert '"data-gym-cache"' in source


def test_the_addresses_and_sums_are_those_of_the_installed_tiktoken() -> None:
    for name, (address, expected) in tokens._VOCABULARIES.items():
        source = inspect.getsource(getattr(tiktoken_ext.openai_public, name))
        assert f'"{address}"' in source
        assert f'"{expected}"' in source


def test_an_answer_costs_its_tokens_times_their_price() -> None:
    assert cost_of(Usage(2_000_000, 500_000), Price(0.25, 2.0)) == 1.5
    assert cost_of(Usage(0, 0), Price(0.25, 2.0)) == 0


@pytest.mark.parametrize("usage", [Usage(), Usage(1, None), Usage(None, 1)])
def test_what_is_not_known_has_no_cost(usage: Usage) -> None:
    assert cost_of(usage, Price(1, 1)) is None
    assert cost_of(Usage(1, 1), None) is None
