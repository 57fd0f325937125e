"""The two things that people come for, from Python: a sweep, and training one configuration."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gansearch.experiment import Experiment, ExperimentError, LoopTraining, Resources
from gansearch.gan import Loop, LoopTrainer, Probe, Result, Task, Trainer, check_task, load_task
from gansearch.store.folder import StudyError
from gansearch.store.records import median
from gansearch.study.study import Study, load_study
from gansearch.training.folder import Interrupted, TrainedFolder

if TYPE_CHECKING:
    from gansearch.search.callbacks.listener import Listener

_LOG = logging.getLogger(__name__)

TRAIN_SEEDS = 20_000
"""Added to the experiment's seed by `train`: neither trials nor their confirmation use these."""


def sweep(
    experiment: Experiment,
    out: str | Path | None = None,
    address: str | None = None,
    resume: bool = False,
    listeners: Iterable[Listener] = (),
    allow_change: bool = False,
) -> Study:
    """Searches the experiment's space and leaves a results folder: tables, best.yaml, report, TensorBoard.

    `out` is results/<name> by default, and may be a URL such as s3://bucket/prefix. `address` joins a running Ray
    cluster, `resume` goes on with what is in the folder, and with `allow_change` in another search space.
    `listeners` are told what happens (`gansearch.search.callbacks.listener.Listener`). Raises SweepError, TaskError or
    ExperimentError before anything is written, SweepFailed where every trial failed, Interrupted after Ctrl-C.
    """
    from gansearch.interrupts import LastWord
    from gansearch.search.callbacks.listener import Listeners
    from gansearch.search.callbacks.tensorboard import TensorBoardLog
    from gansearch.search.callbacks.trackers import trackers
    from gansearch.search.errors import SweepFailed
    from gansearch.search.mirror import opened
    from gansearch.search.sweep import sweep as run

    told: list[Any] = [TensorBoardLog(), *trackers(experiment), *listeners]
    with opened(out) as where:
        try:
            swept = run(experiment, where, address, resume, told, allow_change)
        except SweepFailed as failure:
            _report_failed(failure.folder)
            raise
        with LastWord(swept.folder, finished=True):
            Listeners(told).doing("writing the report")
            study = load_study(swept.path)
            if study.best is not None:
                study.export(study.folder.best)
            else:
                study.folder.best.unlink(missing_ok=True)
            study.report()
    return study


def _report_failed(folder: Path) -> None:
    """The page of a sweep whose trials all failed. What keeps it from being written is not what its user should read
    of first."""
    with suppress(StudyError):
        study = load_study(folder)
        if study.counts["failed"] == study.counts["total"]:
            study.report()


@dataclass(frozen=True)
class TrainResult:
    """One configuration, trained on some seeds."""

    seeds: list[Result]
    latent_dim: int
    """Numbers that the generator takes for each sample."""

    @property
    def stability(self) -> float:
        """Median over the seeds."""
        return median(seed.stability for seed in self.seeds)

    @property
    def distance(self) -> float:
        """Median over the seeds."""
        return median(seed.distance for seed in self.seeds)

    @property
    def healthy(self) -> int:
        """How many seeds ended balanced."""
        return sum(seed.verdict == "balanced" for seed in self.seeds)

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch train --json`."""
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
    """Trains the experiment's `training` (not its search) on fresh seeds, one after the other, on this machine.

    Several workers are as many processes, on a GPU each, or all on the CPU where there is no GPU.
    `out` gets what `gansearch.training.folder` lists; with `resume` finished seeds in it are read and not trained, one
    that was cut short goes on, and all go on where `updates` has grown. `watch` is called with the seed and each probe.
    Raises TaskError, ExperimentError for a folder that cannot be used, and whatever the task's own code raises.
    """
    if experiment.without_value:
        names = ", ".join(experiment.without_value)
        text = f"{names}: searched, so without a value; give them under params:, or train what `gansearch export` wrote"
        raise ExperimentError(experiment.name, {"params": text})
    if resume and out is None:
        raise ExperimentError("--resume", {"": "goes on with what is in a folder: name it by --out DIR"})
    # As many threads as a trial has: small networks lose time on more, and runs beside each other lose most of it.
    torch.set_num_threads(max(1, int(experiment.resources.cpus)))
    task = load_task(experiment.task, experiment.task_options)
    devices = _devices(experiment.resources)
    check_task(task, devices[0])
    for text in task.warnings():
        _LOG.warning("warning: %s", text)
    folder = None if out is None else TrainedFolder(out)
    if folder:
        folder.begin(experiment, resume)
    results = []
    try:
        for seed in range(experiment.seed + TRAIN_SEEDS, experiment.seed + TRAIN_SEEDS + seeds):
            kept = folder.seed(seed, experiment.training.updates) if folder else None
            result = kept.finished() if kept else None
            if result is None:
                with _training(experiment, task, seed, devices) as trainer:
                    seen = functools.partial(watch, seed)
                    result = kept.train(trainer, seen) if kept else _train(trainer, seen)
                if isinstance(trainer, LoopTrainer) and trainer.remark:
                    _LOG.warning("seed %d: %s", seed, trainer.remark)
            results.append(result)
    except KeyboardInterrupt:
        raise Interrupted(folder.path) if folder else KeyboardInterrupt from None
    return TrainResult(results, task.latent_dim)


def _train(trainer: Trainer | LoopTrainer, watch: Callable[[Probe], None]) -> Result:
    for probe in trainer.run():
        watch(probe)
    return trainer.result()


def _devices(resources: Resources) -> list[str]:
    """Where each worker trains. Raises ExperimentError where this machine has GPUs, but too few."""
    size, here = resources.processes, torch.cuda.device_count()
    if resources.gpus == 0 or not here:
        return ["cpu"] * size
    if size > here:
        raise ExperimentError("resources", {"gpus": f"{size} are needed, one a worker, but this machine has {here}"})
    return ["cuda"] if size == 1 else [f"cuda:{i}" for i in range(size)]


@contextmanager
def _training(experiment: Experiment, task: Task, seed: int, devices: list[str]) -> Iterator[Trainer | LoopTrainer]:
    if isinstance(task, Loop) and isinstance(experiment.training, LoopTraining):
        yield LoopTrainer(task, experiment.training, seed, devices[0])
        return
    if len(devices) == 1:
        yield Trainer(task, experiment.training, seed, devices[0])
        return
    from gansearch.gan.distributed.spawn import spawned

    with spawned(task, experiment.task, experiment.task_options, experiment.training, seed, devices) as trainer:
        yield trainer
