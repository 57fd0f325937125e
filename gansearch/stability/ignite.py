"""The monitor as a handler of PyTorch Ignite, of which MONAI's trainers are engines too."""

from __future__ import annotations

from typing import Any

from gansearch.stability.batches import BatchProbes, Probe
from gansearch.stability.monitor import Output
from gansearch.stability.report import StabilityReport

try:
    from ignite.engine import Engine, Events
except ImportError as error:
    raise ImportError("StabilityHandler needs PyTorch Ignite: pip install 'gansearch[integrations]'") from error


class StabilityHandler:
    """Probes D every `every` iterations, and prints at the end of training how stable it was.

    `probe(engine)` returns D's scores of some real and as many fake samples. `handler.report` is the StabilityReport up
    to the last epoch; its "stability" and "separability" are in `engine.state.metrics`, which Ignite's and MONAI's
    loggers write, with `name` before them where it is given. `Checkpoint` and MONAI's `CheckpointSaver` can keep the
    handler's state.
    """

    def __init__(self, probe: Probe, every: int = 50, output: Output = "logit", name: str = "") -> None:
        self._probes = BatchProbes(probe, every, output, name)
        self.monitor = self._probes.monitor
        self.report: StabilityReport | None = None

    def attach(self, engine: Engine) -> None:
        """Listen to a trainer. In MONAI: `GanTrainer(..., train_handlers=[handler])`."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._probes.after_batch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._update)
        engine.add_event_handler(Events.COMPLETED, self._print)

    def state_dict(self) -> dict[str, Any]:
        """Return the handler's part of a checkpoint."""
        return self._probes.state()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._probes.load_state(state_dict)

    def _update(self, engine: Engine) -> None:
        self.report = self._probes.report()
        if self.report:
            engine.state.metrics.update(self._probes.metrics(self.report))

    def _print(self, engine: Engine) -> None:
        if self.report:
            self._probes.print(self.report)
