"""The bundled model's pieces, word by word, against those of the tokenizers library."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from rag.index import unigram
from rag.index.training.pieces import Sizes, train_pieces
from rag.index.unigram import Unigram, unigram_of

from .static_model import TEXTS

ROOT = Path(__file__).parents[2]
BUNDLED = (ROOT / "index" / "model" / "tokenizer.json").read_bytes()
PIECES: list[str] = [piece for piece, _ in json.loads(BUNDLED)["model"]["vocab"]]
SHAPE = json.dumps(json.loads(BUNDLED) | {"model": {"type": "Unigram", "unk_id": 0}})
ODD = [
    *" \u00a0\u2003\u3000▁\n\t\r\v.,-_'()[]|+$€…“”。！ΣσςİIßŉﬁ①½Å",
    "\u0301",
    "\u0323",
    "  ",
    ". ",
]
ODD += [
    "\0",
    "\u200b",
    "\ufeff",
    "\ufffd",
    "中",
    "国",
    "한",
    "カ",
    "゙",
    "☃",
    "🙂",
    "\ufe0f",
    "ก",
    "ا",
]


class Counted:
    """The library, which counts the texts that are left to it."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.texts = tokenizer, 0

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        self.texts += len(texts)
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]


class Both:
    """One tokenizer, in the library and word by word."""

    def __init__(self, content: bytes) -> None:
        self.library = Counted(Tokenizer.from_buffer(content))
        quick = unigram_of(content, self.library)
        assert quick is not None
        self.quick: Unigram = quick

    def must_agree(self, texts: Sequence[str]) -> None:
        for text, ids, expected in zip(texts, self.quick(texts), self.library(texts), strict=True):
            assert ids == expected, text


@pytest.fixture(scope="module")
def bundled() -> Both:
    return Both(BUNDLED)


def scored(pieces: dict[str, float]) -> bytes:
    """A tokenizer of the bundled one's shape with other pieces."""
    given = json.loads(SHAPE)
    given["model"]["vocab"] = list({"[UNK]": 0.0, "▁": -3.0, **pieces}.items())
    given["model"]["byte_fallback"] = False
    return json.dumps(given, separators=(",", ":")).encode()


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_has_the_pieces_of_the_library(bundled: Both, texts: list[str]) -> None:
    bundled.must_agree(texts)


@given(st.data())
def test_texts_of_pieces_have_those_of_the_library(bundled: Both, data: st.DataObject) -> None:
    piece = st.sampled_from(PIECES).map(lambda one: one.replace("▁", " "))
    part = piece | st.sampled_from(ODD) | piece.map(str.upper) | piece.map(lambda one: one[1:-1])
    bundled.must_agree(["".join(data.draw(st.lists(part, max_size=30)))])


def test_characters_that_are_not_left_to_the_library_mean_the_same_there(bundled: Both) -> None:
    known = [c for c in map(chr, range(0x20000)) if not unigram._STRANGE.search(c)]
    before = bundled.library.texts
    texts = [f"a{c}b {c}\u0301\u0323 {c}{c} new{c}york" for c in known]
    bundled.must_agree(texts)
    assert bundled.library.texts - before == len(texts)  # once each, to compare


def test_texts_and_questions_of_the_project_have_those_of_the_library(bundled: Both) -> None:
    texts = [file.read_text("utf-8") for file in sorted((ROOT / "seeds").glob("*.txt"))]
    assert len(texts) == 5
    texts += [paragraph for text in texts for paragraph in text.split("\n")]
    suites = resources.files("rag.evals") / "suites" / "seeds"
    for name in ("dev.jsonl", "test.jsonl"):
        lines = (suites / name).read_text("utf-8").splitlines()
        texts += [str(json.loads(line).get("question", "")) for line in lines]
    bundled.must_agree(texts)


def test_a_piece_may_end_within_the_next_word(bundled: Both) -> None:
    texts = ["new yorker", "new yorkers in new york", "Hoa Kỳz", "united statesman"]
    bundled.must_agree(texts)
    (ids,) = bundled.quick(["new yorker"])
    assert PIECES[ids[0]] == "▁new▁york"


