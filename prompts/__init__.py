"""Prompt templates, as files. There is no prompt text in code."""
