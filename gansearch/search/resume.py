"""Resuming a results folder: whose it is, what has changed, and what a dead driver left unfinished."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.trial import TrialState, create_trial

from gansearch.experiment import Experiment, masked_data
from gansearch.formatting import fit
from gansearch.search.errors import SweepError
from gansearch.search.mirror import storage_of
from gansearch.search.sampling.journal import running_trial
from gansearch.search.sampling.objective import tell
from gansearch.search.sampling.searcher import open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import with_columns, with_columns_of
from gansearch.search.sampling.warm_start import configuration, frozen_trial
from gansearch.search.worker.checkpoints import checkpoints, trial_name
from gansearch.store.folder import Folder, as_begun, as_typed, check_links, format_of, writing
from gansearch.store.record import TrialRecord
from gansearch.store.trial_files import read_record

_MAY_CHANGE = {
    *("name", "trials", "sampler", "confirm", "resources", "limits", "checkpoints", "stop_when_flat", "evidence"),
    *("start_from", "warm_start", "trackers"),
}
"""Fields of an experiment that leave the trials of a sweep comparable."""


def check_folder(folder: Folder, experiment: Experiment, resume: bool, allow_change: bool = False) -> Experiment:
    """Return the experiment with which the folder continues; the same one for a new folder.

    Raises SweepError where a sweep must not or cannot write, and ExperimentError where a changed space, which
    `allow_change` permits, contradicts what it was. Writes nothing.
    """
    with writing(folder.path):  # it may be no path at all, or one that this user must not look into
        return _checked(folder, experiment, resume, allow_change)


def _checked(folder: Folder, experiment: Experiment, resume: bool, allow_change: bool) -> Experiment:
    path = folder.path
    called = as_typed(path) if storage_of(folder) else path
    if fit(str(path)) != str(path):  # neither Ray nor Parquet files can be there
        raise SweepError(f"{fit(str(path))}: has a name that is no UTF-8; choose another --out")
    if folder.is_ours:
        folder.require_ours()
        check_links(path)
        if not resume:
            raise SweepError(f"{called}: holds a sweep already; go on with it by --resume, or choose another --out")
        old = _with_rules(as_begun(Experiment.load(folder.experiment), path), path)
        experiment = with_columns_of(old, _with_rules(as_begun(experiment, path), path))
        _check_changes(called, old, experiment, allow_change)
    elif not folder.is_free:
        what = "is not empty and not a results folder" if path.is_dir() else "is not a folder"
        raise SweepError(f"{called}: {what}; choose another --out")
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise SweepError(f"{called}: cannot be written; choose another --out")
    return experiment


def _with_rules(experiment: Experiment, folder: Path) -> Experiment:
    """Return the experiment with the rules of a folder's search: before format 4 the defaults were other ones."""
    if format_of(folder) >= 4:
        return experiment
    rules: dict[str, Any] = {"objective": "both", "sampler": "tpe"}
    unset = {name: value for name, value in rules.items() if name not in experiment.model_fields_set}
    return experiment.model_copy(update={**unset, "prune": experiment.prune and "both"})


def open_repaired(folder: Folder, experiment: Experiment, records: Sequence[TrialRecord]) -> optuna.Study:
    """Return the folder's study, in which no trial runs, with what its journal has lost of the ended trials."""
    study = open_study(folder, experiment)
    add_lost(study, records, SearchSpace(Experiment.load(folder.experiment)))  # the space that the trials were in
    end_running(study, folder, experiment.objective)
    return study


def add_lost(study: optuna.Study, records: Sequence[TrialRecord], space: SearchSpace) -> None:
    """Give back to the study what its journal has lost of the trials that have records.

    It is damaged, or did not reach its storage before the driver died.
    """
    known = {record.number: record for record in records}
    trials = study.get_trials(deepcopy=False)
    worst = max((record.distance for record in records if math.isfinite(record.distance)), default=1.0)
    for number in range(len(trials), max(known, default=-1) + 1):
        if number in known:
            record = with_columns(space.experiment, known[number])
            study.add_trial(frozen_trial(space, configuration(space.experiment.training, record), record, worst))
        else:
            study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"left_out": "the journal has lost it"}))
    for frozen in trials:
        if frozen.state is TrialState.WAITING and frozen.number in known:
            running_trial(study, frozen)


def end_running(study: optuna.Study, folder: Folder, objective: str) -> None:
    """End the trials that a dead driver left running.

    One with a whole record ends as that says. Any other is enqueued again, to continue from its newest checkpoint, and
    its own entry fails with the attribute `continued_as`.
    """
    trials = study.get_trials(deepcopy=False)
    successors = {t.user_attrs["continues"]: t.number for t in trials if "continues" in t.user_attrs}
    for frozen in [t for t in trials if t.state is TrialState.RUNNING]:
        trial = running_trial(study, frozen)
        if record := read_record(folder, frozen.number):
            tell(trial, record, objective)
            continue
        # A driver killed in this very loop may have enqueued it already.
        successor = successors.get(frozen.number)
        if successor is None:
            saved = checkpoints(folder, trial_name(frozen.number)) + frozen.user_attrs.get("checkpoints", [])
            source = {name: value for name, value in frozen.user_attrs.items() if name == "source"}
            study.enqueue_trial(frozen.params, {"continues": frozen.number, "checkpoints": saved, **source})
            successor = len(study.get_trials(deepcopy=False)) - 1
        trial.set_user_attr("continued_as", successor)
        study.tell(trial, state=TrialState.FAIL)


def end_waiting(study: optuna.Study) -> None:
    """End the entries that still wait to continue a trial, once a sweep has all its trials without them.

    A journal that was damaged may have forgotten that another entry continued it, and ended.
    """
    for frozen in study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
        if "continues" in frozen.user_attrs:
            trial = running_trial(study, frozen)
            trial.set_user_attr("left_out", "the sweep has all its trials")
            study.tell(trial, state=TrialState.FAIL)


def _check_changes(called: Path | str, old: Experiment, new: Experiment, allow_change: bool) -> None:
    """Raise SweepError where something has changed that must not."""
    changes = _changes(old, new)
    if old.is_population != new.is_population:
        changes.append(f"sampler: {old.sampler} → {new.sampler}")
    listed = "".join(f"\n  {change}" for change in changes)
    if not all(change.startswith("search.") for change in changes) or (changes and old.is_population):
        raise SweepError(f"{called}: the experiment has changed, so choose another --out:{listed}")
    if changes and not allow_change:
        raise SweepError(
            f"{called}: the search space has changed. Go on in the new one with --resume --allow-change: the "
            f"trials so far are kept, and those that fit it inform the sampler. Or choose another --out:{listed}"
        )


def _changes(old: Experiment, new: Experiment) -> list[str]:
    """Return "path: old → new" of every field that differs and must not, such as search.lr.low."""
    before, after = _fields(old), _fields(new)
    nothing = "not set"
    return [
        f"{path}: {before.get(path, nothing)} → {after.get(path, nothing)}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path, nothing) != after.get(path, nothing)
    ]


def _fields(experiment: Experiment) -> dict[str, Any]:
    """Return the fields that must not change by their paths: {"search.lr.low": 1e-4, ...}."""
    data = masked_data(experiment.model_dump(mode="json", exclude=_MAY_CHANGE))  # as the folder has it
    return {str(path): values[0] for path, values in pd.json_normalize(data).to_dict("list").items()}
