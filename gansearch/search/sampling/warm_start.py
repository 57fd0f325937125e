"""Trials that ran in another study or in another space, as trials of this experiment's study.

Samplers model every trial that they see, whatever it was a trial of. So each earlier trial is placed in the present
space, and one that does not fit is hidden from them.
"""

from __future__ import annotations

from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState, create_trial

from gansearch.experiment import LoopTraining, Training
from gansearch.search.errors import SweepError
from gansearch.search.sampling.objective import outcome
from gansearch.search.sampling.prior import of_this_task, other_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.store.record import TrialRecord
from gansearch.store.tables import read_trials
from gansearch.study.analysis.choose import params_of

_DERIVED = {"lr", "lr_ratio"}
"""Columns that are no field of their own: rates are in lr_d and lr_g."""
_LABEL = "warm_start"
"""The attribute of a trial that names the trial that it was, and of a study with the folders that were read."""
_BEGUN = "warm_start_begun"
"""The attribute of a study that names the folder of which trials were added last."""


def configuration(training: Training, record: TrialRecord) -> Training:
    """Return what a trial trained; `training` is the section of its experiment."""
    derived = set() if isinstance(training, LoopTraining) else _DERIVED
    names = (record.params.keys() & set(training.names)) - derived
    return training.with_params({name: record.params[name] for name in names if not _missing(record.params[name])})


def frozen_trial(space: SearchSpace, training: Training, record: TrialRecord, worst: float) -> FrozenTrial:
    """Return an ended trial, given what it trained and its record. `worst` replaces a missing distance.

    Where the experiment could not have made it, it fails, which no sampler models, and `left_out` says why.
    """
    chosen, why = space.fit(training)
    ended = outcome(record, space.experiment.objective, lambda: worst)
    if why:
        return create_trial(state=TrialState.FAIL, user_attrs={**ended.user_attrs, "left_out": why})
    ended.params, ended.distributions = chosen, {name: space.distributions[name] for name in chosen}
    return ended


def warm_trials(space: SearchSpace) -> list[FrozenTrial]:
    """Return the trials of the studies in `warm_start` that the experiment could have made, labelled by `warm_start`.

    Studies of other tasks give none: they are of the prior. Raises SweepError where a folder is no study, or where no
    trial of it fits.
    """
    return [trial for path in space.experiment.warm_folders for trial in _warm_trials(space, path)]


def _warm_trials(space: SearchSpace, path: str) -> list[FrozenTrial]:
    folder, other = other_study(path)
    if not of_this_task(space.experiment, other):
        if space.experiment.sampler_name != "balance":
            raise SweepError(f"warm_start: {path} is a sweep of another task, which informs sampler: balance alone")
        return []
    table = read_trials(folder, other.search)
    worst = max(table.loc[table["status"] == "complete", "distance"].dropna(), default=1.0)
    fitting, why = [], "it has none that has ended"
    for row in table.to_dict("records"):
        number = int(row["number"])
        known = {str(name): None if _missing(value) else value for name, value in row.items()}
        numbers = {name: row[name] for name in ("stability", "distance")}
        record = TrialRecord.from_row(known | params_of(table, number) | numbers)
        trial = frozen_trial(space, configuration(other.training, record), record, worst)
        if "left_out" in trial.user_attrs:
            why = f"of trial {number} {trial.user_attrs['left_out']}"
        else:
            trial.set_user_attr(_LABEL, f"{path}, trial {number}")
            fitting.append(trial)
    if not fitting:
        raise SweepError(f"warm_start: no trial of {path} could be one of this experiment: {why}")
    return fitting


def warm_up(study: optuna.Study, space: SearchSpace) -> None:
    """Add the trials of `warm_start` to the study, once, however often its sweep is resumed.

    A folder that was read is not needed any more, whether it gave trials or the prior.
    """
    labels = [trial.user_attrs.get(_LABEL, "") for trial in study.get_trials(deepcopy=False)]
    for path in space.experiment.warm_folders:
        done = study.user_attrs.get(_LABEL, [])
        if path not in done:
            died_here = study.user_attrs.get(_BEGUN) == path  # having added some of them
            if died_here or not any(label.startswith(f"{path}, ") for label in labels):
                study.set_user_attr(_BEGUN, path)
                study.add_trials([one for one in _warm_trials(space, path) if one.user_attrs[_LABEL] not in labels])
            study.set_user_attr(_LABEL, [*done, path])


def _missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))
