"""The retrieval chain as LlamaIndex knows it, so that others can plug it into their own engine."""

from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import PrivateAttr

from index.search import Index
from index.types import Embedder, Hit


class FootnoteRetriever(BaseRetriever):
    """Dense and lexical search, fused, as a LlamaIndex retriever.

    A node's text is the passage's exact words; `start_char_idx` and `end_char_idx` count code
    points in the document, whose id and version stand in the metadata.
    """

    def __init__(self, index: Index, k: int = 10) -> None:
        super().__init__()
        self._index, self._k = index, k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._index.search((query_bundle.query_str,), self._k)
        return [NodeWithScore(node=node_of(hit), score=hit.score) for hit in hits]


class FootnoteEmbedding(BaseEmbedding):
    """The index's embedder as LlamaIndex knows one, for stock parts beside the index."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder, **kwargs: Any) -> None:
        super().__init__(model_name=embedder.name, **kwargs)
        self._embedder = embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors


def node_of(hit: Hit) -> TextNode:
    """The hit's passage as a LlamaIndex node."""
    passage = hit.passage
    document = passage.document
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.span.start,
        end_char_idx=passage.span.end,
        metadata={
            "document": document.id,
            "version": document.version,
            "title": document.title,
            "heading": passage.heading,
        },
        excluded_embed_metadata_keys=["document", "version"],
        excluded_llm_metadata_keys=["document", "version"],
    )
