"""Trials in the trackers that people already have, a run each: parameters, curves and how it ended.

Ray's own callbacks for them log flat numbers of one series; our trials tell several seeds' probes at a time.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gansearch.experiment import Experiment, ExperimentError, MLflow, Wandb
from gansearch.search.callbacks.tensorboard import TAGS
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord

Ending = Literal["complete", "failed", "killed"]
"""How a run ended; killed: the sweep was interrupted, and the trial may go on in another run."""

_PATIENCE = 60.0
"""Seconds that the end of a sweep waits for a tracker that is behind."""
_LOG = logging.getLogger(__name__)


def check_trackers(experiment: Experiment) -> None:
    """Raises ExperimentError where a tracker's package is missing, or would ask for a key in the middle of a sweep."""
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
    """The listeners that the experiment asks for."""
    logs = {"mlflow": MLflowLog, "wandb": WandbLog}
    return [logs[name](options) for name, options in experiment.trackers if options]


class TrackerLog:
    """Logs to a tracker from a thread of its own: a server that is slow or away delays no trial.

    Metrics have the tags of TensorBoard, with several seeds behind `seed-N/`. A trial that goes on after an
    interrupt gets a second run; the first one was killed.
    """

    name: str

    def __init__(self, options: Any):
        self._options = options
        self._several = False
        self._runs: dict[int, Any] = {}
        self._events: queue.Queue[tuple[str, tuple[Any, ...]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """A sweep begins; where nothing is left to do nothing is logged."""
        if slots:
            self._several = experiment.most_replicas > 1
            self._thread.start()
            self._events.put(("connect", (experiment, folder)))

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial begins with these parameters."""
        self._events.put(("open", (number, dict(params))))

    def probes(self, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """New probes of a trial, with the columns of curves.parquet."""
        self._events.put(("curves", (number, list(rows))))

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """A trial has ended: its numbers, its verdict and what it means."""
        self._events.put(("finish", (record,)))

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        """A confirmation is no trial, and has no run."""

    def close(self) -> None:
        """Logs what is waiting, and ends the runs of trials that were cut short."""
        self._events.put(None)
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                _LOG.warning("%s is behind: the last trials are not logged there", self.name)

    def _work(self) -> None:
        try:
            while event := self._events.get():
                name, what = event
                getattr(self, f"_{name}")(*what)
            for run in self._runs.values():
                self._end(run, "killed")
        except Exception as error:  # noqa: BLE001 (of a server, a file or a network: the sweep needs none of them)
            _LOG.warning("%s is told no more of this sweep: %s", self.name, error)

    def _open(self, number: int, params: dict[str, Any]) -> None:
        if number in self._runs:  # a member of a population has become a copy of another
            self._end(self._runs[number], "killed")
        self._runs[number] = self._run(f"trial-{number:05d}", params)

    def _curves(self, number: int, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            seed = f"seed-{row['seed']}/" if self._several else ""
            values = {f"{seed}{tag}": row[column] for column, tag in TAGS.items()}
            self._metrics(self._runs[number], _finite(values), int(row["update"]))

    def _finish(self, record: TrialRecord) -> None:
        run = self._runs.pop(record.number)
        values = {"stability/score": record.stability, "updates": record.updates, "train_seconds": record.train_seconds}
        # Curves of several seeds have names of their own, and their median has this one.
        values[TAGS["distance"]] = record.distance
        self._metrics(run, _finite(values), record.updates)
        sentence = next((seed.sentence for seed in record.seeds if seed.verdict == record.verdict), "")
        facts = {name: getattr(record, name) for name in ("status", "verdict", "node", "error")} | {
            "sentence": sentence
        }
        self._facts(run, {name: str(value) for name, value in facts.items() if value})
        self._end(run, "failed" if record.status == "failed" else "complete")

    def _connect(self, experiment: Experiment, folder: Folder) -> None:
        raise NotImplementedError

    def _run(self, name: str, params: dict[str, Any]) -> Any:
        """A new run of the tracker."""
        raise NotImplementedError

    def _metrics(self, run: Any, values: Mapping[str, float], update: int) -> None:
        raise NotImplementedError

    def _facts(self, run: Any, facts: Mapping[str, str]) -> None:
        """What is said of a run in words."""
        raise NotImplementedError

    def _end(self, run: Any, how: Ending) -> None:
        raise NotImplementedError


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
            self._client.set_tag(run, name, value[:5000])

    def _end(self, run: str, how: Ending) -> None:
        status = {"complete": "FINISHED", "failed": "FAILED", "killed": "KILLED"}[how]
        self._client.set_terminated(run, status)


class WandbLog(TrackerLog):
    """Runs of a project of Weights & Biases, in one group a sweep. Its files are in `wandb/` of the results folder,
    from where `wandb sync` sends what was logged offline."""

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
        # Seeds that train in turn count their updates anew, which W&B's own steps cannot.
        run.define_metric("*", step_metric="update")
        return run

    def _metrics(self, run: Any, values: Mapping[str, float], update: int) -> None:
        run.log({**values, "update": update})

    def _facts(self, run: Any, facts: Mapping[str, str]) -> None:
        run.summary.update(facts)

    def _end(self, run: Any, how: Ending) -> None:
        run.finish(exit_code={"complete": 0, "failed": 1, "killed": 130}[how])


def _installed(package: str) -> bool:
    """Whether it is there, and not just a folder of that name in the working directory, as W&B leaves one."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if math.isfinite(value)}
