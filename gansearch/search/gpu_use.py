"""What trials take of GPUs: how much of one for how long, its memory, and how busy it was."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray.tune.experiment import Trial

from gansearch.search.tuning import SweepCallback, name_of


def gpus_of(trial: Trial) -> float:
    """Return the GPUs that a trial of Tune's asks for, those of all its workers."""
    return float(trial.placement_group_factory.required_resources.get("GPU", 0.0))


@dataclass
class _Use:
    """What is known of one trial."""

    heard: float = 0.0
    seconds: float = 0.0
    memory: float = 0.0
    busy: float = 0.0
    """The sum of the shares that were told."""
    told: int = 0


class GpuUse(SweepCallback):
    """Tune's callback that adds up the GPUs that trials hold, from start to report and from report to report.

    A trial that is paused, or waits for another worker, holds none.
    """

    def __init__(self, hours: float | None = None):
        """Begin with the GPU hours of the folder's earlier runs; None where there were none."""
        self._before = hours
        self._uses: dict[str, _Use] = {}

    @property
    def hours(self) -> float | None:
        """GPUs times hours, of all trials and runs on fresh seeds so far; None where no trial had a GPU."""
        seconds = [use.seconds for use in self._uses.values()]
        return (self._before or 0.0) + sum(seconds) / 3600 if seconds or self._before is not None else None

    def columns(self, trial: Trial) -> dict[str, float]:
        """Return what a trial's record says of GPUs, by column; nothing where it had none."""
        use = self._uses.get(name_of(trial))
        if use is None:
            return {}
        busy = use.busy / use.told if use.told else math.nan
        return {"gpu_seconds": use.seconds, "gpu_memory": use.memory or math.nan, "gpu_utilisation": busy}

    def on_trial_start(self, trial: Trial, **info: Any) -> None:
        """Count from now on."""
        if gpus_of(trial):
            self._uses.setdefault(name_of(trial), _Use()).heard = time.monotonic()

    def on_trial_result(self, trial: Trial, result: Mapping[str, Any], **info: Any) -> None:
        """Count up to now, and note what the process of the trial says."""
        use = self._uses.get(name_of(trial))
        if use is None:
            return
        now = time.monotonic()
        use.seconds, use.heard = use.seconds + gpus_of(trial) * (now - use.heard), now
        use.memory = max(use.memory, result.get("gpu_memory", 0.0))
        if "gpu_utilisation" in result:
            use.busy, use.told = use.busy + result["gpu_utilisation"], use.told + 1
