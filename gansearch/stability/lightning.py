"""The monitor as a callback of Lightning, for a GAN that is a LightningModule."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from gansearch.stability.batches import BatchProbes, Probe
from gansearch.stability.monitor import Output
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
    With several discriminators give each its callback and a `name`, which stands before what is logged.
    """

    def __init__(self, probe: Probe, every: int = 50, output: Output = "logit", name: str = "") -> None:
        self._probes = BatchProbes(probe, every, output, name)
        self.monitor = self._probes.monitor
        self.report: StabilityReport | None = None

    @property
    def state_key(self) -> str:
        """The name of its part of a checkpoint."""
        key: str = super().state_key
        return f"{key}{{name: {self._probes.name}}}" if self._probes.name else key

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
        """Gives the monitor a probe where one is due."""
        self._probes.after_batch(pl_module)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Updates the report and logs it."""
        self.report = self._probes.report()
        if self.report is not None:
            pl_module.log_dict(self._probes.metrics(self.report))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Prints the report, on the first process alone."""
        if self.report is not None and trainer.is_global_zero:
            self._probes.print(self.report)

    def state_dict(self) -> dict[str, Any]:
        """The callback's part of a checkpoint."""
        return self._probes.state()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continues from a checkpoint."""
        self._probes.load_state(state_dict)
