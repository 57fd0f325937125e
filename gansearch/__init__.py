"""Finds the balance of discriminator and generator at which a GAN trains.

The public names are imported when they are first used: `import gansearch` loads neither torch nor Ray.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansearch import distances
    from gansearch.api import sweep
    from gansearch.diagnosis.diagnosis import Diagnosis, diagnose
    from gansearch.experiment import Experiment, ExperimentError
    from gansearch.gan import BalanceController, Task, TaskError, Trial, available_tasks, register_task
    from gansearch.search.sampling.balance import BalanceSampler
    from gansearch.stability import StabilityMonitor, StabilityReport
    from gansearch.store.folder import StudyError
    from gansearch.study.study import Study, load_study
    from gansearch.training.train import TrainResult, train

__version__ = "0.3.0.dev0"

__all__ = [
    "BalanceController",
    "BalanceSampler",
    "Diagnosis",
    "Experiment",
    "ExperimentError",
    "StabilityMonitor",
    "StabilityReport",
    "Study",
    "StudyError",
    "Task",
    "TaskError",
    "TrainResult",
    "Trial",
    "available_tasks",
    "diagnose",
    "distances",
    "load_study",
    "register_task",
    "sweep",
    "train",
]

_MODULES = {
    "gansearch.api": ("sweep",),
    "gansearch.diagnosis.diagnosis": ("Diagnosis", "diagnose"),
    "gansearch.experiment": ("Experiment", "ExperimentError"),
    "gansearch.gan": ("BalanceController", "Task", "TaskError", "Trial", "available_tasks", "register_task"),
    "gansearch.search.sampling.balance": ("BalanceSampler",),
    "gansearch.stability": ("StabilityMonitor", "StabilityReport"),
    "gansearch.store.folder": ("StudyError",),
    "gansearch.study.study": ("Study", "load_study"),
    "gansearch.training.train": ("TrainResult", "train"),
}
"""The modules in which the public names are defined."""


def __getattr__(name: str) -> Any:
    if name == "distances":
        return importlib.import_module("gansearch.distances")
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module 'gansearch' has no attribute {name!r}")
    # Stored, so that a submodule of the same name cannot take the name's place when it is imported later.
    globals()[name] = value = getattr(importlib.import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
