"""The search by hand of the head-to-head: what a user writes in an afternoon, as strong as it gets.

    python benchmarks/head_to_head_hand.py FILE --seed 0 --until SECONDS_SINCE_1970 --out winner.json

Ray Tune with Optuna's TPE on the distance (OptunaSearch), and ASHA with ten reports a trial, a grace of two of them and
a reduction factor of 3. Two trials at once, their actors reused, until `time_budget_s` is over. It exports the trial
whose last distance is the smallest, of one seed and stopped ones among them, as `ResultGrid.get_best_result` does.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import ray
import torch
from head_to_head_loop import PlainLoop
from optuna.samplers import TPESampler
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from gansearch.experiment import Choices, Experiment, Range, search_order
from gansearch.gan import load_task

SLOTS, REPORTS = 2, 10
END = 1.5
"""Seconds from the end of the time budget to the exit."""
FARTHEST = 1e9
"""Reported where the numbers are no longer finite."""


class Trial(tune.Trainable):
    """A configuration that is trained by tenths; its actor is used again, so that the task is loaded once."""

    def setup(self, config: dict[str, Any], experiment: Experiment, seed: int) -> None:
        torch.set_num_threads(1)
        self.experiment, self.chosen_seed = experiment, seed
        self.built = load_task(experiment.task, experiment.task_options)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        training = self.experiment.training.with_params(new_config)
        self.loop = PlainLoop(self.built, training, self.chosen_seed)
        return True

    def step(self) -> dict[str, float]:
        self.loop.train(round((self.iteration + 1) / REPORTS * self.loop.training.updates))
        return {"distance": min(self.loop.quality()["distance"], FARTHEST)}


def space(experiment: Experiment, trial: optuna.Trial) -> dict[str, Any]:
    """Asks for a configuration; plain values come back as constants."""
    chosen: dict[str, Any] = {}
    for name in search_order(experiment.search):
        entry = experiment.search[name]
        if not isinstance(entry, Range | Choices):
            chosen[name] = entry
        elif entry.holds(experiment.training.with_params(chosen).used):
            chosen[name] = _suggested(trial, name, entry, int in experiment.training.kinds(name, entry))
    return {name: value for name, value in chosen.items() if name not in trial.params}


def _suggested(trial: optuna.Trial, name: str, entry: Range | Choices, whole: bool) -> Any:
    if isinstance(entry, Choices):
        return trial.suggest_categorical(name, entry.choices)
    if whole:
        return trial.suggest_int(name, int(entry.low), int(entry.high), step=int(entry.step or 1), log=entry.log)
    return trial.suggest_float(name, entry.low, entry.high, step=entry.step, log=entry.log)


def best(results: tune.ResultGrid) -> tuple[Mapping[str, Any], float] | None:
    """Configuration and last distance of the nearest trial; None where none has one."""
    known = [r for r in results if r.metrics and r.metrics.get("distance", math.inf) < FARTHEST]
    if not known:
        return None
    nearest = min(known, key=lambda result: result.metrics["distance"])
    return nearest.config, nearest.metrics["distance"]


def search(experiment: Experiment, seed: int, until: float, folder: str) -> dict[str, Any]:
    """Searches until so many seconds since 1970 and returns what is exported."""
    ray.init("local", num_cpus=SLOTS, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="error")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    searcher = OptunaSearch(
        space=functools.partial(space, experiment), metric="distance", mode="min", sampler=TPESampler(seed=seed)
    )
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(Trial, experiment=experiment, seed=seed), {"cpu": 1}),
        tune_config=tune.TuneConfig(
            metric="distance",
            mode="min",
            search_alg=searcher,
            scheduler=ASHAScheduler(max_t=REPORTS, grace_period=2, reduction_factor=3),
            num_samples=-1,
            max_concurrent_trials=SLOTS,
            time_budget_s=max(1.0, until - END - time.time()),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=folder, verbose=0),
    )
    results = tuner.fit()
    found = best(results)
    return {
        "params": dict(found[0]) if found else None,
        "distance": found[1] if found else None,
        "trials": len(results),
        "whole": sum(bool(r.metrics) and r.metrics.get("training_iteration") == REPORTS for r in results),
        "errors": results.num_errors,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    # Tables and event files of each report would only take time.
    os.environ |= {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_AIR_NEW_OUTPUT": "0"}
    with tempfile.TemporaryDirectory() as folder:
        found = search(Experiment.load(given.file), given.seed, given.until, folder)
        given.out.write_text(json.dumps(found))
        ray.shutdown()


if __name__ == "__main__":
    main()