def test_of_two_equal_ways_the_library_decides_by_how_it_rounds() -> None:
    # Whether a score of 0.3 or one of 0.1 and one of 0.2 is more depends on what comes before.
    parts = {"a": -0.1, "b": -0.2, "ab": -0.3, "c": -0.7, "▁c": -0.9, "▁ab": -3.3, "▁abc": -4.0}
    both = Both(scored({**parts, "▁a": -3.1, "▁ab▁c": -4.2, "▁c▁a": -4.0}))
    pick = random.Random(5)  # noqa: S311 - no secret
    words = ["ab", "aab", "abab", "c", "cab", "abc", "bab", "x", "abx"]
    both.must_agree([" ".join(pick.choices(words, k=pick.randint(1, 40))) for _ in range(500)])


@given(st.lists(st.text("abc ▁.é☃", max_size=12), max_size=8), st.randoms())
def test_any_pieces_of_the_shape_do(texts: list[str], pick: random.Random) -> None:
    words = ["".join(pick.choices("abc", k=pick.randint(1, 3))) for _ in range(12)]
    pieces = {word: -pick.randint(1, 9) / 10 for word in words[:5]}
    pieces |= {f"▁{word}": -pick.randint(1, 40) / 10 for word in words[5:]}
    pieces |= {f"▁{one}▁{two}": -pick.randint(1, 60) / 10 for one, two in pairwise(words)}
    both = Both(scored(pieces))
    both.must_agree([*texts, " ".join(pick.choices(words, k=20)), "".join(words)])


def test_what_training_makes_is_of_the_shape() -> None:
    tokenizer = train_pieces(TEXTS * 9, TEXTS[::-1] * 9, Sizes(100, 30, 20))
    Both(tokenizer.to_str().encode()).must_agree([*TEXTS, " ".join(TEXTS) * 3, "中文 ☃ sora☃☃"])


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given["model"].update(byte_fallback=True),
        lambda given: given["pre_tokenizer"]["pretokenizers"].pop(),
        lambda given: given["normalizer"]["normalizers"].reverse(),
        lambda given: given["added_tokens"].append({"id": 1, "content": "s"}),
        lambda given: given["model"]["vocab"].append(["a▁b", -1.0]),
        lambda given: given["model"]["vocab"].append(["▁a▁", -1.0]),
        lambda given: given["model"]["vocab"].append(["x"]),
        lambda given: given["model"].update(unk_id=7),
        lambda given: given["model"].update(unk_id=None),
        lambda given: given.pop("model"),
    ],
)
def test_another_shape_is_left_to_the_library(change: Any) -> None:
    given = json.loads(scored({"s": -2.0, "▁so": -3.0}))
    assert unigram_of(json.dumps(given).encode(), Counted(None)) is not None
    change(given)
    assert unigram_of(json.dumps(given).encode(), Counted(None)) is None


def test_a_tokenizer_of_another_kind_is_left_to_the_library() -> None:
    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106 - no password
    assert unigram_of(words.to_str().encode(), Counted(None)) is None


def test_what_is_remembered_is_bounded_and_threads_may_share_it(
    bundled: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unigram, "_MOST_REMEMBERED", 50)
    fresh = Both(BUNDLED).quick
    pick = random.Random(3)  # noqa: S311 - no secret
    texts = [" ".join(pick.choices(PIECES, k=30)).replace("▁", "") for _ in range(40)]
    expected, wrong, most = bundled.library(texts), [], [0]

    def cut() -> None:
        for _ in range(5):
            wrong.extend([1] if fresh(texts) != expected else [])
            most.append(len(fresh._remembered))

    threads = [threading.Thread(target=cut) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 0 < max(most) <= 50 + len(threads)


def test_the_bundled_embedder_does_without_the_library() -> None:
    program = (
        "import sys\n"
        "from rag.settings import Settings\n"
        "from rag.index.embed import embedder_for\n"
        "embedder = embedder_for(Settings())\n"
        "embedder.embed(['Ai gọi Sora là khoảnh khắc Newton?', 'New York, 2026: ☃!'])\n"
        "assert 'tokenizers' not in sys.modules\n"
        "embedder.embed(['ภาษาไทย'])\n"
        "assert 'tokenizers' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
