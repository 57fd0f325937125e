"""Decides which member of a population copies which: Tune's population-based training, made repeatable.

Jaderberg et al. 2017, "Population Based Training of Neural Networks", arXiv 1711.09846.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray import tune
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator

from gansearch.experiment import Choices, Experiment, Range, scheduled_entries
from gansearch.search.sampling.samplers import exchange
from gansearch.search.sampling.searcher import StudySearcher
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.units import from_unit, nearest_value
from gansearch.store.nan_json import from_json


def starting_points(searcher: StudySearcher, count: int) -> dict[str, Any]:
    """Return Tune's `param_space`: a config for each of `count` members, which starts where the study says.

    They are no suggestions of the searcher to Tune, whose population-based training goes with none. There are fewer
    where the space has no more configurations.
    """
    members: dict[int, dict[str, Any]] = {}
    while len(members) < count and isinstance(config := searcher.suggest(""), dict):
        members[config["number"]] = config
    return {
        "number": tune.grid_search(list(members)),
        "params": tune.sample_from(lambda spec: members[spec.config.number]["params"]),
        "checkpoints": tune.sample_from(lambda spec: members[spec.config.number]["checkpoints"]),
    }


class Members(BasicVariantGenerator):
    """Tune's list of configurations, which is finished when all members are.

    Once its list is finished, Tune ends a worker that no trial waits for, and starting another takes seconds. Of
    several slots one keeps its worker at an exchange.
    """

    def is_finished(self) -> bool:
        """Return whether all configurations were given and all members have ended."""
        return bool(super().is_finished()) and not self._live_trials


class Population(PopulationBasedTraining):
    """Tune's scheduler over the searched fields that may change during a run.

    An exchange is held when all members have reached it: the worst continue from the weights of the best, with changed
    parameters. Random numbers come from the experiment's seed, so that a sweep can be repeated. A member reports
    {"exchange": its number from 1 on, "score": larger is better, "params": JSON of what it trains with}. The score of
    what it reports between two exchanges is NaN. What is overridden by a private name is that of Ray 2.60,
    ray/tune/schedulers/pbt.py.
    """

    def __init__(self, experiment: Experiment, done: int = 0):
        """Draw from the experiment's seed plus the `done` trials: a resumed sweep does not draw the same again."""
        self._experiment = experiment
        self._entries = scheduled_entries(experiment.search)
        self._distributions = SearchSpace(experiment).distributions
        self._state_of_draws = random.Random(experiment.seed + done).getstate()
        options = exchange(experiment)
        super().__init__(
            time_attr="exchange",
            metric="score",
            mode="max",
            perturbation_interval=1,
            quantile_fraction=options.quantile_fraction,
            resample_probability=options.resample_probability,
            hyperparam_mutations={"params": {name: self._values(name) for name in self._entries}},
            custom_explore_fn=self._within,
            log_config=False,
            synch=True,
        )

    def on_trial_result(self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]) -> str:
        """Hold an exchange where the report is of one."""
        # A member that was resumed after its driver died knows what it trains with; Tune's trial does not.
        trial.set_config({**trial.config, "params": from_json(result["params"])})
        if math.isnan(result["score"]):
            return str(TrialScheduler.CONTINUE)
        with self._own_draws():
            return str(super().on_trial_result(tune_controller, trial, result))

    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        """Choose as Tune does, but hold the exchange where the member that it waits for has died."""
        live = [trial for trial in tune_controller.get_live_trials() if not trial.is_finished()]
        if live and all(
            self._trial_state[trial].last_train_time >= self._next_perturbation_sync and trial.status == Trial.PAUSED
            for trial in live
        ):
            self._next_perturbation_sync += 1
        return super().choose_trial_to_run(tune_controller)

    def _get_new_config(self, trial: Trial, trial_to_clone: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a changed copy of another member's config, with the number of the trial."""
        config, operations = super()._get_new_config(trial, trial_to_clone)
        return {**config, "number": trial.config["number"], "checkpoints": []}, operations

    def _within(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the config with changed parameters brought into their ranges; `training:` gives what is not asked."""
        params = dict(config["params"])
        # Changed ones may be impossible as yet; no condition names one of them.
        training = self._experiment.training.with_params({n: v for n, v in params.items() if n not in self._entries})
        for name, entry in self._entries.items():
            if not entry.holds(training.used):
                params[name] = self._experiment.training.used(name)
            elif isinstance(entry, Range):
                params[name] = nearest_value(self._distributions[name], params[name])
        return {**config, "params": params}

    def _values(self, name: str) -> Any:
        """Return a field as Tune takes it: a list, of which a copy takes a neighbour, or a function that draws."""
        entry, dist = self._entries[name], self._distributions[name]
        return entry.choices if isinstance(entry, Choices) else lambda: from_unit(dist, random.random())

    @contextmanager
    def _own_draws(self) -> Iterator[None]:
        """Set Python's global random state, from which Tune draws, to this population's."""
        before = random.getstate()
        random.setstate(self._state_of_draws)
        try:
            yield
        finally:
            self._state_of_draws = random.getstate()
            random.setstate(before)
