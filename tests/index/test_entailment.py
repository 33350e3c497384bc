"""An entailment model: a real cross-encoder of three scores, of random weights."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from rag.cite import cite
from rag.errors import ModelError
from rag.index.entailment import EntailmentModel, entailment_for
from rag.index.index import Index
from rag.settings import load_settings
from tests.index.cross_encoder import write_cross_encoder
from tests.rag.conftest import hit_of

LABELS = {"0": "CONTRADICTION", "1": "ENTAILMENT", "2": "NEUTRAL"}


def write_entailment_model(folder: Path, labels: dict[str, str] = LABELS) -> Path:
    write_cross_encoder(folder, labels=len(labels))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["id2label"] = labels
    config["label2id"] = {name: int(number) for number, name in labels.items()}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def test_scores_are_probabilities_of_the_labels_by_their_names(tmp_path: Path) -> None:
    model = EntailmentModel(str(write_entailment_model(tmp_path / "model")))
    swapped = {"0": "entailment", "1": "contradiction", "2": "neutral"}
    other = EntailmentModel(str(write_entailment_model(tmp_path / "other", swapped)))
    texts = ["the company sold every violin", "coffee"]
    given, twisted = (one.entailed("who bought it", texts) for one in (model, other))
    assert all(0 <= share <= 1 and sum(pair) <= 1.0001 for pair in given for share in pair)
    assert [tuple(reversed(pair)) for pair in twisted] == [pytest.approx(pair) for pair in given]
    assert model.entailed("who", []) == []


def test_a_model_that_does_not_name_its_scores_is_refused(tmp_path: Path) -> None:
    unnamed = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    model = EntailmentModel(str(write_entailment_model(tmp_path / "model", unnamed)))
    with pytest.raises(ModelError, match=r"entailment model .* names its scores label_0"):
        model.entailed("who", ["coffee"])


def test_a_reranker_is_no_entailment_model_and_a_missing_one_is_told(tmp_path: Path) -> None:
    reranker = EntailmentModel(str(write_cross_encoder(tmp_path / "reranker")))
    with pytest.raises(ModelError, match=r"answer\.nli"):
        reranker.entailed("who", ["coffee"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded"):
        EntailmentModel(str(tmp_path / "empty")).entailed("who", ["coffee"])


def test_none_is_loaded_unless_one_is_set(tmp_path: Path) -> None:
    assert entailment_for("") is None
    index = Index.create(tmp_path / "index", load_settings())
    assert index.entailed("who", ["coffee"]) == []


def test_an_index_asks_the_model_that_is_set(tmp_path: Path) -> None:
    folder = write_entailment_model(tmp_path / "model")
    settings = load_settings()
    answer = dataclasses.replace(settings.answer, nli=str(folder))
    index = Index.create(tmp_path / "index", dataclasses.replace(settings, answer=answer))
    (pair,) = index.entailed("who bought it", ["the company sold every violin"])
    assert (
        pair
        == EntailmentModel(str(folder)).entailed(
            "who bought it", ["the company sold every violin"]
        )[0]
    )
    checked = cite(
        "The company sold coffee. [1]",
        "en",
        [hit_of("The company sold every violin.", "en")],
        index.evidence,
        aligned=index.aligned,
        entailed=index.entailed,
    )
    assert len(checked.sentences[0].citations) == 1
