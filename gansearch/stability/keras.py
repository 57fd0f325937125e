"""The monitor as a callback of Keras 3, for a GAN that is a keras.Model on the torch backend."""

from __future__ import annotations

from typing import Any

from gansearch.stability.batches import BatchProbes, Probe
from gansearch.stability.monitor import Output
from gansearch.stability.report import StabilityReport

try:
    import keras
except ImportError as error:
    raise ImportError("StabilityCallback needs Keras 3: pip install 'gansearch[integrations]'") from error

if keras.backend.backend() != "torch":
    raise ImportError(
        f"StabilityCallback needs Keras on torch, not on {keras.backend.backend()}: "
        "set KERAS_BACKEND=torch before Keras is imported"
    )


class StabilityCallback(keras.callbacks.Callback):
    """Probes D every `every` training batches, and prints at the end of training how stable it was.

    `probe(model)` returns D's scores of some real and as many fake samples. `callback.report` is the StabilityReport up
    to the last epoch; its "stability" and "separability" are among the epoch's logs, which History, TensorBoard and
    ModelCheckpoint see, with `name` before them where it is given. `callback.monitor` has more.
    """

    def __init__(self, probe: Probe, every: int = 50, output: Output = "logit", name: str = "") -> None:
        super().__init__()
        self._probes = BatchProbes(probe, every, output, name)
        self.monitor = self._probes.monitor
        self.report: StabilityReport | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Gives the monitor a probe where one is due."""
        self._probes.after_batch(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Updates the report and logs it."""
        self.report = self._probes.report()
        if self.report and logs is not None:
            logs.update(self._probes.metrics(self.report))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Prints the report."""
        if self.report:
            self._probes.print(self.report)
