"""What the Optuna study stores of a trial: its values under the experiment's objective, and how it ended."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from gansearch.stability.verdict import HEALTHY
from gansearch.store.record import TrialRecord
from gansearch.store.sources import first_rung

_NAMES = {"both": ("stability", "distance"), "balanced": ("distance",)}
_DIRECTIONS = {"stability": StudyDirection.MAXIMIZE, "distance": StudyDirection.MINIMIZE}
_ATTRIBUTES = ("verdict", "status", "updates", "train_seconds", "node", "error", "source")
FIRST_RUNG = "first_rung"
"""The attribute of a trial with its distance at the first rung, or at its end where there was none."""
_NEARLY_HEALTHY = 0.01
"""Least constraint of an unhealthy trial: a constraint of 0 would be kept."""


def metrics(objective: str) -> dict[str, StudyDirection]:
    """Return the metrics that the study optimises, in order, each with its direction."""
    return {name: _DIRECTIONS[name] for name in _NAMES.get(objective, (objective,))}


def study_of(storage: optuna.storages.BaseStorage, name: str, objective: str) -> optuna.Study:
    """Return the study of that name, made if there is none, with the objective's metrics."""
    wanted = metrics(objective)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study = optuna.create_study(
            storage=storage, study_name=name, directions=list(wanted.values()), load_if_exists=True
        )
        if study.metric_names is None:
            study.set_metric_names(list(wanted))
    return study


def outcome(record: TrialRecord, objective: str, worst: Callable[[], float]) -> FrozenTrial:
    """Return how a trial ended, by its record; `worst` gives the largest distance so far where one is missing.

    A complete trial has its values. A pruned one has none, so that it is never among the best; TPE ranks it behind the
    complete ones, by its value at the update where it was stopped, which Optuna has for one objective only. A failed
    one is complete for Optuna, whose samplers ignore FAIL, but infeasible and with the worst values so far: it is not
    on the Pareto front, and the samplers avoid its configuration. With the objective `balanced` every unhealthy trial
    is infeasible, by 1 − its stability, which leads the sampler to healthy ones.
    """
    failed = record.status == "failed"
    numbers = {name: math.nan if failed else getattr(record, name) for name in _DIRECTIONS}
    attributes = {name: value for name in _ATTRIBUTES if (value := getattr(record, name)) not in (None, "")}
    pruned = record.status == "pruned"
    wanted = metrics(objective)
    attributes |= {name: n for name, n in numbers.items() if math.isfinite(n) and (pruned or name not in wanted)}
    if (first := first_rung(record)) < math.inf:
        attributes[FIRST_RUNG] = first
    constraints = _constraints(record, objective)
    if pruned:
        number = numbers[next(iter(wanted))]
        reported = {record.updates: number} if len(wanted) == 1 and math.isfinite(number) else {}
        return create_trial(
            state=TrialState.PRUNED,
            values=list(reported.values()) or None,  # as Optuna has them of a trial that is told
            user_attrs=attributes,
            intermediate_values=reported,
            constraints=constraints,
        )
    for name, number in numbers.items():
        if name in wanted and not math.isfinite(number):
            numbers[name] = worst() if name == "distance" else 0.0
    return create_trial(values=[numbers[name] for name in wanted], user_attrs=attributes, constraints=constraints)


def tell(trial: optuna.Trial, record: TrialRecord, objective: str) -> None:
    """End a trial in its study as its record says. What a driver stored before it died is not stored again.

    The parameters of a population's member are those that it began with. Its `schedule` led to its values.
    """
    ending = outcome(record, objective, lambda: worst_distance(trial.study, objective))
    if record.schedule:
        trial.set_user_attr("schedule", [segment.as_dict() for segment in record.schedule])
    for name, value in ending.user_attrs.items():
        trial.set_user_attr(name, value)
    for name, value in ending.constraints.items():
        if name not in trial.constraints:
            trial.set_constraint(name, value)
    for update, value in ending.intermediate_values.items():
        trial.report(value, update)
    values = None if ending.state is TrialState.PRUNED else ending.values
    trial.study.tell(trial, values, state=ending.state)


def worst_distance(study: optuna.Study, objective: str) -> float:
    """Return the largest distance in the study; 1 if there is none."""
    index = list(metrics(objective)).index("distance")
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return max((trial.values[index] for trial in complete), default=1.0)


def _constraints(record: TrialRecord, objective: str) -> dict[str, float]:
    """Return the constraints by name. All trials have the same ones, which GPSampler requires."""
    failed = record.status == "failed"
    constraints = {"failed": float(failed)}
    if objective == "balanced":
        constraints["unhealthy"] = unhealthy(None if failed else record.verdict, 0.0 if failed else record.stability)
    return constraints


def unhealthy(verdict: str | None, stability: float) -> float:
    """Return the constraint of a trial: 0, which keeps it, for a healthy one, else what its stability lacks of 1."""
    lacking = 1.0 - (stability if math.isfinite(stability) else 0.0)
    return 0.0 if verdict in HEALTHY else max(lacking, _NEARLY_HEALTHY)
