"""How a task's samples are shown, asked of code that may be wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gansearch.gan.task import Task


def shown_of(task: Task, samples: np.ndarray) -> dict[str, Any]:
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
