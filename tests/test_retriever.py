"""Our search and our vectors inside stock LlamaIndex, whose global settings stay untouched."""

import subprocess
import sys

import pytest

from rag.assistant import Assistant

QUESTION = "How many suspects did the police detain in last year's campaign?"


def test_the_retriever_runs_inside_a_stock_query_engine(assistant: Assistant) -> None:
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    from rag.retriever import FootnoteRetriever

    engine = RetrieverQueryEngine.from_args(FootnoteRetriever(assistant.index, k=5), llm=MockLLM())
    response = engine.query(QUESTION)
    assert "21,566" in str(response)
    assert len(response.source_nodes) == 5
    for found in response.source_nodes:
        node = found.node
        document = assistant.index.document(node.metadata["document"], node.metadata["version"])
        assert document.text[node.start_char_idx : node.end_char_idx] == node.text
    scores = [found.score for found in response.source_nodes]
    assert scores == sorted(scores, reverse=True)


def test_the_embedding_is_the_index_s_own(assistant: Assistant) -> None:
    from rag.retriever import FootnoteEmbedding

    vector = FootnoteEmbedding(assistant.index.embedder).get_query_embedding(QUESTION)
    assert vector == pytest.approx(assistant.index.embedder.embed([QUESTION])[0].tolist())


def test_the_global_settings_stay_untouched() -> None:
    script = (
        "from llama_index.core import Settings\n"
        "import rag.retriever, rag.chat, rag.generative\n"
        "assert Settings._llm is None and Settings._embed_model is None\n"
        "assert Settings._node_parser is None and Settings._tokenizer is None\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
