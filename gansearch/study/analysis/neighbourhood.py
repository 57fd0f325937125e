"""What lies around a configuration: a plateau, or a cliff. A surrogate over the trials says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gansearch.study.analysis.surrogate import ENOUGH, Surrogate, scales

WIDTH = 0.1
"""Half of a neighbourhood, as a share of the range that each parameter was searched over."""
_POINTS = 200
_SHARE = 0.9


class Neighbourhood(NamedTuple):
    """What nine in ten points near a configuration reach, as random forests over all trials predict it.

    Near is within 10% of every searched range. Not relative to the configuration's own numbers, or else a mediocre
    plateau would beat a good slope.
    """

    stability: float
    """At least this."""
    distance: float
    """At most this; a trial without a distance counts as the worst one."""


def neighbourhoods(trials: pd.DataFrame, numbers: Sequence[int]) -> dict[int, Neighbourhood | None]:
    """Of each of some trials; None of all where there are too few trials to tell."""
    logs = np.log(trials["distance"].where(trials["distance"] > 0)).replace(math.inf, math.nan)
    if logs.notna().sum() < ENOUGH or not scales(trials):
        return dict.fromkeys(numbers)
    stability = Surrogate(trials, trials["stability"].fillna(0.0))
    distance = Surrogate(trials, logs.fillna(logs.max()))
    points = stability.points
    rng = np.random.default_rng(0)
    found: dict[int, Neighbourhood | None] = {}
    for number in numbers:
        centre = points[trials["number"] == number].to_numpy()
        step = rng.uniform(-WIDTH, WIDTH, (_POINTS, points.shape[1]))
        step[:, [bool(scale.texts) for scale in stability.scales.values()]] = 0
        around = np.clip(centre + step, 0, 1)
        found[number] = Neighbourhood(
            float(np.quantile(stability(around), 1 - _SHARE)),
            float(np.exp(np.quantile(distance(around), _SHARE))),
        )
    return found
