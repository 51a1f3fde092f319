"""The collection is a plain one: stock LlamaIndex retrieves from it."""

from pathlib import Path

import chromadb
from chromadb.config import Settings as ChromaSettings
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters
from llama_index.vector_stores.chroma import ChromaVectorStore

from corpus.read import BUILT_IN, read
from index.embed import embedder


class Packaged(BaseEmbedding):
    """The packaged embedder as LlamaIndex wants it."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return [float(x) for x in embedder("minilm").embed([text])[0]]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def test_stock_llamaindex_reads_the_collection(built_in_index: Path) -> None:
    with chromadb.PersistentClient(
        f"{built_in_index}/chroma/./", settings=ChromaSettings(anonymized_telemetry=False)
    ) as client:
        collection = client.get_collection("passages", embedding_function=None)
        store = ChromaVectorStore(chroma_collection=collection)
        index = VectorStoreIndex.from_vector_store(store, embed_model=Packaged())
        question = "How many suspects did the police detain in last year's campaign?"
        (best, *others) = index.as_retriever(similarity_top_k=3).retrieve(question)
        assert len(others) == 2
        assert "21,566" in best.node.get_content()
        document = read(BUILT_IN / best.metadata["document"], best.metadata["document"])
        assert best.metadata["version"] == document.version
        start, end = best.metadata["start"], best.metadata["end"]
        assert document.text[start:end] == best.node.get_content()

        one = "crackdown-extension.md"
        filters = MetadataFilters(filters=[MetadataFilter(key="document", value=one)])
        found = index.as_retriever(similarity_top_k=3, filters=filters).retrieve(question)
        assert {node.metadata["document"] for node in found} == {one}
