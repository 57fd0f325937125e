"""Runs a training loop of the user's own, report by report, as a `SeedTrainer`.

The user's function calls `trial.report`, and the caller of `run` iterates over probes. So the function runs in another
thread, which waits while its report is processed. Only one of the two threads runs at any time.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansearch.experiment import LoopTraining
from gansearch.gan.loop import main_thread
from gansearch.gan.loop.task import Loop
from gansearch.gan.loop.trial import MAX_SAMPLES, Trial
from gansearch.gan.result import Probe, Result
from gansearch.gan.rng import RandomState
from gansearch.gan.ruling import ruling_on
from gansearch.gan.task import TaskError
from gansearch.stability.defaults import torch_defaults
from gansearch.stability.referee import Ruling
from gansearch.stability.report import StabilityReport
from gansearch.stability.verdict import VERDICTS

CLEANUP_SECONDS = 5.0
"""Time in which an abandoned loop may clean up."""
FOLDERS: str | None = None
"""Where temporary folders are made, that are left where this process is killed; None for the system's own place."""


class Abandoned(BaseException):
    """Raised by a report in the user's loop, once the caller has stopped to iterate."""


class LoopTrainer:
    """Trains by calling the user's function: a `gansearch.gan.SeedTrainer`.

    `state()` includes the files that the loop has saved in its `checkpoint_dir`. `prune` tells a loop that is beyond
    hope to stop.
    """

    def __init__(
        self, loop: Loop, training: LoopTraining, seed: int = 0, device: str | torch.device = "cpu", prune: bool = False
    ):
        self.task, self.training, self.seed = loop, training, seed
        self._folder = tempfile.TemporaryDirectory(prefix="gansearch-", dir=FOLDERS, ignore_cleanup_errors=True)
        self.checkpoint_dir = Path(self._folder.name)
        self.trial = Trial(
            training.params, seed, torch.device(device), training.updates, self.checkpoint_dir, prune, self._hand_over
        )
        self.random_state = RandomState(seed, self.trial.device)
        self.seconds = 0.0
        self._remark = ""
        self._events: SimpleQueue[Probe | BaseException | None] = SimpleQueue()  # from the loop; None at its end
        self._replies: SimpleQueue[bool] = SimpleQueue()  # to the loop: whether it may continue
        self._abandoned = self._started = False
        self._returned = threading.Event()

    @property
    def updates(self) -> int:
        """The step of the last report."""
        return self.trial.step

    @property
    def share(self) -> float:
        """Share of the budget that is done, in [0, 1]."""
        return self.trial.share

    @property
    def stopped(self) -> str:
        """Why the loop is to stop; empty while it is not."""
        return self.trial.stopped

    @stopped.setter
    def stopped(self, why: str) -> None:
        self.trial.stopped = why

    @property
    def prune(self) -> bool:
        """Whether it ends where it is beyond hope."""
        return self.trial.prune

    @prune.setter
    def prune(self, prune: bool) -> None:
        self.trial.prune = prune

    def run(self, patience: float | None = None) -> Generator[Probe, None, None]:
        """Calls the function and yields each of its reports until it returns.

        Where nothing is left to do it is not called. A loop that continues although it should stop is waited for.

        Raises:
            TaskError: The function returned and had given no scores.
            TimeoutError: A report took longer than `patience` seconds.
            Exception: What the function raised; RuntimeError in place of KeyboardInterrupt and the like.
            SystemExit: It ended the program.
        """
        if self.stopped or self.updates >= self.training.updates:
            return
        try:
            while (event := self._next(patience)) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
            self._check_end()
        finally:
            self._abandon()

    @property
    def stability(self) -> float:
        """The stability score if the run ended now, of its worst discriminator; NaN before the first probe."""
        return min((report.stability for report in self._reports(None).values()), default=math.nan)

    def remark(self, searched: Iterable[str] = ()) -> str:
        """What the user should know of the loop, empty if nothing: which searched parameters it never read, say."""
        if self._remark:
            return self._remark
        if unread := self.unread(searched):
            return f"{self.task.name}(trial) never reads {', '.join(unread)} from trial.params"
        if bounded := [name for name, monitor in self.trial.used_monitors.items() if monitor.looks_bounded()]:
            return (
                f"all scores of {', '.join(bounded)} lie between 0 and 1: if they are probabilities, behind a sigmoid, "
                'set trial.output = "probability" before the first one'
            )
        return ""

    def unread(self, names: Iterable[str]) -> list[str]:
        """Which of these parameters, where they have a value, the loop has never read."""
        params = self.trial.params
        return [name for name in names if name in params.unread and dict.get(params, name) is not None]

    def standing(self) -> tuple[float, float]:
        """(stability, last reported distance) as they are now, to compare runs part way by."""
        return self.stability, self.trial.distance

    @torch_defaults()
    def result(self) -> Result:
        """Judges the run as far as it went, by the worst of its discriminators."""
        start = time.perf_counter()
        trial, ruling = self.trial, None
        if trial.invalid:
            for monitor in trial.monitors.values():
                monitor.mark_invalid()
        elif not self.stopped and trial.samples is not None and bool(trial.samples[1].isfinite().all()):
            ruling = ruling_on(*trial.samples)
        reports = self._reports(ruling)
        worst = min(reports, key=lambda name: (VERDICTS.index(reports[name].verdict), reports[name].stability))
        report = replace(reports[worst], stability=min(one.stability for one in reports.values()))
        if len(reports) > 1:
            verdicts = ", ".join(f"{name} {one.verdict}" for name, one in reports.items())
            report = replace(report, sentence=f"{verdicts}. {worst}: {report.sentence}")
        distance = math.nan if report.verdict == "diverged" else trial.distance
        self.seconds += time.perf_counter() - start
        return Result.judged(
            report,
            seed=self.seed,
            stopped=self.stopped,
            updates=trial.step,
            distance=distance,
            quality={**({} if math.isnan(distance) else {"distance": distance}), **trial.numbers},
            train_seconds=self.seconds,
            samples=self.samples(MAX_SAMPLES).numpy(),
            verdicts={name: one.verdict for name, one in reports.items()} if len(reports) > 1 else {},
        )

    def samples(self, n: int) -> Tensor:
        """(N, ...) fakes that were reported last, at most n, float32 on the CPU; (0,) where none were."""
        return torch.empty(0) if self.trial.samples is None else self.trial.samples[1][:n]

    def conditions(self, n: int) -> None:
        """None: a loop keeps its conditions to itself."""

    def training_distance(self) -> float:
        """NaN: the loop keeps its networks to itself."""
        return math.nan

    def final_generator(self) -> None:
        """None: the loop keeps its networks to itself."""
        return None

    def records(self) -> dict[str, str]:
        """None: the loop writes where it likes."""
        return {}

    def state(self) -> dict[str, Any]:
        """Everything that `load_state` needs; for torch.save and torch.load(weights_only=True)."""
        files = sorted(path for path in self.checkpoint_dir.rglob("*") if path.is_file() and not path.is_symlink())
        return {
            "trial": self.trial.state(),
            "files": {
                path.relative_to(self.checkpoint_dir).as_posix(): torch.from_numpy(np.fromfile(path, np.uint8))
                for path in files
            },
            "global": dict(self.random_state.state),
            "seconds": self.seconds,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from the `state()` of another trainer; the loop's files are in `checkpoint_dir` again."""
        for name, content in state["files"].items():
            path = self.checkpoint_dir / name
            if not path.resolve().is_relative_to(self.checkpoint_dir.resolve()):
                continue  # a tampered checkpoint
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.numpy().tobytes())
        self.trial.load_state(state["trial"])
        self.random_state.load_state(state["global"])
        self.seconds = state["seconds"]

    def copy_files(self, folder: Path) -> None:
        """Copies what the loop has saved in its `checkpoint_dir`, if anything, into `folder`. Raises OSError."""
        if any(self.checkpoint_dir.iterdir()):
            shutil.copytree(self.checkpoint_dir, folder, dirs_exist_ok=True)

    def _call(self, threads: int) -> None:
        """Runs in the loop's thread, and does not raise."""
        torch.set_num_threads(threads)  # PyTorch's number belongs to the calling thread
        try:
            self.task.function(self.trial, **self.task.options)
            if not self.trial.reports and self.trial.used_monitors:
                self._remark = f"{self.task.name}(trial) never called trial.report(): it could not be pruned or resumed"
                self.trial.report()
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 (the user's code may raise anything, which run() raises again)
            if not isinstance(error, Exception | SystemExit):  # no Ctrl-C, which only the main thread gets
                error = RuntimeError(f"{type(error).__name__} {error}".strip()).with_traceback(error.__traceback__)
            self._events.put(error)
            return
        finally:
            self._returned.set()
        self._events.put(None)

    def _hand_over(self, probe: Probe | None) -> None:
        """Called by a report, in the loop's thread: waits until the caller has processed the probe."""
        if probe is not None and not self._abandoned:
            self._events.put(probe)
            self._abandoned = not self._replies.get()
        if self._abandoned:
            raise Abandoned

    def _next(self, patience: float | None) -> Probe | BaseException | None:
        start = time.perf_counter()
        try:
            with self.random_state:
                if self._started:
                    self._replies.put(True)
                else:
                    self._started = True
                    main_thread.start(partial(self._call, torch.get_num_threads()))
                return self._events.get(timeout=patience)
        except Empty:
            raise TimeoutError(f"no report in {patience:g} seconds") from None
        finally:
            self.seconds += time.perf_counter() - start

    def _check_end(self) -> None:
        """Sets the remark on a loop that has returned. Raises TaskError where it had given no scores."""
        name, trial = self.task.name, self.trial
        if not trial.used_monitors:
            raise TaskError(
                f"{name}(trial) returned without a call of trial.monitor.update(real, fake) with D's scores: "
                "there is nothing to judge it by"
            )
        if trial.ignored:
            self._remark = (
                f"{name}(trial) went on for {trial.ignored} reports after it was to stop; "
                "ask trial.should_stop() after each report, and return"
            )

    def _abandon(self) -> None:
        if self._started and not self._returned.is_set():
            self._replies.put(False)
            self._abandoned = True
            self._returned.wait(CLEANUP_SECONDS)

    def _reports(self, ruling: Ruling | None) -> dict[str, StabilityReport]:
        """The report on each discriminator, over the last half of the updates done."""
        since = self.updates // 2
        return {name: monitor.report(since, ruling) for name, monitor in self.trial.used_monitors.items()}
