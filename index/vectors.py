"""Vectors in FAISS. The only module that imports faiss.

Each vector stands for a window of a passage, its id for both: ``SLOTS`` times the passage's id,
and the number of the window. Outside of this module there are passages only.

A file of vectors is derived from the catalog: it can be deleted at any time. It is never
changed in place: what came after it is searched beside it, and what went is left out, until
the two are worth a new file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import SettingsError

from .arrays import Ids, Matrix
from .windows import SLOTS

# The setting that lets the size decide.
AUTO = "auto"

# Up to here every vector is compared: 100,000 of 384 numbers of 16 bits take about 5 ms on one core.
_EXACT = 100_000
# Lists that an inverted file searches: one in so many. See evals/LOG.md for the figures.
_LISTS_PER_PROBE = 8
_HNSW_SEARCH = 128
# How many of the nearest windows are expected to be of one passage; where there are more, so many
# times as many are asked for.
_WINDOWS_PER_PASSAGE = 4
_WIDENED = 4
# What FAISS asks for to place a centroid, and for a product quantizer of 8 bits.
_POINTS_PER_CENTROID = 39
_POINTS_PER_CODEBOOK = 39 * 256
_TRAINED_ON_PER_CENTROID = 64
# A kind that cannot forget keeps what is gone, and leaves it out, up to this share of all.
_MOST_GONE_SHARE = 0.1
# The kinds that search among chosen ids only, as filters and removed documents need. Others
# refuse to, or take no heed of it.
_SELECTIVE = (
    "IndexFlat",
    "IndexScalarQuantizer",
    "IndexHNSW",
    "IndexIVFFlat",
    "IndexIVFScalarQuantizer",
    "IndexIVFPQ",
    "IndexIVFPQFastScan",
)

Mask = NDArray[np.bool_]
# For each vector the id of its passage, and the vectors.
Batch = tuple[Sequence[int] | Ids, Matrix]


def factory_for(setting: str, dimension: int, count: int) -> str:
    """The FAISS factory string for so many vectors.

    All are compared while that is quick, as 16-bit numbers; then it is an inverted file of about
    ``2 √count`` lists over 8-bit numbers. What must be trained is exact until there is enough to
    train it. The numbers only choose the candidates: these are scored by their stored vectors.

    Args:
        setting: The setting ``index.vectors``: ``auto`` or a factory string.
        dimension: The length of a vector.
        count: How many vectors there are.

    Raises:
        SettingsError: FAISS knows no such index, or not one that searches a part of itself.
    """
    if setting == AUTO:
        return "SQfp16" if count <= _EXACT else f"IVF{2 ** round(np.log2(2 * count**0.5))},SQ8"
    index = _empty(setting, dimension)
    if index.is_trained:
        return setting
    codebooks = _POINTS_PER_CODEBOOK if "PQ" in setting else 1
    enough = max(codebooks, _lists(index) * _POINTS_PER_CENTROID, _directions(index))
    return setting if count >= enough else "Flat"


class Vectors:
    """An inner-product index over the windows of passages; a passage is as near as its best one.

    Vectors have length 1, so an inner product is a cosine.

    Args:
        base: A FAISS index.
        recent: A second one, with what came after the first was made.
        gone: Ids of passages that the first still has and that no longer count.
        passages: How many passages both have, also those; as many as vectors if left out.
    """

    def __init__(
        self,
        base: Any,
        recent: Any | None = None,
        gone: Iterable[int] = (),
        passages: int | None = None,
    ) -> None:
        self._parts = [part for part in (base, recent) if part is not None and part.ntotal]
        self._left_out = frozenset(gone)
        self._gone = _mask(self._left_out)
        windows = sum(int(part.ntotal) for part in self._parts)
        passages = windows if passages is None else passages
        self._count = passages - len(self._left_out)
        self._at_first = 1 if windows <= passages else _WINDOWS_PER_PASSAGE

    def __len__(self) -> int:
        """How many passages there are."""
        return self._count

    def windows(self) -> list[tuple[int, int]]:
        """Every window: its passage and its number there, in order."""
        ids = np.sort(np.concatenate([np.zeros(0, np.int64), *map(_ids, self._parts)]))
        pairs = zip((ids // SLOTS).tolist(), (ids % SLOTS).tolist(), strict=True)
        return [pair for pair in pairs if pair[0] not in self._left_out]

    def search(self, query: Matrix, k: int, allowed: Mask | None = None) -> list[int]:
        """The ids of the passages whose best windows are nearest to a query, the nearest first.

        Args:
            query: A vector of length 1, shape (dimension,).
            k: How many passages at most.
            allowed: For every passage id whether it counts; all do if left out.
        """

        def counts(passage: int) -> bool:
            if passage < 0 or passage in self._left_out:
                return False
            return allowed is None or (passage < len(allowed) and bool(allowed[passage]))

        selector = _selector(allowed, self._gone)
        share = (
            1.0 if allowed is None else min(1.0, max(1, int(allowed.sum())) / max(1, self._count))
        )
        found: list[tuple[float, int]] = []
        for part in self._parts:
            parameters = _parameters(part, selector, share)
            nearest = self._nearest(part, query, k, parameters, counts)
            found.extend((-score, passage) for passage, score in nearest.items())
        return [passage for _, passage in sorted(found)[:k]]

    def _nearest(
        self, part: Any, query: Matrix, k: int, parameters: Any, counts: Callable[[int], bool]
    ) -> dict[int, float]:
        """Passages of one index, k of them if it finds so many, with the scores of their best.

        Several of the nearest windows may be of one passage: more are asked for until there are
        k passages, and so many windows as k passages can have are enough.
        """
        most = min(k * SLOTS, part.ntotal)
        wide = min(k * self._at_first, most)
        while True:
            scores, ids = part.search(query[None, :], wide, params=parameters)
            passages = ids[0] // SLOTS
            best: dict[int, float] = {}
            for passage, score in zip(passages.tolist(), scores[0].tolist(), strict=True):
                if counts(passage):
                    best.setdefault(passage, score)
            if len(best) >= k or wide == most or passages[-1] < 0:  # there are no more
                return best
            wide = min(wide * _WIDENED, most)


def exact(dimension: int, batches: Iterable[Batch]) -> Any:
    """A FAISS index in memory that compares every vector; arguments as for ``build``."""
    return build("Flat", dimension, batches, np.zeros((0, dimension), np.float32))


def build(
    factory: str,
    dimension: int,
    batches: Iterable[Batch],
    sample: Matrix,
) -> Any:
    """Make a FAISS index of all vectors.

    Args:
        factory: A FAISS factory string.
        dimension: The length of a vector.
        batches: For each vector the id of its passage, and the vectors, shape (number of
            vectors, dimension). Those of one passage follow each other, in one batch.
        sample: Vectors to train on, where the index is one that must be trained.

    Raises:
        SettingsError: FAISS knows no such index, or none that takes vectors by id and searches
            a part of them.
    """
    index = _empty(factory, dimension)
    try:
        if not index.is_trained:
            index.train(sample)
        for owners, vectors in batches:
            index.add_with_ids(vectors, _window_ids(owners))
    except RuntimeError as error:
        raise _unusable(factory) from error
    _set_effort(index)
    return index


def training_size(factory: str, dimension: int, count: int) -> int:
    """How many vectors ``build`` wants to be trained on; 0 where there is nothing to train."""
    index = _empty(factory, dimension)
    if index.is_trained:
        return 0
    return min(count, max(_POINTS_PER_CODEBOOK, _lists(index) * _TRAINED_ON_PER_CENTROID))


def updated(
    path: Path, removed: Sequence[int], batches: Iterable[Batch]
) -> tuple[Any, tuple[int, ...]] | None:
    """The index of a file without some passages and with further ones, in memory.

    Returns:
        The index, and those of the passages that it still has because its kind cannot forget;
        ``None`` where they are too many of all, or where the file is of no use.
    """
    import faiss

    index, left = faiss.read_index(str(path)), tuple(removed)
    if not _selective(index):
        return None
    # FAISS refuses to remove from some kinds, even nothing.
    if removed:
        try:
            index.remove_ids(_bitmap(_mask(removed)))
            left = ()
        except RuntimeError:
            gone = np.isin(_ids(index) // SLOTS, removed).sum()
            if gone > index.ntotal * _MOST_GONE_SHARE:
                return None
    for owners, vectors in batches:
        index.add_with_ids(vectors, _window_ids(owners))
    return index, left


def write(index: Any, path: Path) -> None:
    """Write an index to a new file, and wait until it is on the disk."""
    import faiss

    faiss.write_index(index, str(path))
    with path.open("rb") as file:
        os.fsync(file.fileno())


def read(path: Path) -> Any | None:
    """The index of a file, mapped into memory and not read, or ``None`` where it is damaged.

    So it is where an earlier version made an index that finds what it should leave out.
    """
    import faiss

    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError:
        return None
    if not _selective(index):
        return None
    _set_effort(index)
    return index


def _set_effort(index: Any) -> None:
    import faiss

    if lists := _lists(index):
        faiss.extract_index_ivf(index).nprobe = max(1, lists // _LISTS_PER_PROBE)


def _empty(factory: str, dimension: int) -> Any:
    """An index without vectors, to which they can be added by id."""
    import faiss

    try:
        index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise _unusable(factory) from error
    if _lists(index):
        clustering = faiss.extract_index_ivf(index).cp
        clustering.niter = 10
        clustering.max_points_per_centroid = _TRAINED_ON_PER_CENTROID
    index = _by_id(index)
    if not _selective(index):
        raise _unusable(factory, "which FAISS can only search as a whole, without filters")
    return index


def _by_id(index: Any) -> Any:
    """The same index, taking vectors by id.

    The ids of a selector become places where the map of ids is, so it must lie below what
    changes vectors before they are stored.
    """
    import faiss

    if isinstance(index, faiss.IndexPreTransform):
        inner = _by_id(faiss.downcast_index(index.index))
        if isinstance(inner, faiss.IndexIDMap):
            inner.own_fields = True
            inner.this.disown()  # type: ignore[attr-defined]  # the stubs lack it
            index.index = inner
        return index
    takes_ids = isinstance(index, (faiss.IndexIVF, faiss.IndexIDMap))
    return index if takes_ids else faiss.IndexIDMap(index)


def _selective(index: Any) -> bool:
    """Whether an index searches only among the ids that a selector chooses."""
    import faiss

    if isinstance(index, faiss.IndexPreTransform):
        return _selective(faiss.downcast_index(index.index))
    if isinstance(index, faiss.IndexIDMap):
        index = faiss.downcast_index(index.index)
    return isinstance(index, tuple(getattr(faiss, name) for name in _SELECTIVE))


def _unusable(setting: str, reason: str = "which FAISS cannot make an index of") -> SettingsError:
    return SettingsError(
        f"The setting index.vectors is {setting!r}, {reason}.",
        "Leave it out, or give a factory string such as Flat, HNSW32 or 'IVF1024,SQ8'.",
    )


def _lists(index: Any) -> int:
    """How many inverted lists an index has, 0 where it has none."""
    import faiss

    try:
        return int(faiss.extract_index_ivf(index).nlist)
    except RuntimeError:
        return 0


def _directions(index: Any) -> int:
    """How many directions an index finds in its vectors before it stores them: PCA does."""
    import faiss

    return int(index.index.d) if isinstance(index, faiss.IndexPreTransform) else 0


def _window_ids(owners: Sequence[int] | Ids) -> Ids:
    """The id of each window, given its passage: those of one passage follow each other."""
    passages = np.asarray(owners, dtype=np.int64)
    firsts = np.flatnonzero(np.diff(passages, prepend=-1))
    counts = np.diff(firsts, append=len(passages))
    return passages * SLOTS + np.arange(len(passages)) - np.repeat(firsts, counts)


def _ids(index: Any) -> Ids:
    """The id of every vector that an index has, in no order."""
    import faiss

    if isinstance(index, faiss.IndexPreTransform):
        return _ids(faiss.downcast_index(index.index))
    if isinstance(index, faiss.IndexIDMap):
        return np.array(faiss.vector_to_array(index.id_map), dtype=np.int64)
    lists = index.invlists
    sizes = {number: lists.list_size(number) for number in range(index.nlist)}
    found = [
        faiss.rev_swig_ptr(lists.get_ids(number), size) for number, size in sizes.items() if size
    ]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])


def _mask(passages: Collection[int]) -> Mask:
    """For every id up to the highest of some passages whether it is one of them."""
    mask = np.zeros(max(passages, default=-1) + 1, dtype=bool)
    mask[list(passages)] = True
    return mask


def _bitmap(passages: Mask) -> Any:
    """A selector of all windows of some passages: ``SLOTS`` bits for each."""
    import faiss

    bitmap: Any = faiss.IDSelectorBitmap
    all_bits_or_none = -passages.astype(np.int64)
    return bitmap(all_bits_or_none.view(np.uint8))


def _selector(allowed: Mask | None, gone: Mask) -> Any | None:
    import faiss

    if allowed is not None:
        return _bitmap(allowed)
    if len(gone):
        return faiss.IDSelectorNot(_bitmap(gone))
    return None


def _parameters(index: Any, selector: Any | None, share: float) -> Any | None:
    """Search parameters of the kind that an index takes, with a selector of ids.

    Where only a share of the vectors counts, so much more of the index is looked through: few
    of them may lie near the query, and as many are wanted as without a filter.
    """
    import faiss

    if selector is None:
        return None
    make: Any
    if isinstance(index, faiss.IndexPreTransform):
        make = faiss.SearchParametersPreTransform
        inner = _parameters(faiss.downcast_index(index.index), selector, share)
        return make(index_params=inner)
    if isinstance(index, faiss.IndexIVF):
        make = faiss.SearchParametersIVF
        return make(sel=selector, nprobe=min(index.nlist, int(index.nprobe / share)))
    if isinstance(index, faiss.IndexIDMap):
        return _parameters(faiss.downcast_index(index.index), selector, share)
    if isinstance(index, faiss.IndexHNSW):
        make = getattr(faiss, "SearchParametersHNSW")  # noqa: B009 - the stubs lack it
        effort = max(_HNSW_SEARCH, index.hnsw.efSearch) / share
        return make(sel=selector, efSearch=min(index.ntotal, int(effort)))
    make = faiss.SearchParameters
    return make(sel=selector)
