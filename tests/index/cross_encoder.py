"""Tiny cross-encoders: a real BERT of random weights, saved as the library saves its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = [
    "the",
    "company",
    "sold",
    "every",
    "violin",
    "coffee",
    "river",
    "who",
    "bought",
    "it",
    "công",
    "ty",
    "bán",
    "đàn",
    "ai",
    "mua",
]
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_cross_encoder(folder: Path, *, labels: int = 1, seed: int = 8) -> Path:
    """A cross-encoder that reads 64 pieces; its scores are those of chance, and always the same.

    Its settings name no sigmoid, as those of the well-known MS MARCO models do not.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [*_SPECIAL, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    tokenizer: Any = BertTokenizer(
        vocab={piece: number for number, piece in enumerate(vocabulary)}, model_max_length=64
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=1.0,
    )
    config.num_labels = labels
    named: Any = config
    named.sbert_ce_default_activation_function = "torch.nn.modules.linear.Identity"
    torch.manual_seed(seed)
    model: Any = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
