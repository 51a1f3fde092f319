"""Training: for a given number of minutes, whatever else the machine does meanwhile.

The learning rate follows the clock, so a run ends where it should on a fast machine and on a slow
or shared one. The state is saved every few minutes, and a run that is started again goes on.
Every core takes its own part of a batch and they meet once a step: where other work takes a core
for a while, cores that meet at every operation would all wait for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rag.models.reader_data import NOT_HERE, SENTENCES, SPAN
from rag.models.reader_network import Chunk, ReaderNetwork, load_base

BATCH, CHUNK = 40, 8
PEAK, WARM_UP, WEIGHT_DECAY = 2.0e-4, 0.05, 0.01
AVERAGED_FROM, AVERAGE_EVERY, AVERAGE_RATE = 0.4, 8, 0.02
W_SHARED, W_ANSWERABLE, W_INSIDE = 0.5, 0.5, 0.5
SAVE_SECONDS = 300.0


@dataclass(slots=True)
class Pass:
    """The examples of a pass, as written by reader_data.encode."""

    ids: np.ndarray
    inside: np.ndarray
    rows: np.ndarray  # length, question length, group, kind, start, end
    starts: np.ndarray
    groups: list[list[int]]


def load_pass(path: Path) -> Pass:
    """A pass, with its groups of examples that share a question."""
    with np.load(path) as data:
        rows, ids, inside = data["rows"], data["ids"], data["inside"]
    starts = np.concatenate([[0], np.cumsum(rows[:-1, 0])])
    groups: dict[int, list[int]] = {}
    for i, group in enumerate(rows[:, 2].tolist()):
        groups.setdefault(group, []).append(i)
    return Pass(ids, inside, rows, starts, list(groups.values()))


def batches(data: Pass, seed: int) -> Iterator[list[int]]:
    """Whole groups, shuffled, about BATCH sequences at a time."""
    order = list(range(len(data.groups)))
    random.Random(seed).shuffle(order)
    batch: list[int] = []
    for at in order:
        batch += data.groups[at]
        if len(batch) >= BATCH:
            yield batch
            batch = []


def loss_of(network: ReaderNetwork, data: Pass, batch: list[int]) -> tuple[Tensor, list[float]]:
    """The loss to minimise, and its four parts as numbers."""
    batch = sorted(batch, key=lambda i: int(data.rows[i, 0]))
    parts = [batch[i : i + CHUNK] for i in range(0, len(batch), CHUNK)]
    chunks, insides = [], []
    for part in parts:
        width = int(data.rows[part[-1], 0])
        ids = np.zeros((len(part), width), dtype=np.int64)
        types, mask, inside = np.zeros_like(ids), np.zeros_like(ids), np.zeros_like(ids)
        for row, i in enumerate(part):
            n, at = int(data.rows[i, 0]), int(data.starts[i])
            ids[row, :n] = data.ids[at : at + n]
            types[row, data.rows[i, 1] + 2 : n] = 1
            mask[row, :n] = 1
            inside[row, :n] = data.inside[at : at + n]
        chunks.append(
            Chunk(torch.from_numpy(ids), torch.from_numpy(types), torch.from_numpy(mask).bool())
        )
        insides.append(torch.from_numpy(inside))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network.forward_chunks(chunks)
    width = chunks[-1].ids.shape[1]
    tokens = torch.cat(
        [functional.pad(t, (0, 0, 0, width - t.shape[1]), value=-1e4) for t, _ in outputs]
    )
    answerable = torch.cat([a for _, a in outputs])
    inside = torch.cat([functional.pad(i, (0, width - i.shape[1])) for i in insides])
    rows = torch.from_numpy(data.rows[batch]).long()
    length, asked, group, kind, start, end = rows.unbind(1)
    place = torch.arange(width)[None, :]
    passage = (place >= asked[:, None] + 2) & (place < length[:, None] - 1)
    valid = passage | (place == 0)

    here = kind != NOT_HERE
    by_sentence = (kind == SENTENCES)[:, None] & inside.bool()
    losses = []
    shared = []
    among = _groups(group)
    has_gold = (among & here[None, :]).any(1)
    several = among.sum(1) > 1
    asked_of = here & has_gold & several
    for column, gold in ((0, start), (1, end)):
        logits = tokens[..., column]
        target = (place == torch.where(kind == SPAN, gold, 0)[:, None]) & (
            (kind != SENTENCES)[:, None]
        ) | by_sentence
        gold_score = logits.masked_fill(~target, -1e4).logsumexp(1)
        losses.append((logits.masked_fill(~valid, -1e4).logsumexp(1) - gold_score).mean())
        # Shared normalisation: against the tokens of every passage of the same question.
        sums = logits.masked_fill(~passage, -1e4).logsumexp(1)
        whole = torch.where(among, sums[None, :], -1e4).logsumexp(1)
        shared.append((whole - gold_score)[asked_of].sum() / max(int(asked_of.sum()), 1))
    span = (losses[0] + losses[1]) / 2
    together = (shared[0] + shared[1]) / 2
    can = functional.binary_cross_entropy_with_logits(answerable, here.float())
    each = functional.binary_cross_entropy_with_logits(
        tokens[..., 2], inside.float(), reduction="none"
    )
    within = (each * passage).sum() / passage.sum()
    total = span + W_SHARED * together + W_ANSWERABLE * can + W_INSIDE * within
    return total, [float(x.detach()) for x in (span, together, can, within)]


def _parts(data: Pass, batch: list[int], count: int) -> list[list[int]]:
    """A batch in parts of about the same number of tokens, groups whole."""
    groups: dict[int, list[int]] = {}
    for i in batch:
        groups.setdefault(int(data.rows[i, 2]), []).append(i)
    parts: list[list[int]] = [[] for _ in range(count)]
    sizes = [0] * count
    for group in sorted(groups.values(), key=len, reverse=True):
        least = sizes.index(min(sizes))
        parts[least] += group
        sizes[least] += int(data.rows[group, 0].sum())
    return [part for part in parts if part]


def _twin(network: ReaderNetwork) -> ReaderNetwork:
    """A network with the same weights in memory and gradients of its own."""
    other = ReaderNetwork()
    for (_, mine), (_, theirs) in zip(
        network.named_parameters(), other.named_parameters(), strict=True
    ):
        theirs.data = mine.data
        theirs.requires_grad = mine.requires_grad
    return other.train()


def _groups(group: Tensor) -> Tensor:
    return group[:, None] == group[None, :]


def train(
    folder: Path,
    weights: Path,
    minutes: float,
    make_pass: Callable[[int], Path],
    seed: int = 7,
    cores: int = 2,
    start: tuple[dict[str, Tensor], float] | None = None,
    log_every: int = 25,
) -> Path:
    """Train, or go on training, on so many cores; returns the file with the averaged weights.

    `start`, where there is no state to go on from: weights, and the minutes that count as spent.
    """
    torch.manual_seed(seed)
    network = ReaderNetwork()
    load_base(network, weights)
    if start is not None:
        network.load_state_dict(start[0])
    network.words.weight.requires_grad = False
    network.train()
    free = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    decayed = [p for _, p in free if p.dim() > 1]
    rest = [p for _, p in free if p.dim() <= 1]
    adam = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}],
        lr=PEAK,
        fused=True,
    )
    average = [p.detach().clone() for _, p in free]
    state_path, final = folder / "state.pt", folder / "reader.pt"
    number, done, step, spent = 0, 0, 0, 60 * start[1] if start else 0.0
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        network.load_state_dict(state["network"], strict=False)
        adam.load_state_dict(state["adam"])
        average = state["average"]
        number, done, step, spent = state["at"]
        print(f"going on from step {step}, {spent / 60:.1f} minutes in", flush=True)

    def save() -> None:
        whole = {
            "network": network.state_dict(),
            "adam": adam.state_dict(),
            "average": average,
            "at": (number, done, step, spent),
        }
        _write(whole, state_path)
        names = dict(zip((n for n, _ in free), average, strict=True))
        _write({**network.state_dict(), **(names if averaging else {})}, final)

    torch.set_num_threads(1)
    networks = [network, *(_twin(network) for _ in range(cores - 1))]
    pool = ThreadPoolExecutor(cores)

    def learn(model: ReaderNetwork, part: list[int], share: float) -> list[float]:
        torch.set_num_threads(1)
        loss, parts = loss_of(model, data, part)
        (loss * share).backward()
        return [x * share for x in parts]

    budget, last, saved, tokens = minutes * 60, time.monotonic(), spent, 0
    recent: list[list[float]] = []
    averaging = spent / budget > AVERAGED_FROM
    while spent < budget:
        data = load_pass(make_pass(number))
        for at, batch in enumerate(batches(data, seed + number)):
            if at < done:
                continue
            share = min(spent / budget, 1.0)
            rate = PEAK * min(share / WARM_UP, (1 - share) / (1 - WARM_UP))
            for group in adam.param_groups:
                group["lr"] = max(rate, PEAK * 1e-3)
            shared_out = _parts(data, batch, cores)
            weights_of = [len(part) / len(batch) for part in shared_out]
            told = list(pool.map(learn, networks, shared_out, weights_of))
            for twin in networks[1 : len(shared_out)]:
                grads = [p.grad for p in twin.parameters() if p.grad is not None]
                torch._foreach_add_([p.grad for _, p in free], grads)
                twin.zero_grad()
            torch.nn.utils.clip_grad_norm_([p for _, p in free], 1.0)
            adam.step()
            adam.zero_grad()
            step, done = step + 1, at + 1
            now = time.monotonic()
            spent, last = spent + now - last, now
            tokens += int(data.rows[batch, 0].sum())
            recent.append([sum(x) for x in zip(*told, strict=True)])
            if spent / budget > AVERAGED_FROM and step % AVERAGE_EVERY == 0:
                with torch.no_grad():
                    amount = AVERAGE_RATE if averaging else 1.0
                    torch._foreach_lerp_(average, [p for _, p in free], amount)
                averaging = True
            if step % log_every == 0:
                means = " ".join(f"{x:.3f}" for x in np.mean(recent, axis=0))
                print(
                    f"step {step} pass {number} {spent / 60:.1f}/{minutes:g} min "
                    f"rate {rate:.2e} span/shared/can/within {means}",
                    flush=True,
                )
                recent = []
            if spent - saved > SAVE_SECONDS:
                save()
                saved = spent
            if spent >= budget:
                break
        else:
            number, done = number + 1, 0
    save()
    print(f"done: {step} steps, {number} whole passes, {spent / 60:.1f} minutes", flush=True)
    return final


def _write(what: object, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(what, temporary)
    temporary.rename(path)
