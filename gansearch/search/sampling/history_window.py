"""A sampler that is asked as fast at the 5,000th trial as at the 1,000th: it fits on the trials that tell most."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, cast

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

_BEST = 0.1
"""Share of the kept trials that are the best of all."""
_SLACK = 0.1
"""By so much more than the bound before trials are left out again."""


class Bounded(BaseSampler):
    """A sampler of Optuna's that sees at most about `most` ended trials of a study, and all that run.

    These are a tenth that is the best of all, and the newest of the rest. TPE models the 25 best against the others,
    and gives the oldest of these the least weight (Bergstra et al. 2013, section 4.2): those are what it does without.
    """

    def __init__(self, sampler: BaseSampler, most: int):
        self._sampler, self._most = sampler, most
        self._kept: set[int] = set()
        self._looked = 0
        """Trials before this number are kept or left out for good."""
        self._view: _Few | None = None

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._few(study, trial), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(self._few(study, trial), trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(self._few(study, trial), trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(self._few(study, trial), trial)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        self._sampler.reseed_rng()

    def _few(self, study: optuna.Study, trial: FrozenTrial) -> optuna.Study:
        """The study as it was when it began to ask this trial's parameters."""
        if self._view is None or self._view.asks != trial.number:
            trials = study.get_trials(deepcopy=False)
            if len(trials) <= self._most:
                return study
            self._view = _Few(study, trial.number, self._seen(trials, study.directions))
        return cast(optuna.Study, self._view)

    def _seen(self, trials: list[FrozenTrial], directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
        seen = [t for t in trials if t.number >= self._looked or t.number in self._kept]
        ended = [t for t in seen if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if len(ended) <= self._most * (1 + _SLACK):
            return seen
        count = round(_BEST * self._most)
        self._kept = {t.number for t in best(ended, directions, count)}
        others = [t.number for t in ended if t.number not in self._kept]
        self._kept |= set(others[len(others) - (self._most - count) :])
        # What runs may have any number, and is looked at again once it has ended.
        self._kept |= {t.number for t in seen if not t.state.is_finished()}
        self._looked = len(trials)
        return [t for t in seen if t.number in self._kept]


class _Few:
    """A study that shows some of its trials."""

    def __init__(self, study: optuna.Study, asks: int, trials: list[FrozenTrial]):
        self.asks = asks
        """The number of the trial whose parameters are asked."""
        self._study, self.trials = study, trials

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        return [trial for trial in self.trials if states is None or trial.state in states]

    def _get_trials(self, deepcopy: bool, states: Container[TrialState], use_cache: bool = False) -> list[FrozenTrial]:
        return self.get_trials(deepcopy, states)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


def best(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection], count: int) -> list[FrozenTrial]:
    """The `count` best of the feasible complete trials for one objective or two: the Pareto front, then the next."""
    able = [t for t in trials if t.state is TrialState.COMPLETE and all(v <= 0 for v in t.constraints.values())]
    signs = [1 if direction is StudyDirection.MINIMIZE else -1 for direction in directions]
    costs = np.array([[sign * value for sign, value in zip(signs, t.values, strict=True)] for t in able])
    if not able:
        return []
    left = np.lexsort(costs.T[::-1])
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        # In this order a trial is on the front iff its last cost is below those of all before it.
        last = costs[left, -1]
        front = last < np.concatenate([[np.inf], np.minimum.accumulate(last)[:-1]])
        chosen += left[front].tolist()
        left = left[~front]
    return [able[i] for i in chosen[:count]]
