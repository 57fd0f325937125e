"""The hours of a whole sweep, `limits.total_hours`: whether a trial or a run on a fresh seed ends within them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from gansearch.experiment import Experiment
from gansearch.store.record import TrialRecord
from gansearch.study.analysis.race import rules_for

_CAREFUL = 0.9
"""Share of the complete trials that took no longer than is expected of the next one."""


class TotalTime:
    """What is left of `limits.total_hours`; without end where there are none.

    They count from when this is made, at the beginning of a sweep: the start of Ray, trials, race and default settings,
    but not the report. Of earlier runs of a resumed sweep `used` counts, as
    `gansearch.study.analysis.time_spent.used_seconds` has it.
    """

    def __init__(self, experiment: Experiment, used: float = 0.0):
        """Start to count, after so many seconds."""
        self._experiment = experiment
        self.hours = experiment.limits.total_hours or math.inf
        self._began = time.monotonic() - used
        self._asked: datetime | None = None
        """When the first trial was asked for."""

    @property
    def used(self) -> float:
        """Seconds that are used, by earlier runs too."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.hours * 3600 - self.used

    def has_trial(self, records: Sequence[TrialRecord], running: int, slots: float) -> bool:
        """Return whether a trial would leave enough to the race, after those that ended and `running` updates."""
        if math.isinf(self.hours):
            return True
        self._asked = self._asked or datetime.now(UTC)
        own = self._experiment.training.updates * self._experiment.least_replicas
        race = race_seconds(self._experiment, records, running + own, slots)
        return self.left > trial_seconds(records) + (race and race + _start_seconds(records, self._asked))

    def has_run(self, records: Sequence[TrialRecord]) -> bool:
        """Return whether a run on a fresh seed is expected to end in time."""
        return math.isinf(self.hours) or self.left > run_seconds(self._experiment, records)


def trial_seconds(records: Sequence[TrialRecord]) -> float:
    """Return what is expected of a trial: nine in ten complete ones took no longer.

    Of trials that were stopped or failed it is the longest, where none is complete; 0 where none has ended.
    """
    lengths = sorted(_seconds(record) for record in records if record.status == "complete")
    if not lengths:
        return max(map(_seconds, records), default=0.0)
    return lengths[math.ceil(_CAREFUL * len(lengths)) - 1]


def run_seconds(experiment: Experiment, records: Sequence[TrialRecord]) -> float:
    """Return what is expected of a run on a fresh seed: a trial's time, too long for one that trains several seeds."""
    budget = (experiment.confirm and experiment.confirm.updates) or experiment.training.updates
    return trial_seconds(records) * budget / experiment.training.updates


def race_seconds(experiment: Experiment, records: Sequence[TrialRecord], running: int, slots: float) -> float:
    """Return what a race takes after these trials and `running` updates: in waves of `slots`, one run at least.

    None while no trial is healthy: there is nobody to race, and the search goes on. The winner's other seeds and the
    default settings are not counted: they get what is left.
    """
    if experiment.confirm is None or not any(record.healthy for record in records):
        return 0.0
    rules = rules_for(experiment, len(records) + 1, sum(record.updates for record in records) + running)
    runs = max(1, min(math.ceil(rules.runs), rules.top * rules.replicas))
    waves = math.ceil(runs / min(slots, runs))
    return run_seconds(experiment, records) * max(1.0, waves / experiment.least_replicas)


def _start_seconds(records: Sequence[TrialRecord], asked: datetime) -> float:
    """Return what the workers of a race are expected to take to start: as long as those of trials asked for since."""
    starts = [record.started for record in records if record.started > asked]
    return (min(starts) - asked).total_seconds() if starts else 0.0


def _seconds(record: TrialRecord) -> float:
    return (record.ended - record.started).total_seconds()
