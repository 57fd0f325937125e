"""The tasks of the sweeps in benchmarks/cluster.py and cluster_faults.py, which the trials import."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from gansearch.gan.tasks.mixtures import Ring
from gansearch.search.worker import run as run_module


class Faulty(Ring):
    """A ring whose workers report often, and hang where they find the file `faults`/hang."""

    def __init__(self, faults: str) -> None:
        super().__init__(samples=2000, width=32)
        run_module.REPORT_SECONDS = 0.1
        self.hang = Path(faults) / "hang"

    def quality(self, real: Any, fake: Any) -> dict[str, float]:
        try:
            self.hang.unlink()
        except FileNotFoundError:
            return super().quality(real, fake)
        while True:
            time.sleep(3600)


def waits(trial: Any, there: str, trials: int) -> None:
    """A loop that ends once as many trials have begun, or none has for two minutes."""
    (Path(there) / f"{trial.params['lr']}").touch()
    seen, since = 0, time.monotonic()
    while seen < trials and time.monotonic() - since < 120:
        count = len(list(Path(there).iterdir()))
        seen, since = (count, time.monotonic()) if count > seen else (seen, since)
        time.sleep(0.5)
    trial.monitor.update(torch.randn(50), torch.randn(50))
    trial.report(step=4, distance=1.0)
