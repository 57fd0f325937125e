"""What gansearch's search is compared with, as strong as its users would make it.

`hand` is a script of an afternoon: Ray Tune, Optuna's TPE through OptunaSearch on the distance, and ASHA with ten
reports a trial, a grace of two of them and a reduction factor of 3. It exports the trial whose last distance is the
smallest, of one seed and stopped ones among them, as `ResultGrid.get_best_result` does. The others change one thing
each. A trial reports what is known of it by then; a distance that is missing or infinite counts as the farthest.
Optuna's AutoSampler is not among them: optunahub downloads it when it is first used.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from ray.tune.schedulers import TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket
from replay_landscape import Landscape, Look, Run
from replay_sweep import Check, Stage, Trial

from gansearch.search.sampling.space import SearchSpace

REPORTS = 10


class NoRule:
    """Stops nothing."""

    def stops(self, number: int, check: Check, looks: Sequence[Look]) -> bool:
        return False

    def ended(self, trial: Trial) -> None:
        pass


class Asha:
    """Ray Tune's own brackets of ASHA, or of asynchronous Hyperband where there are several."""

    def __init__(self, farthest: float, grace: int = 2, reduction: int = 3, brackets: int = 1, seed: int = 0):
        self.farthest = farthest
        self.brackets = [_Bracket(grace, REPORTS, reduction, number) for number in range(brackets)]
        # As AsyncHyperBandScheduler does it: each trial is in one, drawn by the softmax of their numbers of rungs.
        self.weights = [math.exp(len(bracket._rungs)) for bracket in self.brackets]
        self.seed = seed

    def stops(self, number: int, check: Check, looks: Sequence[Look]) -> bool:
        distance = looks[-1].distance if looks else math.inf
        return self._report(number, check.rung, distance) == TrialScheduler.STOP

    def ended(self, trial: Trial) -> None:
        if trial.end is not None and trial.end["status"] == "complete":
            self._report(trial.number, REPORTS, trial.end["distance"])

    def _report(self, number: int, report: int, distance: float) -> str:
        bracket = random.Random(f"{self.seed} {number}").choices(self.brackets, self.weights)[0]
        distance = distance if math.isfinite(distance) else self.farthest
        return bracket.on_result(SimpleNamespace(trial_id=number), report, -distance)


class Anchor:
    """One of Optuna's samplers on the distance alone, and a rule."""

    measures_stopped = False

    def __init__(self, land: Landscape, sampler: BaseSampler, rule: Asha | NoRule, after_pretraining: bool = False):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.land, self.rule, self.after_pretraining = land, rule, after_pretraining
        self.study = optuna.create_study(sampler=sampler)
        self.space = SearchSpace(land.experiment)
        self.asked: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, Mapping[str, Any]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self.space.ask(self.study)
        self.asked[trial.number] = trial
        return trial.number, self.space.params(trial.params)

    def checks(self, params: Mapping[str, Any], run: Run) -> list[Check]:
        before = params.get("pretrain_steps", 0) if self.after_pretraining else 0
        due = [before + report / REPORTS * (self.land.updates - before) for report in range(1, REPORTS)]
        return [Check(run.asked_at(at), report) for report, at in enumerate(due, 1)]

    def tell(self, trial: Trial) -> None:
        """Of a stopped trial the last distance, as OptunaSearch does."""
        self.study.tell(self.asked.pop(trial.number), self._distance(trial))

    def _distance(self, trial: Trial) -> float:
        distance = trial.distance
        return distance if distance is not None and math.isfinite(distance) else self.land.farthest

    def share(self, budget: float) -> float | None:
        return None

    def best(self, trials: Sequence[Trial]) -> Mapping[str, Any] | None:
        known = [trial for trial in trials if trial.distance is not None]
        return min(known, key=self._distance).params if known else None

    def stage(self, trials: Sequence[Trial]) -> Stage:
        raise NotImplementedError


def hand(land: Landscape, seed: int) -> Anchor:
    return Anchor(land, TPESampler(seed=seed), Asha(land.farthest))


def hand_reduction_4(land: Landscape, seed: int) -> Anchor:
    return Anchor(land, TPESampler(seed=seed), Asha(land.farthest, reduction=4))


def hand_after_pretraining(land: Landscape, seed: int) -> Anchor:
    """Reports at shares of the updates after pretraining."""
    return Anchor(land, TPESampler(seed=seed), Asha(land.farthest), after_pretraining=True)


def hyperband(land: Landscape, seed: int) -> Anchor:
    """Ray Tune's asynchronous Hyperband: as many brackets as ten reports allow."""
    return Anchor(land, TPESampler(seed=seed), Asha(land.farthest, grace=1, brackets=3, seed=seed))


def process(land: Landscape, seed: int) -> Anchor:
    """Optuna's Gaussian process in place of TPE. A suggestion takes some tenths of a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = GPSampler(seed=seed, n_startup_trials=10)
    return Anchor(land, sampler, Asha(land.farthest))


def plain_random(land: Landscape, seed: int) -> Anchor:
    """Random configurations, each trained to its end."""
    return Anchor(land, RandomSampler(seed=seed), NoRule())


def random_asha(land: Landscape, seed: int) -> Anchor:
    return Anchor(land, RandomSampler(seed=seed), Asha(land.farthest))


ANCHORS = {
    "hand": hand,
    "hand_reduction_4": hand_reduction_4,
    "hand_after_pretraining": hand_after_pretraining,
    "hyperband": hyperband,
    "hand_gp": process,
    "random_asha": random_asha,
    "random": plain_random,
}
