"""Finds the balance of discriminator and generator at which a GAN trains.

Names are imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansearch.api import TrainResult, sweep, train
    from gansearch.experiment import Experiment, ExperimentError
    from gansearch.gan import BalanceController, Task, TaskError, Trial, available_tasks, register_task
    from gansearch.stability import StabilityMonitor, StabilityReport
    from gansearch.store.folder import StudyError
    from gansearch.study.study import Study, load_study

__version__ = "0.1.0"

_WHERE = {
    "BalanceController": "gansearch.gan",
    "Experiment": "gansearch.experiment",
    "ExperimentError": "gansearch.experiment",
    "StabilityMonitor": "gansearch.stability",
    "StabilityReport": "gansearch.stability",
    "Study": "gansearch.study.study",
    "StudyError": "gansearch.store.folder",
    "Task": "gansearch.gan",
    "TaskError": "gansearch.gan",
    "TrainResult": "gansearch.api",
    "Trial": "gansearch.gan",
    "available_tasks": "gansearch.gan",
    "load_study": "gansearch.study.study",
    "register_task": "gansearch.gan",
    "sweep": "gansearch.api",
    "train": "gansearch.api",
}

__all__ = [
    "BalanceController",
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
    "load_study",
    "register_task",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'gansearch' has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    # A room may have the name of one of our functions: what is asked for wins.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
