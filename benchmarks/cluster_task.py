"""The task of the sweeps in benchmarks/cluster_faults.py, which Ray's workers import."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

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
