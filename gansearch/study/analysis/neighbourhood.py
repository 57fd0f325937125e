"""What is expected around a configuration, a plateau or a cliff, by a surrogate over the trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gansearch.study.analysis.surrogate import distance_surrogate, stability_surrogate

WIDTH = 0.1
"""Half of a neighbourhood, as a share of the range that each parameter was searched over."""
_POINTS = 200
"""Points that are drawn in a neighbourhood."""
_SHARE = 0.9
"""The share of the points that is at least as good as a neighbourhood's numbers."""


class Neighbourhood(NamedTuple):
    """What nine in ten points near a configuration reach, as random forests over all trials predict it.

    Near is within 10% of every searched range. The numbers are absolute: relative to the configuration's own, a
    mediocre plateau would beat a good slope.
    """

    stability: float
    """At least this."""
    distance: float
    """At most this; a trial without a distance counts with the largest one."""


def neighbourhoods(trials: pd.DataFrame, numbers: Sequence[int]) -> dict[int, Neighbourhood | None]:
    """The neighbourhood of each of these trials; None for all of them with too few trials."""
    distance = distance_surrogate(trials)
    stability = distance and stability_surrogate(trials)
    if distance is None or stability is None:
        return dict.fromkeys(numbers)
    reached: dict[int, Neighbourhood | None] = {}
    for number in numbers:
        centre = stability.points[trials["number"] == number].to_numpy()
        step = np.random.default_rng(0).uniform(-WIDTH, WIDTH, (_POINTS, len(stability.scales)))
        step[:, [bool(scale.texts) for scale in stability.scales.values()]] = 0
        around = np.clip(centre + step, 0, 1)
        least, most = np.quantile(stability(around), 1 - _SHARE), np.exp(np.quantile(distance(around), _SHARE))
        reached[number] = Neighbourhood(float(least), float(most))
    return reached
