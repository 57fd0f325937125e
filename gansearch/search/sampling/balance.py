"""The sampler of balances: Optuna's TPE in turn with a guarded prior and with small moves around the nearest trials.

Each trial has one source, which is drawn from the seed and the number of the trials before it, and from what these came
to: a sweep that is resumed goes on as an unbroken one. The attribute `source` of the trial names it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from gansearch.search.sampling.history_window import HistoryWindow
from gansearch.search.sampling.objective import FIRST_RUNG
from gansearch.search.sampling.units import from_unit, nearest_value, to_unit
from gansearch.stability.verdict import HEALTHY
from gansearch.store.sources import MODEL, MOVE, PRIOR, share_won

_STARTUP = 10
"""Ended trials, the prior's not counted, before TPE models all; until then its draws are even."""
_MODELLED = 1000
"""Ended trials that TPE sees at most."""
_IN_TURN, _LONG = 6, 12
"""Trials of prior and TPE that take turns, and after which the prior is asked half as often."""
_LEAST, _MOST = 0.05, 0.9
"""The prior's probability where its draws lose, and where they win."""
_HEALTHY, _NEAREST, _MOVES = 8, 3, 0.3
"""Healthy trials before there are moves, the nearest of them from which one starts, and its probability."""
_WIDTH = 0.08
"""Standard deviation of a number around its centre, as a share of its range."""
_CUBED = "pretrain_steps"
"""Drawn as the cube of an even draw at first: long pretraining is dear and seldom best."""


@dataclass(frozen=True)
class _Plan:
    """How one trial's parameters are found."""

    source: str
    rng: np.random.Generator
    centre: Mapping[str, Any]
    """The values around which they are drawn; empty for TPE."""
    model: BaseSampler
    startup: bool


class BalanceSampler(BaseSampler):
    """A sampler of Optuna's for the balance of a GAN, by the distance of its trials (`Study.tell`).

    A trial is healthy where its attribute `verdict` is `balanced`. Options are those of Optuna's TPESampler.
    """

    def __init__(self, centres: Sequence[Mapping[str, Any]] = (), seed: int = 0, **options: Any):
        """Draw from the prior around its `centres`: values of good configurations by parameter name."""
        self._centres, self._seed = list(centres), seed
        self._options = {"n_startup_trials": _STARTUP, **options}
        self._plans: dict[int, _Plan] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Choose the trial's source."""
        self._plans = {trial.number: self._plan(study, trial)}
        if "fixed_params" not in trial.system_attrs:
            study._storage.set_trial_user_attr(trial._trial_id, "source", self._plans[trial.number].source)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that TPE models together; none for a trial that is drawn around a centre."""
        plan = self._plans[trial.number]
        return {} if plan.centre or plan.startup else plan.model.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return TPE's draw of these parameters."""
        plan = self._plans[trial.number]
        return plan.model.sample_relative(study, trial, search_space) if search_space else {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, dist: BaseDistribution) -> Any:
        """Return a value around the centre, or where there is none an even draw at first and then TPE's."""
        plan = self._plans[trial.number]
        if name in plan.centre:
            near = nearest_value(dist, plan.centre[name])
            return near if isinstance(dist, CategoricalDistribution) else _around(dist, near, plan.rng)
        if plan.centre or plan.startup:
            even = plan.rng.random()
            return from_unit(dist, even**3 if name == _CUBED else even)
        return plan.model.sample_independent(study, trial, name, dist)

    def reseed_rng(self) -> None:
        """Draw a new seed."""
        self._seed = int(np.random.SeedSequence().generate_state(1)[0])

    def _plan(self, study: optuna.Study, trial: FrozenTrial) -> _Plan:
        known = study.get_trials(deepcopy=False)
        # A trial that was cut short and continued has two entries, of which the later one counts.
        earlier = [one for one in known if one.number < trial.number and "continued_as" not in one.user_attrs]
        rng = np.random.default_rng([self._seed, len(earlier)])
        tpe = TPESampler(seed=int(rng.integers(2**31)), **self._options)
        model = HistoryWindow(tpe, _MODELLED, _with_its_value)
        # The prior's draws lie close together, and one that misleads would lead the model as well.
        ended = sum(
            one.state in (TrialState.COMPLETE, TrialState.PRUNED) and one.user_attrs.get("source") != PRIOR
            for one in earlier
        )
        startup = ended < self._options["n_startup_trials"]
        near = _nearest_healthy(earlier, study.directions)
        if near and rng.random() < _MOVES:
            return _Plan(MOVE, rng, near[rng.integers(len(near))].params, model, startup)
        if self._centres and rng.random() < prior_share(earlier):
            return _Plan(PRIOR, rng, self._centres[rng.integers(len(self._centres))], model, startup)
        return _Plan(MODEL, rng, {}, model, startup)


def prior_share(earlier: Sequence[FrozenTrial]) -> float:
    """Return the probability that the next trial is the prior's, if it is not a move.

    It takes turns with TPE at first. Then it grows with its wins, the share of the pairs of a trial of each in which
    the prior's was nearer to the data at the first rung.
    """
    drawn = [trial for trial in earlier if trial.user_attrs.get("source") in (PRIOR, MODEL)]
    if len(drawn) < _IN_TURN:
        return float(sum(trial.user_attrs["source"] == PRIOR for trial in drawn) * 2 <= len(drawn))
    share = min(max((prior_wins(drawn) - 0.3) / 0.4, _LEAST), _MOST)
    return share if len(drawn) < _LONG else share / 2


def prior_wins(trials: Sequence[FrozenTrial]) -> float:
    """Return the share of pairs of a trial of the prior and one of TPE in which the prior's was nearer; .5 for none.

    They are compared at the first rung. What ended before it, or has no number there, is the farthest.
    """
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    found: dict[str, list[float]] = {PRIOR: [], MODEL: []}
    for trial in ended:
        if (source := trial.user_attrs.get("source")) in found:
            found[source].append(trial.user_attrs.get(FIRST_RUNG, math.inf))
    return share_won(found[PRIOR], found[MODEL])


def _with_its_value(trial: FrozenTrial) -> FrozenTrial:
    """Return a stopped trial as a complete one with its last value, where the study has one objective.

    TPE takes every complete trial for better than every stopped one. The first trials, which no rung stops, may be far
    from the data, and would be what it aims at for a long time.
    """
    if trial.state is not TrialState.PRUNED or not trial.values:
        return trial
    complete = copy.copy(trial)
    complete.state = TrialState.COMPLETE
    return complete


def _nearest_healthy(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
    """Return the nearest of the healthy trials that were trained to their end; none while there are few."""
    healthy = [t for t in trials if t.state is TrialState.COMPLETE and t.user_attrs.get("verdict") in HEALTHY]
    if len(healthy) < _HEALTHY:
        return []
    minimised = [i for i, direction in enumerate(directions) if direction is StudyDirection.MINIMIZE]
    last = minimised[-1] if minimised else 0
    sign = 1 if minimised else -1
    return sorted(healthy, key=lambda trial: (sign * trial.values[last], trial.number))[:_NEAREST]


def _around(dist: BaseDistribution, centre: Any, rng: np.random.Generator) -> Any:
    """Return a number drawn around a centre, reflected at the ends of its range."""
    drawn = abs(to_unit(dist, centre) + _WIDTH * rng.standard_normal())
    return from_unit(dist, 1 - abs(1 - drawn))
