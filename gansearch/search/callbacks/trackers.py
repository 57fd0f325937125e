"""Trials in MLflow and in Weights & Biases: a run each, with its parameters, its curves and how it ended.

Ray's own callbacks for them log one series of flat numbers; a trial of gansearch has probes of several seeds at a time.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from gansearch.experiment import Experiment, ExperimentError, MLflow, Wandb
from gansearch.search.callbacks.listener import Listener
from gansearch.search.callbacks.tensorboard import TAGS, finite
from gansearch.search.environment import environment
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord

Ending = Literal["complete", "failed", "killed"]
"""How a run ended. Killed: the sweep was interrupted, and the trial may go on in another run."""

_PATIENCE = 60.0
"""Seconds that the end of a sweep waits for a tracker that is behind."""
_LOG = logging.getLogger(__name__)


def check_trackers(experiment: Experiment) -> None:
    """Raise ExperimentError where a tracker's package is missing, or would ask for a key in the middle of a sweep."""
    for name, options in experiment.trackers:
        if options and not _installed(name):
            missing = f"{name} is not installed: pip install 'gansearch[{name}]'"
            raise ExperimentError(experiment.name, {f"trackers.{name}": missing})
    wanted = experiment.trackers.wandb
    if wanted and (wanted.mode or os.environ.get("WANDB_MODE", "online")) == "online":
        import wandb

        if not wandb.login(prompt=False):
            remedy = "log in by wandb login or WANDB_API_KEY, or write {wandb: {mode: offline}}"
            raise ExperimentError(experiment.name, {"trackers.wandb": f"no key for Weights & Biases: {remedy}"})


def trackers(experiment: Experiment) -> list[TrackerLog]:
    """Return the listeners that the experiment asks for."""
    logs = {"mlflow": MLflowLog, "wandb": WandbLog}
    return [logs[name](options) for name, options in experiment.trackers if options]


