"""Which member of a population copies which: Ray Tune's population-based training, made repeatable.

Jaderberg et al. 2017, "Population Based Training of Neural Networks", arXiv 1711.09846.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator

from gansearch.experiment import Choices, Experiment, Range, scheduled_entries
from gansearch.search.sampling.samplers import exchange
from gansearch.store.nan_json import from_json


class Members(BasicVariantGenerator):
    """Ray Tune's list of the configurations that it is given, with the members' workers kept from leg to leg.

    Ray Tune ends a worker that nobody waits for once its list is finished; this one is when the members are. Starting
    a worker takes seconds. Of several slots one keeps its worker at an exchange; the others have to start anew.
    """

    def is_finished(self) -> bool:
        return bool(super().is_finished()) and not self._live_trials


class Population(PopulationBasedTraining):
    """Ray Tune's scheduler over the searched fields that may change during a run.

    All members reach an exchange before it is held: then the worst go on from the weights of the best, with changed
    parameters. What is drawn comes from the experiment's seed, so that a sweep can be repeated. A member reports
    {"exchange": its number from 1 on, "score": larger is better, "params": JSON of what it trains with}; what it
    reports between two exchanges has a score that is NaN.
    """

    def __init__(self, experiment: Experiment, done: int = 0):
        """`done`: the trials that ended before, so that a sweep which goes on does not draw the same again."""
        self._experiment = experiment
        self._entries = scheduled_entries(experiment.search)
        self._state_of_draws = random.Random(experiment.seed + done).getstate()
        options = exchange(experiment)
        super().__init__(
            time_attr="exchange",
            metric="score",
            mode="max",
            perturbation_interval=1,
            quantile_fraction=options.quantile_fraction,
            resample_probability=options.resample_probability,
            hyperparam_mutations={"params": {name: _values(entry) for name, entry in self._entries.items()}},
            custom_explore_fn=self._within,
            log_config=False,
            synch=True,
        )

    def on_trial_result(self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]) -> str:
        # A member that goes on after its driver died knows better than its trial what it trains with.
        trial.set_config({**trial.config, "params": from_json(result["params"])})
        if math.isnan(result["score"]):
            return str(TrialScheduler.CONTINUE)
        with self._own_draws():
            return str(super().on_trial_result(tune_controller, trial, result))

    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        # Ray Tune holds an exchange when the last member reports. Where that one died the others would wait for ever.
        live = tune_controller.get_live_trials()
        if live and all(
            self._trial_state[trial].last_train_time >= self._next_perturbation_sync and trial.status == Trial.PAUSED
            for trial in live
        ):
            self._next_perturbation_sync += 1
        return super().choose_trial_to_run(tune_controller)

    def _get_new_config(self, trial: Trial, trial_to_clone: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
        """A copy of another's config, changed, for a member that keeps its number."""
        config, operations = super()._get_new_config(trial, trial_to_clone)
        return {**config, "number": trial.config["number"], "checkpoints": []}, operations

    def _within(self, config: dict[str, Any]) -> dict[str, Any]:
        """The config with changed parameters brought back into what is searched; what is not asked stays training's."""
        params = dict(config["params"])
        # Changed ones may be impossible as yet; no condition names one of them.
        known = {name: value for name, value in params.items() if name not in self._entries}
        training = self._experiment.training.with_params(known)
        for name, entry in self._entries.items():
            if not entry.holds(training.used):
                params[name] = self._experiment.training.used(name)
            elif isinstance(entry, Range):
                params[name] = _inside(entry, params[name])
        return {**config, "params": params}

    @contextmanager
    def _own_draws(self) -> Iterator[None]:
        """Ray Tune draws from Python's global numbers; in here they are this population's."""
        before = random.getstate()
        random.setstate(self._state_of_draws)
        try:
            yield
        finally:
            self._state_of_draws = random.getstate()
            random.setstate(before)


def _values(entry: Range | Choices) -> Any:
    """An entry as Ray Tune takes it: a list, of which a copy takes a neighbour, or a function that draws."""
    return entry.choices if isinstance(entry, Choices) else partial(_draw, entry)


def _draw(entry: Range) -> float:
    if entry.log:
        return math.exp(random.uniform(math.log(entry.low), math.log(entry.high)))
    return random.uniform(entry.low, entry.high)


def _inside(entry: Range, value: float) -> float:
    """The nearest value of a range."""
    if entry.step:
        value = entry.low + round((value - entry.low) / entry.step) * entry.step
        value = value if value <= entry.high else value - entry.step
    return float(min(max(value, entry.low), entry.high))
