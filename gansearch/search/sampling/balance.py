"""The sampler of balances: Optuna's TPE in turn with a guarded prior and with small moves around the nearest trials.

Each trial has one source, which is drawn from the seed and the number of the trials before it, and from what these came
to: a study that is resumed goes on as an unbroken one.
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

from gansearch.experiment.words import field_called
from gansearch.search.sampling.history_window import HistoryWindow
from gansearch.search.sampling.recorded import recorded_runs
from gansearch.search.sampling.units import from_unit, holds, nearest_value, to_unit
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
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_MOST_PLANS = 256
"""Running trials whose plans are kept at most: one that is never told keeps no memory."""
_ASKED = 50
"""Trials whose parameters' names and ranges are those of a study."""


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
    """A sampler of Optuna's for the balance of a GAN, for any objective: `create_study(sampler=BalanceSampler())`.

    The prior knows the names of `training:` in an experiment, such as lr, lr_d, lr_g, lr_ratio, pretrain_steps and
    update_ratio, and what others call them (d_lr, n_critic). It gives the values that lie in a parameter's range; TPE
    draws all others, and where it knows none of a study's names its trials are TPE's and moves. Where an objective sets
    constraints, or the attribute `verdict`, only trials that keep them and are `balanced` are healthy.

    One sampler may serve several threads, and several processes may each have one on the same storage.
    """

    _attribute = "gansearch:source"
    """The attribute of a trial that names its source."""
    _rest_is_even = False
    """Whether what a centre lacks is drawn evenly, and not by TPE."""

    def __init__(
        self, seed: int | None = None, centres: Sequence[Mapping[str, Any]] | None = None, **options: Any
    ) -> None:
        """Draw from a prior around its centres, and by TPE.

        Args:
            seed: Of all draws; None for another one each time.
            centres: Values of good configurations by parameter name, where the prior begins: [{"lr": 2e-4}]. By
                default those of recorded runs of several tasks.
            **options: Those of Optuna's TPESampler. Raises TypeError or ValueError for others, as that does.
        """
        self._centres = [run["params"] for run in recorded_runs()] if centres is None else list(centres)
        self._options = {"n_startup_trials": _STARTUP, **options}
        TPESampler(**self._options)
        self._plans: dict[int, _Plan] = {}
        if seed is None:
            self.reseed_rng()
        else:
            self._seed = seed

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Choose the trial's source."""
        plan = self._plan_of(study, trial)
        if "fixed_params" not in trial.system_attrs and self._attribute not in trial.user_attrs:
            study._storage.set_trial_user_attr(trial._trial_id, self._attribute, plan.source)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that TPE models together; none for a trial that is drawn around a centre."""
        plan = self._plan_of(study, trial)
        return {} if plan.centre or plan.startup else plan.model.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return TPE's draw of these parameters."""
        return self._plan_of(study, trial).model.sample_relative(study, trial, search_space) if search_space else {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, dist: BaseDistribution) -> Any:
        """Return a value around the centre, or where there is none an even draw at first and then TPE's."""
        plan = self._plan_of(study, trial)
        if name in plan.centre:
            near = nearest_value(dist, plan.centre[name])
            return near if isinstance(dist, CategoricalDistribution) else _around(dist, near, plan.rng)
        if plan.startup or (plan.centre and self._rest_is_even):
            even = plan.rng.random()
            return from_unit(dist, even**3 if name == _CUBED else even)
        return plan.model.sample_independent(study, trial, name, dist)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Forget how the trial was drawn."""
        self._plans.pop(trial.number, None)

    def reseed_rng(self) -> None:
        """Draw a new seed."""
        self._seed = int(np.random.SeedSequence().generate_state(1)[0])

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the plans of running trials, which hold their study: they are made again."""
        return {**self.__dict__, "_plans": {}}

    def prior_share(self, earlier: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> float:
        """Return the probability that the next trial is the prior's, if it is not a move.

        It takes turns with TPE at first. Then it grows with its wins, the share of the pairs of a trial of each in
        which the prior's stands better.
        """
        drawn = [trial for trial in earlier if trial.user_attrs.get(self._attribute) in (PRIOR, MODEL)]
        if len(drawn) < _IN_TURN:
            return float(sum(trial.user_attrs[self._attribute] == PRIOR for trial in drawn) * 2 <= len(drawn))
        share = min(max((self.prior_wins(drawn, directions) - 0.3) / 0.4, _LEAST), _MOST)
        return share if len(drawn) < _LONG else share / 2

    def prior_wins(self, trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> float:
        """Return the share of pairs of an ended trial of the prior and one of TPE that the prior won; .5 for none."""
        found: dict[str, list[float]] = {PRIOR: [], MODEL: []}
        for trial in trials:
            if trial.state in _ENDED and (source := trial.user_attrs.get(self._attribute)) in found:
                found[source].append(self._standing(trial, directions))
        return share_won(found[PRIOR], found[MODEL])

    def _plan_of(self, study: optuna.Study, trial: FrozenTrial) -> _Plan:
        """Return how a trial is drawn: one that another process tells, or has asked, may have no plan here."""
        plan = self._plans.get(trial.number)
        if plan is None:
            while len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)), None)
            plan = self._plans[trial.number] = self._plan(study, trial)
        return plan

    def _plan(self, study: optuna.Study, trial: FrozenTrial) -> _Plan:
        known = study.get_trials(deepcopy=False)
        # A trial that was cut short and continued has two entries, of which the later one counts.
        earlier = [one for one in known if one.number < trial.number and "continued_as" not in one.user_attrs]
        rng = np.random.default_rng([self._seed, len(earlier)])
        tpe = TPESampler(seed=int(rng.integers(2**31)), **self._options)
        model = HistoryWindow(tpe, _MODELLED, _with_its_value)
        # The prior's draws lie close together, and one that misleads would lead the model as well.
        ended = sum(one.state in _ENDED and one.user_attrs.get(self._attribute) != PRIOR for one in earlier)
        startup = ended < self._options["n_startup_trials"]
        near = self._nearest_healthy(earlier, study.directions)
        if near and rng.random() < _MOVES:
            return _Plan(MOVE, rng, near[rng.integers(len(near))].params, model, startup)
        centres = self._centres_for(earlier)
        if centres and rng.random() < self.prior_share(earlier, study.directions):
            return _Plan(PRIOR, rng, centres[rng.integers(len(centres))], model, startup)
        return _Plan(MODEL, rng, {}, model, startup)

    def _nearest_healthy(
        self, trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]
    ) -> list[FrozenTrial]:
        """Return the best of the healthy trials that were trained to their end; none while there are few."""
        healthy = [trial for trial in trials if trial.state is TrialState.COMPLETE and self._healthy(trial)]
        if len(healthy) < _HEALTHY:
            return []
        return sorted(healthy, key=lambda trial: (_cost(trial, directions), trial.number))[:_NEAREST]

    def _centres_for(self, earlier: Sequence[FrozenTrial]) -> list[Mapping[str, Any]]:
        """Return what the centres have of the parameters that trials were asked so far, and that lies in their range.

        An objective names its parameters while it runs: the first trial has none.
        """
        asked: dict[str, BaseDistribution] = {}
        for trial in earlier[-_ASKED:]:
            asked |= trial.distributions
        given = [
            {
                name: row.get(name, row.get(field_called(name)))
                for name, dist in asked.items()
                if holds(dist, row.get(name, row.get(field_called(name))))
            }
            for row in self._centres
        ]
        return [row for row in given if row]

    def _standing(self, trial: FrozenTrial, directions: Sequence[StudyDirection]) -> float:
        """Return what a trial came to, smaller is better: infinite where it broke a constraint or did not end."""
        kept = trial.state is TrialState.COMPLETE and _keeps_constraints(trial)
        return _cost(trial, directions) if kept else math.inf

    def _healthy(self, trial: FrozenTrial) -> bool:
        """Return whether moves may start at a complete trial."""
        return trial.user_attrs.get("verdict", "balanced") in HEALTHY and _keeps_constraints(trial)


def _keeps_constraints(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())


def _cost(trial: FrozenTrial, directions: Sequence[StudyDirection]) -> float:
    """Return a complete trial's value of the last objective that is minimised, or else the negated first one."""
    minimised = [i for i, direction in enumerate(directions) if direction is StudyDirection.MINIMIZE]
    return trial.values[minimised[-1]] if minimised else -trial.values[0]


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


def _around(dist: BaseDistribution, centre: Any, rng: np.random.Generator) -> Any:
    """Return a number drawn around a centre, reflected at the ends of its range."""
    drawn = abs(to_unit(dist, centre) + _WIDTH * rng.standard_normal())
    return from_unit(dist, 1 - abs(1 - drawn))
