"""The Python face of a sweep and of training one configuration."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from gansearch.experiment import Experiment
from gansearch.search.callbacks.listener import Listener, Listeners
from gansearch.search.callbacks.tensorboard import TensorBoardLog
from gansearch.search.callbacks.trackers import trackers
from gansearch.search.errors import SweepFailed
from gansearch.search.mirror import opened
from gansearch.search.sweep import Swept
from gansearch.search.sweep import sweep as run
from gansearch.store.folder import Folder, StudyError
from gansearch.study.study import Study, load_sweep
from gansearch.training.train import TrainResult, train

__all__ = ["TrainResult", "sweep", "train"]


def sweep(
    experiment: Experiment,
    out: str | Path | None = None,
    address: str | None = None,
    resume: bool = False,
    listeners: Iterable[Listener] = (),
    allow_change: bool = False,
) -> Study:
    """Searches the experiment's space and writes a results folder: tables, best.yaml, report, TensorBoard logs.

    Args:
        experiment: What is searched.
        out: The results folder, results/<name> by default, or a URL such as s3://bucket/prefix.
        address: The address of a running Ray cluster. Without it, Ray starts on this machine.
        resume: Continue the sweep that is in the folder.
        listeners: Objects that are notified of events (`gansearch.search.callbacks.listener.Listener`).
        allow_change: With `resume`, continue although the search space has changed.

    Raises:
        ExperimentError, TaskError, SweepError: The input is wrong; nothing has been written.
        SweepFailed: Every trial failed.
        Interrupted: The user pressed Ctrl-C, or a signal asked for the end; `resume=True` continues the sweep.
    """
    everyone: list[Any] = [TensorBoardLog(), *trackers(experiment), _Results(), *listeners]
    with opened(out) as folder:
        try:
            swept = run(experiment, folder, address, resume, everyone, allow_change, partial(_report, everyone))
        except SweepFailed as failure:
            _report_failed_trials(failure.folder)
            raise
        return load_sweep(swept.path)


def _report(everyone: list[Any], swept: Swept) -> None:
    Listeners(everyone).doing("writing the report")
    try:
        _write_results(load_sweep(swept.path))
    except StudyError as error:
        raise SweepFailed(swept.path, f"the sweep is finished, but {error}; --resume writes it") from None


class _Results(Listener):
    """Writes best.yaml and the report while the default settings are trained: an interrupt there loses neither."""

    def __init__(self) -> None:
        """Writes nothing yet."""
        self._thread = threading.Thread(target=self._write, name="results")

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """Notes the folder."""
        self._folder = folder

    def chosen(self) -> None:
        """Begins to write; the sweep goes on."""
        self._thread.start()

    def close(self) -> None:
        """Waits until all is written."""
        if self._thread.ident is not None:
            self._thread.join()

    def _write(self) -> None:
        with suppress(StudyError):  # the end of the sweep writes again, and says what is wrong
            _write_results(load_sweep(self._folder.path))


def _write_results(study: Study) -> None:
    """Writes the best-balanced configuration, if there is one, and the report."""
    if study.best is None:
        study.folder.best.unlink(missing_ok=True)
    else:
        study.export(study.folder.best)
    study.report()


def _report_failed_trials(folder: Path) -> None:
    """Writes the report of a sweep whose trials all failed.

    A StudyError is ignored here: the user has to read the trials' own error first.
    """
    with suppress(StudyError):
        study = load_sweep(folder)
        if study.counts["failed"] == study.counts["total"]:
            study.report()
