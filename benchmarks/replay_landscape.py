"""What a configuration would have reached, by its neighbours among recorded runs: two kinds of landscape.

A landscape expects of a configuration the logarithm of its distance, by extremely randomised trees (Geurts et al. 2006)
or by a Gaussian process, and gives each recorded run a probability to be the one that a trial of it repeats. A trial is
then a recorded run with its verdict, its seconds and its history; its distance is the expected one with the noise of a
seed. That is drawn from the residuals of configurations that were recorded with several seeds: of those that are
expected to be about as near to the data, and of their seeds that were as healthy as the run. The true median and the
true share of healthy seeds are sums over the same probabilities, no samples.

A history goes with its end as far as histories do: at a share s of the updates after pretraining its logarithm is
moved by b(s) times what the end is moved by. b(s) is the slope of a regression of the recorded log distances there on
the final ones, and 0 while D pretrains, so that a draw's history says as much about its end as a recorded one's.
"""

from __future__ import annotations

import math
import random
import warnings
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from search_runs import experiment_of
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from gansearch.experiment import Choices

SHARES = np.linspace(0, 1, 11)
ASSUMED_NOISE = 0.25
"""Standard deviation of a seed's log distance where too few configurations have several."""
LIKE = 8
"""Configurations with several seeds whose residuals are drawn from; half as many are the fewest that are enough."""
WAITS = 0.05
"""Share of a run's updates between two looks that are close."""
NEAREST = 8
"""Configurations among whose runs a Gaussian process's trials are drawn."""


@dataclass(frozen=True)
class Look:
    """What a run was like after so many updates."""

    update: float
    stability: float
    distance: float


@dataclass(frozen=True)
class Run:
    """A run to its end, which no rule may see: rules get `until`."""

    end: Mapping[str, Any]
    looks: tuple[Look, ...]

    def until(self, update: float) -> tuple[Look, ...]:
        """What is known of it after so many updates; nothing before its first look."""
        return tuple(look for look in self.looks if look.update <= update)

    def asked_at(self, update: float) -> float:
        """When a measurement that is due after so many updates was recorded: with the first probe that follows.

        A report does not wait for a look that is farther: it has what is known.
        """
        later = next((look.update for look in self.looks if look.update >= update), math.inf)
        return later if later - update < WAITS * self.updates else update

    @property
    def updates(self) -> float:
        return float(self.end["updates"])

    @property
    def seconds(self) -> float:
        """Of an update."""
        return self.end["seconds"] / self.updates

    @property
    def whole(self) -> bool:
        return self.end["status"] == "complete" and math.isfinite(self.end["distance"])

    def __deepcopy__(self, memo: Any) -> Run:
        return self


@dataclass(frozen=True)
class Expected:
    """What a landscape says of one configuration."""

    log: float
    cumulative: list[float]
    """Of the runs' probabilities."""
    median: float
    """Of the distance, over all seeds."""
    healthy: float
    """Share of seeds that are whole and balanced."""


def read_runs(task: str, folder: Path) -> list[Run]:
    """The recorded runs of a task."""
    ends, looks = (pd.read_parquet(folder / f"{task}-{name}.parquet") for name in ("runs", "looks"))
    for table in (ends, looks):
        if "seed" not in table:
            table["seed"] = 0
    histories: dict[tuple[int, int], list[Look]] = {}
    for index, seed, *look in looks[["index", "seed", "update", "stability", "distance"]].itertuples(index=False):
        histories.setdefault((index, seed), []).append(Look(*look))
    return [
        Run({"end_seconds": 0.0, **end}, tuple(histories.get((end["index"], end["seed"]), ())))
        for end in ends.to_dict("records")
    ]


