"""A script of the user's as what is trained, and which trainer has a task."""

from __future__ import annotations

import os
from typing import cast

import torch

from gansearch.experiment import Experiment, LoopTraining, ScriptTask, Training
from gansearch.gan import Loop, SeedTrainer, Task, load_task, trainer_for
from gansearch.gan.task import Trainable
from gansearch.scripts.run.trainer import ScriptTrainer


class Script(Trainable):
    """A script, which makes and trains its networks itself and reads its data: no `Task`."""

    def __init__(self, task: ScriptTask):
        """Take the task of an experiment."""
        self.name, self.task = task.name, task


def task_of(experiment: Experiment) -> Task | Loop | Script:
    """Return what an experiment trains, loaded where it is code of the user's. Raises TaskError."""
    if isinstance(experiment.task, ScriptTask):
        return Script(experiment.task)
    return load_task(experiment.task, experiment.task_options)


def seed_trainer(
    task: Task | Loop | Script,
    training: Training,
    seed: int = 0,
    device: str = "cpu",
    prune: bool = False,
    uses_gpus: bool = False,
) -> SeedTrainer:
    """Return the trainer of a task, of a loop or of a script of the user's own."""
    if isinstance(task, Script):
        return ScriptTrainer(task, task.task, cast(LoopTraining, training), seed, visible_gpus() * uses_gpus, prune)
    return trainer_for(task, training, seed, device, prune)


def visible_gpus() -> list[str]:
    """Return the GPUs of this process by their names in CUDA_VISIBLE_DEVICES, or by number where that is not set."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(number) for number in range(torch.cuda.device_count())]
    return [name.strip() for name in named.split(",") if name.strip()]
