"""Checks the retrieval measures against published figures: python -m tests.bench.harness SCIFACT

Whole documents (title and text, cut where the embedding model stops reading) by cosine alone, as
in the published figure of all-MiniLM-L6-v2 on SciFact: nDCG@10 .645. The index itself searches
passages: `footnote eval --dataset beir` measures that, and BM25 alone.
"""

import sys
from pathlib import Path

import numpy as np

from index.embed import embedder
from rag.evals.datasets import beir
from rag.evals.measures import ndcg_at

BATCH = 64


def main(folder: Path) -> None:
    """Print nDCG@10 of dense search over whole documents."""
    dataset, model = beir(folder), embedder("minilm")
    ids = list(dataset.documents)
    texts = [" ".join(text.split("\n\n")) for text in dataset.documents.values()]
    parts = [model.embed(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
    vectors = np.concatenate(parts)
    scores = model.embed([question.question for question in dataset.questions]) @ vectors.T
    found = []
    for question, row in zip(dataset.questions, scores, strict=True):
        ranking = [ids[at] for at in np.argsort(-row, kind="stable")[:10]]
        found.append(ndcg_at(10, ranking, dict.fromkeys(question.documents, 1.0)))
    print(f"nDCG@10 {np.mean(found):.3f} over {len(found)} questions, {len(ids):,} documents")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
