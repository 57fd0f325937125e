"""How a task's samples are shown, in the data's own units; asked of code that may be wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from gansearch.gan.task import Trainable


def undone(task: Trainable, samples: np.ndarray) -> np.ndarray:
    """(N, ...) samples, or what the task's `undo` makes of them."""
    layer = task.undo()
    if layer is None:
        return samples
    with torch.no_grad():
        found: np.ndarray = layer(torch.from_numpy(samples)).numpy()
    return found


def shown_of(task: Trainable, samples: np.ndarray) -> dict[str, Any]:
    """What `task.shown` says of (N, ...) samples, as plain JSON; {} where it raises or is no JSON."""
    try:
        said = json.loads(json.dumps(task.shown(samples), default=_plain))
    except Exception:  # noqa: BLE001 (the user's code may raise anything, and nothing is lost but a picture)
        return {}
    return said if isinstance(said, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")
