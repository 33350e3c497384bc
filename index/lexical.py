"""Words in tantivy, scored by BM25. The only module that imports tantivy.

The lexical index is derived from the catalog: its folder can be deleted at any time. Two
fields hold the same words: as written, and without diacritics at a lower weight. A word
counts by the better of the two, so Vietnamese typed without diacritics finds what
Vietnamese typed with them finds. A third holds the names and figures in a form that no
language changes (``rag.concepts``), so these find each other across languages.

tantivy proposes passages; their scores are computed here, from what it stores. Its own
statistics count passages that are gone until it happens to merge them away, so the same
documents would score differently by the way they came in.
"""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.concepts import concepts
from rag.text import fold, words

from .selection import Selection

FOLDED_WEIGHT = 0.8

# Counts what a change of the fields, or of what goes into them, makes unreadable or untrue.
FORM = 3

# The constants of BM25 that Lucene and tantivy use too.
_SATURATION = 1.2
_LENGTH_SHARE = 0.75

_WRITER_BYTES = 64 * 2**20

# A selection of this share of all passages is looked for among the best hits of all, some more
# than its share of them.
_LARGE_SHARE = 0.2
_SPARE = 1.5

# Up to so many ids, looking for each is quicker than for all of them as a set.
_FEW_IDS = 500

# In how many passages the words are sought that are spelled like another.
_LOOKED_AT = 50