class TrackerLog(Listener):
    """Logs to a tracker from a thread of its own, so that a slow server delays no trial.

    Metrics have the tags of TensorBoard, those of several seeds behind `seed-N/`. A trial that goes on after an
    interrupt gets a second run; the first one was killed. A subclass says how a tracker is connected to, and how a run
    of it is made, filled and ended.
    """

    name: str

    def __init__(self, options: Any):
        """`options` are the experiment's, under `trackers:`."""
        self._options = options
        self._several = False
        self._runs: dict[int, Any] = {}
        self._events: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """Connect to the tracker if anything is left to do."""
        if slots:
            self._several = experiment.most_replicas > 1
            self._thread.start()
            self._events.put((self._connect, experiment, folder))

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """Make a run with the trial's parameters."""
        self._events.put((self._open, number, dict(params)))

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        """Log the curves of a trial."""
        self._events.put((self._log, number, list(rows)))

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """Log the trial's numbers, its verdict and what it means, and end the run."""
        self._events.put((self._finish, record))

    def close(self) -> None:
        """Log what is waiting, and end the runs of trials that were cut short."""
        self._events.put(None)
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                _LOG.warning("%s is behind: the last trials are not logged there", self.name)

    def _work(self) -> None:
        try:
            while event := self._events.get():
                act, *what = event
                act(*what)
            for run in self._runs.values():
                self._end(run, "killed")
        except Exception as error:  # noqa: BLE001 (of a server, a file or a network: the sweep needs none of them)
            _LOG.warning("%s logs no more of this sweep: %s", self.name, error)

    def _open(self, number: int, params: dict[str, Any]) -> None:
        if number in self._runs:  # a member of a population has become a copy of another
            self._end(self._runs[number], "killed")
        self._runs[number] = self._run(f"trial-{number:05d}", params)

    def _log(self, number: int, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            seed = f"seed-{row['seed']}/" if self._several else ""
            values = {f"{seed}{tag}": row.get(column, math.nan) for column, tag in TAGS.items()}
            self._metrics(self._runs[number], finite(values), int(row["update"]))

    def _finish(self, record: TrialRecord) -> None:
        if record.number not in self._runs:  # its worker never began
            self._open(record.number, dict(record.params))
        run = self._runs.pop(record.number)
        values = {"stability/score": record.stability, "updates": record.updates, "train_seconds": record.train_seconds}
        # Curves of several seeds have names of their own, and their median has this one.
        values[TAGS["distance"]] = record.distance
        self._metrics(run, finite(values), record.updates)
        sentence = next((seed.sentence for seed in record.seeds if seed.verdict == record.verdict), "")
        facts = {name: getattr(record, name) for name in ("status", "verdict", "node", "error")}
        self._facts(run, {name: str(value) for name, value in {**facts, "sentence": sentence}.items() if value})
        self._end(run, "failed" if record.status == "failed" else "complete")

    def _connect(self, experiment: Experiment, folder: Folder) -> None:
        """Connect to the tracker."""

    def _run(self, name: str, params: dict[str, Any]) -> Any:
        """Return a new run."""

    def _metrics(self, run: Any, values: Mapping[str, float], update: int) -> None:
        """Log numbers of a run at an update."""

    def _facts(self, run: Any, facts: Mapping[str, str]) -> None:
        """Log what is said of a run in words."""

    def _end(self, run: Any, how: Ending) -> None:
        """End a run."""


class MLflowLog(TrackerLog):
    """Runs of an MLflow experiment, which are FINISHED, FAILED or KILLED."""

    name = "MLflow"
    _options: MLflow

    def _connect(self, experiment: Experiment, folder: Folder) -> None:
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(self._options.tracking_uri)
        name = self._options.experiment_name or experiment.name
        known = self._client.get_experiment_by_name(name)
        self._experiment_id = known.experiment_id if known else self._client.create_experiment(name)

    def _run(self, name: str, params: dict[str, Any]) -> str:
        from mlflow.entities import Param

        run: str = self._client.create_run(self._experiment_id, run_name=name).info.run_id
        self._client.log_batch(run, params=[Param(name, str(value)) for name, value in params.items()])
        return run

    def _metrics(self, run: str, values: Mapping[str, float], update: int) -> None:
        from mlflow.entities import Metric

        now = round(time.time() * 1000)
        self._client.log_batch(run, metrics=[Metric(name, value, now, update) for name, value in values.items()])

    def _facts(self, run: str, facts: Mapping[str, str]) -> None:
        for name, value in facts.items():
            self._client.set_tag(run, name, value[:5000])  # what MLflow takes at most

    def _end(self, run: str, how: Ending) -> None:
        status = {"complete": "FINISHED", "failed": "FAILED", "killed": "KILLED"}[how]
        with environment({"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}):  # the URL may hold a password
            self._client.set_terminated(run, status)


class WandbLog(TrackerLog):
    """Runs of a project of Weights & Biases, those of a sweep in one group.

    Its files are in `wandb/` of the results folder; `wandb sync` sends from there what was logged offline.
    """

    name = "Weights & Biases"
    _options: Wandb

    def _connect(self, experiment: Experiment, folder: Folder) -> None:
        import wandb

        quiet = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False, x_disable_stats=True)
        self._common = {
            "project": self._options.project or experiment.folder,
            "entity": self._options.entity,
            "mode": self._options.mode,
            "group": experiment.folder,
            "dir": str(folder.path),
            "reinit": "create_new",  # trials run beside each other
            "settings": quiet,
        }

    def _run(self, name: str, params: dict[str, Any]) -> Any:
        import wandb

        run = wandb.init(name=name, config=params, **self._common)
        # Seeds that train in turn begin their updates at 0 again, which W&B's own steps cannot.
        run.define_metric("*", step_metric="update")
        return run

    def _metrics(self, run: Any, values: Mapping[str, float], update: int) -> None:
        run.log({**values, "update": update})

    def _facts(self, run: Any, facts: Mapping[str, str]) -> None:
        run.summary.update(facts)

    def _end(self, run: Any, how: Ending) -> None:
        run.finish(exit_code={"complete": 0, "failed": 1, "killed": 130}[how])


def _installed(package: str) -> bool:
    """Return whether it is a package, not just a folder of that name in the working directory, as W&B leaves one."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None
