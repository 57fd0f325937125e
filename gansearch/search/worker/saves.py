"""When a trial saves itself, and what is in a checkpoint. A trial's process imports neither Ray nor pyarrow for it."""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from typing import Any

import torch

from gansearch.experiment import Checkpoints

STATE = "state.pt"
"""The file of a checkpoint."""
_PATIENCE = 600.0
"""Seconds for storage that does not answer."""


class Saves:
    """When a trial saves itself: after some time, or some updates, whichever comes first."""

    def __init__(self, checkpoints: Checkpoints, updates: int):
        """Count from now, and from so many updates."""
        self._seconds, self._updates = checkpoints.seconds, checkpoints.updates or math.inf
        self._last = time.monotonic(), updates

    def due(self, updates: int) -> bool:
        """Return whether it is time; then the next time is counted from here."""
        now, (seconds, before) = time.monotonic(), self._last
        if now - seconds < self._seconds and updates - before < self._updates:
            return False
        self._last = now, updates
        return True


def read_state(checkpoint: str) -> dict[str, Any]:
    """Return what a process saved in a folder or at a URL, without pickle. Raises whatever a broken one raises."""
    file: Any = Path(checkpoint) / STATE
    if "://" in checkpoint:
        from gansearch.store.object_store import Storage  # it imports pyarrow, which has threads

        file = io.BytesIO(Storage(checkpoint, _PATIENCE).read(STATE))
    return dict(torch.load(file, weights_only=True, map_location="cpu"))
