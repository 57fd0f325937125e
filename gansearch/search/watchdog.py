"""Trials that tell nothing any more: code that blocks, a worker that waits for a lost one, a node that swaps.

A probe may take a second or an hour, so how long is too long is measured: `limits.stalled_minutes`, but never less
than ten times the longest silence that any trial of the sweep has come out of.
"""

from __future__ import annotations

import math
import time

from ray.tune.experiment import Trial

from gansearch.formatting import duration
from gansearch.search.cluster.ray_patches import kill_worker

_UNUSUAL = 10
"""Times the longest silence so far; also times the least patience while no trial has told anything."""
_LOOK_SECONDS = 1.0


class Silence:
    """For how long trials are silent between two pieces of news, and how long is too long; seconds."""

    def __init__(self, minutes: float | None):
        self.longest = 0.0
        """Of any trial of this run, its beginning included: it may have to load data."""
        self._least = math.inf if minutes is None else 60 * minutes

    @property
    def patience(self) -> float:
        return max(self._least, _UNUSUAL * self.longest) if self.longest else _UNUSUAL * self._least

    def whole(self, seconds: float) -> float:
        """How long a run is given that tells nothing before its end, and should take so many seconds."""
        return max(self._least, _UNUSUAL * seconds)

    def broken(self, seconds: float) -> None:
        """A trial has told something after so long."""
        self.longest = max(self.longest, seconds)


class Watch:
    """Ends the worker of a trial that is silent for too long. The first time it goes on from its checkpoint."""

    def __init__(self, silence: Silence):
        self._silence = silence
        self._heard: dict[Trial, float] = {}
        self._once: set[Trial] = set()
        self._why: dict[Trial, str] = {}
        self._due = 0.0

    def started(self, trial: Trial) -> None:
        """A worker has begun with a trial, or goes on with it."""
        self._heard[trial] = time.monotonic()

    def heard(self, trial: Trial) -> None:
        now = time.monotonic()
        self._silence.broken(now - self._heard.get(trial, now))
        self._heard[trial] = now

    def left(self, trial: Trial) -> None:
        """No worker has the trial any more."""
        self._heard.pop(trial, None)

    def why(self, trial: Trial) -> str:
        """What is wrong with a trial whose worker was ended twice; else nothing."""
        return self._why.pop(trial, "")

    def look(self) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _LOOK_SECONDS
        for trial, heard in list(self._heard.items()):
            if trial.status == Trial.RUNNING and now - heard > self._silence.patience:
                self._end(trial, now - heard)

    def _end(self, trial: Trial, silent: float) -> None:
        if trial in self._once:
            told = f"it told nothing for {duration(silent)} (limits.stalled_minutes), twice; its worker was ended"
            self._why[trial] = told
            trial.max_failures = 0  # Ray Tune does not try again
        self._once.add(trial)
        self.left(trial)
        kill_worker(trial)
