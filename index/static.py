"""Texts into vectors without a transformer: every piece of a text has one, and they are summed.

The format is that of model2vec and of sentence-transformers' StaticEmbedding. numpy, safetensors
and, where ``unigram`` does not do, tokenizers are all that is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

from .arrays import Ids, Matrix, of_length_1
from .unigram import SPACE, Cut, unigram_of

# It reads a text of any length, but the sum of a long one says little of where an answer stands.
# So many pieces are about 750 characters of English or Vietnamese, in the seeds as long as English
# passages were when all-MiniLM-L6-v2 cut them.
_PASSAGE_PIECES = 208
# A book is summed in parts: 4,096 rows of 384 numbers take 6 MiB.
_SUMMED_AT_ONCE = 4096
# In a JSON text only an unescaped quotation mark can stand at these places.
_UNKNOWN_ID = re.compile(rb'(?<!\\)"unk_id"\s*:\s*(\d+)')
_MODULES = ("StaticEmbedding", "Normalize")
# What marks a piece that begins a word, or one that does not: Unigram's, WordPiece's, bytes'.
_MARKS = {SPACE: True, "##": False, "Ġ": True}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a static model's files lie in its folder, and what its tensor is called."""

    tensors: Path
    tokenizer: Path
    embeddings: str

    def within(self, folder: Path) -> Layout:
        """The same, with the folder before each path."""
        return Layout(folder / self.tensors, folder / self.tokenizer, self.embeddings)


_LAYOUTS = (
    Layout(Path("model.safetensors"), Path("tokenizer.json"), "embeddings"),  # model2vec
    Layout(Path("model.safetensors"), Path("tokenizer.json"), "embedding.weight"),
    Layout(
        Path("0_StaticEmbedding/model.safetensors"),
        Path("0_StaticEmbedding/tokenizer.json"),
        "embedding.weight",
    ),
)


class LibraryCut:
    """Cuts texts with the tokenizers library, whole and without padding, loaded on first need.

    Args:
        content: What is in the model's tokenizer.json.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    @cached_property
    def tokenizer(self) -> Any:
        """The library's tokenizer, without truncation and padding.

        Raises:
            ValueError: It is damaged.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_buffer(self._content)
        except Exception as error:
            # The library has no error of its own.
            raise ValueError(f"its tokenizer is damaged: {error}") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of the pieces of each text, in order."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]


@dataclass(frozen=True, slots=True)
class StaticModel:
    """What is in the folder of a static model.

    Args:
        library: Its tokenizer, in the library.
        cut: The same, or what does the same and is sooner ready.
        pieces: Every piece as the tokenizer writes it, by its id.
        rows: The vectors as they are stored, shape (pieces, dimension).
        weights: Shape (pieces,), 0 for the unknown piece.
    """

    library: LibraryCut
    cut: Cut
    pieces: Sequence[str]
    rows: NDArray[Any]
    weights: Matrix


class StaticEmbedder:
    """A model with one vector for each piece of a text.

    The vector of a text is the sum over its pieces of the piece's row times the piece's weight,
    brought to length 1. Unknown pieces count nothing; a text of nothing else has the zero vector.
    Rows stay as they are stored, int8 if they are so, and become float32 where they are used.
    May be used by many threads.

    Args:
        folder: The model's folder, as model2vec or sentence-transformers writes it.
        name: What the fingerprint of an index records; the folder if left out.

    Raises:
        ModelError: There is no such model in the folder, or it is damaged.
    """

    windows = True

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.name = name or str(folder)
        model = read_static(folder)
        self._cut, self._pieces = model.cut, model.pieces
        self._rows, self._weights = model.rows, model.weights
        self.dimension = int(self._rows.shape[1])
        self.max_tokens = _PASSAGE_PIECES

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), of length 1 or all zeros."""
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, ids in enumerate(self.token_ids(texts)):
            for first in range(0, len(ids), _SUMMED_AT_ONCE):
                part = ids[first : first + _SUMMED_AT_ONCE]
                sums[row] += self._weights[part] @ self._rows[part].astype(np.float32)
        return of_length_1(sums)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many pieces each text has."""
        return [len(ids) for ids in self._cut(texts)]

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        """The pieces of each text, in order, those that are unknown included."""
        return [np.array(ids, dtype=np.int64) for ids in self._cut(texts)]

    def token_begins(self, ids: Ids) -> NDArray[np.bool_]:
        """Whether a word begins with each of some pieces, shape (number of pieces,)."""
        return self._begins[ids]

    def word_vectors(self, ids: Ids, starts: Ids) -> Matrix:
        """The vectors of words, shape (number of words, dimension), of length 1 or all zeros.

        Args:
            ids: Their pieces, one word after the other.
            starts: Where the pieces of each word begin, the first at 0.
        """
        lengths = np.diff(starts, append=len(ids))
        sums = self._weighted(ids[starts])
        # Most words are one piece: numpy's ``reduceat`` would take as long for those as for others.
        for place in range(1, int(lengths.max(initial=0))):
            longer = np.flatnonzero(lengths > place)
            sums[longer] += self._weighted(ids[starts[longer] + place])
        return of_length_1(sums)

    def _weighted(self, ids: Ids) -> Matrix:
        rows: Matrix = self._rows[ids].astype(np.float32)
        rows *= self._weights[ids, None]
        return rows

    def token_weights(self, ids: Ids) -> Matrix:
        """How much pieces count in a sum of their vectors, shape (number of pieces,), >= 0."""
        lengths = np.linalg.norm(self._rows[ids].astype(np.float32), axis=-1)
        return np.asarray(self._weights[ids] * lengths, dtype=np.float32)

    def token_texts(self, ids: Ids) -> list[str]:
        """Pieces as a person reads them, without the mark of a word's beginning."""
        pieces = [self._pieces[one] for one in ids.tolist()]
        return [piece.replace(SPACE, " ").strip() or piece for piece in pieces]

    @cached_property
    def _begins(self) -> NDArray[np.bool_]:
        """Whether a word begins with each piece; in a vocabulary that marks no words, with all."""
        for mark, begins in _MARKS.items():
            marked = np.array([piece.startswith(mark) for piece in self._pieces], dtype=np.bool_)
            if marked.any():
                return marked if begins else ~marked
        return np.ones(len(self._pieces), dtype=np.bool_)


