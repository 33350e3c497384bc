"""What an answer costs, where the price of a model is known."""

from __future__ import annotations

from rag.types import Usage

from .providers import Price


def cost_of(usage: Usage, price: Price) -> float | None:
    """US dollars for the tokens of a usage; ``None`` where a server has not counted them."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return (usage.input_tokens * price.input + usage.output_tokens * price.output) / 1_000_000
