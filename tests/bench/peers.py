"""Footnote beside stock LlamaIndex on the known facts: python -m tests.bench.peers [FOLDER]

Both read the same documents with the same embedding model, and no language model. LlamaIndex
retrieves from a VectorStoreIndex and answers with the text of the nearest node: in one row of
256-token chunks (what the embedding model can see), in the other of single sentences. A question
that follows others is asked with those before it. Nothing in this pipeline refuses. Where the
settings name a language model, two more rows let it write: Footnote's answers, and those of a
stock query engine over the chunks. The answers go through a file, as for `footnote eval --answers`.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.node_parser import NodeParser, SentenceSplitter, SentenceWindowNodeParser
from llama_index.core.schema import NodeWithScore

from corpus.read import BUILT_IN
from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.evals import report, rows
from rag.evals.answers import Answers
from rag.evals.cases import Case, load
from rag.evals.compare import compare
from rag.evals.model_judge import language_model
from rag.evals.results import Results
from rag.evals.run import KNOWN_FACTS, run, texts
from rag.retriever import FootnoteEmbedding
from rag.settings import Settings
from rag.settings import load as load_settings


def _sentences(text: str) -> list[str]:
    # LlamaIndex's own splitter reads nltk's data, which refuses files that an installer linked.
    return re.findall(r".+?(?:[.!?][\"”’)]*\s+|\n\n|$)", text, re.DOTALL)


PARSERS: Mapping[str, NodeParser] = {
    "LlamaIndex, nearest passage": SentenceSplitter(
        chunk_size=256, chunk_overlap=32, chunking_tokenizer_fn=_sentences
    ),
    "LlamaIndex, nearest sentence": SentenceWindowNodeParser.from_defaults(
        sentence_splitter=_sentences, window_size=1
    ),
}


def main(folder: Path | None = None) -> None:
    """Ask both, print a row for each and what differs clearly, write a report into `folder`."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        build([BUILT_IN], place / "index", embedder("minilm"))
        assistant = Assistant.open(Settings(index=place / "index", answers="extractive"))
        cases = load(KNOWN_FACTS)
        ours = run(assistant, cases)
        rivals = beside(assistant, cases, place)
        everyone = {"Footnote": ours, **rivals}
        settings = replace(load_settings(), index=place / "index", chroma_url=None)
        if settings.uses_model:
            written = run(Assistant.open(settings), cases)
            everyone[f"Footnote with {settings.model}"] = written
            everyone[f"LlamaIndex with {settings.model}"] = engine(
                assistant, cases, place, settings
            )
        print(report.aligned(rows.beside(everyone)))
        for name, rival in rivals.items():
            comparison = compare(rival.cases, ours.cases, {"model": name})
            clear = [row for row in rows.differences(comparison) if row[-1] in ("better", "worse")]
            print(f"\nFootnote (after) against {name} (before), what is clear over all cases:")
            print(report.aligned([row for row in clear if " of " not in row[0]]))
        if folder:
            report.write(ours, folder, texts(assistant.index), others=everyone)


def beside(assistant: Assistant, cases: Sequence[Case], place: Path) -> dict[str, Results]:
    """What each pipeline of LlamaIndex comes to on the cases; its answers are left in `place`."""
    found = {}
    for number, (name, parser) in enumerate(PARSERS.items()):
        retriever = index_of(assistant, parser).as_retriever(similarity_top_k=10)
        file = place / f"peer-{number}.jsonl"
        lines = [
            json.dumps(answer(assistant, retriever, case), ensure_ascii=False) for case in cases
        ]
        file.write_text("\n".join(lines), "utf-8")
        found[name] = run(assistant, cases, ask=Answers(file))
    return found


def engine(assistant: Assistant, cases: Sequence[Case], place: Path, settings: Settings) -> Results:
    """What a stock query engine with the settings' model comes to: words alone, no citations."""
    stock = index_of(assistant, next(iter(PARSERS.values()))).as_query_engine(
        llm=language_model(settings), similarity_top_k=5
    )
    lines = []
    for case in cases:
        try:
            said: dict[str, str] = {"answer": str(stock.query(_asked(case)))}
        except Exception as error:  # whatever the client raises is a failure of that case
            said = {"error": type(error).__name__}
        lines.append(json.dumps({"id": case.id, **said}, ensure_ascii=False))
    file = place / "peer-engine.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    return run(assistant, cases, ask=Answers(file))


def index_of(assistant: Assistant, parser: NodeParser) -> VectorStoreIndex:
    """A stock index over the documents of the assistant's, by its embedder."""
    index = assistant.index
    documents = [
        Document(text=index.document(id).text, metadata={"document": id})
        for id in index.manifest.documents
    ]
    for document in documents:
        document.excluded_embed_metadata_keys = ["document"]
        document.excluded_llm_metadata_keys = ["document"]
    nodes = parser.get_nodes_from_documents(documents)
    return VectorStoreIndex(nodes, embed_model=FootnoteEmbedding(index.embedder))


def answer(assistant: Assistant, retriever: BaseRetriever, case: Case) -> dict[str, Any]:
    """The nearest node as an answer in the contract's form."""
    started = time.perf_counter()
    nodes = retriever.retrieve(_asked(case))
    taken = (time.perf_counter() - started) * 1000
    items = [_item(assistant, node) for node in nodes]
    best = items[0]
    return {
        "id": case.id,
        "question": case.question,
        "outcome": "answered",
        "answer": f"{best['text']} [1]",
        "sentences": [{"text": best["text"], "citations": [1]}],
        "citations": [{**best, "n": 1, "quote": best["text"]}],
        "evidence": items,
        "model": "llama-index",
        "timings_ms": {"total": taken},
    }


def _asked(case: Case) -> str:
    earlier = [turn.content for turn in case.history if turn.role == "user"]
    return "\n".join([*earlier, case.question])


def _item(assistant: Assistant, found: NodeWithScore) -> dict[str, Any]:
    words, name = found.node.get_content().strip(), found.node.metadata["document"]
    document = assistant.index.document(name)
    # A node of the window parser does not say where it stands: its words are looked up.
    start = max(0, document.text.find(words))
    place = {"document": name, "version": document.version, "start": start}
    return {**place, "end": start + len(words), "text": words, "score": found.score}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
