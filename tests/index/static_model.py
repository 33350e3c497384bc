"""Tiny static models, written as model2vec writes them: a real tokenizer, vectors from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

TEXTS = (
    "Winston Ma called Sora a Newton moment.",
    "Ai gọi Sora là khoảnh khắc Newton?",
    "OpenAI leaves China, and other companies offer free tokens to those who stay behind.",
    "Ông Winston Ma gọi Sora là khoảnh khắc Newton của trí tuệ nhân tạo.",
)


def write_static_model(
    folder: Path, *, dimension: int = 24, kind: Any = np.int8, weighted: bool = True, seed: int = 7
) -> Path:
    """A static model whose unknown piece has a vector and a weight, which must count nothing."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120,
        special_tokens=["[UNK]"],
        unk_token="[UNK]",  # noqa: S106 - no password
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    pieces, random = tokenizer.get_vocab_size(), np.random.default_rng(seed)
    rows = random.integers(-127, 128, (pieces, dimension))
    tensors = {"embeddings": rows.astype(kind)}
    if weighted:
        tensors["weights"] = random.random(pieces).astype(np.float32)
        tensors["weights"][tokenizer.token_to_id("▁")] = 0  # stands before every word
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    tokenizer.enable_truncation(3)  # what the file says of it must not matter
    tokenizer.enable_padding(length=5)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"normalize": True}), "utf-8")
    return folder
