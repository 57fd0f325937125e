"""How a task's samples are displayed, in the units of its data. The task's own code may raise."""

from __future__ import annotations

import json
import logging
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.task import Trainable

MOST_SAMPLES = 64
MOST_BYTES = 1_000_000

_LOG = logging.getLogger(__name__)


def displayed(samples: np.ndarray | Tensor) -> int:
    """How many of (N, ...) samples, the first ones, are kept for people to look at: at most 64 and 1 MB."""
    return min(MOST_SAMPLES, len(samples), MOST_BYTES // max(1, samples[:1].nbytes))


def undone(task: Trainable, samples: np.ndarray) -> np.ndarray:
    """(N, ...) samples in the units of the data: what the task's `undo` makes of them, where it has one."""
    layer = task.undo()
    if layer is None:
        return samples
    with torch.no_grad():
        result: np.ndarray = layer(torch.from_numpy(samples)).numpy()
    return result


def display_of(task: Trainable, samples: np.ndarray) -> dict[str, Any]:
    """What `task.shown` returns for (N, ...) samples, as plain JSON; {} where it raises or is no JSON."""
    try:
        display = json.loads(json.dumps(task.shown(samples), default=_plain))
    except Exception:  # noqa: BLE001 (the user's code may raise anything, and only a picture is lost)
        return {}
    return display if isinstance(display, dict) else {}


def files_of(task: Trainable, samples: np.ndarray) -> dict[str, bytes]:
    """What `task.sample_files` returns for (N, ...) samples, without names of other folders.

    Where it raises, {} and a warning.
    """
    try:
        files = task.sample_files(samples)
        return {name: bytes(content) for name, content in files.items() if name == PurePath(name).name}
    except Exception as error:  # noqa: BLE001 (as above)
        _LOG.warning("samples are written as arrays alone: sample_files raised %s: %s", type(error).__name__, error)
        return {}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")
