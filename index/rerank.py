"""The best candidates read once more, each together with the question, by a cross-encoder.

An embedder reads passages before anybody asks; a cross-encoder reads question and passage at once,
which costs a transformer's work for every pair and tells more. Besides it only ``transformer.py``
and the recipe's teacher import sentence-transformers; ``entailment.py`` has its model from here.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.errors import ModelError

from .arrays import Matrix
from .transformer import loading_errors, silence

# What the reranker counts beside the fused score, which knows names and figures better: half.
RERANKED_WEIGHT = 0.5
_HEAD = "ForSequenceClassification"
_ROLE = ("reranker", "retrieval.reranker")


class Reranker(Protocol):
    """A model that reads a question and a text together."""

    def scores(self, question: str, texts: Sequence[str]) -> Matrix:
        """How well each text answers a question, in [0, 1], shape (number of texts,)."""
        ...


class CrossEncoderReranker:
    """Any cross-encoder of one score, by name or folder; loaded when it is first asked.

    May be used by many threads; they ask it in turn.

    Args:
        name: A model's name on the Hugging Face Hub (downloaded once, then read from the
            cache), or a local folder.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._model: Any = None
        self._guard = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> Matrix:
        """How well each text answers a question, in [0, 1], shape (number of texts,).

        It is the sigmoid of the model's logit. Models that were trained before that was usual
        name no function, or another, in their own settings, and their logits would be no shares.

        Raises:
            ModelError: The model cannot be loaded, gives several scores for a pair or none.
        """
        if not texts:
            return np.zeros(0, dtype=np.float32)
        with self._guard:  # a tokenizer that is switched to padding is not safe between threads
            if self._model is None:
                self._model = _loaded(self.name)
            from torch import nn

            given = self._model.predict(
                [(question, text) for text in texts],
                activation_fn=nn.Sigmoid(),
                show_progress_bar=False,
            )
        scores = np.asarray(given, dtype=np.float32)
        if not np.isfinite(scores).all():
            raise unfit(self.name, "is damaged: its scores are not numbers", *_ROLE)
        return scores


def reranker_for(setting: str) -> Reranker | None:
    """The reranker that the setting ``retrieval.reranker`` names, or none where it is empty.

    Nothing is loaded yet.
    """
    return CrossEncoderReranker(setting) if setting else None


def combined(fused: float, reranked: float | None) -> float:
    """The score of a candidate, in [0, 1]: the mean of the fused score and the reranker's.

    One that the reranker has not read counts as if that had been 0. So it stays below every one
    that was read, which had the better fused score, and those not read keep their order.
    """
    return (1 - RERANKED_WEIGHT) * fused + RERANKED_WEIGHT * (reranked or 0.0)


def loaded_cross_encoder(name: str, role: str, setting: str) -> Any:
    """A model of sentence-transformers that reads two texts at once.

    Args:
        name: Its name on the Hugging Face Hub, or a local folder.
        role: What it is for, to say in an error: "reranker".
        setting: The setting that names it.

    Raises:
        ModelError: It cannot be loaded, or is no cross-encoder.
    """
    silence()
    from sentence_transformers import CrossEncoder

    local = Path(name).is_dir()
    try:
        model: Any = CrossEncoder(name, device="cpu", local_files_only=local)
    except loading_errors() as error:
        reason = f"cannot be loaded: {str(error).splitlines()[0]}"
        raise unfit(name, reason, role, setting) from error
    # Whatever is no cross-encoder gets a last layer of random numbers, and scores of chance.
    trained = getattr(model.config, "architectures", None) or []
    if type(model.model).__name__.endswith(_HEAD) and not any(
        one.endswith(_HEAD) for one in trained
    ):
        why = "is no cross-encoder: it has no layer that scores a pair"
        raise unfit(name, why, role, setting)
    return model


def _loaded(name: str) -> Any:
    model = loaded_cross_encoder(name, *_ROLE)
    if model.num_labels != 1:
        why = f"gives {model.num_labels} scores for a pair, and one is needed"
        raise unfit(name, why, *_ROLE)
    return model


def unfit(name: str, why: str, role: str, setting: str) -> ModelError:
    """The error of a cross-encoder that cannot serve."""
    return ModelError(
        f"The {role} {name!r} {why}.".replace("..", "."),
        "Give the name of a sentence-transformers cross-encoder or the folder of one, "
        f"or leave the setting {setting} out.",
    )
