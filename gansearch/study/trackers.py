"""Trials in the trackers that people already have, a run each: parameters, curves and how it ended.

Ray's own callbacks for them log flat numbers of one series; our trials tell several seeds' probes at a time.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gansearch.experiment import Experiment, ExperimentError, MLflow
from gansearch.study.folder import Folder
from gansearch.study.tensorboard import TAGS

_PATIENCE = 60.0
"""Seconds that the end of a sweep waits for a tracker that is behind."""
_LOG = logging.getLogger(__name__)


def check_trackers(experiment: Experiment) -> None:
    """Raises ExperimentError where a tracker's package is missing."""
    if experiment.trackers.mlflow and importlib.util.find_spec("mlflow") is None:
        missing = "mlflow is not installed: pip install 'gansearch[mlflow]'"
        raise ExperimentError(experiment.name, {"trackers.mlflow": missing})


def trackers(experiment: Experiment) -> list[MLflowLog]:
    """The listeners that the experiment asks for."""
    wanted = experiment.trackers.mlflow
    return [MLflowLog(wanted)] if wanted else []


class MLflowLog:
    """Logs to MLflow from a thread of its own: a server that is slow or away delays no trial.

    Metrics have the tags of TensorBoard, with several seeds behind `seed-N/`. A trial that goes on after an
    interrupt gets a second run; the first is KILLED.
    """

    def __init__(self, options: MLflow):
        self._options = options
        self._client: Any = None
        self._experiment_id = ""
        self._several = False
        self._runs: dict[int, str] = {}
        self._events: queue.Queue[tuple[str, tuple[Any, ...]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """A sweep begins; where nothing is left to do nothing is logged."""
        if slots:
            self._thread.start()
            self._events.put(("connect", (experiment,)))

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial begins with these parameters."""
        self._events.put(("open", (number, dict(params))))

    def probes(self, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """New probes of a trial, with the columns of curves.parquet."""
        self._events.put(("curves", (number, list(rows))))

    def ended(self, record: Mapping[str, Any]) -> None:
        """A trial has ended: its numbers, its verdict and what it means."""
        self._events.put(("finish", (record,)))

    def confirming(self, number: int | None, seed: int, result: Mapping[str, Any] | None) -> None:
        """A confirmation is no trial, and has no run."""

    def close(self) -> None:
        """Logs what is waiting, and ends the runs of trials that were cut short."""
        self._events.put(None)
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                _LOG.warning("MLflow is behind: the last trials are not logged there")

    def _work(self) -> None:
        try:
            while event := self._events.get():
                name, what = event
                getattr(self, f"_{name}")(*what)
            for run in self._runs.values():
                self._client.set_terminated(run, "KILLED")
        except Exception as error:  # noqa: BLE001 (of a server, a file or a network: the sweep needs none of them)
            _LOG.warning("MLflow is told no more of this sweep: %s", error)

    def _connect(self, experiment: Experiment) -> None:
        from mlflow.tracking import MlflowClient

        self._several = experiment.most_replicas > 1
        self._client = MlflowClient(self._options.tracking_uri)
        name = self._options.experiment_name or experiment.name
        known = self._client.get_experiment_by_name(name)
        self._experiment_id = known.experiment_id if known else self._client.create_experiment(name)

    def _open(self, number: int, params: dict[str, Any]) -> None:
        from mlflow.entities import Param

        run = self._client.create_run(self._experiment_id, run_name=f"trial-{number:05d}").info.run_id
        self._runs[number] = run
        self._client.log_batch(run, params=[Param(name, str(value)) for name, value in params.items()])

    def _curves(self, number: int, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            seed = f"seed-{row['seed']}/" if self._several else ""
            values = {f"{seed}{tag}": row[column] for column, tag in TAGS.items()}
            self._metrics(number, values, int(row["update"]))

    def _finish(self, record: Mapping[str, Any]) -> None:
        row = record["row"]
        number, failed = row["number"], row["status"] == "failed"
        values = {"stability/score": row["stability"], "updates": row["updates"], "train_seconds": row["train_seconds"]}
        # Curves of several seeds have names of their own, and their median has this one.
        self._metrics(number, {**values, TAGS["distance"]: row["distance"]}, int(row["updates"]))
        sentence = next((seed["sentence"] for seed in record["seeds"] if seed["verdict"] == row["verdict"]), "")
        tags = {name: row[name] for name in ("status", "verdict", "node", "error")}
        for name, value in {**tags, "sentence": sentence}.items():
            if value:
                self._client.set_tag(self._runs[number], name, str(value)[:5000])
        self._client.set_terminated(self._runs.pop(number), "FAILED" if failed else "FINISHED")

    def _metrics(self, number: int, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = round(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in values.items() if math.isfinite(value)]
        self._client.log_batch(self._runs[number], metrics=metrics)
