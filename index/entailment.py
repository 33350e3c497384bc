"""Whether a text entails a sentence or contradicts it, as a cross-encoder of three scores says.

Natural language inference as Bowman et al. 2015 have it ("A large annotated corpus for learning
natural language inference"): the text is the premise, the sentence the hypothesis.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from .rerank import loaded_cross_encoder, unfit

_ROLE = ("entailment model", "answer.nli")
# What models call the two of their labels that count, or begin their names with.
_ENTAILS, _CONTRADICTS = "entail", "contradict"


class EntailmentModel:
    """A cross-encoder trained for natural language inference; loaded when it is first asked.

    May be used by many threads; they ask it in turn.

    Args:
        name: A model's name on the Hugging Face Hub (downloaded once, then read from the
            cache), or a local folder.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._model: Any = None
        self._labels = (0, 0)
        self._guard = threading.Lock()

    def entailed(self, sentence: str, texts: Sequence[str]) -> list[tuple[float, float]]:
        """For each text how surely it entails a sentence, and how surely it contradicts it.

        Returns:
            Probabilities: the softmax of the model's scores.

        Raises:
            ModelError: The model cannot be loaded, or does not say which of its scores is which.
        """
        if not texts:
            return []
        with self._guard:  # a tokenizer that is switched to padding is not safe between threads
            if self._model is None:
                self._model = loaded_cross_encoder(self.name, *_ROLE)
                self._labels = self._named()
            given = self._model.predict(
                [(text, sentence) for text in texts], apply_softmax=True, show_progress_bar=False
            )
        scores = np.asarray(given, dtype=np.float32)
        if not np.isfinite(scores).all():
            raise unfit(self.name, "is damaged: its scores are not numbers", *_ROLE)
        return [(float(row[self._labels[0]]), float(row[self._labels[1]])) for row in scores]

    def _named(self) -> tuple[int, int]:
        """Which scores say that a text entails a sentence, and that it contradicts it."""
        labels = {str(name).lower(): int(n) for n, name in self._model.config.id2label.items()}
        found = [
            next((n for name, n in labels.items() if name.startswith(wanted)), None)
            for wanted in (_ENTAILS, _CONTRADICTS)
        ]
        if found[0] is None or found[1] is None:
            why = f"names its scores {', '.join(labels)}, and none of them entailment"
            raise unfit(self.name, f"{why} and contradiction", *_ROLE)
        return found[0], found[1]


def entailment_for(setting: str) -> EntailmentModel | None:
    """The model that the setting ``answer.nli`` names, or none where it is empty.

    Nothing is loaded yet.
    """
    return EntailmentModel(setting) if setting else None
