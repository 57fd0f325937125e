"""A random forest that predicts from the trials what the rest of the search space gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gansearch.store.record import BALANCE
from gansearch.store.tables import other_columns

ENOUGH = 10
"""The least trials for a prediction."""
_BACKGROUND = 40
"""The number of trials over whose other parameters a map is averaged."""


@dataclass(frozen=True)
class Scale:
    """The map of a searched parameter to [0, 1]: by logarithm if it spans more than a decade; texts in order."""

    low: float
    high: float
    log: bool
    texts: tuple[str, ...] = ()

    def unit(self, column: pd.Series[Any]) -> pd.Series[float]:
        """The column on [0, 1]; one half where a trial has no such parameter."""
        values = column.map(str).map(self.texts.index).astype(float) if self.texts else column.astype(float)
        values = values.map(np.log, na_action="ignore") if self.log else values
        low, high = (np.log(self.low), np.log(self.high)) if self.log else (self.low, self.high)
        return ((values - low) / (high - low)).fillna(0.5)

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The (N,) numbers at (N,) points of [0, 1]; meaningless for texts."""
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** unit)
        return self.low + (self.high - self.low) * unit


def scale_of(column: pd.Series[Any]) -> Scale | None:
    """The scale of a column, or None where all its values are the same."""
    if pd.api.types.is_numeric_dtype(column):
        known = column[np.isfinite(column.astype(float))]
        low, high = float(known.min()), float(known.max())
        scale = Scale(low, high, log=low > 0 and high > 10 * low)
    else:
        texts = tuple(sorted(set(map(str, column))))  # pandas' own str leaves what is missing
        scale = Scale(0, len(texts) - 1, log=False, texts=texts)
    return scale if scale.high > scale.low else None


def scales(trials: pd.DataFrame) -> dict[str, Scale]:
    """The scale of each searched parameter that varies.

    lr_d and lr_g are left out where lr and lr_ratio are known, from which they follow; a user's loop may have either.
    """
    known = [name for name in BALANCE if name in trials and trials[name].notna().any()]
    derived = {"lr_d", "lr_g"} if {"lr", "lr_ratio"} <= set(known) else set()
    names = [name for name in (*known, *other_columns(trials)) if name not in derived]
    columns = {name: scale_of(trials[name]) for name in names}
    return {name: scale for name, scale in columns.items() if scale}


class Surrogate:
    """A prediction of a number anywhere in the searched space, by a random forest over all trials."""

    def __init__(self, trials: pd.DataFrame, target: pd.Series[float]):
        """Fit a target without NaN to trials in which some parameter varies."""
        from sklearn.ensemble import RandomForestRegressor

        self.scales = scales(trials)
        self.points = pd.DataFrame({name: scale.unit(trials[name]) for name, scale in self.scales.items()})
        self._forest = RandomForestRegressor(
            100, min_samples_leaf=2, max_samples=min(len(trials), 1000), random_state=0
        )
        self._forest.fit(self.points.to_numpy(), target.to_numpy())

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(N,) predictions at (N, parameters) points of the unit cube."""
        return np.asarray(self._forest.predict(points))

    def each(self, points: np.ndarray) -> np.ndarray:
        """(trees, N) predictions of each tree of the forest."""
        return np.stack([tree.predict(points) for tree in self._forest.estimators_])

    def where(self, at: pd.Series[float], units: Mapping[str, np.ndarray]) -> np.ndarray:
        """(N, parameters) points that equal `at` except in the parameters that `units` gives, on [0, 1]."""
        count = len(next(iter(units.values())))
        points = np.tile(at[self.points.columns].to_numpy(dtype=float), (count, 1))
        for name, values in units.items():
            points[:, self.points.columns.get_loc(name)] = values
        return points

    def map(self, x: str, y: str, across: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(len(up), len(across)) predictions over a grid of two parameters on [0, 1], averaged over all others.

        This is partial dependence (Friedman 2001, "Greedy Function Approximation"); the average is over the values that
        trials have of the other parameters.
        """
        gx, gy = (grid.ravel() for grid in np.meshgrid(across, up))
        rows = np.unique(np.linspace(0, len(self.points) - 1, _BACKGROUND).astype(int))
        points = np.concatenate([self.where(self.points.iloc[row], {x: gx, y: gy}) for row in rows])
        return np.asarray(self(points).reshape(len(rows), len(up), len(across)).mean(0))


def stability_surrogate(trials: pd.DataFrame) -> Surrogate | None:
    """A surrogate of the stability, in which a trial without one counts as 0; None with too few trials."""
    return _fitted(trials, trials["stability"].fillna(0.0))


def distance_surrogate(trials: pd.DataFrame) -> Surrogate | None:
    """A surrogate of the distance's logarithm, in which a trial without one counts with the largest.

    None with too few trials, and where some distance, of the user's own, has no logarithm.
    """
    if (trials["distance"] <= 0).any():
        return None
    logs = np.log(trials["distance"]).replace(math.inf, math.nan)
    return _fitted(trials, logs.fillna(logs.max())) if logs.notna().sum() >= ENOUGH else None


def _fitted(trials: pd.DataFrame, target: pd.Series[float]) -> Surrogate | None:
    return Surrogate(trials, target) if len(trials) >= ENOUGH and scales(trials) else None
