"""What good configurations are likely to be: those of recorded runs, of other tasks' sweeps, and the user's belief."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gansearch.experiment import Choices, Experiment, ExperimentError, Range
from gansearch.search.errors import SweepError
from gansearch.search.sampling.recorded import recorded_runs
from gansearch.search.sampling.space import categories
from gansearch.store.folder import Folder, StudyError, as_begun
from gansearch.store.tables import read_trials
from gansearch.study.analysis.choose import by_distance, params_of

_SHARE = 10
"""Of a sweep's trials the best one in so many are centres of the prior."""


def prior_centres(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the values of good configurations by the names that the experiment searches.

    They are the best tenth of the runs in prior.json, which come from other tasks than this one, or where `warm_start`
    names sweeps of other tasks, of these. A range's `prior` takes the place of a parameter's values, and a choice that
    is not offered has none. Raises SweepError where a folder of `warm_start` cannot be read or gives nothing.
    """
    searched = {name: entry for name, entry in experiment.search.items() if isinstance(entry, Range | Choices)}
    belief = {
        name: entry.prior for name, entry in searched.items() if isinstance(entry, Range) and entry.prior is not None
    }
    rows = [row for path in experiment.warm_folders for row in _best_of(path, experiment, searched)]
    rows = rows or [_offered(run["params"], searched) for run in recorded_runs() if run["task"] != experiment.task]
    return [{**row, **belief} for row in rows if row] or ([belief] if belief else [])


def _offered(params: Mapping[str, Any], searched: Mapping[str, Range | Choices]) -> dict[str, Any]:
    """Return those values that can be a centre: numbers, and choices that are offered, as Optuna has them."""
    found = {}
    for name, entry in searched.items():
        value = params.get(name)
        equal = categories(entry, value) if isinstance(entry, Choices) and name in params else []
        if equal or _is_number(value):
            found[name] = equal[0] if equal else value
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def other_study(path: str) -> tuple[Folder, Experiment]:
    """Return a results folder that `warm_start` names, and its experiment. Raises SweepError where it is none."""
    try:
        folder = Folder(path).require_ours()
        return folder, as_begun(Experiment.load(folder.experiment), folder.path)
    except (StudyError, ExperimentError, OSError) as error:
        raise SweepError(f"warm_start: {error}") from None


def of_this_task(experiment: Experiment, other: Experiment) -> bool:
    """Return whether the distances of both are the same measure."""
    return (experiment.task, experiment.task_options) == (other.task, other.task_options)


def _best_of(path: str, experiment: Experiment, searched: Mapping[str, Range | Choices]) -> list[dict[str, Any]]:
    """Return the searched parameters of the nearest healthy trials of another task's sweep; none of this task's."""
    folder, other = other_study(path)
    if of_this_task(experiment, other):
        return []
    table = read_trials(folder, other.search)
    nearest = by_distance(table)["number"].tolist()[: max(1, len(table) // _SHARE)]
    rows = [_offered(params_of(table, int(number)), searched) for number in nearest]
    if not any(rows):
        raise SweepError(f"warm_start: no balanced trial of {path}, a sweep of another task, has what is searched here")
    return rows