def layout_of(folder: Path) -> Layout | None:
    """The layout of the static model in a folder, or nothing where it holds none.

    A transformer has files of the same names; what tells them apart are the tensors.
    """
    from safetensors import SafetensorError, safe_open

    if not _only_static_modules(folder):
        return None
    for layout in (known.within(folder) for known in _LAYOUTS):
        if not layout.tensors.is_file() or not layout.tokenizer.is_file():
            continue
        try:
            with safe_open(layout.tensors, framework="numpy") as tensors:
                found = set(tensors.keys())
        except (OSError, SafetensorError):
            continue
        if layout.embeddings in found and found <= {layout.embeddings, "weights", "mapping"}:
            return layout
    return None


def read_static(folder: Path) -> StaticModel:
    """Read a static model.

    Raises:
        ModelError: There is none in the folder, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    layout = layout_of(folder)
    if layout is None:
        raise _unreadable(folder, "it holds no static model that can be read")
    try:
        content = layout.tokenizer.read_bytes()
        with safe_open(layout.tensors, framework="numpy") as tensors:
            given = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, TypeError) as error:  # TypeError: not a type of numpy's
        raise _unreadable(folder, str(error)) from error
    library = LibraryCut(content)
    quick = unigram_of(content, library)
    try:
        pieces = quick.pieces if quick else _vocabulary(library.tokenizer)
        unknown = quick.unknown if quick else _unknown_id(library.tokenizer, content)
        rows, weights = _checked(given, layout.embeddings, len(pieces))
    except (ValueError, IndexError) as error:
        raise _unreadable(folder, str(error)) from error
    if unknown is not None and unknown < len(weights):
        weights[unknown] = 0
    return StaticModel(library, quick or library, pieces, rows, weights)


def _checked(
    given: Mapping[str, NDArray[Any]], name: str, pieces: int
) -> tuple[NDArray[Any], Matrix]:
    """Rows and weights for every piece; a ``ValueError`` or ``IndexError`` says what is wrong."""
    rows = given[name]
    if "mapping" in given:  # pieces that share a row
        rows = rows[given["mapping"]]
    given_weights = given["weights"] if "weights" in given else np.ones(pieces)
    weights = np.array(given_weights, dtype=np.float32)  # a copy, to be changed
    if rows.ndim != 2 or len(rows) != pieces or weights.shape != (pieces,):
        raise ValueError(f"its vectors, {rows.shape}, do not fit its {pieces} pieces")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("its weights are not numbers of 0 or more")
    if rows.dtype.kind not in "if" or (rows.dtype.kind == "f" and not np.isfinite(rows).all()):
        raise ValueError("its vectors are not all numbers")
    return rows, weights


def _vocabulary(tokenizer: Any) -> list[str]:
    """Every piece by its id; an id that no piece has, as some vocabularies leave, is empty."""
    pieces = [""] * tokenizer.get_vocab_size()
    for piece, number in tokenizer.get_vocab().items():
        pieces[number] = piece
    return pieces


def _unknown_id(tokenizer: Any, content: bytes) -> int | None:
    """The piece that stands for what the tokenizer does not know.

    A Unigram model does not tell it, and reading a megabyte of JSON for one number would take as
    long as loading half of the rest.
    """
    token = getattr(tokenizer.model, "unk_token", None)
    if token is not None:
        found: int | None = tokenizer.token_to_id(token)
        return found
    match = _UNKNOWN_ID.search(content)
    return int(match[1]) if match else None


def _only_static_modules(folder: Path) -> bool:
    """Whether nothing comes after the sum, as far as sentence-transformers is told."""
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
        kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    except FileNotFoundError:
        return True
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return all(kind in _MODULES for kind in kinds)


def _unreadable(folder: Path, reason: str) -> ModelError:
    return ModelError(
        f"The embedding model in {folder} cannot be loaded: {reason.splitlines()[0]}.",
        "Copy or install it again, or name another in the setting index.embedder.",
    )
