"""The Optuna study behind Ray Tune: it suggests trials and is told, truthfully, how each of them ended.

Optuna's study in the results folder is the truth of a sweep: nothing that Ray remembers is needed to go on.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.study import StudyDirection
from optuna.trial import TrialState
from ray.tune.search import Searcher

from gansearch.experiment import Experiment
from gansearch.search.space import distributions, params
from gansearch.study.folder import Folder

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "nsgaii": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "qmc": lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True),
}
"""Optuna imports what a sampler needs (torch for gp, scipy for qmc) when it is first made or asked."""

_LOCK_SECONDS = 10
"""A lock of the journal older than this was left by a process that died."""


def open_study(folder: Folder, experiment: Experiment) -> optuna.Study:
    """The study in the folder's journal, made if there is none; a line cut off in writing is removed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = str(folder.journal.resolve())  # the lock is a link to it, which only an absolute path leads to
    lock = JournalFileSymlinkLock(journal, grace_period=_LOCK_SECONDS)
    folder.journal.touch()
    lock.acquire()
    try:
        _cut_torn_line(folder)
    finally:
        lock.release()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        storage = JournalStorage(JournalFileBackend(journal, lock))
        names = optuna.get_all_study_names(storage)
        study = optuna.create_study(
            storage=storage,
            study_name=names[0] if names else experiment.folder,
            directions=[StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE],
            load_if_exists=True,
        )
        if study.metric_names is None:
            study.set_metric_names(["stability", "distance"])
        # A sampler that starts anew in a study that goes on must not draw its first points again;
        # qmc keeps its place in the sequence in the study, under its seed.
        told = 0 if experiment.sampler == "qmc" else len(study.trials)
        study.sampler = SAMPLERS[experiment.sampler](experiment.seed + told)
    return study


def _cut_torn_line(folder: Folder) -> None:
    """What follows the journal's last newline nobody has read, and it would spoil the line written next."""
    with folder.journal.open("rb+") as journal:
        content = journal.read()
        journal.truncate(content.rfind(b"\n") + 1)


class StudySearcher(Searcher):
    """Asks the study for Ray Tune's next trial, with `deadline` in seconds of time.monotonic()."""

    def __init__(self, study: optuna.Study, experiment: Experiment, deadline: float = math.inf):
        super().__init__()
        self.study = study
        self.experiment = experiment
        self.deadline = deadline
        self._space = distributions(experiment)
        self._asked: dict[int, optuna.Trial] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """The worker's config: number and params, and the checkpoints of the trial that it continues."""
        if time.monotonic() > self.deadline:
            return self.FINISHED
        trial = self.study.ask(self._space)
        self._asked[trial.number] = trial
        return {
            "number": trial.number,
            "params": params(self.experiment, trial.params),
            "checkpoints": trial.user_attrs.get("checkpoints", []),
        }

    def tell(self, row: Mapping[str, Any]) -> None:
        """Tells the study the ending of a trial, from its row."""
        tell(self._asked.pop(row["number"]), row)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The recorder tells the study, after it has written the trial's record."""

    def save(self, checkpoint_path: str) -> None:
        """The study saves itself."""

    def restore(self, checkpoint_path: str) -> None:
        """The study restores itself."""

    def __getstate__(self) -> dict[str, Any]:
        # Ray pickles searchers for a resumption of its own, which is not used.
        return {"experiment": self.experiment}


def tell(trial: optuna.Trial, row: Mapping[str, Any]) -> None:
    """Ends a trial in its study as its row says.

    Complete: with its values. Pruned: without values, so that it is never among the best; TPE ranks it
    behind the complete ones. Failed: complete for Optuna, which learns nothing from FAIL, but infeasible and
    with the worst values seen; that keeps it off the Pareto front and lets the samplers avoid the place.
    """
    for name in ("verdict", "status", "updates", "train_seconds", "node", "error"):
        value = row[name]
        if value is not None and value != "":
            trial.set_user_attr(name, value)
    if row["status"] == "pruned":
        trial.study.tell(trial, state=TrialState.PRUNED)
        return
    failed = row["status"] == "failed"
    # Set on every trial: GPSampler wants the same constraints on all of them. It is there already where a
    # driver died before it told the values.
    if not trial.constraints:
        trial.set_constraint("failed", 1.0 if failed else 0.0)
    stability, distance = (math.nan, math.nan) if failed else (row["stability"], row["distance"])
    trial.study.tell(
        trial,
        [
            stability if math.isfinite(stability) else 0.0,
            distance if math.isfinite(distance) else _worst_distance(trial.study),
        ],
    )


def _worst_distance(study: optuna.Study) -> float:
    """The largest distance told so far; 1 if none was."""
    told = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return max((trial.values[1] for trial in told), default=1.0)
