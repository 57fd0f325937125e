"""Keeps trials running: as many as there are slots, elsewhere where a node fails them, and not for ever."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback

from gansearch.search.cluster.ray_patches import give_whole_gpu
from gansearch.search.gpu_use import gpus_of
from gansearch.search.sampling.searcher import LimitedSearcher
from gansearch.search.slots import Slots
from gansearch.search.tuning import FAILURES, Stop, SweepCallback, name_of
from gansearch.search.watchdog import Patience, Watchdog
from gansearch.search.worker.checkpoints import checkpoints, forget, ray_folder
from gansearch.search.worker.gpu import is_out_of_memory, with_remedy
from gansearch.signals import Interrupts
from gansearch.store.folder import Folder

_LOG = logging.getLogger(__name__)

_MOVES = 20
"""Nodes that may vanish under a trial, or prove unfit, before that counts as a failure of the trial."""

_UNLOADED = re.compile(r"failed to import on the worker.*?\n(\w[\w.]*: [^\n]*)", re.DOTALL)
"""Ray's words for a worker that cannot unpickle what it shall run, up to the exception."""


class Supervisor(SweepCallback, TrialProgressCallback):
    """Tune's callback that limits, watches, moves and stops trials.

    It is a TrialProgressCallback so that Tune, which adds one of its own where there is none, prints nothing.
    """

    def __init__(self, slots: Slots, patience: Patience, searcher: LimitedSearcher, interrupts: Interrupts):
        """Supervise no trial yet."""
        self._slots, self._searcher, self._interrupts = slots, searcher, interrupts
        self._watchdog = Watchdog(patience)
        self._nodes: dict[Trial, str] = {}
        """Ray's ids of the nodes on which trials were at their last reports."""

    def on_step_begin(self, **info: Any) -> None:
        """Check for an interrupt, for silent trials, and for nodes that have come or gone."""
        if self._interrupts.requested:
            raise Stop
        self._watchdog.check()
        self._slots.update()
        self._searcher.most = self._slots.wanted if self._searcher.ahead else self._slots.now
        self._searcher.fit = self._slots.fit
        if self._slots.fill:
            self._searcher.gpus = self._slots.bundle["GPU"]

    def on_trial_start(self, trial: Trial, **info: Any) -> None:
        """Watch a trial that begins or resumes."""
        self._watchdog.started(trial)

    def on_trial_result(self, trial: Trial, result: dict[str, Any], **info: Any) -> None:
        """Note a report. An ending is taken out of it where the trial is to be tried again.

        That is after an error on a node that may be unfit, and where a trial that shares its GPU ran out of memory. Its
        worker raises then, of which Tune knows no more than that it died.
        """
        self._watchdog.reported(trial)
        node, ending = result.get("on", ""), result.get("ending")
        self._nodes[trial] = node
        if not ending:
            return
        crowded = is_out_of_memory(ending.error) and 0 < gpus_of(trial) < 1
        if crowded:
            self._isolate(trial)
        if crowded or (ending.error and node and node not in self._slots.fit):
            result["ending"] = None
            self._allow_move(trial)
        else:
            trial.max_failures = 0  # ignore failures of the worker after the trial has ended
            result["ending"] = replace(ending, error=with_remedy(ending.error))

    def on_trial_recover(self, trial: Trial, **info: Any) -> None:
        """Note that a worker died and Tune resumes its trial. It is not the trial's failure where the node is gone."""
        self._watchdog.stopped(trial)
        trial.config["alone"] = True  # others, with which it shared a process, may have ended that
        node = self._nodes.pop(trial, "")
        if node and not self._slots.is_alive(node):
            self._allow_move(trial)

    def on_trial_complete(self, trial: Trial, **info: Any) -> None:
        """Watch a trial no more."""
        self._watchdog.stopped(trial)
        self._nodes.pop(trial, None)

    def on_trial_error(self, trial: Trial, **info: Any) -> None:
        """Watch a trial no more."""
        self.on_trial_complete(trial)

    def failure(self, trial: Trial) -> str:
        """Return what ended a trial whose worker could not say it."""
        return self._watchdog.reason(trial) or _worker_death(trial)

    def _isolate(self, trial: Trial) -> None:
        """Have a trial tried again with a GPU to itself, and later ones less crowded."""
        fewer = self._slots.thin_out(gpus_of(trial))
        give_whole_gpu(trial)
        later = f"; from now on {self._slots.fill.at_once} at once" if fewer and self._slots.fill else ""
        _LOG.warning(
            "warning: trial %s ran out of memory on a GPU that it shared; it is tried again with one to itself%s",
            name_of(trial),
            later,
        )

    def _allow_move(self, trial: Trial) -> None:
        """Let a trial survive one more death of its worker."""
        trial.max_failures = min(trial.max_failures + 1, FAILURES + _MOVES)


class Housekeeper(SweepCallback):
    """Tune's callback that removes what trials leave behind: checkpoints on disk, statistics in memory."""

    def __init__(self, folder: Folder, checkpoints_kept: int = 1, ended_kept: bool = False):
        """Keep so many checkpoints of a trial that runs, and with `ended_kept` those of trials that have ended."""
        self._folder, self._checkpoints_kept, self._ended_kept = folder, checkpoints_kept, ended_kept

    def on_trial_save(self, trial: Trial, **info: Any) -> None:
        """Remove the older checkpoints of a trial."""
        for older in checkpoints(self._folder, name_of(trial))[self._checkpoints_kept :]:
            forget(self._folder, older)

    def on_trial_complete(self, trial: Trial, **info: Any) -> None:
        """Remove a trial's checkpoints, and Tune's running means of every number that it reported."""
        if not self._ended_kept:
            forget(self._folder, ray_folder(self._folder, name_of(trial)))
        for statistics in (trial.metric_analysis, trial.metric_n_steps, trial.last_result, trial.evaluated_params):
            statistics.clear()

    def on_trial_error(self, trial: Trial, **info: Any) -> None:
        """Do the same for a trial that failed."""
        self.on_trial_complete(trial)


def _worker_death(trial: Trial) -> str:
    try:  # Tune's own file of the error, while the sweep runs
        text = Path(trial.error_file or "").read_text(encoding="utf-8").strip()
    except OSError:
        text = ""
    unloaded = _UNLOADED.findall(text)
    if unloaded:
        return f"its worker could not load gansearch's part of it; is the same gansearch on every node? {unloaded[-1]}"
    last = text.splitlines()[-1].strip() if text else "no error was given"
    times = trial.run_metadata.num_failures
    return f"the worker died {times} times (killed, or ended by the code it ran); the last time: {last}"
