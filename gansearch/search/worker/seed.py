"""One seed of one configuration: what is trained, and the trainer of it in this worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from gansearch.experiment import Experiment, Training
from gansearch.gan import Loop, SeedTrainer, Task, load_task, trainer_for

_TASKS: dict[str, Task | Loop] = {}


@dataclass(frozen=True)
class SeedJob:
    """One seed of one configuration, and what each of its workers may use."""

    experiment: Experiment
    params: Mapping[str, Any]
    seed: int
    cpus: float
    gpus: float
    prune: bool = False
    """Whether a training beyond hope is ended."""

    @property
    def training(self) -> Training:
        """The training section with the parameters of this configuration."""
        return self.experiment.training.with_params(self.params)

    @property
    def device(self) -> str:
        """Where a worker with so many GPUs trains."""
        return "cuda" if self.gpus and torch.cuda.is_available() else "cpu"

    def set_threads(self) -> None:
        """Let PyTorch use the CPUs of the job. Its number belongs to the thread, and Tune starts one for each trial."""
        torch.set_num_threads(max(1, int(self.cpus)))


def trainer_of(job: SeedJob) -> SeedTrainer:
    """Return the trainer of a job in this process. Raises what the task raises."""
    job.set_threads()
    return trainer_for(task_of(job.experiment), job.training, job.seed, job.device, job.prune)


def task_of(experiment: Experiment) -> Task | Loop:
    """Return the experiment's task, which is kept while the worker lives: reading data can take longer than a trial."""
    key = json.dumps([experiment.task, experiment.task_options], sort_keys=True, default=str)
    if key not in _TASKS:
        _TASKS.clear()
        _TASKS[key] = load_task(experiment.task, experiment.task_options)
    return _TASKS[key]
