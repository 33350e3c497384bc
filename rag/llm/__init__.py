"""LLM backends: who writes the answer."""
