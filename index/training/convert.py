"""A static model as sentence-transformers reads it everywhere: float32, weights folded in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from rag.index.static import read_static

# Under these names all its versions since the third find them, as does model2vec.
_KINDS = ("StaticEmbedding", "Normalize")
_MODULES = [
    {
        "idx": n,
        "name": str(n),
        "path": f"{n}_{kind}",
        "type": f"sentence_transformers.models.{kind}",
    }
    for n, kind in enumerate(_KINDS)
]


def as_static_embedding(folder: Path, out: Path) -> None:
    """Write a static model as a folder that ``SentenceTransformer`` loads.

    Its vectors are those of ``StaticEmbedder``; the mean that sentence-transformers takes and the
    sum taken here differ by a length alone, and both are brought to length 1.

    Args:
        folder: A static model, as model2vec or sentence-transformers writes it.
        out: Where to write; made if there is none.

    Raises:
        ModelError: There is no static model in the folder.
    """
    from safetensors.numpy import save_file

    model = read_static(folder)
    inside = out / "0_StaticEmbedding"
    for made in (inside, out / "1_Normalize"):
        made.mkdir(parents=True, exist_ok=True)
    folded = np.ascontiguousarray(model.rows.astype(np.float32) * model.weights[:, None])
    save_file({"embedding.weight": folded}, inside / "model.safetensors")
    model.library.tokenizer.save(str(inside / "tokenizer.json"), pretty=False)
    (out / "modules.json").write_text(json.dumps(_MODULES, indent=2), "utf-8")
    told = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"}
    (out / "config_sentence_transformers.json").write_text(json.dumps(told), "utf-8")
