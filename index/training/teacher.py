"""What a larger English model makes of English texts: the vectors to learn from, and who learns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.transformer import packaged_folder
from rag.text import fold

from .corpus import Corpus, shares
from .texts import Bags, Ids, Texts, sometimes_bare

# The teacher reads no more of a text; few of these texts are longer.
_TOKENS = 128
_BATCH = 32
_FEWEST_WORDS = 6


@dataclass(frozen=True)
class Taught:
    """English texts that the teacher knows, with their translations into a language.

    Attributes:
        language: The language, ISO 639.
        share: The language's share of batches that learn from the teacher.
        known: Which of the teacher's texts these are, shape (number of texts,).
        english: Their rows.
        other: The rows of their translations; -1 where there is none.
        other_bare: The same without diacritics.
    """

    language: str
    share: float
    known: Ids
    english: Ids
    other: Ids
    other_bare: Ids


def english_texts(corpora: Sequence[Corpus]) -> list[str]:
    """The English texts that a teacher can say something about, each once, in order.

    Sentences of six words and more, neighbouring sentences together, and words with glosses.
    """
    texts: dict[str, None] = {}
    for corpus in corpora:
        for name, pairs in corpus.parallel.items():
            source = corpus.source(name)
            if source.reworded:
                continue
            english = [one for one, _ in pairs]
            texts.update((one, None) for one in english if len(one.split()) >= _FEWEST_WORDS)
            if source.running:
                both = zip(english[::2], english[1::2], strict=False)
                texts.update((f"{one} {other}", None) for one, other in both)
    for corpus in corpora:
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


def taught_texts(corpora: Sequence[Corpus], english: Sequence[str], texts: Texts) -> list[Taught]:
    """The teacher's texts for each language: those translated into it, and those into none."""
    translated: dict[str, dict[str, str]] = {}
    for corpus in corpora:
        for pairs in corpus.parallel.values():
            translated.setdefault(corpus.language, {}).update(pairs)
    anywhere = {text for one in translated.values() for text in one}
    parts = shares([len(one) for one in translated.values()])
    found = []
    for (language, translation), share in zip(translated.items(), parts, strict=True):
        known = [
            number
            for number, text in enumerate(english)
            if text in translation or text not in anywhere
        ]
        others = [translation.get(english[number], "") for number in known]
        rows, bare = texts.rows(others), texts.rows([fold(text) for text in others])
        none = np.array([not text for text in others], bool)
        found.append(
            Taught(
                language, share, np.array(known, np.int64),
                texts.rows([english[number] for number in known]),
                np.where(none, -1, rows), np.where(none, -1, bare),
            )
        )  # fmt: skip
    return found


def taught_bags(
    taught: Taught, drawn: Ids, texts: Texts, random: np.random.Generator
) -> tuple[Bags, Bags]:
    """The texts that were drawn in English, and translated where they can be."""
    other = sometimes_bare(taught.other, taught.other_bare, drawn, random)
    english = taught.english[drawn]
    return texts.bags(english), texts.bags(np.where(other < 0, english, other))


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
