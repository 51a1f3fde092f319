"""The trained network as int8 ONNX, and whether it still says what the original says."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

from index.models.make_embedder import quantise
from rag.models.reader_network import LAYERS, ReaderNetwork

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUTS = ["start_logits", "end_logits", "answerable", "inside"]


def trained(state: Path, earlier: Path | None = None) -> ReaderNetwork:
    """The network with the weights that training left.

    Those that an `earlier` part of it left count half as much beside them: the mean of two does
    better than either (Wortsman et al. 2022, "Model soups").
    """
    network = ReaderNetwork(dropout=0.0)
    weights = torch.load(state, weights_only=True)
    if earlier is not None:
        before = torch.load(earlier, weights_only=True)
        weights = {name: (2 * weights[name] + before[name]) / 3 for name in weights}
    network.load_state_dict(weights)
    return network.eval()


def packaged(model: Path) -> dict[str, torch.Tensor]:
    """The weights of a packaged graph in fp32 again, as near as int8 is, by their names."""
    graph = onnx.load(str(model)).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}

    def whole(name: str) -> np.ndarray:
        zero = held[f"{name}_zero_point"].astype(np.float32)
        return (held[f"{name}_quantized"].astype(np.float32) - zero) * held[f"{name}_scale"]

    tables = ("words.weight", "positions.weight", "types.weight")
    weights = {name: whole(name) for name in tables}
    weights |= {name: held[name] for name in ReaderNetwork().state_dict() if name in held}
    parts = [f"layers.{i}.{part}" for i in range(LAYERS) for part in ("qkv", "out", "up", "down")]
    products = [node for node in graph.node if node.op_type == "MatMulInteger"]
    for part, node in zip([*parts, "token_head", "passage_head"], products, strict=True):
        weights[f"{part}.weight"] = whole(node.input[1].removesuffix("_quantized")).T
    return {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}


def export(network: ReaderNetwork, out: Path) -> None:
    """Writes the fp32 graph, free in batch and length."""
    ids = torch.randint(1000, 2000, (2, 16))
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    mask[1, 9:], types[:, 6:] = 0, 1
    free = {0: "batch", 1: "length"}
    axes = dict.fromkeys((*INPUTS, *OUTPUTS), free) | {"answerable": {0: "batch"}}
    torch.onnx.export(
        network,
        (ids, mask, types),
        str(out),
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_axes=axes,
        opset_version=20,
        dynamo=False,
    )


def ship(network: ReaderNetwork, tokenizer: Path, folder: Path) -> None:
    """Model, tokenizer and sums into a folder, each written whole before it takes its name."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        here = Path(scratch)
        export(network, here / "fp32.onnx")
        quantise(here / "fp32.onnx", here / "model.onnx")
        read = Tokenizer.from_file(str(tokenizer))
        read.no_padding()
        read.no_truncation()
        read.save(str(here / "tokenizer.json"), pretty=False)
        names = ("model.onnx", "tokenizer.json")
        sums = "".join(f"{sha256(here / name)}  {name}\n" for name in names)
        (here / "SHA256SUMS").write_text(sums, encoding="ascii")
        for name in (*names, "SHA256SUMS"):
            (here / name).rename(folder / name)


def agreement(
    network: ReaderNetwork, folder: Path, questions: list[str], passages: list[str]
) -> str:
    """How the int8 graph's best spans and scores compare with the network's, in one line."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    same, margins, able = 0, [], []
    for question, passage in zip(questions, passages, strict=True):
        code = tokenizer.encode(question, passage)
        fed = {
            "input_ids": np.array([code.ids[:320]], np.int64),
            "attention_mask": np.ones((1, min(len(code.ids), 320)), np.int64),
            "token_type_ids": np.array([code.type_ids[:320]], np.int64),
        }
        first = code.type_ids.index(1)
        with torch.no_grad():
            whole = [x[0].numpy() for x in network(*(torch.from_numpy(v) for v in fed.values()))]
        small = [x[0] for x in session.run(OUTPUTS, fed)]
        picks = []
        for start, end, answerable, _ in (whole, small):
            scores = start[first:-1, None] + end[None, first:-1]
            scores = np.where(np.triu(np.ones_like(scores)), scores, -np.inf)
            picks.append((int(scores.argmax()), scores.max() - start[0] - end[0], answerable))
        same += picks[0][0] == picks[1][0]
        margins.append((picks[0][1], picks[1][1]))
        able.append((picks[0][2], picks[1][2]))
    alike = [np.corrcoef(np.array(pairs, float).T)[0, 1] for pairs in (margins, able)]
    return (
        f"int8 against the original, {len(questions)} pairs: "
        f"same best span {same / len(questions):.3f}, correlation of span - null "
        f"{alike[0]:.4f}, of answerable {alike[1]:.4f}"
    )


def sha256(path: Path) -> str:
    """As 64 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
