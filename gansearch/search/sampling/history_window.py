"""A sampler that suggests the 5,000th trial as fast as the 1,000th: it models the most informative ones alone."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, cast

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

_BEST = 0.1
"""Share of the kept trials that are the best of all."""
_SLACK = 0.1
"""Share by which the bound is exceeded before trials are left out again."""


def _seeing_less(name: str) -> Callable[..., Any]:
    """Return a method that is the sampler's own of that name, to which a view takes the place of the study."""
    return lambda self, study, trial, *more: getattr(self._sampler, name)(self._view_of(study, trial), trial, *more)


class HistoryWindow(BaseSampler):
    """A sampler of Optuna's that sees at most about `most` ended trials of a study, and all that run.

    A tenth of these are the best of all, and the others the newest. TPE models the 25 best against the others, and
    gives the oldest of these the least weight (Bergstra et al. 2013, section 4.2): they are left out here.
    """

    infer_relative_search_space = _seeing_less("infer_relative_search_space")
    sample_relative = _seeing_less("sample_relative")
    sample_independent = _seeing_less("sample_independent")
    before_trial = _seeing_less("before_trial")

    def __init__(self, sampler: BaseSampler, most: int, seen: Callable[[FrozenTrial], FrozenTrial] | None = None):
        """Wrap a sampler, which sees each trial as `seen` returns it."""
        self._sampler, self._most, self._seen = sampler, most, seen
        self._visible: set[int] = set()
        self._decided = 0
        """Trials before this number are kept or left out for good."""
        self._view: _StudyView | None = None

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Note the end of a trial."""
        self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Draw a new seed."""
        self._sampler.reseed_rng()

    def _view_of(self, study: optuna.Study, trial: FrozenTrial) -> optuna.Study:
        """Return the study as it was when the first parameter of this trial was asked."""
        if self._view is None or self._view.asks != trial.number:
            trials = study.get_trials(deepcopy=False)
            if len(trials) > self._most:
                trials = self._informative(trials, study.directions)
            elif self._seen is None:
                return study
            self._view = _StudyView(study, trial.number, list(map(self._seen, trials)) if self._seen else trials)
        return cast(optuna.Study, self._view)

    def _informative(self, trials: list[FrozenTrial], directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
        visible = [t for t in trials if t.number >= self._decided or t.number in self._visible]
        ended = [t for t in visible if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if len(ended) <= self._most * (1 + _SLACK):
            return visible
        count = round(_BEST * self._most)
        self._visible = {t.number for t in best(ended, directions, count)}
        others = [t.number for t in ended if t.number not in self._visible]
        self._visible |= set(others[len(others) - (self._most - count) :])
        # A running trial is decided on once it has ended.
        self._visible |= {t.number for t in visible if not t.state.is_finished()}
        self._decided = len(trials)
        return [t for t in visible if t.number in self._visible]


class _StudyView:
    """A study with some of its trials.

    Optuna's samplers get trials by `Study._get_trials` (Optuna 5.0, optuna/study/study.py).
    """

    def __init__(self, study: optuna.Study, asks: int, trials: list[FrozenTrial]):
        self.asks = asks
        """Number of the trial whose parameters are asked."""
        self._study, self.trials = study, trials

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """Return those in some states."""
        return [trial for trial in self.trials if states is None or trial.state in states]

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return self.get_trials(deepcopy, states)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


def best(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection], count: int) -> list[FrozenTrial]:
    """Return the best feasible complete trials for one or two objectives: the Pareto front, then the next fronts."""
    able = [t for t in trials if t.state is TrialState.COMPLETE and all(v <= 0 for v in t.constraints.values())]
    signs = [1 if direction is StudyDirection.MINIMIZE else -1 for direction in directions]
    costs = np.array([[sign * value for sign, value in zip(signs, t.values, strict=True)] for t in able])
    if not able:
        return []
    rest = np.lexsort(costs.T[::-1])
    chosen: list[int] = []
    while len(rest) and len(chosen) < count:
        # In this order a trial is on the front iff its last cost is below those of all before it.
        last = costs[rest, -1]
        front = last < np.concatenate([[np.inf], np.minimum.accumulate(last)[:-1]])
        chosen += rest[front].tolist()
        rest = rest[~front]
    return [able[i] for i in chosen[:count]]
