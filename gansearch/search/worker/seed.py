"""One seed of one configuration: what is trained, and the trainer of it in this worker."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gansearch.experiment import Experiment, ScriptTask, Training
from gansearch.gan import Loop, SeedTrainer, Task, load_task
from gansearch.scripts.task import Script, seed_trainer

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

    def prepare_process(self) -> None:
        """Let PyTorch use the CPUs of the job, and seed the random numbers that user code draws elsewhere.

        A process that is forked has those of its origin, and fresh seeds should differ in all that they draw.
        """
        torch.set_num_threads(max(1, int(self.cpus)))  # its number belongs to the thread
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)


def trainer_of(job: SeedJob) -> SeedTrainer:
    """Return the trainer of a job in this process. Raises what the task raises."""
    job.prepare_process()
    task = task_of(job.experiment)
    return seed_trainer(task, job.training, job.seed, job.device, job.prune, uses_gpus=job.gpus > 0)


def task_of(experiment: Experiment) -> Task | Loop | Script:
    """Return the experiment's task, loaded once in this process and those that are forked from it."""
    if isinstance(experiment.task, ScriptTask):
        return Script(experiment.task)
    return load_once(experiment.task_name, experiment.task_options)


def load_once(task: str, options: Mapping[str, Any]) -> Task | Loop:
    """Return a task, which is kept until another is wanted: reading data can take longer than a trial."""
    key = json.dumps([task, options], sort_keys=True, default=str)
    if key not in _TASKS:
        _TASKS.clear()
        _TASKS[key] = load_task(task, options)
    return _TASKS[key]
