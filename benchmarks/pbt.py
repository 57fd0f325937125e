"""Compares a schedule found by population-based training with the best constants of a random search.

    python benchmarks/pbt.py [--quick] [--task ring|digits]... [--searches N]

Both train as many updates (members or trials × updates) over the same space, one at a time, without early stopping.
The best of each is chosen by the same rule on its one seed, exported, and trained from the start on the same fresh
seeds: their median distance is compared. No claim is made, so the ratio has no target. The target is that the exported
schedule, trained with the sweep's seed, gives the member's samples bit for bit.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import numpy as np

from gansearch import Experiment, load_study, sweep, train
from gansearch.gan import Trainer, load_task
from gansearch.store.samples import read_samples

SPACE = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "lr_ratio": {"low": 0.05, "high": 20, "log": True},
    "update_ratio": {"low": 0.2, "high": 5, "log": True},
}
UPDATES = {"ring": 4000, "digits": 1500}
MEMBERS = 8
FRESH = 5


def searched(task: str, sampler: str, seed: int, updates: int, members: int, folder: Path) -> Path:
    """Runs a sweep and returns its results folder."""
    experiment = Experiment.parse(
        {
            **{"name": f"{task} by {sampler}", "task": task, "seed": seed, "training": {"updates": updates}},
            **{"search": SPACE, "trials": members, "sampler": sampler, "prune": False, "confirm": None},
        }
    )
    return sweep(experiment, folder).folder.path


def judged(path: Path, fresh: int) -> dict[str, Any]:
    """Trains the best of a sweep, or the closest trial, on fresh seeds."""
    study = load_study(path)
    file = path / "exported.yaml"
    study.export(file, anyway=True)
    experiment = Experiment.load(file)
    result, choice = train(experiment, fresh), study.best or study.closest
    assert choice is not None
    return {
        "searched": round(choice.distance, 4),
        "fresh": round(result.distance, 4),
        "each": sorted(round(seed.distance, 4) for seed in result.seeds),
        "balanced": result.healthy,
        "changes": len(experiment.training.schedule),
        "sweep_seconds": round(study.run["wall_seconds"], 1),
    }


def is_exact(path: Path) -> bool:
    """Whether the exported schedule, with the sweep's own seed, gives the samples of the member."""
    study, experiment = load_study(path), Experiment.load(path / "exported.yaml")
    choice = study.best or study.closest
    assert choice is not None
    trainer = Trainer(load_task(experiment.task, experiment.task_options), experiment.training, experiment.seed)
    for _ in trainer.run():
        pass
    samples = read_samples(study.folder, choice.number)
    return samples is not None and np.array_equal(trainer.result().samples[: len(samples.array)], samples.array)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ring alone, four members of 400 updates, two fresh seeds")
    parser.add_argument("--task", action="append", choices=UPDATES, help="ring and digits if not given")
    parser.add_argument("--searches", type=int, default=1, help="searches of each task, with seeds of their own")
    given = parser.parse_args()
    import ray

    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    figures: dict[str, Any] = {}
    for task in ["ring"] if given.quick else given.task or list(UPDATES):
        members, updates, fresh = (4, 400, 2) if given.quick else (MEMBERS, UPDATES[task], FRESH)
        found: list[dict[str, Any]] = []
        for search in range(given.searches):
            with tempfile.TemporaryDirectory() as folder:
                runs: dict[str, Any] = {}
                for sampler in ("pbt", "random"):
                    start = time.monotonic()
                    path = searched(task, sampler, 1000 * search, updates, members, Path(folder) / sampler)
                    runs[sampler] = judged(path, fresh)
                    runs[sampler]["seconds"] = round(time.monotonic() - start, 1)
                runs["exact"] = is_exact(Path(folder) / "pbt")
                found.append(runs)
                print(f"{task}, search {search}: {runs}", flush=True)
        logs = [math.log(runs["pbt"]["fresh"] / runs["random"]["fresh"]) for runs in found]
        figures[task] = {
            "members": members,
            "updates": updates,
            "fresh_seeds": fresh,
            "schedule_over_constants": round(math.exp(statistics.fmean(logs)), 3),
            "searches": found,
        }
    ok = all(runs["exact"] for task in figures.values() for runs in task["searches"])
    print(json.dumps({"benchmark": "pbt", "figures": figures, "targets": {"exact": True}, "ok": ok}))


if __name__ == "__main__":
    main()
