"""The best candidates, trained again on fresh seeds: no trials, no rows, no entries of the study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray.exceptions import RayError

from gansearch.experiment import Experiment
from gansearch.gan.registry import user_traceback
from gansearch.search.interrupt import Interrupts
from gansearch.search.listener import Listener
from gansearch.search.trial import few, seed_result, train_seed
from gansearch.study.choose import candidates
from gansearch.study.folder import Folder, write_array, write_whole
from gansearch.study.tables import read_confirmation, to_json

FIRST_SEED = 10_000
"""Added to the experiment's seed: no trial has used these."""

Run = tuple[int, int]
"""The number of a trial and a seed."""


def missing(folder: Folder, experiment: Experiment, rows: Sequence[Mapping[str, Any]]) -> list[Run]:
    """The runs that a sweep with these rows still has to do, candidate after candidate."""
    if experiment.confirm is None or not rows:
        return []
    budget = experiment.confirm.updates
    done = {
        (entry["number"], entry["seed"])
        for entry in read_confirmation(folder)
        if entry.get("budget") == budget  # one that was changed since then confirms nothing
    }
    numbers = candidates(pd.DataFrame(rows), experiment.confirm.top)
    seeds = [experiment.seed + FIRST_SEED + i for i in range(experiment.confirm.replicas)]
    return [(number, seed) for number in numbers for seed in seeds if (number, seed) not in done]


def confirm(
    folder: Folder,
    experiment: Experiment,
    runs: Sequence[Run],
    params: Mapping[int, Mapping[str, Any]],
    slots: int,
    gpus: float,
    listeners: Listener,
    interrupts: Interrupts,
) -> None:
    """Trains the runs, `slots` at a time; `params` are those of each trial. Returns early once interrupted.

    Each result is in confirmation.json before the next is waited for: a resumed sweep goes on from there.
    """
    cpus, budget = experiment.resources.cpus, experiment.confirm and experiment.confirm.updates
    longer = {"updates": budget} if budget else {}
    train = ray.remote(num_cpus=cpus, num_gpus=gpus)(_train)
    waiting, running = list(runs), dict[ray.ObjectRef, Run]()
    while waiting or running:
        while waiting and len(running) < slots:
            number, seed = waiting.pop(0)
            running[train.remote(experiment, {**params[number], **longer}, seed, cpus, gpus)] = (number, seed)
            listeners.confirming(number, seed, None)
        done, _ = ray.wait(list(running), timeout=0.2)
        if interrupts.requested:
            for reference in running:
                ray.cancel(reference, force=True)
            return
        for reference in done:
            number, seed = running.pop(reference)
            try:
                result, samples = ray.get(reference)
            except RayError as error:
                result, samples = _failed(seed, f"the worker died: {error}"), None
            if samples is not None and seed == experiment.seed + FIRST_SEED:
                write_array(folder.record(number) / "confirmed.npy", samples)
            others = [e for e in read_confirmation(folder) if (e["number"], e["seed"]) != (number, seed)]
            entries = [*others, {"number": number, "budget": budget, **result}]
            write_whole(folder.confirmation, to_json(entries))
            listeners.confirming(number, seed, result)


def _train(
    experiment: Experiment, params: Mapping[str, Any], seed: int, cpus: float, gpus: float
) -> tuple[dict[str, Any], np.ndarray | None]:
    """What a Ray worker runs: one seed to the end of its budget, and a few of its samples."""
    try:
        trainer = train_seed(experiment, params, seed, cpus, gpus, prune=False)
        for _ in trainer.run():
            pass
        result = trainer.result()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        return _failed(seed, user_traceback(error)), None
    return seed_result(result), few(result.samples)


def _failed(seed: int, error: str) -> dict[str, Any]:
    """The result of a seed that left none; the worst verdict stands for it."""
    numbers = ("stability", "distance", "saturated_right", "saturated_wrong", "separability", "referee_gap")
    return {
        "seed": seed,
        "status": "failed",
        "error": error,
        "verdict": "diverged",
        "sentence": "The run raised.",
        **dict.fromkeys(numbers, math.nan),
        "quality": {},
        "updates": 0,
        "train_seconds": 0.0,
    }
