"""Seeds that are earned: a trial trains another one only while it may still be among the best."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from gansearch.stability.result import SeedResult
from gansearch.store.record import median
from gansearch.study.analysis.race import nearest

Choose = Callable[[pd.DataFrame, int], list[int]]
Seeds = Sequence[SeedResult]
"""The results of a trial's seeds."""


class Race:
    """The healthy trials of a sweep, as far as they are trained. It is a Ray actor, which the trials ask.

    A trial gets another seed while every seed of it is balanced, since else it cannot be the best any more, and while
    it would be one of the `top` candidates if both its medians were better by their standard error. That is the
    spread of seeds pooled over all trials with two and more, by √seeds; of distances on the logarithm, for it grows
    with them. As long as no trial has two seeds the error is not known, and each one gets its second.
    """

    def __init__(self, top: int, known: Mapping[int, Seeds] | None = None, choose: Choose = nearest):
        """Start with the `known` seeds of the trials that have ended, by number; `choose` returns the candidates."""
        self._top, self._choose = top, choose
        self._seeds: dict[int, Seeds] = {}
        self._rows: dict[int, dict[str, Any]] = {}
        for number, seeds in (known or {}).items():
            self._note(number, seeds)

    def another(self, number: int, seeds: Seeds) -> bool:
        """Note all the seeds that a trial has trained. Return whether it should train one more.

        A trial that raised tells no seeds, and is forgotten.
        """
        if not self._note(number, seeds):
            return False
        trials = pd.DataFrame(self._rows.values())
        own = trials["number"] == number
        trials.loc[own, ["stability", "distance"]] = self._hoped_for(number)
        return number in self._choose(trials, self._top)

    def _note(self, number: int, seeds: Seeds) -> bool:
        """Note a trial if it is healthy, and return whether it is; others do not compete."""
        self._seeds.pop(number, None)
        self._rows.pop(number, None)
        if not all(seed.healthy for seed in seeds) or not seeds:
            return False
        self._seeds[number] = seeds
        medians = {name: median(getattr(seed, name) for seed in seeds) for name in ("stability", "distance")}
        self._rows[number] = {"number": number, "status": "complete", "verdict": "balanced", **medians}
        return True

    def _hoped_for(self, number: int) -> list[float]:
        """Return a trial's (stability, distance), better by a standard error each."""
        row, root = self._rows[number], math.sqrt(len(self._seeds[number]))
        stability = row["stability"] + _spread(self._values("stability")) / root
        distances = list(self._values("distance"))
        if all(value > 0 for values in distances for value in values):
            error = _spread([math.log(value) for value in values] for values in distances) / root
            return [stability, row["distance"] * math.exp(-error)]
        return [stability, row["distance"] - _spread(distances) / root]

    def _values(self, name: str) -> Iterable[list[float]]:
        """Return the finite values of each trial's seeds."""
        return (list(filter(math.isfinite, (getattr(seed, name) for seed in seeds))) for seeds in self._seeds.values())


def _spread(groups: Iterable[list[float]]) -> float:
    """Return the standard deviation within groups, pooled over those of two values and more; ∞ without any."""
    several = [values for values in groups if len(values) > 1]
    if not several:
        return math.inf
    squares = sum(statistics.variance(values) * (len(values) - 1) for values in several)
    return math.sqrt(squares / sum(len(values) - 1 for values in several))