class Landscape:
    """A task as its recorded runs show it."""

    def __init__(self, task: str, runs: list[Run]):
        self.task, self.experiment, self.runs = task, experiment_of(task), runs
        self.updates = max(run.updates for run in runs)
        self.farthest = max(run.end["distance"] for run in runs if run.whole)
        self.logs = np.log([run.end["distance"] if run.whole else self.farthest for run in runs])
        self.points = np.array([self.point(run.end) for run in runs])
        self.healthy = np.array([run.whole and run.end["verdict"] == "balanced" for run in runs])
        indices = np.array([run.end["index"] for run in runs])
        self.weights = 1 / np.array([np.sum(indices == index) for index in indices])
        """A configuration counts once."""
        self._known: dict[tuple[float, ...], Expected] = {}
        self._residuals(indices)
        self.slopes = self._slopes()
        self.fit_points()

    def fit_points(self) -> None:
        raise NotImplementedError

    def expect(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The expected log distance at a point, and each run's probability."""
        raise NotImplementedError

    def draw(self, chosen: Mapping[str, Any], seeds: random.Random) -> Run:
        """A trial of a configuration with a seed. It takes two numbers of `seeds`, whatever the landscape says."""
        of = self.at(chosen)
        which, noise = seeds.random(), seeds.random()
        index = min(bisect(of.cumulative, which * of.cumulative[-1]), len(self.runs) - 1)
        run = self.runs[index]
        if not run.whole:
            return run
        residuals = self.noise(of.log, self.healthy[index])
        moved = of.log + residuals[int(noise * len(residuals))] - self.logs[index]
        before = run.end.get("pretrain_steps", 0)
        after = [(look.update - before) / (self.updates - before) for look in run.looks]
        factors = np.exp(moved * np.interp(after, SHARES, self.slopes)).tolist()
        looks = tuple(
            Look(look.update, look.stability, look.distance * factor)
            for look, factor in zip(run.looks, factors, strict=True)
        )
        return Run({**run.end, "distance": run.end["distance"] * math.exp(moved)}, looks)

    def median(self, chosen: Mapping[str, Any]) -> float:
        """The true median distance of a configuration, over all seeds."""
        return self.at(chosen).median

    def share_healthy(self, chosen: Mapping[str, Any]) -> float:
        """The true share of a configuration's seeds that are whole and balanced."""
        return self.at(chosen).healthy

    def at(self, chosen: Mapping[str, Any]) -> Expected:
        point = self.point(chosen)
        key = tuple(point)
        if key not in self._known:
            self._known[key] = self._expected(point)
        return self._known[key]

    def _expected(self, point: np.ndarray) -> Expected:
        log, weights = self.expect(point)
        weights = weights / weights.sum()
        whole = np.array([run.whole for run in self.runs])
        values, shares = [], []
        for healthy in (True, False):
            mass = float(weights[whole & (self.healthy == healthy)].sum())
            residuals = self.noise(log, healthy)
            values += (log + residuals).tolist()
            shares += [mass / len(residuals)] * len(residuals)
        values.append(math.log(self.farthest))
        shares.append(float(weights[~whole].sum()))
        order = np.argsort(values)
        half = np.searchsorted(np.cumsum(np.array(shares)[order]), 0.5 - 1e-9)
        median = math.exp(values[order[min(half, len(order) - 1)]])
        return Expected(log, np.cumsum(weights).tolist(), median, float(weights[self.healthy].sum()))

    def noise(self, log: float, healthy: bool) -> np.ndarray:
        """The residuals of seeds of configurations about as near, as healthy as this; of all of these without such."""
        order = np.argsort(np.abs(self._means - log))[:LIKE]
        alike = [pair for group in order for pair in self._groups[group]]
        own = [residual for residual, verdict in alike if verdict == healthy]
        return np.array(own or [residual for residual, _ in alike])

    def _residuals(self, indices: np.ndarray) -> None:
        """Residuals of log distances, each with whether it was healthy, of configurations with several seeds."""
        whole = np.array([run.whole for run in self.runs])
        groups = [np.flatnonzero((indices == index) & whole) for index in np.unique(indices)]
        several = [group for group in groups if len(group) > 1]
        self._means = np.array([self.logs[group].mean() for group in several])
        self._groups = []
        for group, mean in zip(several, self._means, strict=True):
            # A mean of n seeds takes 1/n of their variance with it.
            residuals = (self.logs[group] - mean) * math.sqrt(len(group) / (len(group) - 1))
            self._groups.append(list(zip(residuals.tolist(), self.healthy[group].tolist(), strict=True)))
        if len(several) < LIKE / 2:
            draws = np.random.default_rng(0).normal(0, ASSUMED_NOISE, 200)
            self._means, self._groups = np.zeros(1), [[(float(d), h) for d in draws for h in (True, False)]]

    def _slopes(self) -> np.ndarray:
        """Of a regression of the log distance at each of SHARES on the final one."""
        rows = [i for i, run in enumerate(self.runs) if run.whole and len(run.looks) > 5]
        histories = np.array([self._history(self.runs[i]) for i in rows])
        ends = self.logs[rows] - self.logs[rows].mean()
        slopes = (ends[:, None] * (histories - histories.mean(0))).sum(0) / max(1e-9, float((ends**2).sum()))
        slopes[[0, -1]] = 0.0, 1.0  # while D pretrains, G is as it was made
        return np.clip(slopes, 0, 1)

    def _history(self, run: Run) -> np.ndarray:
        """Log distances at SHARES of the updates after pretraining."""
        before = run.end.get("pretrain_steps", 0)
        looks = [look for look in run.looks if math.isfinite(look.distance)]
        at = [(look.update - before) / (self.updates - before) for look in looks]
        values = [math.log(max(1e-9, min(look.distance, self.farthest))) for look in looks]
        return np.interp(SHARES, [*at, 1.0], [*values, math.log(run.end["distance"])])

    def point(self, chosen: Mapping[str, Any]) -> np.ndarray:
        """A configuration in unit ranges; of choices each is 0 or 1."""
        numbers: list[float] = []
        for name, entry in self.experiment.search.items():
            value = chosen[name]
            if isinstance(entry, Choices):
                numbers += [float(_equal(value, choice)) for choice in entry.choices]
                continue
            low, high = float(entry.low), float(entry.high)
            value = low if value is None or math.isnan(value) else float(value)
            if entry.log:
                low, high, value = math.log(low), math.log(high), math.log(max(value, low / 3))
            numbers.append((value - low) / (high - low))
        return np.array(numbers)

    @cached_property
    def seconds(self) -> float:
        """Of a whole training, in the mean of the recorded ones."""
        whole = [run.end["seconds"] + run.end["end_seconds"] for run in self.runs if run.updates == self.updates]
        return float(np.mean(whole))


def _equal(one: Any, other: Any) -> bool:
    return one == other if isinstance(other, str) else math.isclose(float(one), float(other), abs_tol=1e-6)


class Trees(Landscape):
    """Trees; a trial is a run of the configuration's leaf in one of them."""

    def fit_points(self) -> None:
        self._forest = ExtraTreesRegressor(300, min_samples_leaf=2, max_features=0.7, random_state=0)
        self._forest.fit(self.points, self.logs, self.weights)
        self._trees = [estimator.tree_ for estimator in self._forest.estimators_]
        self._values = [tree.value[:, 0, 0] for tree in self._trees]
        self._shares = []
        """Of each node of each tree, the shares of the runs that are in it."""
        for tree in self._trees:
            shares = np.zeros((tree.node_count, len(self.runs)), np.float32)
            shares[tree.apply(self.points.astype(np.float32)), np.arange(len(self.runs))] = self.weights
            self._shares.append(shares / np.maximum(shares.sum(1, keepdims=True), 1e-9))

    def expect(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        asked = point.astype(np.float32)[None]
        leaves = [int(tree.apply(asked)[0]) for tree in self._trees]
        log = np.mean([values[leaf] for values, leaf in zip(self._values, leaves, strict=True)])
        weights = np.sum([shares[leaf] for shares, leaf in zip(self._shares, leaves, strict=True)], axis=0)
        return float(log), weights.astype(float)


class Process(Landscape):
    """A Gaussian process; a trial is a run of one of the configurations that it holds to be the most similar."""

    def fit_points(self) -> None:
        kernel = ConstantKernel(1.0, (0.05, 20)) * Matern(np.full(self.points.shape[1], 0.5), (0.1, 100), nu=2.5)
        kernel += WhiteKernel(0.05, (1e-4, 1))  # what differs between configurations that look alike
        noise = np.array(
            [self.noise(log, bool(healthy)).var() for log, healthy in zip(self.logs, self.healthy, strict=True)]
        )
        self._process = GaussianProcessRegressor(kernel, alpha=noise / self.logs.var(), normalize_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter without effect has no length
            self._process.fit(self.points, self.logs)
        self._similar = self._process.kernel_.k1.k2

    def expect(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        log = float(self._process.predict(point[None])[0])
        similar = self._similar(point[None], self.points)[0]
        least = np.sort(np.unique(similar))[-NEAREST:][0]
        return log, np.where(similar >= least, similar, 0.0) * self.weights


KINDS: dict[str, type[Landscape]] = {"trees": Trees, "process": Process}
