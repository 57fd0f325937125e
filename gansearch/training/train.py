"""Trains one configuration on fresh seeds, on this machine."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gansearch.experiment import Experiment, ExperimentError, Resources
from gansearch.formatting import number
from gansearch.gan import Loop, Probe, Result, SeedTrainer, Task, check_task
from gansearch.gan.distributed.spawn import spawned
from gansearch.gan.user_code import as_program
from gansearch.interrupts import Interrupted
from gansearch.scripts.task import Script, seed_trainer, task_of
from gansearch.signals import interruptible
from gansearch.store.folder import as_begun
from gansearch.store.record import SeveralSeeds
from gansearch.training.folder import SeedFolder, TrainedFolder

_LOG = logging.getLogger(__name__)

CLEAR = 0.1
"""The share by which a moment of a run is nearer to the data than its end, to be spoken of."""
TRAIN_SEEDS = 20_000
"""Added to the experiment's seed, so that no seed of a trial or of a confirmation is used again."""


@dataclass(frozen=True)
class TrainResult(SeveralSeeds):
    """The results of one configuration that was trained on several seeds."""

    seeds: list[Result]
    """One result per seed."""
    latent_dim: int
    """The number of inputs that the generator takes per sample."""

    def summary(self) -> dict[str, Any]:
        """Returns the object that `gansearch train --json` prints."""
        names = ("seed", "stability", "verdict", "distance", "quality")
        return {
            "seeds": [{name: getattr(seed, name) for name in names} for seed in self.seeds],
            "stability": self.stability,
            "distance": self.distance,
            "healthy": self.healthy,
        }


def train(
    experiment: Experiment,
    seeds: int = 1,
    out: str | Path | None = None,
    watch: Callable[[int, Probe], None] = lambda seed, probe: None,
    resume: bool = False,
) -> TrainResult:
    """Trains an experiment's `training` section, not its search, on fresh seeds, one after the other.

    With several workers, each runs in a process of its own: on its own GPU, or on the CPU if there is no GPU.

    Args:
        experiment: What is trained.
        seeds: The number of seeds.
        out: A folder for the files that `gansearch.training.folder` lists.
        watch: Called with the seed and each probe.
        resume: Continue in `out`: finished seeds are read, others continue from their checkpoints. If
            `training.updates` has grown, every seed continues.

    Raises:
        ExperimentError: The experiment cannot be trained, or the folder cannot be used.
        TaskError: The task cannot be loaded.
        Interrupted: The user pressed Ctrl-C; `resume=True` continues.
    """
    experiment.check_secrets()
    if experiment.without_value:
        names = ", ".join(experiment.without_value)
        text = f"{names}: searched, so without a value; set them under params:, or train what `gansearch export` wrote"
        raise ExperimentError(experiment.name, {"params": text})
    if resume and out is None:
        raise ExperimentError("--resume", {"": "continues what is in a folder; name the folder with --out DIR"})
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(out)):  # as a Path it has lost a slash
        raise ExperimentError(str(out), {"": "is a URL; a training is written to a folder on this machine"})
    folder = None if out is None else TrainedFolder(out)
    if folder and folder.experiment.is_file():
        experiment = as_begun(experiment, folder.path)
    threads = torch.get_num_threads()
    # As many threads as a trial has. Small networks train more slowly on more threads, and runs side by side would
    # compete for the cores.
    torch.set_num_threads(max(1, int(experiment.resources.cpus)))
    try:
        with as_program(experiment.task_name):
            task = task_of(experiment)
            devices = _devices(experiment.resources)
            if not isinstance(task, Script):
                check_task(task, devices[0])
            for text in task.warnings():
                _LOG.warning("warning: %s", text)
            first = experiment.seed + TRAIN_SEEDS
            with interruptible(), folder.held() if folder else nullcontext():
                if folder:
                    folder.begin(experiment, resume)
                results = [
                    _train_seed(experiment, task, n, devices, folder, watch) for n in range(first, first + seeds)
                ]
    except KeyboardInterrupt:
        raise Interrupted(folder.path, "finished seeds and checkpoints are") if folder else KeyboardInterrupt from None
    finally:
        torch.set_num_threads(threads)
    return TrainResult(results, task.latent_dim)


def _train_seed(
    experiment: Experiment,
    task: Task | Loop | Script,
    seed: int,
    devices: list[str],
    folder: TrainedFolder | None,
    watch: Callable[[int, Probe], None],
) -> Result:
    """Trains one seed, or reads its result if it is finished in `folder`."""
    seed_folder = folder.seed(seed, experiment) if folder else None
    if seed_folder and (finished := seed_folder.finished()):
        return finished
    with _trainer(experiment, task, seed, devices) as trainer:
        if seed_folder:
            result = seed_folder.train(trainer, functools.partial(watch, seed))
        else:
            for probe in trainer.run():
                watch(seed, probe)
            result = trainer.result()
    if seed_folder and (nearer := _nearer(seed_folder)):
        _LOG.warning("seed %d: %s", seed, nearer)
    if remark := trainer.remark():
        _LOG.warning("seed %d: %s", seed, remark)
    return result


def _nearer(folder: SeedFolder) -> str:
    """Returns that a run was clearly nearer to the data before its end; empty if it was not."""
    found = folder.compared
    if not found or not found.distance < found.last_distance - CLEAR * abs(found.last_distance):
        return ""
    kept = "its samples are of it" if folder.keep == "best" else "a training with keep: best takes samples of it"
    return (
        f"nearest after {found.update:,} updates, at {number(found.distance)} where its end is at "
        f"{number(found.last_distance)}; generator-best.safetensors has that moment, {kept}"
    )


def _devices(resources: Resources) -> list[str]:
    """Returns the device of each worker. Raises ExperimentError if this machine has GPUs, but too few."""
    needed, available = resources.processes, torch.cuda.device_count()
    if resources.gpus == 0 or not available:
        return ["cpu"] * needed
    if needed > available:
        text = f"{needed} are needed, one per worker, but this machine has {available}"
        raise ExperimentError("resources", {"gpus": text})
    return ["cuda"] if needed == 1 else [f"cuda:{i}" for i in range(needed)]


def _trainer(
    experiment: Experiment, task: Task | Loop | Script, seed: int, devices: list[str]
) -> AbstractContextManager[SeedTrainer]:
    """Gives the trainer of a user's loop, of one process, or of one process per device."""
    if not isinstance(task, Task) or len(devices) == 1:
        uses_gpus = bool(experiment.resources.gpus)
        return nullcontext(seed_trainer(task, experiment.training, seed, devices[0], uses_gpus=uses_gpus))
    return spawned(task, experiment.task_name, experiment.task_options, experiment.training, seed, devices)
