"""A sweep that is resumed in another search space: its trials are kept, and those that fit inform the sampler.

Optuna refuses a parameter whose choices, scale or type change within a study. So the study is copied inside the same
journal, with each trial placed in the new space. Deleting the old study is the last step, and before it the copy does
not count.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import TypeAdapter

from gansearch.experiment import Entry, Experiment
from gansearch.search.sampling.journal import storage_of_study
from gansearch.search.sampling.objective import study_of
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.warm_start import configuration, frozen_trial
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord
from gansearch.store.trial_files import read_records

_RATES = {"lr", "lr_ratio", "lr_d", "lr_g"}
_COPY = ", space "
"""Between a study's name and the number of its space."""
_SPACE = "search"
"""The attribute of a study that holds the space of its trials, as an experiment's `search:`."""


def with_columns_of(old: Experiment, new: Experiment) -> Experiment:
    """Return the new experiment, with a plain value for each field that only the old one searched.

    The tables keep a column for these, without which an earlier trial could not be exported. Raises ExperimentError
    where such a value contradicts the new experiment.
    """
    removed = [name for name in old.search if name not in new.search]
    if _RATES & new.search.keys() and not new.is_loop:
        removed = [name for name in removed if name not in _RATES]
    values = {name: new.training.used(name) for name in removed}
    return (
        Experiment.parse({**new.model_dump(exclude_unset=True), "search": {**_dump(new), **values}}) if values else new
    )


def with_columns(experiment: Experiment, record: TrialRecord) -> TrialRecord:
    """Return a record with the columns of the experiment. `training:` gives the fields that were not searched."""
    training = configuration(experiment.training, record)
    used = {name: training.used(name) for name in experiment.search if name not in record.params}
    return replace(record, params={**used, **record.params})


def trained(space: SearchSpace, study: optuna.Study, record: TrialRecord) -> dict[str, Any]:
    """Return the parameters of an ended trial, for `Training.with_params`."""
    trial = study.get_trials(deepcopy=False)[record.number]
    if "left_out" not in trial.user_attrs:
        return space.params(trial.params)
    training = configuration(space.experiment.training, record)
    return {name: training.used(name) for name in space.experiment.search}


def in_space(study: optuna.Study, folder: Folder, space: SearchSpace) -> optuna.Study:
    """Return the study in this space: itself, or a copy that replaces it. No trial of it may be running."""
    before = study.user_attrs.get(_SPACE) or _dump(Experiment.load(folder.experiment))
    if before != _dump(space.experiment):
        old = space.experiment.model_copy(update={"search": TypeAdapter(dict[str, Entry]).validate_python(before)})
        study = _copied(study, folder, SearchSpace(old), space)
    if _SPACE not in study.user_attrs:
        study.set_user_attr(_SPACE, before)
    return study


def _copied(study: optuna.Study, folder: Folder, old: SearchSpace, new: SearchSpace) -> optuna.Study:
    name, _, times = study.study_name.partition(_COPY)
    fresh = study_of(storage_of_study(study), f"{name}{_COPY}{int(times or 1) + 1}", new.experiment.objective)
    fresh.sampler = study.sampler
    for attribute, value in {**study.user_attrs, _SPACE: _dump(new.experiment)}.items():
        fresh.set_user_attr(attribute, value)
    trials = study.get_trials(deepcopy=False)
    records = {record.number: record for record in read_records(folder)}
    distances = [record.distance for record in records.values() if record.status == "complete"]
    worst = max(filter(math.isfinite, distances), default=1.0)
    for trial in trials:
        record = records.get(trial.number)
        if record is None:
            fresh.add_trial(_moved(trial, old, new))
        else:
            fresh.add_trial(frozen_trial(new, configuration(old.experiment.training, record), record, worst))
    optuna.delete_study(study_name=study.study_name, storage=storage_of_study(study))
    return fresh


def _moved(trial: FrozenTrial, old: SearchSpace, new: SearchSpace) -> FrozenTrial:
    """Return a trial without a record in the new space: another study's, a waiting or an abandoned one."""
    moved = copy.deepcopy(trial)
    moved.params, moved.distributions = {}, {}
    if trial.state is TrialState.FAIL:
        return moved
    asked = trial.system_attrs["fixed_params"] if trial.state is TrialState.WAITING else trial.params
    chosen, why = new.fit(old.experiment.training.with_params(old.params(asked)))
    if why or (trial.state is TrialState.WAITING and "continues" not in trial.user_attrs):
        # What only waits is enqueued again where it is wanted in the new space.
        attributes = {k: v for k, v in trial.user_attrs.items() if k != "start_from"}
        return create_trial(state=TrialState.FAIL, user_attrs={**attributes, "left_out": why or "it had not started"})
    if trial.state is TrialState.WAITING:
        moved.system_attrs = {**trial.system_attrs, "fixed_params": chosen}
    else:
        moved.params, moved.distributions = chosen, {name: new.distributions[name] for name in chosen}
    return moved


def _dump(experiment: Experiment) -> dict[str, Any]:
    """Return the experiment's `search:` as plain data."""
    data: dict[str, Any] = experiment.model_dump(mode="json", include={"search"}, exclude_none=True)["search"]
    return data
