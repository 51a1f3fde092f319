"""What `make bench` runs, over a handful of passages: the table and the picture come out."""

import json
import subprocess
import sys
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).parents[1]


def test_growth_beside_the_stock_pipeline(tmp_path: Path) -> None:
    data = tmp_path / "data" / "deep"
    data.mkdir(parents=True)
    text = "The keeper lit the lantern at six. In the winter he lit it at four. " * 8
    paragraph = {"context": text, "qas": [{"question": "When did the keeper light it?"}]}
    (data / "squad.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    row = {"title": "The channel", "text": "The silt grew by eleven centimetres a year. " * 12}
    (data / "corpus.jsonl").write_text(json.dumps(row))
    out = tmp_path / "out"
    subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "tests.bench.growth", "--passages", "20"),
            *("--questions", "3", "--data", tmp_path / "data", "--out", out),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    found = json.loads((out / "growth.json").read_text())
    assert [(row["size"], sorted(row)) for row in found] == [(20, ["ours", "size", "stock"])]
    head, _, figures, *_ = (out / "growth.md").read_text().splitlines()
    assert head.startswith("| passages | passages/s |")
    assert figures.count("|") == head.count("|")
    assert figures.count("–") == 1  # Chroma's default embedder is not there
    picture = etree.parse(out / "growth.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(picture.findall(".//{*}polyline")) == 7
