"""What a larger English model makes of English texts: the vectors to learn from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.transformer import packaged_folder

from .corpus import RUNNING, Corpus

# The teacher reads no more of a text; few of these texts are longer.
_TOKENS = 128
_BATCH = 32
_FEWEST_WORDS = 6


def english_texts(corpus: Corpus) -> list[str]:
    """The English texts that a teacher can say something about, each once, in order.

    Sentences of six words and more, neighbouring sentences together, and words with glosses.
    """
    texts: dict[str, None] = {}
    for name, pairs in corpus.parallel.items():
        if name == "bible_nheb_vi1934":  # a second wording of the same
            continue
        english = [one for one, _ in pairs]
        texts.update((one, None) for one in english if len(one.split()) >= _FEWEST_WORDS)
        if name in RUNNING:
            both = zip(english[::2], english[1::2], strict=False)
            texts.update((f"{one} {other}", None) for one, other in both)
    texts.update((f"{words}: {gloss}", None) for words, gloss in corpus.glosses)
    return list(texts)


def taught(texts: list[str], folder: Path, model: str | None = None) -> NDArray[np.float16]:
    """The teacher's vectors of texts, kept in a folder for the next time.

    Args:
        texts: English texts.
        folder: Where the vectors are kept.
        model: A sentence-transformers model; all-MiniLM-L6-v2 if left out.

    Returns:
        Vectors of length 1, shape (number of texts, dimension of the teacher).
    """
    known = hashlib.sha256("\n".join([str(model), *texts]).encode()).hexdigest()[:16]
    path = folder / f"teacher-{known}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".part.npy"), _encoded(texts, model))
        path.with_suffix(".part.npy").rename(path)
    vectors: NDArray[np.float16] = np.load(path)
    return vectors


def _encoded(texts: list[str], name: str | None) -> NDArray[np.float16]:
    import torch
    from sentence_transformers import SentenceTransformer

    if name is None:
        name = str(packaged_folder())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = SentenceTransformer(name, device=device)
    model = model.bfloat16()  # twice as quick, and nothing is lost that could be learned
    model.max_seq_length = _TOKENS
    vectors = model.encode(
        texts, batch_size=_BATCH, normalize_embeddings=True, convert_to_tensor=True
    )
    return np.asarray(vectors.cpu().half().numpy())
