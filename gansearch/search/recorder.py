"""Writes down what Ray Tune reports of trials: the record first, then the study, then the listeners."""

from __future__ import annotations

import logging
import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial

from gansearch import __version__
from gansearch.experiment import Experiment, ScriptTask, masked
from gansearch.search.callbacks.listener import Listener
from gansearch.search.gpu_use import GpuUse
from gansearch.search.sampling.searcher import StudySearcher
from gansearch.search.slots import Slots
from gansearch.search.tuning import SweepCallback
from gansearch.search.worker.run import Ending
from gansearch.stability.verdict import SCORE_VERSION
from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.record import TrialRecord, trial_record
from gansearch.store.repair import log_record
from gansearch.store.run_file import read_run
from gansearch.store.samples import write_real
from gansearch.store.sources import sources
from gansearch.store.tables import write_tables
from gansearch.store.trial_files import write_trial

_LOG = logging.getLogger(__name__)

TABLE_SECONDS = 10.0
"""Between two writings of the tables while trials run."""
_TABLE_SHARE = 0.05
"""Most of the time that writing them may take."""
_STATUS = ("stability", "gpus")
"""What a report says beside its rows, for the listeners."""
_GPU = ("gpu_memory", "gpu_utilisation")
"""What it says where there is a GPU."""


