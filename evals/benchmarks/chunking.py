"""How often passages break a sentence: ``python -m rag.evals.benchmarks.chunking FOLDER``.

Compares the chunker with semantic-text-splitter at the same limit of the same embedder's
tokens, over the documents of a folder. A passage breaks a sentence when it ends where the
sentence segmenter sees no end.
"""

from __future__ import annotations

import sys

from rag.index.chunk import chunk
from rag.index.discover import discover
from rag.index.embed import embedder_for
from rag.index.load import load
from rag.settings import Settings
from rag.text import sentences


def main() -> None:
    """Measure and print."""
    from semantic_text_splitter import TextSplitter

    embedder = embedder_for(Settings())
    limit = embedder.max_tokens
    splitter = TextSplitter.from_callback(lambda text: embedder.count_tokens([text])[0], limit)
    rows: dict[str, list[int]] = {"sentences": [0, 0, 0], "semantic-text-splitter": [0, 0, 0]}
    for path in discover([sys.argv[1]]).files:
        (document,) = load(path).documents
        ends = {end for _, end in sentences(document.text, document.language)}
        ours = [passage.end for passage in chunk(document, embedder.count_tokens, limit)]
        theirs = [start + len(text) for start, text in splitter.chunk_indices(document.text)]
        for name, found in (("sentences", ours), ("semantic-text-splitter", theirs)):
            rows[name][0] += len(found)
            rows[name][1] += sum(end not in ends for end in found)
            rows[name][2] += len(document.text)
    print(f"limit {limit} tokens")
    for name, (passages, broken, characters) in rows.items():
        print(
            f"{name:24} {passages:5} passages of {characters / passages:5.0f} characters, "
            f"{broken:4} break a sentence ({100 * broken / passages:.1f}%)"
        )


if __name__ == "__main__":
    main()
