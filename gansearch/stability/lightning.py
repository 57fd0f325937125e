"""The monitor as a callback of Lightning, for a GAN that is a LightningModule."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gansearch.stability.monitor import Output, StabilityMonitor
from gansearch.stability.report import StabilityReport


def _lightning() -> Any:
    """Lightning under the name by which the caller has imported it: its two packages have different classes."""
    for name in sorted(("lightning.pytorch", "pytorch_lightning"), key=lambda name: name not in sys.modules):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError("StabilityCallback needs Lightning: pip install 'gansearch[lightning]'")


class StabilityCallback(_lightning().Callback):  # type: ignore[misc]
    """Probes D every `every` training batches, and prints at the end of training how stable it was.

    `probe(module)` returns D's scores of some real and as many fake samples, tensors of any shape; it is called without
    gradients. `callback.report` is the StabilityReport up to the last epoch; its "stability" and "separability" are
    logged, so that loggers and ModelCheckpoint can use them. Its state is part of Lightning's checkpoints.
    """

    def __init__(
        self, probe: Callable[[Any], tuple[Tensor, Tensor]], every: int = 50, output: Output = "logit"
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1 batch, not {every}")
        self.probe, self.every, self.monitor = probe, every, StabilityMonitor(output)
        self.report: StabilityReport | None = None
        self._batches = 0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
        """Gives the monitor a probe where one is due."""
        self._batches += 1
        if self._batches % self.every == 0:
            with torch.no_grad():
                self.monitor.update(*self.probe(pl_module), step=self._batches)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Updates the report and logs it."""
        if self._batches < self.every:
            return
        self.report = self.monitor.report()
        pl_module.log_dict({"stability": self.report.stability, "separability": self.report.separability})

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Prints the report, on the first process alone."""
        if self.report is not None and trainer.is_global_zero:
            print(self.report)

    def state_dict(self) -> dict[str, Any]:
        """The callback's part of a checkpoint."""
        return {"monitor": self.monitor.state(), "batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continues from a checkpoint."""
        self.monitor.load_state(state_dict["monitor"])
        self._batches = state_dict["batches"]
