"""When a run is probed, and which probes measure more than D's answers."""

from __future__ import annotations

import bisect
import random

PROBES = 50
"""Probes of a run, spread over its updates."""
MEASUREMENTS = 4
"""Measurements of the quality during a run, the last one at its end."""
HISTOGRAMS = 10
"""Probes of a run that count D's answers, evenly over it; fewer in a very short one."""


class ProbeSchedule:
    """The probes of a run of so many updates. `done` is the number of updates at a probe."""

    def __init__(self, updates: int):
        self._updates = updates
        self._probes = probe_updates(updates)

    def next(self, done: int) -> int:
        """The update after which the next probe is due."""
        return self._probes[bisect.bisect_right(self._probes, done)]

    def counts_answers(self, done: int) -> bool:
        """Whether the probe counts D's answers in a histogram."""
        return not bisect.bisect_right(self._probes, done) % (PROBES // HISTOGRAMS)

    def measures_quality(self, done: int) -> bool:
        """Whether a measurement of the quality has become due since the probe before."""
        earlier = bisect.bisect_left(self._probes, done) - 1
        before = self._probes[earlier] if earlier >= 0 else 0
        passed, passed_before = (at * MEASUREMENTS // self._updates for at in (done, before))
        return passed > passed_before


def probe_updates(updates: int) -> list[int]:
    """The updates after which a run of so many is probed: about PROBES of them, the last one at the end.

    Each is drawn around its place on an even grid, the same for every run: with even steps an orbit of D and G whose
    period divides the step would be invisible.
    """
    step, draw = updates / PROBES, random.Random(0)
    drawn = (round(step * (k + draw.uniform(-0.4, 0.4))) for k in range(1, PROBES))
    return sorted({max(1, update) for update in drawn if update < updates} | {updates})
