"""The monitor in somebody's own Optuna study: an objective that is given it, and a pruner of what is beyond hope."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial
from torch import Tensor

from gansearch.search.sampling.objective import unhealthy
from gansearch.stability.monitor import Output, StabilityMonitor

HOPELESS = "hopeless"
"""The attribute of a trial that says why it is beyond hope."""
_LOOKS = 50
"""Times that a run is asked whether it is beyond hope: this waits for the device."""

Objective = Callable[[optuna.Trial, StabilityMonitor], float | Sequence[float]]


class StabilityObjective:
    """An objective `objective(trial, monitor)` as Optuna takes it: `study.optimize(StabilityObjective(mine, 2000))`.

    The monitor's `update` raises TrialPruned as soon as the run is beyond hope. Afterwards the trial has the attributes
    `verdict`, `stability`, `separability` and what else `monitor.metrics()` knows, the sentence, and the constraint
    `unhealthy`, 0 for a balanced run: samplers prefer these, and `study.best_trial` is one of them. Where no trial is
    balanced it raises ValueError. A value that is no finite number prunes its trial, as samplers ignore failed ones.
    """

    def __init__(self, objective: Objective, updates: int, output: Output = "logit") -> None:
        """Give `objective` a monitor of each trial.

        Args:
            objective: Calls `monitor.update(real, fake, step=…)` some fifty times, and returns the trial's value.
            updates: The `step` at which training ends.
            output: What D gives, as of StabilityMonitor. Raises ValueError for any other.
        """
        if updates < 1:
            raise ValueError(f"updates must be at least 1, the step at which training ends, not {updates}")
        StabilityMonitor(output)
        self._objective, self._updates, self._output = objective, updates, output

    def __call__(self, trial: optuna.Trial) -> float | Sequence[float]:
        """Train a trial."""
        monitor = _TrialMonitor(trial, self._updates, self._output)
        try:
            value = self._objective(trial, monitor)
            if not all(map(_is_finite, value if isinstance(value, Sequence) else [value])):
                raise optuna.TrialPruned(f"its value is {value}")
            return value
        finally:
            note(trial, monitor)


class StabilityPruner(BasePruner):
    """Prunes trials whose attribute `hopeless` says why they are beyond hope, and those that another pruner does.

    An objective with a monitor of its own sets it: `trial.set_user_attr("hopeless", monitor.beyond_hope(share))`.
    """

    def __init__(self, pruner: BasePruner | None = None) -> None:
        """Ask `pruner`, such as optuna.pruners.MedianPruner(), about all other trials."""
        self._pruner = pruner or optuna.pruners.NopPruner()

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether `trial.should_prune()`."""
        return bool(trial.user_attrs.get(HOPELESS)) or self._pruner.prune(study, trial)


def note(trial: optuna.Trial, monitor: StabilityMonitor) -> None:
    """Set what a monitor has seen as a trial's attributes and its constraint; nothing before a probe."""
    if not monitor.rows():
        return
    report = monitor.scored()
    texts = {"verdict": report.verdict, "sentence": report.sentence}
    for name, value in {**texts, **monitor.metrics()}.items():
        trial.set_user_attr(name, value)
    if "unhealthy" not in trial.constraints:  # one of the user's own
        trial.set_constraint("unhealthy", unhealthy(report.verdict, report.stability))


class _TrialMonitor(StabilityMonitor):
    """A monitor that ends its trial as soon as this is beyond hope."""

    def __init__(self, trial: optuna.Trial, updates: int, output: Output) -> None:
        super().__init__(output)
        self._trial, self._updates, self._next = trial, updates, 0.0

    def update(self, real: Tensor, fake: Tensor, step: int | None = None, *args: Any, **given: Any) -> Tensor:
        """Add a probe, as StabilityMonitor does. Raises TrialPruned where the run is beyond hope."""
        row = super().update(real, fake, step, *args, **given)
        share = (self._probes if step is None else step) / self._updates
        if share >= self._next:
            self._next = share + 1 / _LOOKS
            if why := self.beyond_hope(share):
                self._trial.set_user_attr(HOPELESS, why)
                raise optuna.TrialPruned(why)
        return row


def _is_finite(value: Any) -> bool:
    """Return whether a value is a finite number; what is no number at all is Optuna's to refuse."""
    try:
        return math.isfinite(value)
    except TypeError:
        return True
