"""Going on with a results folder: whose it is, what has changed, and what a dead driver left unfinished."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from gansearch.experiment import Experiment
from gansearch.search.errors import SweepError
from gansearch.search.mirror import storage_of
from gansearch.search.sampling.objective import tell
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import with_columns, with_columns_of
from gansearch.search.sampling.warm_start import configuration, placed
from gansearch.search.worker.checkpoints import checkpoints
from gansearch.store.folder import Folder, as_typed
from gansearch.store.record import TrialRecord
from gansearch.store.trial_files import read_record

_MAY_CHANGE = {
    *("name", "trials", "sampler", "confirm", "resources", "limits", "checkpoints", "stop_when_flat", "evidence"),
    *("start_from", "warm_start", "trackers"),
}
"""Fields of an experiment that leave the trials of a sweep comparable."""


def check_folder(folder: Folder, experiment: Experiment, resume: bool, allow_change: bool = False) -> Experiment:
    """The experiment as the folder goes on with it; the same in a folder that is new.

    Raises SweepError where a sweep must not or cannot write, and ExperimentError where a changed space, which
    `allow_change` lets pass, contradicts what it was. Writes nothing.
    """
    path = folder.path
    called = as_typed(path) if storage_of(folder) else path
    if folder.is_ours:
        folder.require_ours()
        if not resume:
            raise SweepError(f"{called}: holds a sweep already; go on with it by --resume, or choose another --out")
        old = Experiment.load(folder.experiment)
        experiment = with_columns_of(old, experiment)
        changes = _changes(old, experiment)
        if old.is_population != experiment.is_population:
            changes.append(f"sampler: {old.sampler} → {experiment.sampler}")
        shown = "".join(f"\n  {change}" for change in changes)
        if not all(change.startswith("search.") for change in changes) or (changes and old.is_population):
            raise SweepError(f"{called}: the experiment has changed, so choose another --out:{shown}")
        if changes and not allow_change:
            raise SweepError(
                f"{called}: the search space has changed. Go on in the new one with --resume --allow-change: the "
                f"trials so far are kept, and those that fit it inform the sampler. Or choose another --out:{shown}"
            )
    elif not folder.is_free:
        what = "is not empty and not a results folder" if path.is_dir() else "is not a folder"
        raise SweepError(f"{called}: {what}; choose another --out")
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise SweepError(f"{called}: cannot be written; choose another --out")
    return experiment


def mend(study: optuna.Study, known: Iterable[TrialRecord], space: SearchSpace) -> None:
    """Gives back to the study what its journal has lost of the trials whose records are `known`.

    That is damaged, or did not reach its storage before the driver died.
    """
    records = {record.number: record for record in known}
    trials = study.get_trials(deepcopy=False)
    distances = (record.distance for record in records.values())
    worst = max(filter(math.isfinite, distances), default=1.0)
    for number in range(len(trials), max(records, default=-1) + 1):
        if number in records:
            record = with_columns(space.experiment, records[number])
            study.add_trial(placed(space, configuration(space.experiment.training, record), record, worst))
        else:
            study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"left_out": "the journal has lost it"}))
    for frozen in trials:
        if frozen.state is TrialState.WAITING and frozen.number in records:
            study._storage.set_trial_state_values(frozen._trial_id, TrialState.RUNNING)


def settle(study: optuna.Study, folder: Folder, objective: str) -> None:
    """Ends the trials that a dead driver left running.

    One whose record is whole is told from it. Any other is enqueued again, to go on from its newest
    checkpoint, and its own entry fails with the attribute `continued_as`.
    """
    trials = study.get_trials(deepcopy=False)
    successors = {t.user_attrs["continues"]: t.number for t in trials if "continues" in t.user_attrs}
    for frozen in [t for t in trials if t.state is TrialState.RUNNING]:
        trial = optuna.Trial(study, frozen._trial_id)
        record = read_record(folder, frozen.number)
        if record:
            tell(trial, record, objective)
            continue
        # A driver killed in this very loop may have enqueued it already.
        successor = successors.get(frozen.number)
        if successor is None:
            found = checkpoints(folder, frozen.number) + frozen.user_attrs.get("checkpoints", [])
            study.enqueue_trial(frozen.params, {"continues": frozen.number, "checkpoints": found})
            successor = len(study.get_trials(deepcopy=False)) - 1
        trial.set_user_attr("continued_as", successor)
        study.tell(trial, state=TrialState.FAIL)


def _changes(old: Experiment, new: Experiment) -> list[str]:
    """ "path: old → new" of every field that differs and must not."""
    before, after = _flat(old.model_dump(exclude=_MAY_CHANGE)), _flat(new.model_dump(exclude=_MAY_CHANGE))
    nothing = "not set"
    return [
        f"{path}: {before.get(path, nothing)} → {after.get(path, nothing)}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path, nothing) != after.get(path, nothing)
    ]


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"search.lr.low": 1e-4, ...}"""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = list(value) if isinstance(value, tuple) else value
    return flat


def give_up(study: optuna.Study) -> None:
    """Ends the entries that still wait to go on with a trial, once a sweep has all its trials without them.

    A journal that was damaged may have forgotten that another went on with it, and ended.
    """
    for frozen in study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
        if "continues" in frozen.user_attrs:
            study._storage.set_trial_state_values(frozen._trial_id, TrialState.RUNNING)
            trial = optuna.Trial(study, frozen._trial_id)
            trial.set_user_attr("left_out", "the sweep has all its trials")
            study.tell(trial, state=TrialState.FAIL)
