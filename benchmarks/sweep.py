"""Measures how busy a sweep keeps its slots: Σ training seconds / (wall seconds × slots), after Ray has started.

    python benchmarks/sweep.py [--quick]

The trials of a task that only waits take 10 seconds each (3 with --quick) on 2 slots. The rest of the time is spent by
Ray, the sampler, the tables and the study.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import ray
import torch
from torch import nn

from gansearch.experiment import Experiment
from gansearch.gan import Task
from gansearch.search.sweep import sweep
from gansearch.store.folder import Folder
from gansearch.store.nan_json import from_json

SLOTS = 2
TARGET = 0.90


class Waiting(Task):
    """Networks of a few weights; each measurement of the quality waits, `seconds` in all for a run."""

    latent_dim = 2

    def __init__(self, seconds: float = 10.0):
        self.seconds = seconds

    def real(self) -> torch.Tensor:
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self) -> nn.Module:
        return nn.Linear(2, 2)

    def discriminator(self) -> nn.Module:
        return nn.Linear(2, 1)

    def quality(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
        time.sleep(self.seconds / 4)
        return {"distance": float((real.mean(0) - fake.mean(0)).norm())}


def measure(trials: int, seconds: float) -> dict[str, float]:
    """Runs one sweep and returns its figures."""
    experiment = Experiment(
        name="benchmark",
        task=f"{Path(__file__).resolve()}:Waiting",
        task_options={"seconds": seconds},
        training={"updates": 160, "batch_size": 8},
        search={
            "lr": {"low": 1e-4, "high": 1e-2, "log": True},
            "lr_ratio": {"low": 0.1, "high": 10, "log": True},
            "update_ratio": {"low": 0.2, "high": 5, "log": True},
        },
        trials=trials,
        prune=False,
        confirm=None,
        resources={"gpus": 0},
    )
    ray.init("local", num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level="error")
    with tempfile.TemporaryDirectory() as folder:
        swept = sweep(experiment, Path(folder) / "out")
        run = from_json(Folder(swept.path).run.read_text(encoding="utf-8"))
    train_seconds = sum(record.train_seconds for record in swept.records)
    return {
        "trials": trials,
        "slots": run["slots"],
        "seconds_a_trial": train_seconds / trials,
        "wall_seconds": run["wall_seconds"],
        "train_seconds": train_seconds,
        "busy": train_seconds / (run["wall_seconds"] * run["slots"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="trials of 3 seconds in place of 10")
    quick = parser.parse_args().quick
    figures = measure(trials=20 if quick else 24, seconds=3.0 if quick else 10.0)
    for name, value in figures.items():
        print(f"{name:16} {value:.3f}")
    print(
        json.dumps(
            {
                "benchmark": "sweep",
                "figures": figures,
                "targets": {"busy": TARGET},
                "ok": figures["busy"] >= TARGET,
            }
        )
    )


if __name__ == "__main__":
    main()
