"""What lies around a configuration: a plateau, or a cliff. A surrogate over the trials says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gansearch.study.tables import BALANCE, others

WIDTH = 0.1
"""Half of a neighbourhood, as a share of the range that each parameter was searched over."""
_ENOUGH = 10
"""Trials from which on a neighbourhood is worth predicting."""
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
    points = _unit_cube(trials)
    logs = np.log(trials["distance"].where(trials["distance"] > 0)).replace(math.inf, math.nan)
    if len(trials) < _ENOUGH or points.empty or logs.notna().sum() < _ENOUGH:
        return dict.fromkeys(numbers)
    from sklearn.ensemble import RandomForestRegressor

    stability, distance = (
        RandomForestRegressor(100, min_samples_leaf=2, max_samples=min(len(trials), 1000), random_state=0).fit(
            points.to_numpy(), target.to_numpy()
        )
        for target in (trials["stability"].fillna(0.0), logs.fillna(logs.max()))
    )
    rng = np.random.default_rng(0)
    found: dict[int, Neighbourhood | None] = {}
    for number in numbers:
        centre = points[trials["number"] == number].to_numpy()
        step = rng.uniform(-WIDTH, WIDTH, (_POINTS, points.shape[1]))
        step[:, [column not in _numeric(trials) for column in points]] = 0
        around = np.clip(centre + step, 0, 1)
        found[number] = Neighbourhood(
            float(np.quantile(stability.predict(around), 1 - _SHARE)),
            float(np.exp(np.quantile(distance.predict(around), _SHARE))),
        )
    return found


def _unit_cube(trials: pd.DataFrame) -> pd.DataFrame:
    """The searched parameters that vary, scaled to [0, 1]; by logarithm if they span more than a decade."""
    scaled = {}
    # lr_d and lr_g say nothing that lr and lr_ratio do not.
    for name in [name for name in (*BALANCE, *others(trials)) if name not in ("lr_d", "lr_g")]:
        column = trials[name]
        values = column.astype(float) if name in _numeric(trials) else column.astype(str).astype("category").cat.codes
        if values.min() > 0 and values.max() > 10 * values.min():
            values = values.map(math.log)
        if values.max() > values.min():
            scaled[name] = ((values - values.min()) / (values.max() - values.min())).fillna(0.5)
    return pd.DataFrame(scaled, index=trials.index)


def _numeric(trials: pd.DataFrame) -> list[str]:
    return [name for name in trials.columns if pd.api.types.is_numeric_dtype(trials[name])]
