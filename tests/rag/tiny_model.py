"""A language model small enough to be made in a test: random weights, a tokenizer of the seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_model(folder: Path, *, ends: bool = False) -> Path:
    """Write a Llama of two small layers and a window of 4096 tokens into a folder, as the Hub has it.

    Args:
        folder: Where to.
        ends: Whether its answers end by themselves, after about twenty tokens; else they never do.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    no_bars: Any = logging.disable_progress_bar
    no_bars()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train([str(path) for path in SEEDS], trainer)
    of_tokenizer: Any = PreTrainedTokenizerFast
    fast = of_tokenizer(tokenizer_object=tokenizer, eos_token="<|im_end|>")  # noqa: S106
    fast.chat_template = CHATML
    fast.save_pretrained(folder)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=4096,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        dtype="bfloat16",
    )
    model: Any = LlamaForCausalLM(config)
    # It writes whole letters only.
    mute = [n for n in range(len(fast)) if "\ufffd" in fast.decode([n])]
    mute += fast.convert_tokens_to_ids(["<|im_start|>", *([] if ends else ["<|im_end|>"])])
    model.lm_head.weight.data[mute] = 0
    if ends:
        # The likelihood of the end grows by half with every token after the eighth.
        model.generation_config.update(
            min_new_tokens=8, exponential_decay_length_penalty=(8, 1.5), do_sample=False
        )
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder
