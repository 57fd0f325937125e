"""What the callbacks of other libraries share: a probe every so many training batches, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gansearch.stability.monitor import Output, StabilityMonitor
from gansearch.stability.report import StabilityReport

Probe = Callable[[Any], tuple[Tensor, Tensor]]
"""Returns D's scores of some real and as many fake samples, tensors of any shape; called without gradients."""


class BatchProbes:
    """Gives a monitor a probe every `every` training batches.

    Raises:
        ValueError: `every` is below 1, or `output` is none of StabilityMonitor's.
    """

    def __init__(self, probe: Probe, every: int = 50, output: Output = "logit", name: str = ""):
        if every < 1:
            raise ValueError(f"every must be at least 1 batch, not {every}")
        self.probe, self.every, self.monitor = probe, every, StabilityMonitor(output)
        self.name, self.batches = name, 0

    def after_batch(self, trained: Any) -> None:
        """Count a training batch, and probe what is `trained` where a probe is due."""
        self.batches += 1
        if self.batches % self.every == 0:
            with torch.no_grad():
                self.monitor.update(*self.probe(trained), step=self.batches)

    def report(self) -> StabilityReport | None:
        """Return the report so far; None before the first probe. Waits for the device."""
        return None if self.monitor.table() is None else self.monitor.report()

    def metrics(self, report: StabilityReport) -> dict[str, float]:
        """Return the numbers that go to a library's own loggers."""
        prefix = f"{self.name}_" if self.name else ""
        return {f"{prefix}stability": report.stability, f"{prefix}separability": report.separability}

    def print(self, report: StabilityReport) -> None:
        """Print a report, with the name of D where it has one."""
        print(f"{self.name}: {report}" if self.name else report)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"monitor": self.monitor.state(), "batches": self.batches}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.monitor.load_state(state["monitor"])
        self.batches = state["batches"]
