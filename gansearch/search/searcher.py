"""The Optuna study behind Ray Tune: it suggests trials and is told, truthfully, how each of them ended.

Optuna's study in the results folder is the truth of a sweep: nothing that Ray remembers is needed to go on.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from ray.tune.search import Searcher

from gansearch.experiment import Experiment
from gansearch.search.objective import metrics, tell
from gansearch.search.samplers import make_sampler
from gansearch.search.space import distributions, params
from gansearch.study.folder import Folder

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
        names, wanted = optuna.get_all_study_names(storage), metrics(experiment.objective)
        study = optuna.create_study(
            storage=storage,
            study_name=names[0] if names else experiment.folder,
            directions=list(wanted.values()),
            load_if_exists=True,
        )
        if study.metric_names is None:
            study.set_metric_names(list(wanted))
        study.sampler = make_sampler(experiment, len(study.trials))
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
        tell(self._asked.pop(row["number"]), row, self.experiment.objective)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The recorder tells the study, after it has written the trial's record."""

    def save(self, checkpoint_path: str) -> None:
        """The study saves itself."""

    def restore(self, checkpoint_path: str) -> None:
        """The study restores itself."""

    def __getstate__(self) -> dict[str, Any]:
        # Ray pickles searchers for a resumption of its own, which is not used.
        return {"experiment": self.experiment}
