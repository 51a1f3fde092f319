"""Makes Chroma's default network from the same weights: python -m tests.bench.make_fp32 FOLDER

For the environment of `make models`, which has torch. Chroma's own file is the same export of the
same weights: last hidden states in fp32, pooled outside the graph.
"""

import sys
import warnings
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from index.models.make_embedder import source


class Hidden(torch.nn.Module):
    """Ids, mask and token types to last hidden states."""

    def __init__(self, bert: torch.nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        """The last layer, (batch, length, 384)."""
        return self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


def main(folder: Path) -> None:
    """Write FOLDER/onnx/model.onnx and tokenizer.json."""
    warnings.simplefilter("ignore")
    origin, out = source(), folder / "onnx"
    out.mkdir(parents=True, exist_ok=True)
    bert = BertModel.from_pretrained(
        origin, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    ids = torch.randint(1000, 2000, (2, 16))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        Hidden(bert).eval(),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        str(out / "model.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )
    Tokenizer.from_file(str(origin / "tokenizer.json")).save(str(out / "tokenizer.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
