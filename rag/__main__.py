"""``python -m rag`` is the command ``rag``."""

from .cli import main

main()
