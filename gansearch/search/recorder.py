"""What Ray Tune tells while trials run, written down: record first, then the study, then the listeners."""

from __future__ import annotations

import logging
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback

from gansearch.experiment import Experiment
from gansearch.interrupts import Interrupts
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.ray_patches import kill_worker
from gansearch.search.sampling.searcher import StudySearcher
from gansearch.search.slots import Slots
from gansearch.search.watchdog import Silence, Watch
from gansearch.search.worker.checkpoints import checkpoints, forget, ray_folder
from gansearch.search.worker.trial import Ending
from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import TrialRecord, trial_record
from gansearch.store.repair import log_record
from gansearch.store.samples import write_real
from gansearch.store.tables import write_tables
from gansearch.store.trial_files import write_trial

_LOG = logging.getLogger(__name__)

TABLE_SECONDS = 10.0
"""Between two writings of the tables while trials run."""
_TABLE_SHARE = 0.05
"""Most of the time that writing them may take."""
FAILURES = 2
"""Deaths of its worker that a trial survives."""
_MOVES = 20
"""Nodes that may vanish under a trial, or prove unfit, before that counts as one of these."""


_SO_FAR = ("stability", "gpus")
"""What a report says beside its rows, to those who look on."""


class Stop(Exception):
    """Raised inside Ray Tune once an interrupt is requested, so that it cleans up and returns."""


