"""Trains GANs and keeps what a DCGAN script would have printed of each, with the monitor's verdict; resumable.

    python benchmarks/modalities_data.py images data/images
    python benchmarks/diagnose_runs.py [--tasks ring grid digits images] [--configurations 50] [--out results/diagnose]
    python benchmarks/diagnose_runs.py --tables results/reference/diagnose      # and then the tables of what is there

A line is printed for every G update, or for every so many where there are over 300: losses of the last batches of D
and G, without penalties, and D's mean answers to them. The verdict is the trainer's: of probes on held-out samples,
with a referee and an observer, which see what no log holds.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.updates.losses import Loss

UPDATES = {"ring": 4000, "grid": 4000, "digits": 2500, "images": 2500}
"""As in experiments/*.yaml."""
LINES = 300
"""Printed of a run, at most about."""
OTHER_LOSSES: list[dict[str, Any]] = [
    {"loss": "hinge"},
    {"loss": "lsgan"},
    {"loss": "wgan"},
    {"loss": "hinge", "spectral_norm": True},
    {"loss": "minimax"},
    {"loss": "wgan", "gp": 0.0},
]
FAULTS: list[dict[str, Any]] = [
    {"lr_d": 1e-12, "lr_g": 1e-3},
    {"lr_d": 2e-2, "lr_g": 2e-2},
    {"lr_d": 1e-2, "lr_g": 1e-5},
    {"lr_d": 1e-5, "lr_g": 1e-2},
    {"lr_d": 2e-3, "lr_g": 2e-3, "update_ratio": 20.0},
    {"lr_d": 2e-2, "lr_g": 2e-2, "sigmoid": True},
    {"lr_d": 1e-1, "lr_g": 1e-3, "sigmoid": True},
    {"lr_d": 1.0, "lr_g": 1.0, "optimizer": "sgd", "loss": "wgan", "gp": 0.0},
]


def configuration(task: str, index: int) -> dict[str, Any]:
    """The index-th configuration of a task.

    Of ten four are of the space of experiments/*.yaml, three of a narrower one around the settings that the shipped
    sweeps found, and one each is the default settings, another loss, and a planted fault.
    """
    draw = random.Random(f"diagnose {task} {index}")

    def log_uniform(low: float, high: float) -> float:
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    wide = {
        "lr": log_uniform(1e-4, 1e-2),
        "lr_ratio": log_uniform(0.05, 20),
        "pretrain_steps": draw.randint(0, 1000),
        "update_ratio": log_uniform(0.2, 5),
        "r1_gamma": draw.choice([0.0, 0.1, 1.0]),
    }
    narrow = {
        "lr": log_uniform(8e-4, 6e-3),
        "lr_ratio": log_uniform(0.4, 4),
        "pretrain_steps": draw.choice([0, 0, 200]),
        "update_ratio": log_uniform(0.6, 3),
        "r1_gamma": draw.choice([0.1, 0.3, 1.0]),
        "label_smoothing": draw.choice([0.0, 0.0, 0.1]),
    }
    kind, turn = index % 10, index // 10
    if kind in (0, 3, 6, 9):
        chosen: dict[str, Any] = {"group": "space", **wide}
    elif kind in (1, 4, 7):
        chosen = {"group": "narrow", **narrow}
    elif kind == 2:
        chosen = {"group": "default", "lr": 2e-4, "r1_gamma": (0.0, 1.0)[turn % 2]}
    elif kind == 5:
        loss = OTHER_LOSSES[(turn + len(task)) % len(OTHER_LOSSES)]
        chosen = {"group": "loss", **narrow, "label_smoothing": 0.0, **loss}
        chosen["r1_gamma"] = 0.0 if loss["loss"] == "wgan" else chosen["r1_gamma"]
    else:
        chosen = {"group": "fault", **FAULTS[(turn + 2 * list(UPDATES).index(task)) % len(FAULTS)]}
    return {**chosen, "updates": UPDATES[task]}


def with_sigmoid(loss: Loss) -> Loss:
    """The loss as scripts have it whose D ends in a sigmoid: `BCELoss`, whose logarithms end at -100."""

    def entropy(scores: Tensor, target: float) -> Tensor:
        answers = torch.sigmoid(scores)
        return F.binary_cross_entropy(answers, torch.full_like(answers, target))

    return loss._replace(d=lambda r, f, s: entropy(r, 1 - s) + entropy(f, 0.0), g=lambda f, r: entropy(f, 1.0))


class Printer:
    """Takes the place of a trainer's loss, and keeps what a script would print."""

    def __init__(self, trainer: Trainer) -> None:
        """Listen to a trainer's losses."""
        self.trainer, self.loss = trainer, trainer.loss
        self.lines: list[Tensor] = []
        self.steps: list[int] = []
        self.last_d: list[Tensor] | None = None
        answers_of = torch.sigmoid if self.loss.output == "logit" else torch.nn.Identity()
        self.mean = lambda scores: answers_of(scores.detach()).mean()
        expected = trainer.training.updates / (1 + trainer.training.update_ratio)
        self.every = max(1, math.ceil(expected / LINES))
        trainer.loss = self.loss._replace(d=self.d, g=self.g)

    def d(self, real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
        """D's loss, kept."""
        loss = self.loss.d(real, fake, smoothing)
        self.last_d = [loss.detach(), self.mean(real), self.mean(fake)]
        return loss

    def g(self, fake: Tensor, real: Tensor) -> Tensor:
        """G's loss, printed with D's last one."""
        loss = self.loss.g(fake, real)
        if self.last_d is not None and self.trainer.g_updates % self.every == 0:
            loss_d, of_real, of_fake = self.last_d
            self.lines.append(torch.stack([loss_d, loss.detach(), of_real, of_fake, self.mean(fake)]))
            self.steps.append(self.trainer.g_updates)
        return loss

    def table(self) -> pd.DataFrame:
        """A row a line."""
        names = ["loss_d", "loss_g", "real", "fake", "fake_after"]
        rows = torch.stack(self.lines).numpy() if self.lines else torch.empty(0, len(names)).numpy()
        return pd.DataFrame(rows, columns=names).assign(step=self.steps).astype("float32")


def run(task: Task, name: str, index: int, path: Path) -> None:
    """Trains one configuration and writes its lines and its verdict."""
    params = configuration(name, index)
    fields = {key: value for key, value in params.items() if key not in ("group", "sigmoid")}
    trainer = Trainer(task, Training(**fields), seed=index)
    if params.get("sigmoid"):
        trainer.loss = with_sigmoid(trainer.loss)
    printer = Printer(trainer)
    for _ in trainer.run():
        pass
    result = trainer.result()
    judged = ("verdict", "sentence", "distance", "separability", "saturated_right", "saturated_wrong", "updates")
    record = {
        **{"task": name, "index": index, "group": params.pop("group"), "loss": trainer.training.loss},
        **{key: getattr(result, key) for key in judged},
        "seconds": result.train_seconds,
        "params": json.dumps(params),
    }
    table = printer.table()
    table.attrs = {}
    table.to_parquet(path.with_suffix(".parquet"))
    path.with_suffix(".part").write_text(json.dumps(record))
    path.with_suffix(".part").rename(path)


def tables(runs: Path, folder: Path) -> None:
    """Writes runs.parquet, a row a run, and lines.parquet, a row a printed line, of all whole runs."""
    records = [json.loads(path.read_text()) for path in sorted(runs.glob("*.json"))]
    lines = []
    for record in records:
        name, index = record["task"], record["index"]
        lines.append(pd.read_parquet(runs / f"{name}-{index:03}.parquet").assign(task=name, index=index))
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(records).to_parquet(folder / "runs.parquet", compression="zstd")
    whole = pd.concat(lines, ignore_index=True).astype({"task": "category", "index": "int16", "step": "int32"})
    whole.to_parquet(folder / "lines.parquet", compression="zstd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(UPDATES), choices=list(UPDATES))
    parser.add_argument("--configurations", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("results/diagnose"))
    parser.add_argument("--tables", type=Path, metavar="DIR", help="train nothing; write the tables of the runs there")
    options = parser.parse_args()
    if options.tables:
        return tables(options.out, options.tables)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    images = {"path": "data/images", "size": 16}
    tasks = {name: load_task(name, images if name == "images" else {}) for name in options.tasks}
    for index in range(options.configurations):
        for name, task in tasks.items():
            path = options.out / f"{name}-{index:03}.json"
            if not path.exists():
                run(task, name, index, path)
                print(path.name, flush=True)


if __name__ == "__main__":
    main()
