"""Ends trials that report nothing any more: code that blocks, a worker that waits for a lost one, a node that swaps.

A probe may take a second or an hour, so the limit is measured: `limits.stalled_minutes`, but never less than ten times
the longest silence that any trial of the sweep has come out of.
"""

from __future__ import annotations

import math
import time

from ray.tune.experiment import Trial

from gansearch.formatting import duration
from gansearch.search.cluster.ray_patches import kill_worker

_FACTOR = 10
"""Multiple of the longest silence so far; also of `stalled_minutes` before any trial has reported."""
_CHECK_SECONDS = 1.0
_PAUSE_SECONDS = 10.0
"""Between two checks: for so long the driver was suspended, or blocked, and knows of no report."""
_LOOKS = 3
"""Checks in a row at which a trial has been silent for too long: a driver that was suspended finds reports waiting."""


class Patience:
    """How long trials are silent between two reports, and how long is too long; in seconds."""

    def __init__(self, minutes: float | None):
        """Never let a trial be silent for less than `minutes`; None lets it be silent for ever."""
        self.factor = 1.0
        """How many times as long silences may be now, because what runs does so many times as many updates."""
        self.longest = 0.0
        """Longest silence of any trial of this run, its beginning included: it may have to load data."""
        self._least = math.inf if minutes is None else 60 * minutes

    @property
    def seconds(self) -> float:
        """How long a trial may be silent."""
        usual = self.longest or self._least
        return max(self._least, _FACTOR * self.factor * usual)

    def note(self, silence: float) -> None:
        """Note that a trial has reported after `silence` seconds."""
        self.longest = max(self.longest, silence)


class Watchdog:
    """Kills the worker of a trial that is silent for too long. The first time Tune resumes it from its checkpoint."""

    def __init__(self, patience: Patience):
        """Watch no trial yet."""
        self._patience = patience
        self._reported: dict[Trial, float] = {}
        self._unknown: set[Trial] = set()
        """Trials whose silence ends at no known time: the driver paused in it."""
        self._overdue: dict[Trial, int] = {}
        self._killed: set[Trial] = set()
        self._reasons: dict[Trial, str] = {}
        self._next_check = 0.0

    def started(self, trial: Trial) -> None:
        """Watch a trial that a worker has begun or resumed."""
        self._reported[trial] = time.monotonic()

    def reported(self, trial: Trial) -> None:
        """Note a report of a trial."""
        now = time.monotonic()
        if trial not in self._unknown:
            self._patience.note(now - self._reported.get(trial, now))
        self._unknown.discard(trial)
        self._reported[trial] = now
        self._overdue.pop(trial, None)

    def stopped(self, trial: Trial) -> None:
        """Watch a trial no more: it has no worker."""
        self._reported.pop(trial, None)
        self._overdue.pop(trial, None)

    def reason(self, trial: Trial) -> str:
        """Return why the worker of a trial was killed twice; empty where it was not."""
        return self._reasons.get(trial, "")

    def check(self) -> None:
        """Kill the workers of the trials that are silent for too long, about once a second."""
        now = time.monotonic()
        if now < self._next_check:
            return
        if now - self._next_check > _PAUSE_SECONDS:
            self._unknown = set(self._reported)
        self._next_check = now + _CHECK_SECONDS
        for trial, reported in list(self._reported.items()):
            if trial.status == Trial.RUNNING and now - reported > self._patience.seconds:
                self._overdue[trial] = self._overdue.get(trial, 0) + 1
                if self._overdue[trial] >= _LOOKS:
                    self._kill(trial, now - reported)

    def _kill(self, trial: Trial, silence: float) -> None:
        if trial in self._killed:
            self._reasons[trial] = (
                f"it reported nothing for {duration(silence)} (limits.stalled_minutes), twice; its worker was killed"
            )
            trial.max_failures = 0  # Tune does not try again
        self._killed.add(trial)
        self.stopped(trial)
        kill_worker(trial)
