"""Which one change of the settings is expected to bring most, by a Gaussian process over all runs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Experiment, Range
from gansearch.experiment.entries import as_searched, same
from gansearch.study.analysis.choose import plain
from gansearch.study.analysis.seeds import default_values
from gansearch.study.analysis.surrogate import ENOUGH

SEEDS = 3
"""Seeds of either setting of whose median distances the interval is."""
_OF_A_MEDIAN = 0.449
"""The variance of the median of three normal numbers, over that of one."""
_HALF_WIDTH = 1.645
"""Standard deviations of a normal distribution on either side of its mean that hold 90% of it."""
_PLACES = 33
"""Values of a range that are compared."""
_FAR = 8.0
"""Robust standard deviations above the median to which farther log distances are moved."""
_DRAWS, _KEPT, _STEP = 200, 30, 0.7
"""Kernels that are drawn around the likeliest, those of them that are used, and their standard deviation around it."""
LEAST = 0.05
"""Share of the distance that a change has to bring, in the mean, to be named: a small step always promises a little."""
_MOST = 300
"""Runs that are used at most: the nearest, and of the others the last."""


@dataclass(frozen=True)
class Change:
    """One field that takes another value, while all others stay."""

    name: str
    before: Any
    after: Any
    ratio: float
    """The distance afterwards over the one before: the median of what is expected."""
    mean: float
    """The mean of it, which counts by how much the change may fail."""
    interval: tuple[float, float]
    """90% prediction interval of that ratio for the medians of `SEEDS` new seeds of either setting."""


def best_changes(runs: pd.DataFrame, experiment: Experiment, settings: Mapping[str, Any] | None = None) -> list[Change]:
    """The best other value of each searched field, if it alone is changed; what brings most is first.

    The log distances of the runs are taken for a Gaussian process over the search space (Rasmussen and Williams 2006,
    chapter 2), with Matérn kernels of 3/2, a length for each field, and noise. It gives the difference of two settings
    a normal distribution. A value is chosen by the mean of the ratio, and only those below 1 − `LEAST` are given, of
    fields that are in force. There is none with fewer than ten distances, in a population, where the settings do not
    have a value for every searched field, and where some distance, of the user's own, has no logarithm.

    Args:
        runs: The searched fields and the "distance" of each run.
        experiment: Its search says which values there are.
        settings: What is changed, by the names of the searched fields; by default the default settings.
    """
    before = default_values(experiment) if settings is None else dict(settings)
    axes = {name: entry for name, entry in experiment.search.items() if isinstance(entry, Range | Choices)}
    axes = {name: entry for name, entry in axes.items() if runs[name].map(str).nunique() > 1}
    known = runs[np.isfinite(runs["distance"].astype(float))]
    if experiment.is_population or len(known) < ENOUGH or not axes or before is None or axes.keys() - before.keys():
        return []
    if (known["distance"] <= 0).any():
        return []
    if len(known) > _MOST:
        nearest = known["distance"].nsmallest(_MOST // 2).index
        known = pd.concat([known.loc[nearest], known.drop(nearest).tail(_MOST - len(nearest))])
    differences = _Differences(axes, known, before)

    def value_of(name: str) -> Any:
        return before[name] if name in before else experiment.training.used(name)

    values = {name: _values(name, entry, experiment) for name, entry in axes.items() if entry.holds(value_of)}
    return sorted(differences.best(before, values), key=lambda one: one.mean)


class _Differences:
    """What the log distances of two settings differ by, as Gaussian processes with several kernels expect it.

    The likeliest kernel alone would be too sure of itself: of thirty runs many kernels may be right.
    """

    def __init__(self, axes: Mapping[str, Range | Choices], runs: pd.DataFrame, before: Mapping[str, Any]):
        """Fit the processes to the log distances of some runs.

        A field whose value of `before` was not searched has another coordinate, 1 for the runs that have such a one:
        the end of the range says nothing of what is beyond it.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        self.axes = axes
        self._beyond = [name for name, entry in axes.items() if _is_beyond(entry, before[name])]
        logs = np.log(runs["distance"].to_numpy(dtype=float))
        middle = float(np.median(logs))
        deviation = float(np.median(np.abs(logs - middle))) / 0.6745 or 1.0
        logs = np.minimum(logs, middle + _FAR * deviation)
        self._variance = float(logs.var())
        rows: list[dict[Any, Any]] = runs[list(axes)].to_dict("records")
        points = np.stack([self._point(row) for row in rows])
        lengths = np.ones(points.shape[1])
        kernel = ConstantKernel(1.0, (0.05, 20)) * Matern(lengths, (0.2, 5.0), nu=1.5) + WhiteKernel(0.2, (0.01, 2))
        likeliest = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound
            likeliest.fit(points, logs)
        # Importance sampling of the kernels' logarithmic parameters, whose prior is even within the bounds.
        centre = likeliest.kernel_.theta
        steps = _STEP * np.random.default_rng(0).standard_normal((_DRAWS, len(centre)))
        drawn = np.clip(centre + steps, *likeliest.kernel_.bounds.T)
        evidence = np.array([likeliest.log_marginal_likelihood(one) for one in drawn])
        weights = np.exp((evidence := evidence + ((steps / _STEP) ** 2).sum(1) / 2) - evidence.max())
        kept = np.argsort(-weights)[:_KEPT]
        self._weights = weights[kept] / weights[kept].sum()
        kernels = [likeliest.kernel_.clone_with_theta(drawn[place]) for place in kept]
        self._processes = [
            GaussianProcessRegressor(one, normalize_y=True, optimizer=None).fit(points, logs) for one in kernels
        ]

    def best(self, before: Mapping[str, Any], values: Mapping[str, Sequence[Any]]) -> Iterator[Change]:
        """That value of each field which is expected to bring most, where one is expected to bring enough."""
        tried = [(name, value) for name, listed in values.items() for value in listed if not same(value, before[name])]
        points = np.stack([self._point(before), *(self._point({**before, name: value}) for name, value in tried)])
        means, variances, noises = zip(*(self._difference(one, points) for one in self._processes), strict=True)
        mean = self._weights @ np.array(means)
        variance = self._weights @ (np.array(variances) + (np.array(means) - mean) ** 2)
        spread = np.sqrt(variance + self._weights @ np.array(noises))
        # The mean of a ratio whose logarithm is normal: a value that nobody tried may be a great loss too. The luck of
        # the seeds is in the interval alone: it is the same on either side.
        of_ratio, enough = mean + variance / 2, math.log(1 - LEAST)
        for name in values:
            places = [place for place, (one, _) in enumerate(tried) if one == name and of_ratio[place] < enough]
            if places:
                place = min(places, key=of_ratio.__getitem__)
                low, middle, high = np.exp(mean[place] + _HALF_WIDTH * spread[place] * np.array([-1, 0, 1])).tolist()
                yield Change(name, before[name], tried[place][1], middle, float(np.exp(of_ratio[place])), (low, high))

    def _difference(self, process: Any, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Mean and variance of what each point but the first differs by from the first; what seeds' medians add."""
        mean, covariance = process.predict(points, return_cov=True)
        noise = process.kernel_.k2.noise_level * self._variance
        variance = np.diag(covariance) - noise  # which counts the noise of a single run
        differs = np.maximum(variance[1:] + variance[0] - 2 * covariance[0, 1:], 0)
        return mean[1:] - mean[0], differs, 2 * _OF_A_MEDIAN * noise

    def _point(self, settings: Mapping[str, Any]) -> np.ndarray:
        places = [_coordinates(entry, plain(settings[name])) for name, entry in self.axes.items()]
        beyond = [float(_is_beyond(self.axes[name], settings[name])) for name in self._beyond]
        return np.concatenate([*places, beyond])


def _is_beyond(entry: Range | Choices, value: Any) -> bool:
    """Whether a number is outside of what is searched."""
    value, searched = plain(value), (entry.low, entry.high) if isinstance(entry, Range) else entry.choices
    ends = [float(one) for one in searched if isinstance(one, int | float)]
    if len(ends) < len(searched) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and not min(ends) <= value <= max(ends)


def _coordinates(entry: Range | Choices, value: Any) -> np.ndarray:
    """A value as numbers: a range's from 0 to 1, those of numeric choices in their order, else one for each choice."""
    if isinstance(entry, Choices) and not all(isinstance(choice, Real) for choice in entry.choices):
        return np.array([float(same(choice, as_searched(entry, value))) for choice in entry.choices]) / math.sqrt(2)
    if not isinstance(value, Real) or not math.isfinite(value):
        return np.array([0.5])  # nobody asked for it
    if isinstance(entry, Choices):
        order = sorted(float(choice) for choice in entry.choices if isinstance(choice, int | float))
        return np.array([np.interp(float(value), order, np.linspace(0, 1, len(order)))])
    low, high = float(entry.low), float(entry.high)
    at = min(max(float(value), low), high)
    if low == high:
        return np.array([0.5])
    return np.array([math.log(at / low) / math.log(high / low) if entry.log else (at - low) / (high - low)])


def _values(name: str, entry: Range | Choices, experiment: Experiment) -> Sequence[Any]:
    """The values that are compared: all choices, or allowed numbers from one end of a range to the other.

    Those of a continuous range have two digits.
    """
    if isinstance(entry, Choices):
        return entry.choices
    low, high, kinds = float(entry.low), float(entry.high), experiment.training.kinds(name, entry)
    numbers = np.geomspace(low, high, _PLACES) if entry.log else np.linspace(low, high, _PLACES)
    if entry.step is not None:
        numbers = low + np.floor((numbers - low) / entry.step + 1e-9) * entry.step
    elif int in kinds:
        numbers = np.round(numbers)
    else:
        numbers = np.array([float(f"{number:.2g}") for number in numbers])
    return [int(number) if int in kinds else float(number) for number in np.unique(np.clip(numbers, low, high))]