class Lexical:
    """A snapshot of the lexical index, as it was when the object was made."""

    def __init__(self, index: Any) -> None:
        self._index = index
        # By itself tantivy watches the folder in a thread, and maps files again when it likes; one
        # that is cut short just then would end the process. These files never change.
        index.config_reader("Manual", 0)
        self._searcher = index.searcher()
        self._frequencies: dict[tuple[str, str], int] = {}
        self._alike: dict[tuple[str, int], dict[str, int]] = {}
        self._means: dict[str, float] = {}
        self._latest: tuple[tuple[int, ...], dict[int, tuple[str, str]]] = ((), {})

    @classmethod
    def empty(cls, path: Path | None = None) -> Lexical:
        """An index without passages, in an empty folder or in memory."""
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("id", indexed=True, fast=True)
        schema.add_integer_field("document", indexed=True)
        for name in ("length", "concept_length"):
            schema.add_integer_field(name, fast=True)
        for name in ("written", "folded", "concepts"):
            schema.add_text_field(
                name,
                tokenizer_name="whitespace",
                index_option="freq",
                stored=name != "folded",
            )
        return cls(tantivy.Index(schema.build(), path=str(path) if path else None))

    @classmethod
    def read(cls, path: Path) -> Lexical | None:
        """The index in a folder, or ``None`` where there is none or it is damaged.

        tantivy wants to write a lock beside the files even to read them. Where it may not, it
        gets links to them in a folder that lasts as long as the object.
        """
        import tantivy

        try:
            if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                return cls(tantivy.Index.open(str(path)))
            with ExitStack() as on_failure:
                links = Path(on_failure.enter_context(tempfile.TemporaryDirectory()))
                for file in path.iterdir():
                    if file.suffix != ".lock":
                        (links / file.name).symlink_to(file.absolute())
                lexical = cls(tantivy.Index.open(str(links)))
                weakref.finalize(lexical, on_failure.pop_all().close)
                return lexical
        except (ValueError, OSError):
            return None

    def changed(self, removed: Iterable[int], added: Iterable[tuple[int, int, str]]) -> Lexical:
        """Commit a change, and return the index as it is after it.

        Args:
            removed: Passage ids to forget.
            added: For each new passage its id, its document's id and its text.
        """
        import tantivy

        writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        for passage in removed:
            writer.delete_documents_by_term("id", passage)
        for passage, document_id, text in added:
            document = tantivy.Document()
            written = words(text)
            document.add_integer("id", passage)
            document.add_integer("document", document_id)
            document.add_integer("length", len(written))
            document.add_text("written", " ".join(written))
            document.add_text("folded", " ".join(map(_folded, written)))
            keys = [one.key for one in concepts(text)]
            document.add_integer("concept_length", len(keys))
            document.add_text("concepts", " ".join(keys))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        return Lexical(self._index)

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def ids(self) -> set[int]:
        """The ids of all passages that the index holds."""
        import tantivy

        if not len(self):
            return set()
        hits = self._searcher.search(tantivy.Query.all_query(), limit=len(self), count=False).hits
        return self._ids([address for _, address in hits])

    def rarity(self, question_words: Iterable[str], prior: int = 0) -> dict[str, float]:
        """What each word weighs: its inverse document frequency, as BM25 defines it.

        A word that stands in the index only without its diacritics weighs less by
        ``FOLDED_WEIGHT``; one that does not stand there at all weighs most.

        Args:
            question_words: Words as ``rag.text.words`` gives them.
            prior: How many passages without any of the words are imagined beside those of
                the index. In an index of one passage every word it holds would otherwise
                weigh next to nothing, and every word it lacks nearly all.
        """
        weights: dict[str, float] = {}
        for word in question_words:
            frequency = self._frequency("written", word)
            weight = 1.0
            if not frequency:
                frequency = self._frequency("folded", fold(word))
                weight = FOLDED_WEIGHT if frequency else 1.0
            weights[word] = weight * self._inverse(frequency, prior)
        return weights

    def holds(self, word: str) -> bool:
        """Whether any passage holds a word, as it is written or without its diacritics."""
        return bool(self._frequency("written", word) or self._frequency("folded", fold(word)))

    def spelled_like(self, bare: str, slips: int) -> dict[str, int]:
        """The words of passages that are so many slips away from one without diacritics, or fewer.

        Args:
            bare: A word without diacritics.
            slips: Letters too many, too few or wrong, or two neighbours swapped; 2 at most.

        Returns:
            The words as written, each with how many of the passages looked at hold it.
        """
        import tantivy
        from rapidfuzz.distance import OSA

        if (bare, slips) in self._alike:
            return self._alike[bare, slips]
        query = tantivy.Query.fuzzy_term_query(self._index.schema, "folded", bare, slips)
        found: dict[str, int] = {}
        for _, address in self._searcher.search(query, limit=_LOOKED_AT, count=False).hits:
            written = str(self._searcher.doc(address).get_first("written") or "")
            for word in set(written.split(" ")):
                if OSA.distance(_folded(word), bare, score_cutoff=slips) <= slips:
                    found[word] = found.get(word, 0) + 1
        self._alike[bare, slips] = found
        return found

    def concept_rarity(self, question_concepts: Iterable[str], prior: int = 0) -> dict[str, float]:
        """What each concept weighs: its inverse document frequency, as ``rarity`` of words.

        Args:
            question_concepts: Keys as ``rag.concepts.concepts`` gives them.
            prior: How many passages without any of them are imagined beside those of the index.
        """
        return {
            key: self._inverse(self._frequency("concepts", key), prior) for key in question_concepts
        }

    def search(
        self,
        question_words: Sequence[str],
        k: int,
        among: Selection | None = None,
        question_concepts: Sequence[str] = (),
    ) -> list[int]:
        """The ids of passages that hold some of the words or concepts, the most promising ones.

        Args:
            question_words: Words as ``rag.text.words`` gives them.
            k: How many passages at most, by the words as written, again without diacritics,
                and again by the concepts.
            among: Only these passages, if given.
            question_concepts: Keys as ``rag.concepts.concepts`` gives them.
        """
        if not len(self):
            return []
        bare = [fold(word) for word in question_words]
        asked = {"written": list(question_words), "folded": bare, "concepts": question_concepts}
        if bare == list(question_words):
            # What holds a word as written holds it without diacritics too.
            del asked["written"]
        found: dict[int, None] = {}
        for field, terms in asked.items():
            if not terms:
                continue
            query = self._query(field, terms)
            ids = self._best(query, k) if among is None else self._best_among(query, k, among)
            found.update(dict.fromkeys(ids))
        return list(found)

    def _best(self, query: Any, k: int) -> list[int]:
        hits = self._searcher.search(query, limit=k, count=False).hits
        return [int(one) for one in self._searcher.fast_field_values("id", [a for _, a in hits])]

    def _best_among(self, query: Any, k: int, among: Selection) -> list[int]:
        """The best of a selection: what is left of the best of all, where that is enough.

        Intersecting with many documents costs tantivy many times what a few more hits do.
        """
        import tantivy

        share = among.passages / len(self)
        if share >= _LARGE_SHARE:
            limit = int(k * _SPARE / share)
            best = self._best(query, limit)
            left = [one for one in best if one < len(among.mask) and among.mask[one]]
            if len(left) >= k or len(best) < limit:
                return left[:k]
        documents = tantivy.Query.term_set_query(self._index.schema, "document", among.documents)
        rest = (tantivy.Occur.Must, tantivy.Query.const_score_query(documents, 0.0))
        return self._best(tantivy.Query.boolean_query([(tantivy.Occur.Must, query), rest]), k)

    def scores(self, question_words: Sequence[str], ids: Sequence[int]) -> dict[int, float]:
        """The BM25 score of some passages for some words, from exact statistics.

        Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25
        and Beyond", with k1 = 1.2 and b = 0.75; of a word as written and the word without
        its diacritics the better one counts.

        Returns:
            Scores by passage id; passages without any of the words are left out.
        """
        if not question_words or not ids:
            return {}
        terms = [self._term(word) for word in dict.fromkeys(question_words)]
        scores = {
            passage: self._score(terms, written)
            for passage, (written, _) in self._stored(ids).items()
        }
        return {passage: score for passage, score in scores.items() if score}

    def written(self, ids: Sequence[int]) -> dict[int, str]:
        """The words of passages with spaces between, by passage id."""
        return {one: written for one, (written, _) in self._stored(ids).items()}

    def concept_scores(
        self, question_concepts: Sequence[str], ids: Sequence[int]
    ) -> dict[int, float]:
        """The BM25 score of some passages for some concepts, as ``scores`` for words.

        Args:
            question_concepts: Keys as ``rag.concepts.concepts`` gives them.
            ids: Which passages.

        Returns:
            Scores by passage id; passages without any of the concepts are left out.
        """
        if not question_concepts or not ids:
            return {}
        weights = self.concept_rarity(dict.fromkeys(question_concepts))
        mean = self._mean("concept_length")
        scores = {}
        for passage, (_, held) in self._stored(ids).items():
            keys = held.split()
            norm = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(keys) / mean
            score = sum(
                _saturated(keys.count(key), norm) * weight for key, weight in weights.items()
            )
            if score:
                scores[passage] = score
        return scores

    def _stored(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """The words and the concepts of passages; what was read last is kept for the next score."""
        import tantivy

        wanted, latest = tuple(ids), self._latest
        if not ids:
            return {}
        if latest[0] == wanted:
            return latest[1]
        if len(ids) > _FEW_IDS:
            query = tantivy.Query.term_set_query(self._index.schema, "id", list(ids))
        else:
            one = tantivy.Query.term_query
            clauses = [(tantivy.Occur.Should, one(self._index.schema, "id", each)) for each in ids]
            query = tantivy.Query.boolean_query(clauses)
        hits = self._searcher.search(query, limit=len(ids), count=False).hits
        addresses = [address for _, address in hits]
        found = self._searcher.fast_field_values("id", addresses)
        stored = {}
        for passage, address in zip(found, addresses, strict=True):
            document = self._searcher.doc(address)
            words_and_concepts = (document.get_first(name) for name in ("written", "concepts"))
            written, held = (str(each or "") for each in words_and_concepts)
            stored[int(passage)] = (written, held)
        self._latest = (wanted, stored)
        return stored

    def _term(self, word: str) -> tuple[str, float, str, float]:
        """A word and its weight as written, and both without diacritics."""
        bare = fold(word)
        written = self._inverse(self._frequency("written", word))
        folded = self._inverse(self._frequency("folded", bare)) * FOLDED_WEIGHT
        return word, written, bare, folded

    def _score(self, terms: Sequence[tuple[str, float, str, float]], text: str) -> float:
        # Two spaces between words, so that each occurrence has its own on both sides.
        written = f" {text.replace(' ', '  ')} "
        plain = text.isascii()
        folded = written if plain else f" {'  '.join(map(_folded, text.split(' ')))} "
        norm = 1 - _LENGTH_SHARE + _LENGTH_SHARE * (text.count(" ") + 1) / self._mean("length")
        total = 0.0
        for word, weight, bare, folded_weight in terms:
            exact = written.count(f" {word} ")
            loose = exact if plain and word == bare else folded.count(f" {bare} ")
            if loose:  # what holds a word as written holds it without diacritics too
                total += max(
                    _saturated(exact, norm) * weight, _saturated(loose, norm) * folded_weight
                )
        return total

    def _mean(self, field: str) -> float:
        """How many words, or concepts, a passage has on average."""
        import tantivy

        if field not in self._means:
            sums = self._searcher.aggregate(
                tantivy.Query.all_query(), {"all": {"sum": {"field": field}}}
            )
            self._means[field] = max(1.0, sums["all"]["value"] / max(1, len(self)))
        return self._means[field]

    def _frequency(self, field: str, word: str) -> int:
        """How many passages hold a word; those that are gone are not counted."""
        import tantivy

        if (field, word) not in self._frequencies:
            query = tantivy.Query.term_query(self._index.schema, field, word)
            found = 0
            if self._searcher.doc_freq(field, word):
                found = self._searcher.search(query, limit=1, count=True).count
            self._frequencies[field, word] = found
        return self._frequencies[field, word]

    def _inverse(self, frequency: int, prior: int = 0) -> float:
        total = max(len(self), frequency) + prior
        return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))

    def _ids(self, addresses: Sequence[Any]) -> set[int]:
        return {int(one) for one in self._searcher.fast_field_values("id", list(addresses))}

    def _query(self, field: str, terms: Sequence[str]) -> Any:
        """Any of some words in one field: tantivy skips what cannot reach the best."""
        import tantivy

        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._index.schema, field, term))
            for term in dict.fromkeys(terms)
        ]
        return tantivy.Query.boolean_query(clauses)


@lru_cache(maxsize=2**16)
def _folded(word: str) -> str:
    """A word without its diacritics: passages repeat their words, and folding is slow."""
    return fold(word)


def _saturated(frequency: int, norm: float) -> float:
    return frequency * (_SATURATION + 1) / (frequency + _SATURATION * norm)


def calibrate(scores: Mapping[int, float], rarity: Mapping[str, float]) -> dict[int, float]:
    """BM25 scores as a share of what the question could reach, in [0, 1].

    A passage reaches 1 when it holds every word of the question as often as BM25 can count:
    each word then gives its inverse document frequency times ``k1 + 1`` = 2.2. Unlike a
    score divided by the best score found, this says the same of every question, also when
    nothing found is any good.
    """
    most = 2.2 * sum(rarity.values())
    return {key: min(1.0, score / most) for key, score in scores.items()} if most else {}
