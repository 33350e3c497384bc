"""Words in tantivy, scored by BM25. The only module that imports tantivy.

The lexical index is derived from the catalog: its folder can be deleted at any time. Two
fields hold the same words: as written, and without diacritics at a lower weight. A word
counts by the better of the two, so Vietnamese typed without diacritics finds what
Vietnamese typed with them finds.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.text import fold, words

FOLDED_WEIGHT = 0.8

_WRITER_BYTES = 64 * 2**20


class Lexical:
    """A snapshot of the lexical index, as it was when the object was made."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._searcher = index.searcher()

    @classmethod
    def empty(cls, path: Path | None = None) -> Lexical:
        """An index without passages: in a folder, whose old content is dropped, or in memory."""
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("id", stored=True, indexed=True, fast=True)
        for name in ("written", "folded"):
            schema.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
        return cls(tantivy.Index(schema.build(), path=str(path) if path else None))

    @classmethod
    def read(cls, path: Path) -> Lexical | None:
        """The index in a folder, or ``None`` where there is none or it is damaged."""
        import tantivy

        try:
            return cls(tantivy.Index.open(str(path)))
        except (ValueError, OSError):
            return None

    def changed(self, removed: Iterable[int], added: Iterable[tuple[int, str]]) -> Lexical:
        """Commit a change, and return the index as it is after it.

        Args:
            removed: Passage ids to forget.
            added: Passage ids and their texts.
        """
        import tantivy

        writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        for passage in removed:
            writer.delete_documents_by_term("id", passage)
        for passage, text in added:
            document = tantivy.Document()
            document.add_integer("id", passage)
            written = words(text)
            document.add_text("written", " ".join(written))
            document.add_text("folded", " ".join(map(fold, written)))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        return Lexical(self._index)

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def rarity(self, question_words: Iterable[str], prior: int = 0) -> dict[str, float]:
        """What each word weighs: its inverse document frequency, as BM25 defines it.

        A word that stands in the index only without its diacritics weighs less by
        ``FOLDED_WEIGHT``; one that does not stand there at all weighs most.
        Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25
        and Beyond", in the variant of Lucene and tantivy, which is never negative.

        Args:
            question_words: Words as ``rag.text.words`` gives them.
            prior: How many passages without any of the words are imagined beside those of
                the index. In an index of one passage every word it holds would otherwise
                weigh next to nothing, and every word it lacks nearly all.
        """
        weights: dict[str, float] = {}
        for word in question_words:
            frequency = self._searcher.doc_freq("written", word)
            weight = 1.0
            if not frequency:
                frequency = self._searcher.doc_freq("folded", fold(word))
                weight = FOLDED_WEIGHT if frequency else 1.0
            total = max(len(self), frequency) + prior
            weights[word] = weight * math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
        return weights

    def search(
        self, question_words: Sequence[str], k: int, allowed: Sequence[int] | None = None
    ) -> dict[int, float]:
        """The passages with the highest BM25 score for some words, with their scores.

        Args:
            question_words: Words as ``rag.text.words`` gives them.
            k: How many passages at most.
            allowed: Only these passage ids are searched, if given.
        """
        import tantivy

        if not question_words or not len(self):
            return {}
        query = self._query(question_words)
        if allowed is not None:
            among = tantivy.Query.term_set_query(self._index.schema, "id", list(allowed))
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(among, 0.0)),
                ]
            )
        hits = self._searcher.search(query, limit=k, count=False).hits
        addresses = [address for _, address in hits]
        ids = self._searcher.fast_field_values("id", addresses)
        return {int(p): float(score) for p, (score, _) in zip(ids, hits, strict=True)}

    def _query(self, question_words: Sequence[str]) -> Any:
        import tantivy

        term = tantivy.Query.term_query
        schema = self._index.schema
        clauses = []
        for word in dict.fromkeys(question_words):
            written = term(schema, "written", word)
            folded = tantivy.Query.boost_query(term(schema, "folded", fold(word)), FOLDED_WEIGHT)
            best = tantivy.Query.disjunction_max_query([written, folded])
            clauses.append((tantivy.Occur.Should, best))
        return tantivy.Query.boolean_query(clauses)


def calibrate(scores: Mapping[int, float], rarity: Mapping[str, float]) -> dict[int, float]:
    """BM25 scores as a share of what the question could reach, in [0, 1].

    A passage reaches 1 when it holds every word of the question as often as BM25 can count:
    each word then gives its inverse document frequency times ``k1 + 1`` = 2.2. Unlike a
    score divided by the best score found, this says the same of every question, also when
    nothing found is any good.
    """
    most = 2.2 * sum(rarity.values())
    return {key: min(1.0, score / most) for key, score in scores.items()} if most else {}
