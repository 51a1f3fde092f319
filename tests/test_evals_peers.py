"""The rows of `make bench`, and the baseline that `make eval` compares with."""

import json
from dataclasses import replace
from pathlib import Path

from rag.assistant import Assistant
from rag.evals.cases import load
from rag.evals.results import load_run
from rag.evals.rows import beside as rows
from rag.evals.run import KNOWN_FACTS, run
from rag.settings import Settings
from tests.bench.peers import PARSERS, beside, engine
from tests.openai_server import Raw, Refuse, serving

BASELINE = Path(__file__).parent / "evals" / "baseline.json"


def test_stock_llamaindex_is_judged_on_the_same_cases(assistant: Assistant, tmp_path: Path) -> None:
    known = load(KNOWN_FACTS)
    cases = [*known[:3], *(case for case in known if not case.answerable)][:4]
    peers = beside(assistant, cases, tmp_path)
    assert list(peers) == list(PARSERS)
    for results in peers.values():
        assert results.measures["failures"].value == 0
        assert results.measures["unlocated"].value == 0
        assert results.measures["answered_unanswerable"].value == 1
        assert results.measures["recall@5"].value == 1
    head, *lines = rows({"Footnote": run(assistant, cases), **peers})
    assert [line[0] for line in lines] == ["Footnote", *PARSERS]
    assert "all_facts_found" in head


def test_a_stock_engine_with_a_model_is_judged_by_its_words(
    assistant: Assistant, tmp_path: Path
) -> None:
    case = load(KNOWN_FACTS)[0]
    message = {"role": "assistant", "content": f"There were {case.facts[0][0]}."}
    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    body = json.dumps({**reply, "choices": choices}).encode()
    with serving(Raw(body, "application/json"), Refuse(400)) as server:
        settings = Settings(index=tmp_path, base_url=server.url)
        results = engine(assistant, [case, replace(case, id="again")], tmp_path, settings)
    assert results.measures["all_facts_found"].value == 0.5
    assert results.measures["failures"].value == 0.5
    assert "citation_recall" not in results.measures


def test_the_baseline_is_of_the_known_facts() -> None:
    kept, _ = load_run(BASELINE)
    asked = {(case.id, case.question) for case in load(KNOWN_FACTS)}
    assert {(case.id, case.question) for case in kept} == asked, "run `make baseline`"