class Recorder(TrialProgressCallback):
    """Ray Tune's callback of one sweep; `records` are those of trials that ended before it.

    It stands in for the callback that prints every trial, which Ray Tune adds where none is given.
    """

    def __init__(
        self,
        folder: Folder,
        experiment: Experiment,
        searcher: StudySearcher,
        listeners: Listener,
        interrupts: Interrupts,
        records: Sequence[TrialRecord],
        run: dict[str, Any],
        slots: Slots,
        silence: Silence,
    ):
        self.folder, self.experiment, self.searcher = folder, experiment, searcher
        self.listeners, self.interrupts, self.slots = listeners, interrupts, slots
        self.watch = Watch(silence)
        self.records = list(records)
        self._run = run
        self._before = (len(self.records), _wall_seconds(folder))
        self._running: dict[int, tuple[datetime, dict[tuple[int, int], dict[str, Any]]]] = {}
        self._nodes: dict[int, str] = {}  # where trials were when they told something last
        self._tables_due = time.monotonic() + TABLE_SECONDS
        self._told: set[str] = set()  # so that each is told once

    def on_step_begin(self, **info: Any) -> None:
        if self.interrupts.requested:
            raise Stop
        self.watch.look()
        self.slots.look()
        self.searcher.most = self.slots.asked
        if time.monotonic() >= self._tables_due:
            self.write_tables()

    def on_trial_start(self, trial: Trial, **info: Any) -> None:
        self.watch.started(trial)
        number = trial.config["number"]
        if number not in self._running:  # else it starts again, after its worker died
            self._running[number] = (datetime.now(UTC), {})
            self.listeners.started(number, trial.config["params"])

    def on_trial_result(self, trial: Trial, result: dict[str, Any], **info: Any) -> None:
        # Taken out of the result, which Ray Tune keeps for every trial until the end.
        rows, ending, node = result.pop("rows"), result.pop("ending", None), result.pop("on", "")
        number = trial.config["number"]
        if number not in self._running:
            return  # its worker died after the ending was told, and it was trained again
        self.watch.heard(trial)
        self._nodes[number] = node
        if ending and ending.error and node and not self.slots.trusts(node):
            self._anew(trial)
            return
        told = {"number": number, "node": result.get("node_ip")} | {name: result.get(name) for name in _SO_FAR}
        rows = [{**told, **row} for row in rows]
        self._running[number][1].update({(row["seed"], row["update"]): row for row in rows})
        if rows:
            self.listeners.probes(number, rows)
        if ending:
            self._end(trial, ending)

    def on_trial_recover(self, trial: Trial, **info: Any) -> None:
        """Ray Tune trains it again, from its checkpoint, after its worker died."""
        self.watch.left(trial)
        node = self._nodes.pop(trial.config["number"], "")
        if node and not self.slots.is_there(node):
            self._forgive(trial)

    def on_trial_save(self, trial: Trial, **info: Any) -> None:
        for older in checkpoints(self.folder, trial.config["number"])[1:]:
            forget(self.folder, older)

    def on_trial_complete(self, trial: Trial, **info: Any) -> None:
        self.watch.left(trial)
        forget(self.folder, ray_folder(self.folder, trial.config["number"]))
        # Ray Tune keeps its trials to the end, with running means of every number: most of what a trial weighs.
        for kept in (trial.metric_analysis, trial.metric_n_steps, trial.last_result, trial.evaluated_params):
            kept.clear()

    def on_trial_error(self, trial: Trial, **info: Any) -> None:
        number = trial.config["number"]
        if number in self._running:
            started, _ = self._running[number]
            why = self.watch.why(trial) or _why(trial)
            self._end(trial, Ending([], None, started, datetime.now(UTC), "", why, ""))
        self.on_trial_complete(trial)

    def write_tables(self) -> None:
        """Writes trials.parquet, curves.parquet and run.json of all that has ended so far."""
        start = time.monotonic()
        write_tables(self.folder, self.experiment.search, self.records)
        done, seconds = self._before
        run = {
            **self._run,
            "slots": self.slots.most,
            "wall_seconds": seconds + _span(self.records[done:]),
            "ended": self.searcher.why,
        }
        write_whole(self.folder.run, to_json(run))
        now = time.monotonic()
        self._tables_due = now + max(TABLE_SECONDS, (now - start) / _TABLE_SHARE)

    def _anew(self, trial: Trial) -> None:
        """Has a trial trained on another node, where it will be worth something."""
        self._forgive(trial)
        kill_worker(trial)

    def _forgive(self, trial: Trial) -> None:
        """One more death of its worker is not the trial's own."""
        trial.max_failures = min(trial.max_failures + 1, FAILURES + _MOVES)

    def _end(self, trial: Trial, ending: Ending) -> None:
        number, params = trial.config["number"], trial.config["params"]
        _, curves = self._running.pop(number)
        self._nodes.pop(number, None)
        trial.max_failures = 0  # what happens to its worker from here on is nothing to it
        in_turn = ending.in_turn and f"trained its seeds in turn, not at once: {ending.in_turn}"
        for remark in {in_turn, ending.remark} - {"", *self._told}:
            self._told.add(remark)
            _LOG.warning("Trial %d %s", number, remark)
        record = trial_record(
            number,
            self.experiment,
            params,
            ending.seeds,
            started=ending.started,
            ended=ending.ended,
            node=ending.node,
            error=ending.error,
            standings=ending.standings,
            schedule=ending.schedule,
        )
        if not ending.seeds:  # it failed in its first one: what it did until then was work all the same
            reached = dict(sorted(curves))  # of each seed its last update
            seconds = (ending.ended - ending.started).total_seconds() if reached else 0.0
            record = replace(record, updates=sum(reached.values()), train_seconds=seconds)
        probes = [curves[key] for key in sorted(curves)]
        write_trial(self.folder, record, probes, ending.samples, ending.shown)
        if ending.real is not None:
            write_real(self.folder, ending.real, ending.real_shown)
        log_record(self.folder, record)
        self.searcher.tell(record)
        self.records.append(record)
        self.listeners.ended(record, ending.in_turn)

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles callbacks for a resumption of its own, which is not used


def about_run(hardware: str) -> dict[str, Any]:
    """What run.json says of a run, but for its slots and its wall_seconds."""
    return {
        "versions": {
            "gansearch": _version("gansearch"),
            "python": platform.python_version(),
            **{name: _version(name) for name in ("ray", "optuna", "torch")},
        },
        "hardware": hardware,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _wall_seconds(folder: Folder) -> float:
    """Of the runs before this one."""
    try:
        return float(from_json(folder.run.read_text(encoding="utf-8"))["wall_seconds"])
    except (OSError, ValueError, KeyError):
        return 0.0


def _span(records: Sequence[TrialRecord]) -> float:
    """Seconds from the first start to the last end."""
    if not records:
        return 0.0
    first, last = min(record.started for record in records), max(record.ended for record in records)
    return (last - first).total_seconds()


def _why(trial: Trial) -> str:
    """What ended a trial whose worker could not say it."""
    try:  # where Ray Tune has it while the sweep runs
        said = Path(trial.error_file or "").read_text(encoding="utf-8").strip()
    except OSError:
        said = ""
    last = said.splitlines()[-1].strip() if said else "no error was given"
    times = trial.run_metadata.num_failures
    return f"the worker died {times} times (killed, or ended by the code it ran); the last time: {last}"