@dataclass
class _Running:
    """What has been reported of a trial that has not ended."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    """Probes by seed and update: a trial that was resumed from a checkpoint reports some of them again."""


class Recorder(SweepCallback):
    """Tune's callback that keeps the records of a sweep's trials, and the tables made of them."""

    def __init__(
        self,
        folder: Folder,
        experiment: Experiment,
        searcher: StudySearcher,
        listener: Listener,
        slots: Slots,
        gpu_use: GpuUse,
        hardware: str,
        records: Sequence[TrialRecord],
        failure: Callable[[Trial], str],
    ):
        """Begin with the `records` of the trials that have ended before; `failure` says what ended a worker."""
        self._folder, self._experiment, self._searcher = folder, experiment, searcher
        self._listener, self._slots, self._failure = listener, slots, failure
        self._gpu_use = gpu_use
        self.records = list(records)
        self._description = describe_run(hardware)
        earlier = read_run(folder) if self.records else {}
        self._before = (len(self.records), float(earlier.get("wall_seconds", 0.0)))
        scores = set(earlier.get("score", [1])) if self.records else set()
        self._description["score"] = sorted(scores | {SCORE_VERSION})
        self._running: dict[int, _Running] = {}
        self._next_tables = time.monotonic() + TABLE_SECONDS
        self._remarks: set[str] = set()

    def on_step_begin(self, **info: Any) -> None:
        """Write the tables now and then."""
        if time.monotonic() >= self._next_tables:
            self.write_tables()

    def on_trial_start(self, trial: Trial, **info: Any) -> None:
        """Note that a trial begins; not where it resumes after the death of its worker."""
        number = trial.config["number"]
        if number not in self._running:
            self._running[number] = _Running()
            self._listener.started(number, trial.config["params"])

    def on_trial_result(self, trial: Trial, result: dict[str, Any], **info: Any) -> None:
        """Keep the rows of a report, and record an ending. Both are taken out of it: Tune keeps reports to the end."""
        rows, ending = result.pop("rows"), result.pop("ending", None)
        number = trial.config["number"]
        if number not in self._running:
            return  # its worker died after the ending was reported, and it was trained again
        running = self._running[number]
        if result.pop("is_copy", False):  # the rows that follow are the whole of it
            running.rows = {}
            self._listener.started(number, trial.config["params"])
        about = {"number": number, "node": result.get("node_ip")} | {name: result.get(name) for name in _STATUS}
        about |= {name: result[name] for name in _GPU if name in result}
        rows = [{**about, **row} for row in rows]
        running.rows.update({(row["seed"], row["update"]): row for row in rows})
        if rows:
            self._listener.probes(number, rows)
        if ending:
            self._record(trial, ending)

    def on_trial_error(self, trial: Trial, **info: Any) -> None:
        """Record a trial whose worker could not say how it ended, or did not even begin."""
        number = trial.config["number"]
        if all(record.number != number for record in self.records):  # else it died after its ending was reported
            self._running.setdefault(number, _Running())
            self._record(trial, Ending([], None, None, datetime.now(UTC), "", self._failure(trial)))

    def write_tables(self) -> None:
        """Write trials.parquet, curves.parquet and run.json of all that has ended so far."""
        start = time.monotonic()
        has_parts = isinstance(self._experiment.task, ScriptTask)
        write_tables(self._folder, self._experiment.search, self.records, has_parts)
        done, seconds = self._before
        description = {
            **self._description,
            "slots": self._slots.most,
            "wall_seconds": seconds + _span(self.records[done:]),
            "total_seconds": self._searcher.budget.total_time.used,
            "ended": self._searcher.why,
            "sources": sources(self.records),
        }
        if self._gpu_use.hours is not None:
            description["gpu_hours"] = self._gpu_use.hours
        if self._slots.fill:
            description["fill"] = self._slots.fill.as_dict()
        if self._slots.stack:
            description["stack"] = self._slots.stack.as_dict()
        write_whole(self._folder.run, to_json(description))
        now = time.monotonic()
        self._next_tables = now + max(TABLE_SECONDS, (now - start) / _TABLE_SHARE)

    def _record(self, trial: Trial, ending: Ending) -> None:
        number, params = trial.config["number"], trial.config["params"]
        running = self._running.pop(number)
        self._warn(number, ending)
        started = ending.started or running.started
        record = trial_record(
            number,
            self._experiment,
            params,
            ending.seeds,
            started=started,
            ended=ending.ended,
            node=ending.node,
            error=ending.error,
            gpu=self._gpu_use.columns(trial),
            standings=ending.standings,
            schedule=ending.schedule,
            source=trial.config.get("source", ""),
        )
        if not ending.seeds:  # it failed in its first one, and what it did until then was work
            reached = dict(sorted(running.rows))  # the last update of each seed
            seconds = (ending.ended - started).total_seconds() if reached else 0.0
            record = replace(record, updates=sum(reached.values()), train_seconds=seconds)
        probes = [running.rows[key] for key in sorted(running.rows)]
        write_trial(self._folder, record, probes, ending.samples, ending.shown, ending.files)
        if ending.real is not None:
            write_real(self._folder, ending.real, ending.real_shown, ending.inputs)
        log_record(self._folder, record)
        self._searcher.tell(record)
        self.records.append(record)
        self._listener.ended(record, ending.in_turn)

    def _warn(self, number: int, ending: Ending) -> None:
        """Log each remark on trials once."""
        in_turn = ending.in_turn and f"trained its seeds in turn, not at once: {ending.in_turn}"
        for remark in {in_turn, ending.remark} - {"", *self._remarks}:
            self._remarks.add(remark)
            _LOG.warning("Trial %d %s", number, remark)


def describe_run(hardware: str) -> dict[str, Any]:
    """Return what run.json says of a run, but for its slots, its times and its trials."""
    return {
        "versions": {
            "gansearch": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("ray", "optuna", "torch")},
        },
        "hardware": hardware,
        "command": masked(shlex.join([*_program(), *sys.argv[1:]])),
    }


def _program() -> list[str]:
    """Return the words that started this process: a script's name, or `python -m` and a package."""
    name, spec = Path(sys.argv[0]).name, sys.modules["__main__"].__spec__
    return ["python", "-m", spec.parent] if name == "__main__.py" and spec and spec.parent else [name]


def _span(records: Sequence[TrialRecord]) -> float:
    """Return the seconds from the first start to the last end."""
    if not records:
        return 0.0
    first, last = min(record.started for record in records), max(record.ended for record in records)
    return (last - first).total_seconds()
