"""The benchmarks run, and what they count is right; how long anything takes is not tested."""

from __future__ import annotations

from pathlib import Path

from rag.evals.benchmarks import reindex, scale


def test_an_unchanged_folder_is_indexed_again_without_embedding(tmp_path: Path) -> None:
    first, again, edited = reindex.measured(tmp_path, 20)
    assert (first.report["embedded"], len(first.report["added"])) == (first.report["passages"], 20)
    assert (again.report["embedded"], len(again.report["unchanged"])) == (0, 20)
    assert 1 <= edited.report["embedded"] <= edited.report["passages"] < 5
    assert len(edited.report["updated"]) == 1


def test_an_index_of_made_up_vectors_is_built_searched_and_added_to(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    assert scale.built(folder, 4000)["passages"] == 4000
    found = scale.searched(folder, 4000)
    assert found["recall@10 of exact search"] == 1.0
    assert found["... in a tenth of the documents"] == 1.0
    assert all(figure > 0 for figure in scale.added(folder, 4000).values())
