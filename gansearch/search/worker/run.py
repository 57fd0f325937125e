"""What a Ray worker runs for a trial of Ray Tune: it trains, reports in batches, and saves itself now and then."""

from __future__ import annotations

import logging
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from ray import tune

from gansearch.experiment import Experiment
from gansearch.gan import Result
from gansearch.gan.user_code import as_program
from gansearch.search.worker.checkpoints import STATE, read_state
from gansearch.search.worker.distributed import why
from gansearch.search.worker.samples import few, to_show
from gansearch.stability.result import SeedResult
from gansearch.store.record import Segment, Standing

_LOG = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
"""Between reports: often enough for a live view, seldom enough for the 2–4 ms in which the worker waits."""


@dataclass(frozen=True)
class Ending:
    """What a trial left when its training ended, however it ended."""

    seeds: list[SeedResult]
    samples: np.ndarray | None
    """(N, ...) fakes of the first seed, at most 64 and 1 MB."""
    started: datetime | None
    """When the first trainer was ready; None leaves it to the time at which the trial's first worker began."""
    ended: datetime
    node: str
    """Ray's address of the node."""
    error: str = ""
    """The traceback of what was raised; empty if nothing was."""
    in_turn: str = ""
    """Why its seeds were trained one after the other; empty if they were not, or there is one."""
    standings: list[Standing] = field(default_factory=list)
    """At the rungs that it reached."""
    remark: str = ""
    """What the user should know of a loop of their own; empty if nothing."""
    schedule: list[Segment] = field(default_factory=list)
    """What its weights went through, of a member of a population."""
    shown: dict[str, Any] = field(default_factory=dict)
    """How the task displays `samples`."""
    real: np.ndarray | None = None
    """As many held-out reals, to set the samples beside."""
    real_shown: dict[str, Any] = field(default_factory=dict)


class Run(ABC):
    """The progress of one trial in its worker, from which `state()` lets another worker continue."""

    checkpoint_required = False
    """Whether it fails where a checkpoint that is due cannot be written."""

    def __init__(self, experiment: Experiment, config: Mapping[str, Any], cpus: float, gpus: float):
        """Start untrained; `config` has the trial's "number" and "params", the rest is that of each worker."""
        self.experiment, self.number, self.params = experiment, config["number"], config["params"]
        self.cpus, self.gpus = cpus, gpus
        self.rows: list[dict[str, Any]] = []
        """Probes, each with its seed."""
        self.seeds: list[SeedResult] = []
        self.samples: np.ndarray | None = None
        self.error = ""
        self.reported = 0
        """Rows that have been reported."""
        self.is_copy = False
        """Whether the rows are those of another trial, which it copied since the last report."""

    @abstractmethod
    def train(self) -> Iterator[bool]:
        """Train to the end and yield after each probe, whether a checkpoint is due.

        What the user's code raises is kept in `error`. What the consumer raises between probes is not caught.
        """

    @abstractmethod
    def status(self) -> dict[str, Any]:
        """Return what a report says beside the rows."""

    @abstractmethod
    def ending(self) -> Ending:
        """Return what the training left."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return everything, as torch.load(weights_only=True) takes it."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any], resumed: bool) -> None:
        """Continue from a `state()`; of an earlier sweep if it is `resumed`. Raises whatever an unfit one raises."""

    def news(self) -> dict[str, Any]:
        """Return what a report holds: all that has not been reported."""
        news = {"rows": self.rows[self.reported :], "is_copy": self.is_copy, **self.status()}
        self.reported, self.is_copy = len(self.rows), False
        return news

    def keep(self, result: Result) -> None:
        """Keep the result of a seed, and a few samples of the first one."""
        self.seeds.append(result.without_samples())
        if len(self.seeds) == 1:
            self.samples = few(self.experiment, result.samples)

    def fail(self, error: BaseException) -> None:
        """Note what the user's code has raised. The worker is used for the next trial."""
        self.error = why(error)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _ending(self, started: datetime | None, **more: Any) -> Ending:
        node, display = ray.util.get_node_ip_address(), to_show(self.experiment, self.samples)
        return Ending(self.seeds, self.samples, started, datetime.now(UTC), node, self.error, **more, **display)


def run_trial(make: Callable[[Mapping[str, Any], float, float], Run], config: Mapping[str, Any]) -> None:
    """Train what `make` makes of a config and this worker's CPUs and GPUs.

    `config` holds "number", "params" and "checkpoints", those of an earlier sweep, newest first. Reports {"rows", "on",
    "gpus", "is_copy"}, what `Run.status` says, and at last "ending": `on` is Ray's id of the node, `gpus` the ids of
    the GPUs.
    """
    resources = tune.get_context().get_trial_resources().bundles[0]
    run = make(config, resources.get("CPU", 1.0), resources.get("GPU", 0.0))
    _restore(run, config["checkpoints"])
    worker = {"on": ray.get_runtime_context().get_node_id(), "gpus": ", ".join(map(str, ray.get_gpu_ids()))}
    with as_program(run.experiment.task):
        _train(run, worker)
    tune.report({**worker, **run.news(), "ending": run.ending()})


def _train(run: Run, worker: Mapping[str, Any]) -> None:
    """Train to the end, with a report from time to time and a checkpoint where one is due."""
    reported = time.monotonic()
    for checkpoint_due in run.train():
        if not checkpoint_due and time.monotonic() - reported < REPORT_SECONDS:
            continue
        news = {**worker, **run.news()}
        if not (checkpoint_due and _saved(run, news)):
            tune.report(news)
        reported = time.monotonic()


def _saved(run: Run, news: dict[str, Any]) -> bool:
    """Report news with a checkpoint. Return False where there is no space for one; the trial continues."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            torch.save(run.state(), Path(folder) / STATE)
            tune.report(news, checkpoint=tune.Checkpoint.from_directory(folder))
    except (OSError, RuntimeError) as error:  # torch.save makes a RuntimeError of a full disk
        if run.checkpoint_required:
            raise
        _LOG.warning("A checkpoint was not written: %s", error)
        return False
    return True


def _restore(run: Run, resumed: list[str]) -> None:
    """Continue from Tune's checkpoint of this trial, else from the newest whole one of an earlier sweep."""
    own = tune.get_checkpoint()
    for checkpoint in [own] if own else resumed:
        try:
            run.load_state(read_state(checkpoint), resumed=not own)
            return
        except Exception:  # noqa: BLE001 (a checkpoint cut off in writing; there is an older one, or the beginning)
            continue
