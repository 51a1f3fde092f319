"""The stock pipeline to measure beside: LlamaIndex over Chroma, as its documentation builds it.

Chunks of 256 tokens (what the embedding model can see) with 32 shared, LlamaIndex's own batch of 10
texts, a persistent Chroma. Its embedder is Footnote's, or Chroma's default: the fp32 network, in
batches padded to 256 tokens, by Chroma's own code. Chroma would download that network; here it is
made from the same weights by `python -m tests.bench.make_fp32`.
"""

import re
import time
from pathlib import Path
from typing import Any, ClassVar

import chromadb
from chromadb.config import Settings
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from index.embed import embedder
from rag.retriever import FootnoteEmbedding


class ChromaDefault(BaseEmbedding):
    """Chroma's default embedding function as LlamaIndex knows one."""

    _function: Any = PrivateAttr()

    def __init__(self, folder: Path, **kwargs: Any) -> None:
        super().__init__(model_name="chroma default, fp32", **kwargs)

        class Here(ONNXMiniLM_L6_V2):
            DOWNLOAD_PATH: ClassVar[Path] = folder

            def _download_model_if_not_exists(self) -> None:
                """It is there: made from the same weights."""

        self._function = Here()

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [vector.tolist() for vector in self._function(texts)]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def measure(
    documents: Path, place: Path, questions: list[str], fp32: Path | None
) -> dict[str, Any]:
    """Seconds of indexing, and of each retrieval; `fp32`: the folder of Chroma's default."""
    model = ChromaDefault(fp32) if fp32 else FootnoteEmbedding(embedder("minilm"))
    model.get_text_embedding("warm")
    splitter = SentenceSplitter(chunk_size=256, chunk_overlap=32, chunking_tokenizer_fn=_sentences)
    started = time.perf_counter()
    client = chromadb.PersistentClient(str(place), settings=Settings(anonymized_telemetry=False))
    collection = client.get_or_create_collection("stock", metadata={"hnsw:space": "cosine"})
    texts = [file.read_text(encoding="utf-8") for file in sorted(documents.iterdir())]
    context = StorageContext.from_defaults(
        vector_store=ChromaVectorStore(chroma_collection=collection)
    )
    index = VectorStoreIndex.from_documents(
        [Document(text=text) for text in texts],
        storage_context=context,
        embed_model=model,
        transformations=[splitter],
    )
    seconds = time.perf_counter() - started
    retriever = index.as_retriever(similarity_top_k=10)
    taken = []
    for question in questions:
        clock = time.perf_counter()
        retriever.retrieve(question)
        taken.append(time.perf_counter() - clock)
    return {
        "passages": collection.count(),
        "characters": sum(map(len, texts)),
        "seconds": seconds,
        "retrieval": taken,
    }


def _sentences(text: str) -> list[str]:
    # LlamaIndex's own splitter reads nltk's data, which refuses files that an installer linked.
    return re.findall(r".+?(?:[.!?][\"”’)]*\s+|\n\n|$)", text, re.DOTALL)
