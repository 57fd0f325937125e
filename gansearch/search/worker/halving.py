"""Successive halving: a trial that is worse than earlier ones part way is stopped, and the nearest one is not given up.

What is beyond hope is known from runs of other data. Where all runs of a sweep are slower than these, the best of them
would be given up too, and the sweep would learn nothing of how its trials end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from gansearch.experiment import Experiment
from gansearch.store.record import Standing

BY_DISTANCE = ((0.1, 1 / 3), (0.3, 1 / 3))
BY_BOTH = ((0.25, 1 / 2), (0.5, 1 / 3))
"""(share of the updates after pretraining, share of the trials so far among which a trial has to be there)."""
FEWEST = 6
"""Trials that must have reached a rung before it stops one."""


def rungs_of(experiment: Experiment) -> tuple[tuple[float, float], ...]:
    """Return the rungs of an experiment that stops trials: by distance alone, or by stability and distance."""
    return BY_DISTANCE if experiment.stops_by_distance else BY_BOTH


def is_behind(standing: Standing, others: Iterable[Standing], keeps: float, by_distance: bool) -> bool:
    """Return whether a standing is outside the best `keeps` of all, in distance alone or in stability as well.

    Where both count, outside in one is no reason to stop: a trial may be far and stable, or near and shaky, and get
    better at the other.
    """
    ranked = [_worst_for_nan(other) for other in others]
    stability, distance = _worst_for_nan(standing)
    place = 1 + sum(other[1] < distance for other in ranked)
    if not by_distance:
        place = min(place, 1 + sum(other[0] > stability for other in ranked))
    return place > keeps * (len(ranked) + 1)


def _worst_for_nan(standing: Standing) -> tuple[float, float]:
    stability, distance = standing.stability, standing.distance
    return (-math.inf if math.isnan(stability) else stability, math.inf if math.isnan(distance) else distance)


class Rungs:
    """The standings of a sweep's trials at each rung. It is a Ray actor, which the trials ask."""

    def __init__(self, by_distance: bool, known: Iterable[Standing] = ()):
        """Start with the `known` standings of earlier trials."""
        self._by_distance = by_distance
        self._rungs = BY_DISTANCE if by_distance else BY_BOTH
        self._standings: list[dict[Any, Standing]] = [{} for _ in self._rungs]
        for standing in known:
            self.reach(standing)

    def reach(self, standing: Standing, number: int | None = None) -> tuple[str, bool]:
        """Note a trial's standing at a rung. Return why it should stop there, or "", and whether it is the nearest.

        A trial of a `number` counts once, also if its worker dies there and it reaches the rung again. Nearest is one
        that is nearer than whoever came to this rung, once enough have come to the first: few may come to the next.
        """
        trials = self._standings[standing.rung]
        others = [known for trial, known in trials.items() if trial != number]
        trials[object() if number is None else number] = standing
        share, keeps = self._rungs[standing.rung]
        smallest = min((_worst_for_nan(other)[1] for other in others), default=math.inf)
        if len(others) < FEWEST or not is_behind(standing, others, keeps, self._by_distance):
            return "", standing.distance < smallest and len(self._standings[0]) > FEWEST
        best = f"the best {keeps:.0%} of {len(others) + 1} trials"
        measure = "distance" if self._by_distance else "stability and in distance"
        return f"at {share:.0%} of its updates it is outside {best} in {measure}", False
