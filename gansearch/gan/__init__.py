"""One GAN and how it is trained: tasks, losses, the trainer. Knows no Ray, no Optuna, no results folder."""

from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.check import check_task
from gansearch.gan.loop.task import Loop
from gansearch.gan.loop.trainer import LoopTrainer
from gansearch.gan.loop.trial import Trial
from gansearch.gan.registry import available_tasks, load_task, register_task
from gansearch.gan.result import Probe, Result
from gansearch.gan.seed_trainer import SeedTrainer, trainer_for
from gansearch.gan.task import Task, TaskError
from gansearch.gan.trainer import Trainer

__all__ = [
    "BalanceController",
    "Loop",
    "LoopTrainer",
    "Probe",
    "Result",
    "SeedTrainer",
    "Task",
    "TaskError",
    "Trainer",
    "Trial",
    "available_tasks",
    "check_task",
    "load_task",
    "register_task",
    "trainer_for",
]
