"""When a sweep starts no more trials: its hours, its updates, or nothing better for a while."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

from gansearch.experiment import Experiment
from gansearch.search.sampling.objective import metrics
from gansearch.search.sampling.total_time import TotalTime
from gansearch.store.record import TrialRecord
from gansearch.study.analysis.outlook import expected_gain

_BETTER = 0.01
"""Share by which a trial has to be better than those before it to count: less is noise."""
_LEAST_TRIALS = 20
"""With `trials: auto` these are always trained."""


class Budget:
    """What is left of an experiment's limits, given the records of the trials that have ended.

    Hours count from now on, so that a resumed sweep has them again. Updates, and trials without progress, are those of
    the whole study.
    """

    def __init__(self, experiment: Experiment, records: Iterable[TrialRecord] = (), total: TotalTime | None = None):
        """Start with the trials that have ended before; by default the total time begins now."""
        limits = experiment.limits
        self.updates = limits.updates or math.inf
        self.flat = experiment.stop_when_flat or math.inf
        self._hours = limits.hours
        self._deadline = time.monotonic() + limits.hours * 3600 if limits.hours else math.inf
        self.total_time = total or TotalTime(experiment)
        self._records: list[TrialRecord] = []
        self._objective = experiment.objective
        self._is_auto = experiment.trials == "auto"
        self._distances: list[float] = []
        self._trained = self._ended = self._last_progress = 0
        self._front: list[list[float]] = []
        for record in sorted(records, key=lambda record: record.ended):
            self.ended(record)

    def ended(self, record: TrialRecord) -> None:
        """Count a trial that has ended."""
        self._records.append(record)
        self._trained += record.updates
        self._ended += 1
        self._distances.append(record.distance if record.healthy else math.nan)
        costs = _costs(record, self._objective)
        if costs is not None and not any(_as_good(other, costs) for other in self._front):
            self._front = [other for other in self._front if not _as_good(costs, other, by=0)] + [costs]
            self._last_progress = self._ended

    def remaining(self, running: int) -> float:
        """Return the updates that are left once trials under way have done their `running` ones."""
        return self.updates - self._trained - running

    def over(self, running: int = 0, slots: float = 1) -> str:
        """Return why no more trial is started beside `running` updates; empty while there is no reason."""
        if time.monotonic() > self._deadline:
            return f"its {self._hours:g} hours are over"
        if not self.total_time.has_trial(self._records, running, slots):
            rest = "is for the race" if any(record.healthy for record in self._records) else "is too short for a trial"
            return f"the rest of its {self.total_time.hours:g} hours in all {rest}"
        if self.remaining(0) <= 0:
            return f"its {self.updates:,} updates are used up"
        if self._front and self._ended - self._last_progress >= self.flat:
            return f"the last {self.flat} trials brought nothing better"
        if self._is_auto and is_enough(self._distances):
            return f"{_tenth(self._distances)} more trials would bring less than {_BETTER:.0%}"
        return ""


def is_enough(distances: Sequence[float]) -> bool:
    """Return whether `trials: auto` ends after trials of these distances, as `expected_gain` takes them."""
    return len(distances) >= _LEAST_TRIALS and expected_gain(distances, _tenth(distances)) < _BETTER


def _tenth(distances: Sequence[float]) -> int:
    return math.ceil(len(distances) / 10)


def _costs(record: TrialRecord, objective: str) -> list[float] | None:
    """Return what the objective minimises, −stability, distance or both; None for a trial that cannot be best."""
    if record.status != "complete" or (objective == "balanced" and not record.healthy):
        return None
    known = {"stability": -record.stability, "distance": record.distance}
    costs = [known[name] for name in metrics(objective) if math.isfinite(known[name])]
    return costs or None


def _as_good(one: list[float], other: list[float], by: float = _BETTER) -> bool:
    """Return whether `one` dominates `other`, or would if it were better by that share.

    This is ε-dominance, Laumanns et al. 2002. A trial that nothing before it ε-dominates enlarges the hypervolume of
    the front; unlike the hypervolume this needs no reference point.
    """
    return len(one) == len(other) and all(a - by * abs(a) <= b for a, b in zip(one, other, strict=True))
