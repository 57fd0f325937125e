"""Trains the random configurations by which the stability score is judged; resumable, one file a run.

    python benchmarks/validity_runs.py [--tasks ring grid digits] [--configurations 80] [--out results/validity]

Each run leaves its probes and its monitor's rows, and at 25, 50 and 100% of its updates after pretraining the referee,
the quality, D's scores of training reals, held-out reals and fakes, and samples, so that other scores can be tried
without training again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task

UPDATES = {"ring": 4000, "grid": 4000, "digits": 3000}
LOSSES = ("non_saturating", "minimax", "hinge", "wgan")
SEEDS = 2
STAGES = (0.25, 0.5, 1.0)


def configuration(task: str, index: int) -> dict[str, Any]:
    """The index-th random configuration: the eight pairs of loss and R1 on or off in turn."""
    draw = random.Random(f"{task} {index}")

    def log_uniform(low: float, high: float) -> float:
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    return {
        "loss": LOSSES[index % 4],
        "r1_gamma": log_uniform(0.01, 3.0) if index // 4 % 2 else 0.0,
        "lr": log_uniform(1e-4, 1e-2),
        "lr_ratio": log_uniform(0.05, 20),
        "update_ratio": log_uniform(0.2, 5),
        "pretrain_steps": draw.choice([0, 0, 200, 800]),
        "updates": UPDATES[task],
    }


def run(task_name: str, index: int, seed: int, path: Path) -> None:
    """Trains one seed of one configuration and writes what it left."""
    params = configuration(task_name, index)
    trainer = Trainer(load_task(task_name), Training(**params), seed=seed)
    stages, arrays, start = [], {}, time.perf_counter()
    before, updates = trainer.training.pretrain_steps, trainer.training.updates
    probes = []
    for probe in trainer.run():
        probes.append(asdict(probe))
        due = len(stages) < len(STAGES) and probe.update >= before + STAGES[len(stages)] * (updates - before)
        if due or trainer.stopped:
            stages.append(look(trainer, arrays, len(stages)))
    record = {
        "task": task_name,
        "index": index,
        "seed": seed,
        "params": params,
        "seconds": time.perf_counter() - start,
        "probes": probes,
        "rows": [asdict(row) for row in trainer.monitor.rows()],
        "stages": stages,
    }
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    path.with_suffix(".part").write_text(json.dumps(record))
    path.with_suffix(".part").rename(path)


def look(trainer: Trainer, arrays: dict[str, np.ndarray], stage: int) -> dict[str, Any]:
    """What the run looks like now; its samples and scores go into `arrays`."""
    result = trainer.result()
    scores = {}
    with torch.no_grad():
        held_out = trainer.data.held_out[:256]
        fake = torch.from_numpy(result.samples[:256])
        for name, samples in {"train": trainer.data.real[:256], "held_out": held_out, "fake": fake}.items():
            scores[f"{name}_{stage}"] = trainer.discriminator(samples).flatten().numpy()
    arrays.update(scores)
    arrays[f"samples_{stage}"] = result.samples.astype(np.float32)
    return {k: v for k, v in asdict(result).items() if k != "samples"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(UPDATES), choices=list(UPDATES))
    parser.add_argument("--configurations", type=int, default=80)
    parser.add_argument("--out", type=Path, default=Path("results/validity"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for index in range(options.configurations):
        for task in options.tasks:
            for seed in range(SEEDS):
                path = options.out / f"{task}-{index:03d}-{seed}.json"
                if not path.exists():
                    run(task, index, seed, path)
                    print(path.name, flush=True)


if __name__ == "__main__":
    main()
