"""What the process of a trial runs: it trains, reports in batches, and saves itself now and then."""

from __future__ import annotations

import logging
import pickle
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansearch.experiment import Experiment
from gansearch.gan import Result
from gansearch.gan.loop import trainer
from gansearch.search.worker import gpu
from gansearch.search.worker.distributed import why
from gansearch.search.worker.link import FAILED, PACKED, Link
from gansearch.search.worker.samples import few, to_show
from gansearch.search.worker.saves import STATE, read_state
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
    """What the user should know of the training; empty if nothing."""
    schedule: list[Segment] = field(default_factory=list)
    """What its weights went through, of a member of a population."""
    shown: dict[str, Any] = field(default_factory=dict)
    """How the task displays `samples`."""
    files: dict[str, str] = field(default_factory=dict)
    """What is kept of a script's runs, by path below the trial's folder."""
    real: np.ndarray | None = None
    """As many held-out reals, to set the samples beside."""
    real_shown: dict[str, Any] = field(default_factory=dict)
    inputs: np.ndarray | None = None
    """What `real` are the targets of, and `samples` were made of, with pairs."""
    moments: dict[str, Any] = field(default_factory=dict)
    """Samples of the same latents at several moments, as `write_moments` takes them; {} where none were asked for."""


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
        self.link: Link | None = None
        """To the worker beside this process; None where there is none, in tests."""
        self.unfinished = False
        """Whether the training continues in another process, which gets this object."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the link, which belongs to this process."""
        return {**self.__dict__, "link": None, "unfinished": False}

    @abstractmethod
    def train(self) -> Generator[bool, None, None]:
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
        news = {"rows": self.rows[self.reported :], "is_copy": self.is_copy, **gpu.facts(), **self.status()}
        self.reported, self.is_copy = len(self.rows), False
        return news

    def keep(self, result: Result) -> None:
        """Keep the result of a seed, and a few samples of the first one."""
        self.seeds.append(result.without_samples())
        if len(self.seeds) == 1:
            self.samples = few(self.experiment, result.samples)

    def fail(self, error: BaseException) -> None:
        """Note what the user's code has raised."""
        self.error = why(error)

    def _ending(self, started: datetime | None, **more: Any) -> Ending:
        node, display = self.link("node") if self.link else "", to_show(self.experiment, self.samples)
        return Ending(self.seeds, self.samples, started, datetime.now(UTC), node, self.error, **more, **display)


def train(link: Link, left: bytes, begin: tuple[Any, ...]) -> tuple[bytes, dict[str, Any]]:
    """Train, in a process of its own, what another process has `left`, or else what `begun` makes of `begin`.

    Reports {"rows", "is_copy"} and what `Run.status` says. Returns what the next process is given as `left`, where the
    trial continues in one, and the last report, which else has an "ending" and FAILED.
    """
    run: Run = pickle.loads(left) if left else begun(*begin)  # noqa: S301 (of such a process)
    run.link = link
    reported = time.monotonic()
    with closing(run.train()) as training:
        for checkpoint_due in training:
            if not checkpoint_due and time.monotonic() - reported < REPORT_SECONDS:
                continue
            news = packed(run.news())
            if not (checkpoint_due and _saved(run, link, news)):
                link("report", news, None)
            reported = time.monotonic()
    if run.unfinished:
        news = packed(run.news())
        return pickle.dumps(run), news
    ending = run.ending()
    return b"", packed({**run.news(), "ending": ending, FAILED: bool(ending.error)})


def begun(make: bytes, config: Mapping[str, Any], cpus: float, gpus: float, saved: list[str], own: bool) -> Run:
    """Return what `make` makes of a config, from the first of some saved checkpoints that is whole.

    They are those of an earlier sweep, newest first, or Tune's `own` of this trial. Raises what reading one of its own
    raises where it is required: the trial is tried again.
    """
    run: Run = pickle.loads(make)(config, cpus, gpus)  # noqa: S301 (of the driver)
    for checkpoint in saved:
        try:
            run.load_state(read_state(checkpoint), resumed=not own)
            break
        except Exception as error:  # one cut off in writing; there is an older one, or the beginning
            _LOG.warning("%s is passed over, for it cannot be read: %s", checkpoint, error)
            if own and run.checkpoint_required:  # the others of its population do not wait for one that begins anew
                raise
    return run


def packed(news: Mapping[str, Any]) -> dict[str, Any]:
    """Return news with rows and ending pickled, for a worker that passes them on."""
    return {name: pickle.dumps(value) if name in PACKED else value for name, value in news.items()}


def _saved(run: Run, link: Link, news: dict[str, Any]) -> bool:
    """Report news with a checkpoint. Return False where there is no space for one; the trial continues."""
    try:
        with tempfile.TemporaryDirectory(dir=trainer.FOLDERS) as folder:
            torch.save(run.state(), Path(folder) / STATE)
            problem: str = link("report", news, folder)
    except (OSError, RuntimeError) as error:  # torch.save makes a RuntimeError of a full disk
        if run.checkpoint_required:
            raise
        problem = str(error)
    if problem and run.checkpoint_required:
        raise RuntimeError(problem)
    if problem:
        _LOG.warning("A checkpoint was not written: %s", problem)
    return not problem
