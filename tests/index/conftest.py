"""A real embedder that counts what it is asked to do, and can fail on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index.alignment import Pieces
from rag.index.arrays import Ids, Matrix
from rag.index.embed import Embedder
from rag.index.transformer import packaged_folder

from .static_model import write_static_model


class CountingEmbedder:
    """The bundled embedder, with a count of the texts it embedded.

    ``fail_after`` is how many batches of documents it embeds before it raises; ``name`` may
    be set to pass for another embedder.
    """

    def __init__(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Pieces)
        self._embedder, self._pieces = embedder, embedder
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.windows = embedder.windows
        self.embedded: list[str] = []
        self.batches = 0
        self.fail_after: int | None = None

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Matrix:
        """The vectors of texts, counted unless they are questions."""
        if not query:
            if self.fail_after is not None and self.batches >= self.fail_after:
                raise MemoryError("no memory for this batch")
            self.batches += 1
            self.embedded += texts
        return self._embedder.embed(texts, query=query)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the bundled embedder counts."""
        return self._embedder.count_tokens(texts)

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        """As the bundled embedder cuts them."""
        return self._pieces.token_ids(texts)

    def token_texts(self, ids: Ids) -> list[str]:
        """As the bundled embedder spells them."""
        return self._pieces.token_texts(ids)

    def token_begins(self, ids: Ids) -> NDArray[np.bool_]:
        """As the bundled embedder has words begin."""
        return self._pieces.token_begins(ids)

    def word_vectors(self, ids: Ids, starts: Ids) -> Matrix:
        """As the bundled embedder has them."""
        return self._pieces.word_vectors(ids, starts)

    def token_weights(self, ids: Ids) -> Matrix:
        """As the bundled embedder weighs them."""
        return self._pieces.token_weights(ids)


@pytest.fixture
def counting(embedder: Embedder) -> CountingEmbedder:
    """A counting embedder."""
    return CountingEmbedder(embedder)


@pytest.fixture(scope="session")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny static model, int8 with weights."""
    return write_static_model(tmp_path_factory.mktemp("static") / "model")


@pytest.fixture(scope="session")
def transformer_model() -> Path:
    """The folder of a real transformer, all-MiniLM-L6-v2."""
    return packaged_folder()


def make_pdf(*pages: str, title: bytes = b"()", trailer: bytes = b"") -> bytes:
    """A PDF with one page for each text; each line of a text becomes a line of the page."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (5 + 2 * number) for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title %s >>" % title,
    ]
    for number, text in enumerate(pages):
        lines = b" ".join(b"(%s) Tj T*" % line.encode("ascii") for line in text.splitlines())
        stream = b"BT /F1 12 Tf 50 700 Td 14 TL %s ET" % lines
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (6 + 2 * number),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    content = b"%PDF-1.4\n"
    offsets = []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return content + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R /Info 4 0 R %s >>\n"
        b"startxref\n%d\n%%%%EOF" % (size, table, size, trailer, len(content))
    )
