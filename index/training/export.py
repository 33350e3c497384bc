"""A learned model as files: 8-bit vectors with a weight each, as model2vec reads and writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.unigram import SPACE

from .pieces import UNKNOWN
from .texts import Texts

_SAMPLE = 100_000


def export(vectors: NDArray[np.float32], tokenizer: Any, texts: Texts, folder: Path) -> None:
    """Write a model.

    The vectors are turned so that their first numbers vary most among texts: cosines stay, and
    whoever wants shorter vectors may cut them. Each vector becomes whole numbers from -127 to 127
    times a weight of its own, so that short vectors lose no more than long ones.

    Args:
        vectors: The vectors of all pieces, shape (number of pieces, dimension).
        tokenizer: The ``tokenizers.Tokenizer`` of these pieces.
        texts: Texts to see how the vectors vary.
        folder: Where the files go.
    """
    from safetensors.numpy import save_file

    turned = vectors @ _directions(vectors, texts)
    for silent in (UNKNOWN, SPACE):  # what is unknown says nothing, nor does a space before it
        turned[tokenizer.token_to_id(silent)] = 0
    largest = np.abs(turned).max(axis=1)
    codes = np.rint(turned / np.maximum(largest, 1e-12)[:, None] * 127).astype(np.int8)
    weights = (largest / 127).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"embeddings": codes, "weights": weights}, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": vectors.shape[1],
        "seq_length": 1_000_000,
        "normalize": True,
        "embedding_dtype": "int8",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    modules = [
        {
            "idx": place,
            "name": str(place),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for place, (path, kind) in enumerate(
            [("", "StaticEmbedding"), ("1_Normalize", "Normalize")]
        )
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n", "utf-8")


def _directions(vectors: NDArray[np.float32], texts: Texts) -> NDArray[np.float32]:
    """The principal directions of the texts' vectors, the one that varies most first."""
    drawn = np.random.default_rng(0).integers(len(texts), size=_SAMPLE)
    bags = texts.bags(drawn)
    sums = np.add.reduceat(vectors[bags.pieces], np.minimum(bags.offsets, len(bags.pieces) - 1))
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    _, turned = np.linalg.eigh(sums.T @ sums)
    return np.ascontiguousarray(turned[:, ::-1], dtype=np.float32)
